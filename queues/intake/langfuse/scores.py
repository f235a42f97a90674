"""Langfuse's scores as words. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from queues.intake.foreign.meaning import Refused, Word

TYPES: Final = ("NUMERIC", "BOOLEAN", "CATEGORICAL", "TEXT", "CORRECTION")
LONGEST: Final = 200


def word(given: Any, default_id: str = "") -> Word:
    """A score as `POST /api/public/scores` has it. Raises Refused, with the field."""
    if not isinstance(given, Mapping):
        raise Refused("The score must be an object.")
    kind = _text(given, "dataType").upper()
    if kind and kind not in TYPES:
        raise Refused(f"dataType: is not one that is taken. Taken: {', '.join(TYPES)}.")
    name = _text(given, "name")
    if not name and kind != "CORRECTION":
        raise Refused("name: is missing.")
    value = given.get("value")
    if value is not None and not isinstance(value, str | int | float):
        raise Refused("value: must be a number or a text.")
    number, text = _value(value, kind)
    metadata = given.get("metadata")
    source = _text(given, "source").upper()
    return Word(
        id=_text(given, "id") or default_id,
        trace=_text(given, "traceId"),
        name=name or "output",
        at=moment(given.get("timestamp"), "timestamp"),
        number=number,
        text="" if kind == "CORRECTION" else text,
        correction=text if kind == "CORRECTION" else "",
        comment=_text(given, "comment", longest=200_000),
        span=_text(given, "observationId"),
        is_flag=kind == "BOOLEAN" or isinstance(value, bool),
        by_machine=source == "EVAL",
        by_staff=source == "ANNOTATION",
        metadata=metadata if isinstance(metadata, Mapping) else {},
    )


def moment(value: Any, field: str) -> datetime | None:
    """A time of Langfuse's, which may lack the zone and is then UTC. Raises Refused."""
    if value in (None, ""):
        return None
    if isinstance(value, str):
        try:
            read = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            if 2000 <= read.year <= 2199:
                return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    raise Refused(f"{field}: is not a time; write it like 2026-05-09T18:00:00Z.")


def _value(value: str | int | float | None, kind: str) -> tuple[float | None, str]:
    if isinstance(value, str):
        if kind in ("NUMERIC", "BOOLEAN"):
            try:
                return float({"true": "1", "false": "0"}.get(value.lower(), value)), ""
            except ValueError:
                raise Refused(f"value: must be a number where dataType is {kind}.") from None
        return None, value
    if value is None:
        return None, ""
    if kind in ("CATEGORICAL", "TEXT", "CORRECTION"):
        return None, str(value)
    if kind == "BOOLEAN" and value not in (0, 1):
        raise Refused("value: must be 0 or 1 where dataType is BOOLEAN.")
    return float(value), ""


def _text(given: Mapping[str, Any], field: str, longest: int = LONGEST) -> str:
    said = given.get(field)
    if said is None:
        return ""
    if not isinstance(said, str):
        raise Refused(f"{field}: must be a text.")
    if len(said) > longest:
        raise Refused(f"{field}: has more than {longest:,} characters.")
    return said.strip()
