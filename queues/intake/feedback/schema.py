"""One event of feedback: what a small application, or a page, tells of an answer in a single object."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from queues.intake.families.common import Consent
from queues.intake.schema import (
    ID_LONGEST,
    NAME_LONGEST,
    STRICT,
    TEXT_LONGEST,
    Moment,
    Name,
    Text,
    moment,
    name,
    optional_may_be_null,
    sentence,
)
from queues.models import Signal

SIGNALS_MOST: Final = 50
COMMENT_LONGEST: Final = 20_000
# What anybody may send who has read the token in a page.
PUBLIC_TEXT_LONGEST: Final = 20_000
# The clock of somebody's computer is believed this far.
BELIEVED: Final = timedelta(days=2)
AHEAD: Final = timedelta(minutes=5)
# These make a trace; only who holds a token that is no page's can say what was asked and answered.
TRACE_FIELDS: Final = ("user_input", "llm_output", "prompt_version", "topic", "model", "release")
IMPLICIT: Final[Mapping[str, str]] = {
    "accepted": Signal.Type.ACCEPT.value,
    "regenerated": Signal.Type.REGENERATE.value,
    "abandoned": Signal.Type.ABANDON.value,
}


def seconds_or_moment(value: Any) -> Any:
    """A time as text with a zone, or as seconds since 1970, which is what most programs have at hand."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return moment(datetime.fromtimestamp(value, UTC).isoformat())
        except (ValueError, OverflowError, OSError):
            raise PydanticCustomError("moment_seconds", "is not a time in seconds since 1970") from None
    return value


class FeedbackEvent(BaseModel):
    """What came of one answer: the interaction itself, where its texts come along, and what its user made of it."""

    model_config = ConfigDict(**STRICT, json_schema_extra=optional_may_be_null)
    NOUN: ClassVar = "event"

    request_id: Annotated[str, name(ID_LONGEST, about="Your name for the interaction. This, or trace_id.")] = ""
    trace_id: Annotated[str, name(ID_LONGEST, about="Another name of request_id.")] = ""
    prompt_version: Annotated[Name, Field(description="Kept with the texts, as are topic, model and release.")] = ""
    user_input: Annotated[
        Text, Field(description="What was asked. With this or llm_output, the interaction is kept as a trace.")
    ] = ""
    llm_output: Annotated[Text, Field(description="What was answered.")] = ""
    implicit_signal: Annotated[
        Literal["accepted", "edited", "regenerated", "abandoned"] | None, Field(description="What the user did.")
    ] = None
    explicit_rating: Annotated[
        int | None, Field(ge=1, le=5, description="1 (bad) to 5 (good), or null where none was given.")
    ] = None
    edited_output: Annotated[
        str, Field(max_length=TEXT_LONGEST, description="What the user made of the answer. It is their own work.")
    ] = ""
    reason: Annotated[
        Literal["hallucination", "refused", "too_long", "missed_the_point", "formatting", "other"] | None,
        Field(description="What went wrong."),
    ] = None
    comment: Annotated[str, Field(max_length=COMMENT_LONGEST, description="The same in the user's words.")] = ""
    timestamp: Annotated[
        Moment | None,
        BeforeValidator(seconds_or_moment),
        Field(description="When it was given, as text with a zone or in seconds since 1970; now where it is not sent."),
    ] = None
    user_key: Annotated[str, name(80, about="A pseudonym of the user, never a name or an address.")] = ""
    topic: Annotated[str, name(NAME_LONGEST, about="What the user was after.")] = ""
    model: Name = ""
    release: Name = ""
    consent: Annotated[
        Consent | None, Field(description="What the user allows it to be used for; what is not said is not allowed.")
    ] = None
    signals: Annotated[
        list[dict[str, Any]],
        Field(
            default_factory=list,
            max_length=SIGNALS_MOST,
            description="More signals on the same answer, as POST /signals takes them, without their trace_id; time, "
            "user_key and consent are the event's where they have none.",
        ),
    ]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an event, and where."""

    field: str
    error: str


class EventRefused(ValueError):
    """An event of which nothing is taken."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(" ".join(fault.error for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Event:
    """An event as rows: the trace without its time (empty where no texts came), its signals with the field that each is
    said in, and what is wrong with those that are not taken.
    """

    ref: str
    at: datetime | None
    trace: dict[str, Any]
    signals: tuple[tuple[str, dict[str, Any]], ...]
    faults: tuple[Fault, ...]


def read(row: object, *, public: bool, now: datetime) -> Event:
    """A row as an event. A field that is null counts as not sent. `public`: it comes from a page, with a token that
    everybody can read there. Raises EventRefused.
    """
    sent = {field: value for field, value in row.items() if value is not None} if isinstance(row, dict) else row
    try:
        told = FeedbackEvent.model_validate(sent)
    except ValidationError as error:
        raise EventRefused(*(_fault(one) for one in error.errors(include_url=False))) from None
    if refused := [*_unnamed(told), *(_not_from_a_page(told) if public else ())]:
        raise EventRefused(*refused)
    at = told.timestamp if not public or _believed(told.timestamp, now) else None
    ref = told.request_id or told.trace_id
    common: dict[str, Any] = {"trace_id": ref}
    if told.user_key:
        common["user_key"] = told.user_key
    if told.consent is not None:
        common["consent"] = dict(told.consent)
    if at:
        common["at"] = at.isoformat()
    signals = [(field, {**common, **signal}) for field, signal in _said(told)]
    faults = []
    for place, signal in enumerate(told.signals):
        field = f"signals[{place}]"
        one = {**common, **{key: value for key, value in signal.items() if value is not None}}
        if fault := _misplaced(field, signal) or (_not_public(field, one) if public else None):
            faults.append(fault)
            continue
        if public and not _believed(one.get("at"), now):
            del one["at"]
        signals.append((field, one))
    if not signals and not faults and not (told.user_input or told.llm_output):
        raise EventRefused(Fault("", "The event says nothing: it holds no texts, no rating and no signal."))
    return Event(ref=ref, at=at, trace=_trace(told, ref), signals=tuple(signals), faults=tuple(faults))


