"""The demo's help desk: a product's own web server, on an address of its own, that knows nothing of hitl's insides.

It answers questions, sends each as a trace with a token of its own, and its page carries the feedback widget.
Run with the file that `opening` wrote.
"""

import html
import json
import secrets
import socket
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from hitl.management.demo.help_desk.answers import Desk

HERE: Final = Path(__file__).parent
KINDS: Final = {"/page.css": "text/css", "/page.js": "text/javascript"}
QUESTION_LONGEST: Final = 2_000
BODY_MOST: Final = 20_000


class HelpDesk(ThreadingHTTPServer):
    """`told` is what `opening` wrote down: the addresses, the tokens, and what stands on the page at first."""

    daemon_threads = True

    def __init__(self, told: dict[str, Any]) -> None:
        self.address_family = socket.AF_INET6 if ":" in told["host"] else socket.AF_INET
        self.told = told
        self.desk = Desk()
        super().__init__((told["host"], told["port"]), Handler)

    def page(self) -> bytes:
        exchange = (HERE / "exchange.html").read_text()
        talk = "".join(_filled(exchange, one) for one in self.told["before"])
        return _filled((HERE / "page.html").read_text(), self.told).replace("{{talk}}", talk).encode()

    def reply(self, asked: dict[str, Any]) -> dict[str, str]:
        """An answer to a question, once hitl has its trace; without hitl, the answer alone."""
        row = self.desk.reply(str(asked["question"])[:QUESTION_LONGEST], str(asked.get("instead_of") or ""))
        row |= {
            "trace_id": f"desk-{secrets.token_hex(8)}",
            "at": datetime.now(UTC).isoformat(),
            "user_key": str(asked.get("user") or "")[:80],
        }
        self._send(row)
        return {"trace": row["trace_id"], "answer": row["output"]}

    def _send(self, trace: dict[str, Any]) -> None:
        request = urllib.request.Request(  # noqa: S310 -- hitl's own address
            f"{self.told['hitl']}/api/v1/traces",
            json.dumps(trace).encode(),
            {"Authorization": f"Bearer {self.told['own_token']}", "Content-Type": "application/json"},
        )
        try:
            urllib.request.urlopen(request, timeout=5).close()  # noqa: S310
        except OSError as error:
            print(f"The help desk could not send a trace ({error}). Feedback on it will wait.", flush=True)


class Handler(BaseHTTPRequestHandler):
    server: HelpDesk

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/":
            self._answer(200, "text/html", self.server.page())
        elif path in KINDS:
            self._answer(200, KINDS[path], (HERE / path[1:]).read_bytes())
        else:
            self._answer(404, "text/plain", b"There is nothing here.")

    def do_POST(self) -> None:
        # Only this page asks: another one in the same browser would plant traces in the demo.
        if self.path != "/ask" or self.headers.get("Origin") != self.server.told["origin"]:
            self._answer(403, "text/plain", b"Questions are asked on this help desk's own page.")
            return
        try:
            asked = json.loads(self.rfile.read(min(int(self.headers.get("Content-Length") or 0), BODY_MOST)))
            answer = self.server.reply(asked)
        except (ValueError, TypeError, KeyError):
            self._answer(400, "text/plain", b"Send {question} as JSON.")
            return
        self._answer(200, "application/json", json.dumps(answer).encode())

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        hitl = self.server.told["hitl"]
        policy = (
            f"default-src 'none'; script-src 'self' {hitl}; style-src 'self'; connect-src 'self' {hitl}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
        )
        self.send_response(status)
        headers = {
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Length": str(len(body)),
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not worth a line each; what goes wrong says so itself."""


def _filled(template: str, values: dict[str, Any]) -> str:
    for name, value in values.items():
        if isinstance(value, str | int):
            template = template.replace(f"{{{{{name}}}}}", html.escape(str(value)))
    return template


if __name__ == "__main__":
    HelpDesk(json.loads(Path(sys.argv[1]).read_text())).serve_forever()
