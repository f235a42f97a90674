"""The signals of the public contract: one family a module, one model a type. A type that is not there is refused."""

from typing import Any, Final

from pydantic import ValidationError

from queues.intake.families import edit, explicit, implicit, judge
from queues.intake.families.common import Signal, SignalRefused, UserSignal
from queues.intake.families.judge import JudgeSignal
from queues.intake.schema import faults

TYPES: Final[dict[str, type[Signal]]] = {**explicit.TYPES, **edit.TYPES, **implicit.TYPES, **judge.TYPES}
MODELS: Final[tuple[type[Signal], ...]] = tuple(dict.fromkeys(TYPES.values()))


def read(row: object) -> Signal:
    """A row as the signal that its type says. A field that is null counts as not sent. Raises SignalRefused."""
    if not isinstance(row, dict):
        raise SignalRefused("The signal must be an object.")
    sent = {field: value for field, value in row.items() if value is not None}
    model = TYPES.get(kind) if isinstance(kind := sent.get("type"), str) else None
    if model is None:
        raise SignalRefused(_unknown(sent))
    if model is JudgeSignal:
        if not (sent.get("case_id") or sent.get("trace_id")):
            raise SignalRefused("case_id, trace_id: one of the two is needed, or nobody knows which answer is meant.")
    elif not sent.get("trace_id"):
        raise SignalRefused("trace_id: is missing, and without it nobody can look at what the signal is about.")
    try:
        signal = model.model_validate(sent)
    except ValidationError as error:
        raise SignalRefused(faults(error, model)) from None
    if isinstance(signal, JudgeSignal) and signal.verdict is None and signal.score is None and not signal.categories:
        raise SignalRefused("verdict, score, categories: one of them is needed, or the judge has said nothing.")
    if isinstance(signal, UserSignal):
        signal.told()
    return signal


def _unknown(sent: dict[str, Any]) -> str:
    taken = ", ".join(TYPES)
    if "type" not in sent:
        return f"type: is missing. Taken now: {taken}."
    return f"type: is not one that is taken. Taken now: {taken}."
