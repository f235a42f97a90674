"""Reads OTLP/HTTP bodies of traces, protobuf and JSON alike, into spans; and writes the answers of that protocol."""

import binascii
import json
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from pydantic_core import from_json

from queues.intake.foreign.said import Event, Sent

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
DEEPEST: Final = 20
EVENTS_MOST: Final = 1_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = int((datetime(2200, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds() * 10**9)
ERROR: Final = 2


class Broken(ValueError):
    """The body cannot be read; the message is a sentence."""


class Faulty(ValueError):
    """One span cannot be read, the others can; the message is a sentence."""


def spans(body: bytes, media_type: str) -> Iterator[Sent | Faulty]:
    """The spans of an export request, one at a time; in place of one that cannot be read, the reason. Raises Broken."""
    return _of_json(body) if media_type == JSON else _of_protobuf(body)


def _of_protobuf(body: bytes) -> Iterator[Sent | Faulty]:
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        raise Broken("The body is not an OTLP export request, or was cut off on the way. Nothing was taken.") from None
    return _walk_protobuf(request)


def _walk_protobuf(request: Any) -> Iterator[Sent | Faulty]:
    for resource_spans in request.resource_spans:
        resource = _pairs(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            scope = scope_spans.scope.name
            for span in scope_spans.spans:
                yield _sent(
                    resource,
                    scope,
                    trace=span.trace_id.hex(),
                    span=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    name=span.name,
                    started=span.start_time_unix_nano,
                    ended=span.end_time_unix_nano,
                    attributes=_pairs(span.attributes),
                    events=((event.name, event.time_unix_nano, _pairs(event.attributes)) for event in span.events),
                    links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
                    failed=(span.status.message or "error") if span.status.code == ERROR else "",
                )


def _pairs(attributes: Iterable[Any]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in attributes}


def _value(value: Any, room: int = DEEPEST) -> Any:
    which = value.WhichOneof("value")
    if which is None:
        return None
    held = getattr(value, which)
    if which == "array_value":
        return [_value(one, room - 1) for one in held.values] if room else None
    if which == "kvlist_value":
        return {pair.key: _value(pair.value, room - 1) for pair in held.values} if room else None
    return held.hex() if which == "bytes_value" else held


def _of_json(body: bytes) -> Iterator[Sent | Faulty]:
    try:
        try:
            request = from_json(body)
        except ValueError:
            # Half a character is no reason to lose the rest.
            request = json.loads(body)
    except (ValueError, RecursionError) as error:
        place = f": {error}" if isinstance(error, ValueError) and "surrogate" not in str(error) else ""
        raise Broken(f"The body is not JSON{place}. Nothing was taken.") from None
    if not isinstance(request, dict) or not isinstance(request.get("resourceSpans", []), list):
        raise Broken("The body is not an OTLP export request: it has no list resourceSpans. Nothing was taken.")
    return _walk_json(request)


def _walk_json(request: Mapping[str, Any]) -> Iterator[Sent | Faulty]:
    for resource_spans in _dicts(request.get("resourceSpans")):
        resource = _json_pairs(_dict(resource_spans.get("resource")).get("attributes"))
        for scope_spans in _dicts(resource_spans.get("scopeSpans")):
            scope = str(_dict(scope_spans.get("scope")).get("name") or "")
            for span in scope_spans.get("spans") or ():
                yield _sent_json(resource, scope, span) if isinstance(span, dict) else Faulty("The span is no object.")


def _sent_json(resource: Mapping[str, Any], scope: str, span: Mapping[str, Any]) -> Sent | Faulty:
    status = _dict(span.get("status"))
    try:
        return _sent(
            resource,
            scope,
            trace=_hex(span.get("traceId"), "traceId"),
            span=_hex(span.get("spanId"), "spanId"),
            parent=_hex(span.get("parentSpanId") or "", "parentSpanId"),
            name=str(span.get("name") or ""),
            started=_integer(span.get("startTimeUnixNano")),
            ended=_integer(span.get("endTimeUnixNano")),
            attributes=_json_pairs(span.get("attributes")),
            events=(
                (
                    str(event.get("name") or ""),
                    _integer(event.get("timeUnixNano")),
                    _json_pairs(event.get("attributes")),
                )
                for event in _dicts(span.get("events"))
            ),
            links=[
                (_hex(link.get("traceId"), "traceId"), _hex(link.get("spanId"), "spanId"))
                for link in _dicts(span.get("links"))
            ],
            failed=str(status.get("message") or "error")
            if status.get("code") in (ERROR, str(ERROR), "STATUS_CODE_ERROR")
            else "",
        )
    except (Faulty, RecursionError) as fault:
        return fault if isinstance(fault, Faulty) else Faulty("The span's attributes are nested too deeply.")


def _hex(value: Any, name: str) -> str:
    """In OTLP's JSON ids are hexadecimal, unlike in any other protobuf's."""
    if not isinstance(value, str):
        raise Faulty(f"{name} is missing, or is no text.")
    try:
        binascii.unhexlify(value)
    except (ValueError, binascii.Error):
        raise Faulty(f"{name} is not hexadecimal, as ids are in OTLP's JSON.") from None
    return value.lower()


def _integer(value: Any) -> int:
    """64-bit numbers come as text; some write them as numbers."""
    try:
        return int(value) if value is not None and not isinstance(value, bool) else 0
    except (TypeError, ValueError, OverflowError):
        raise Faulty("A time of the span is no number of nanoseconds.") from None


def _json_pairs(attributes: Any) -> dict[str, Any]:
    return {str(pair.get("key")): _json_value(pair.get("value")) for pair in _dicts(attributes)}


def _json_value(value: Any, room: int = DEEPEST) -> Any:
    if not isinstance(value, dict) or not value or not room:
        return None
    which, held = next(iter(value.items()))
    if which == "arrayValue":
        return [_json_value(one, room - 1) for one in _dict(held).get("values") or ()]
    if which == "kvlistValue":
        return {
            str(pair.get("key")): _json_value(pair.get("value"), room - 1) for pair in _dicts(_dict(held).get("values"))
        }
    if which == "intValue":
        return _integer(held)
    if which == "bytesValue":
        try:
            return b64decode(str(held)).hex()
        except (ValueError, binascii.Error):
            return None
    return held


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())


def _sent(
    resource: Mapping[str, Any],
    scope: str,
    *,
    trace: str,
    span: str,
    parent: str,
    name: str,
    started: int,
    ended: int,
    attributes: dict[str, Any],
    events: Iterable[tuple[str, int, dict[str, Any]]],
    links: list[tuple[str, str]],
    failed: str,
) -> Sent | Faulty:
    # Zeros only are no id, says the protocol.
    if not trace.strip("0") or not span.strip("0"):
        return Faulty("The span has no trace id or no span id.")
    if not 0 < started < _LAST or ended >= _LAST:
        return Faulty("The span has no start, or a time that cannot be.")
    return Sent(
        trace=trace,
        span=span,
        parent=parent if parent.strip("0") else "",
        name=name,
        started_at=_moment(started),
        ended_at=_moment(ended) if ended > 0 else None,
        attributes=attributes,
        events=tuple(
            Event(called, _moment(at) if 0 < at < _LAST else _moment(started), said)
            for called, at, said in islice(events, EVENTS_MOST)
        ),
        links=tuple(links),
        failed=failed[:500],
        resource=resource,
        scope=scope,
    )


def _moment(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def answer(media_type: str, rejected: int = 0, message: str = "") -> bytes:
    """The body of a success: all of it, or all but `rejected` spans for the reasons in `message`."""
    if media_type == JSON:
        partial = {"partialSuccess": {"rejectedSpans": str(rejected), "errorMessage": message}}
        return json.dumps(partial if rejected or message else {"partialSuccess": {}}).encode()
    response = ExportTraceServiceResponse()
    if rejected or message:
        response.partial_success.CopyFrom(ExportTracePartialSuccess(rejected_spans=rejected, error_message=message))
    body: bytes = response.SerializeToString()
    return body


def status(media_type: str, sentence: str) -> bytes:
    """The body of a failure: a google.rpc.Status with its message (field 2, a string)."""
    if media_type == JSON:
        return json.dumps({"message": sentence}).encode()
    text = sentence.encode()
    return b"\x12" + _varint(len(text)) + text


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])
