"""Reads LangSmith's multipart bodies part by part: a run is spread over several, and none is held for long."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from django.conf import settings
from django.http import HttpRequest
from django.http.multipartparser import LazyStream, MultiPartParserError, Parser
from pydantic_core import from_json

from queues.intake import body
from queues.intake.body import BodyRefused

PART_BYTES: Final = 4 * 1024 * 1024
OPERATIONS: Final = frozenset(("post", "patch"))
_TAIL: Final = 200


@dataclass(slots=True)
class Sent:
    """What came under one id: `what` is post, patch or feedback. `fault` says why it cannot be read."""

    what: str
    id: str
    fields: dict[str, Any]
    fault: str = ""


def sent(request: HttpRequest) -> Iterator[Sent]:
    """Runs and feedback in the order in which they came. Raises BodyRefused, perhaps half-way."""
    boundary = (request.content_params or {}).get("boundary", "").encode()
    if request.content_type != "multipart/form-data" or not 0 < len(boundary) <= 200:
        raise BodyRefused(415, "Send Content-Type: multipart/form-data, with a boundary.")
    watched = _Watched(body.blocks(request, settings.INTAKE_MAX_BYTES), boundary)
    current: Sent | None = None
    try:
        for _, about, stream in Parser(LazyStream(cast(Any, iter(watched))), boundary):
            name = _name(about)
            what, _, rest = name.partition(".")
            key, _, field = rest.partition(".")
            # An attachment follows the run that it belongs to, however that was sent.
            if current and (current.id != key or what not in (current.what, "attachment")):
                yield current
                current = None
            if what in OPERATIONS or what == "feedback":
                current = current or Sent(what, key, {})
                _add(current, field, stream)
            elif what == "attachment" and current:
                current.fields.setdefault("attachments", []).append(field)
            for _ in stream:
                pass
    except MultiPartParserError as error:
        raise BodyRefused(400, f"The body is not multipart/form-data as it should be: {error}.") from None
    if current:
        yield current
    if not watched.ended:
        raise BodyRefused(400, "The body ends before its end. It was probably cut off on the way.")


def _add(current: Sent, field: str, stream: LazyStream) -> None:
    data = stream.read(PART_BYTES + 1)
    if len(data) > PART_BYTES:
        current.fault = f"{field or 'The run'}: is larger than {PART_BYTES // 1024 // 1024} MB."
        return
    try:
        read = from_json(data, allow_inf_nan=False)
    except ValueError:
        current.fault = f"{field or 'The run'}: is not JSON."
        return
    if field:
        current.fields[field[:60]] = read
    elif isinstance(read, dict):
        current.fields = {**read, **current.fields}
    else:
        current.fault = "The run is not a JSON object."


def _name(about: dict[str, Any]) -> str:
    disposition = about.get("content-disposition")
    name = disposition[1].get("name", "") if disposition else ""
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)


class _Watched:
    """Blocks on their way, of which the end is remembered: a body that was cut off looks like a shorter one."""

    def __init__(self, blocks: Iterator[bytes], boundary: bytes) -> None:
        self.blocks, self.last, self.tail = blocks, b"--" + boundary + b"--", b""

    def __iter__(self) -> Iterator[bytes]:
        for block in self.blocks:
            self.tail = (self.tail + block)[-len(self.last) - _TAIL :]
            yield block

    @property
    def ended(self) -> bool:
        return self.last in self.tail
