"""The signals of the public contract: one model a type, by family. A type that is not here is refused by name."""

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from queues.intake.schema import (
    ID_LONGEST,
    JUDGED_CATEGORIES_MOST,
    NAME_LONGEST,
    STRICT,
    Moment,
    Name,
    faults,
    name,
    optional_may_be_null,
)

TYPE_LONGEST: Final = 40
CATEGORY_LONGEST: Final = 60
POSITION_LONGEST: Final = 20


class Signal(BaseModel):
    """One piece of feedback on an answer, by the case or the trace it belongs to."""

    model_config = ConfigDict(**STRICT, json_schema_extra=optional_may_be_null)
    NOUN: ClassVar = "signal"

    type: str
    signal_id: Annotated[
        str, name(ID_LONGEST, about="Your name for the signal. Without one, the same content is the same signal.")
    ] = ""
    case_id: Annotated[str, name(ID_LONGEST, about="The case it is about; it may come later.")] = ""
    trace_id: Annotated[str, name(ID_LONGEST, about="Or the interaction it is about. One of the two is needed.")] = ""
    at: Annotated[Moment | None, Field(description="When it was given, with a zone; now where it is not sent.")] = None


class JudgeSignal(Signal):
    """What an automatic judge said of an answer: a prior, never a person's label."""

    type: Literal["judge_verdict"]
    judge: Annotated[str, name(NAME_LONGEST, 1, "The judge's name.")]
    version: Annotated[Name, Field(description="Of the judge, so that each version is measured on its own.")] = ""
    prompt: Annotated[Name, Field(description="The name or version of the prompt it was given.")] = ""
    verdict: Annotated[
        Literal["accept", "reject", "pass", "fail"] | None, Field(description="pass is accept, fail is reject.")
    ] = None
    score: Annotated[
        float | None, Field(ge=-1e6, le=1e6, allow_inf_nan=False, description="From 0 (bad) to 1 (good).")
    ] = None
    confidence: Annotated[
        float | None, Field(ge=0, le=1, allow_inf_nan=False, description="How sure it says it is, 0 to 1.")
    ] = None
    categories: Annotated[
        list[Annotated[str, name(CATEGORY_LONGEST, 1)]],
        Field(
            default_factory=list, max_length=JUDGED_CATEGORIES_MOST, description="Keys of the codebook that it sees."
        ),
    ]
    position: Annotated[
        str,
        name(POSITION_LONGEST, about="Where the answer stood among those compared: first, second, …"),
    ] = ""


# By family, so that a family is stored by one module.
JUDGE: Final[dict[str, type[Signal]]] = {"judge_verdict": JudgeSignal}
TYPES: Final[dict[str, type[Signal]]] = {**JUDGE}


class SignalRefused(ValueError):
    """A signal that is not taken; the message says what is wrong, field by field."""


def read(row: object) -> Signal:
    """A row as the signal that its type says. A field that is null counts as not sent. Raises SignalRefused."""
    if not isinstance(row, dict):
        raise SignalRefused("The signal must be an object.")
    sent = {field: value for field, value in row.items() if value is not None}
    model = TYPES.get(kind) if isinstance(kind := sent.get("type"), str) else None
    if model is None:
        raise SignalRefused(_unknown(sent))
    try:
        signal = model.model_validate(sent)
    except ValidationError as error:
        raise SignalRefused(faults(error, model)) from None
    if not (signal.case_id or signal.trace_id):
        raise SignalRefused("case_id, trace_id: one of the two is needed, or nobody knows which answer is meant.")
    if isinstance(signal, JudgeSignal) and signal.verdict is None and signal.score is None and not signal.categories:
        raise SignalRefused("verdict, score, categories: one of them is needed, or the judge has said nothing.")
    return signal


def _unknown(sent: dict[str, Any]) -> str:
    taken = ", ".join(TYPES)
    if "type" not in sent:
        return f"type: is missing. Taken now: {taken}."
    return f"type: is not one that is taken. Taken now: {taken}."