def pieces(row: object) -> int:
    """How many pieces of feedback an event holds, for a limit; one that holds nothing, or is none, counts for one."""
    if not isinstance(row, dict):
        return 1
    listed = row.get("signals")
    said = sum(bool(row.get(field)) for field in ("implicit_signal", "explicit_rating", "edited_output", "reason"))
    return max(1, said + (len(listed) if isinstance(listed, list) else 0))


def _fault(error: Any) -> Fault:
    return Fault(".".join(map(str, error["loc"])), sentence(error, FeedbackEvent))


def _unnamed(told: FeedbackEvent) -> list[Fault]:
    if not told.request_id and not told.trace_id:
        return [Fault("request_id", "request_id: is missing. Without it nobody knows which answer is meant.")]
    if told.request_id and told.trace_id and told.request_id != told.trace_id:
        return [Fault("trace_id", "trace_id: is not the same as request_id. Send one of the two.")]
    return []


def _not_from_a_page(told: FeedbackEvent) -> list[Fault]:
    """A page shows its token to everybody: with it, feedback is given on traces that came by another way, no more."""
    refused = [
        Fault(field, f"{field}: is not taken with a token for feedback. Send traces with a token for ingest.")
        for field in TRACE_FIELDS
        if getattr(told, field)
    ]
    if not any((told.consent or {}).values()):
        refused.append(Fault("consent", "consent: nothing is kept of a person who allowed nothing."))
    if len(told.edited_output) > PUBLIC_TEXT_LONGEST:
        refused.append(_too_long("edited_output"))
    return refused


def _misplaced(field: str, signal: Mapping[str, Any]) -> Fault | None:
    """What a signal inside an event may not say, whoever sends it."""
    for key in ("trace_id", "case_id"):
        if signal.get(key) is not None:
            return Fault(f"{field}.{key}", f"{field}.{key}: the event says which answer is meant; leave it out here.")
    if "type" in signal and signal["type"] not in Signal.Type.values:
        taken = ", ".join(Signal.Type.values)
        return Fault(f"{field}.type", f"{field}.type: is not one that is taken here. Taken are: {taken}.")
    return None


def _not_public(field: str, signal: Mapping[str, Any]) -> Fault | None:
    """What a signal from a page may not say, besides."""
    for key, value in signal.items():
        if isinstance(value, str) and len(value) > PUBLIC_TEXT_LONGEST:
            return _too_long(f"{field}.{key[:60]}")
    consent = signal.get("consent")
    if not isinstance(consent, dict) or not any(consent.values()):
        return Fault(f"{field}.consent", f"{field}.consent: nothing is kept of a person who allowed nothing.")
    return None


def _too_long(field: str) -> Fault:
    return Fault(field, f"{field}: is longer than {PUBLIC_TEXT_LONGEST:,} characters.")


def _believed(said: Any, now: datetime) -> bool:
    """Whether the clock of somebody's computer may be right. What is no time at all is refused later, in words."""
    if isinstance(said, str):
        try:
            said = moment(said)
        except PydanticCustomError:
            return True
    return not isinstance(said, datetime) or now - BELIEVED <= said <= now + AHEAD


def _trace(told: FeedbackEvent, ref: str) -> dict[str, Any]:
    if not told.user_input and not told.llm_output:
        return {}
    more = {field: value for field in TRACE_FIELDS[2:] if (value := getattr(told, field))}
    if told.user_key:
        more["user_key"] = told.user_key
    return {"trace_id": ref, "input": told.user_input, "output": told.llm_output, **more}


def _said(told: FeedbackEvent) -> list[tuple[str, dict[str, Any]]]:
    """What the event says in fields of its own, as signals."""
    found: list[tuple[str, dict[str, Any]]] = []
    if told.implicit_signal in IMPLICIT:
        found.append(("implicit_signal", {"type": IMPLICIT[str(told.implicit_signal)]}))
    elif told.implicit_signal == "edited" and not told.edited_output:
        found.append(("implicit_signal", {"type": Signal.Type.COPY_EDIT.value}))
    if told.edited_output:
        found.append(("edited_output", {"type": Signal.Type.USER_EDIT.value, "edited_output": told.edited_output}))
    if told.explicit_rating is not None:
        found.append(("explicit_rating", {"type": Signal.Type.USER_RATING.value, "rating": told.explicit_rating}))
    if told.reason or told.comment:
        reason = {"type": Signal.Type.USER_REASON.value, "reason": told.reason or Signal.Reason.OTHER.value}
        found.append(("reason", reason | ({"comment": told.comment} if told.comment else {})))
    return found
