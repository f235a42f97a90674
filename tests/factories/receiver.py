"""A real web server on this machine, as the one who gets webhooks: it counts connections and keeps what it got."""

import json
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook


@dataclass
class Got:
    path: str
    headers: dict
    body: bytes

    @property
    def payload(self):
        return json.loads(self.body)

    @property
    def id(self):
        return self.headers["webhook-id"]

    def verified(self, secret):
        """The payload, if the signature is right; else an exception of the standardwebhooks package."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """`answers` are given one after the other, then `answer` for ever: a status, or (status, headers, body)."""

    answer: object = 204
    answers: deque = field(default_factory=deque)
    got: list = field(default_factory=list)
    connections: int = 0
    takes: float = 0.0
    port: int = 0
    at_once: int = 0
    most_at_once: int = 0

    def url(self, path="/hook", host="127.0.0.1"):
        return f"http://{host}:{self.port}{path}"

    @property
    def payloads(self):
        return [got.payload for got in self.got]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    receiver: Receiver

    def get_request(self):
        self.receiver.connections += 1
        return super().get_request()

    def handle_error(self, request, client_address):
        pass


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    lock = threading.Lock()

    def do_POST(self):
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.lock:
            receiver.got.append(Got(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            answer = receiver.answers.popleft() if receiver.answers else receiver.answer
            receiver.at_once += 1
            receiver.most_at_once = max(receiver.most_at_once, receiver.at_once)
        time.sleep(receiver.takes)
        with self.lock:
            receiver.at_once -= 1
        status, headers, said = answer if isinstance(answer, tuple) else (answer, {}, b"")
        if status is None:
            return
        self.send_response(status)
        for name, value in {"Content-Length": len(said), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *args):
        pass


@contextmanager
def receiving(*answers, host="127.0.0.1"):
    """A receiver that listens until the end of the block."""
    receiver = Receiver(answers=deque(answers))
    server = _Server((host, 0), _Handler)
    server.receiver = receiver
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
