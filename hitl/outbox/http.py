"""One request to an address that a stranger may have given: checked, to that very number, bounded in time and size."""

import re
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from ssl import SSLContext
from typing import Any, Final

import httpcore
import httpx

from hitl.outbox import addresses

TIMEOUT: Final = 15.0
KEPT: Final = 200
_READ: Final = 1000


class Unreachable(Exception):
    """Nobody answered; the text says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The status, and the first characters of what was said with it."""

    status: int
    said: str

    @property
    def title(self) -> str:
        with suppress(ValueError):
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        return str(self.status)


def call(method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", timeout: float = TIMEOUT) -> Answer:
    """Sends a request and gives the answer; a redirect is an answer too, and is not followed.

    `timeout` is seconds for everything after the look-up of the name. Raises addresses.Refused, Unreachable.
    """
    address = addresses.parse(url)
    pinned = _Pinned(addresses.resolve(address), time.monotonic() + timeout)
    request = {
        "Host": address.netloc,
        "User-Agent": "hitl",
        "Accept-Encoding": "identity",
        "Connection": "close",
        "Content-Length": str(len(body)),
        **headers,
    }
    where = httpcore.URL(
        scheme=address.scheme.encode(),
        host=address.host.encode(),
        port=address.port,
        target=address.target.encode(),
    )
    try:
        with (
            httpcore.ConnectionPool(ssl_context=_tls(), network_backend=pinned, max_connections=1) as pool,
            pool.stream(method, where, headers=list(request.items()), content=body) as response,
        ):
            return Answer(response.status, _beginning(response.iter_stream()))
    except httpcore.TimeoutException:
        raise Unreachable(f"It did not answer within {timeout:.0f} seconds.") from None
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise Unreachable(_in_words(error)) from None


def post(url: str, *, headers: Mapping[str, str], body: bytes, timeout: float = TIMEOUT) -> Answer:
    """`call`, with what is said in the body."""
    return call("POST", url, headers=headers, body=body, timeout=timeout)


def _beginning(stream: Iterable[bytes]) -> str:
    data = b""
    # What was said matters less than that it was said: a body that breaks off leaves the status as it is.
    with suppress(httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        for chunk in stream:
            data += chunk[: _READ - len(data)]
            if len(data) >= _READ:
                break
    return re.sub(r"[\x00-\x20\x7f-\x9f\s]+", " ", data.decode(errors="replace")).strip()[:KEPT]


def _in_words(error: Exception) -> str:
    text = re.sub(r"^\[[^\]]*\]\s*|\s*\(_ssl\.c:\d+\)$|\.$", "", str(error))
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return f"Its certificate is not trusted: {text.partition(': ')[2] or text}."
    if isinstance(error, httpcore.ProtocolError):
        return f"It did not speak HTTP as expected: {text}."
    return f"The connection failed: {text}." if text else "It broke the connection off without an answer."


@cache
def _tls() -> SSLContext:
    return httpx.create_ssl_context()


class _Timed(httpcore.NetworkStream):
    """A stream that ends at the deadline, however slowly the other side drips."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self.inner, self.deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.inner.read(max_bytes, _left(self.deadline, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.inner.write(buffer, _left(self.deadline, httpcore.WriteTimeout))

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(self.deadline, httpcore.ConnectTimeout)
        return _Timed(self.inner.start_tls(ssl_context, server_hostname, left), self.deadline)

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)


class _Pinned(httpcore.NetworkBackend):
    """Connects to the numbers that were checked, whatever the name means by now; TLS still asks for the name."""

    def __init__(self, numbers: list[str], deadline: float) -> None:
        self.numbers, self.deadline, self.plain = numbers, deadline, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        for number in self.numbers[:-1]:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                share = _left(self.deadline, httpcore.ConnectTimeout) / len(self.numbers)
                return _Timed(self.plain.connect_tcp(number, port, share), self.deadline)
        left = _left(self.deadline, httpcore.ConnectTimeout)
        return _Timed(self.plain.connect_tcp(self.numbers[-1], port, left), self.deadline)


def _left(deadline: float, late: type[httpcore.TimeoutException]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise late
    return left
