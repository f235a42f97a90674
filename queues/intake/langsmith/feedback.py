"""LangSmith's feedback as words. Pure."""

import json
from collections.abc import Mapping
from typing import Any, Final

from queues.intake.foreign.meaning import Refused, Word
from queues.intake.langsmith.runs import identity, moment

LONGEST: Final = 120
# Where a corrected answer stands in a correction that is an object.
CORRECTED: Final = ("output", "answer", "text", "content", "response", "corrected", "value")


def word(given: Any, *, trace: str = "", by_user: bool = False) -> Word:
    """Feedback as `POST /feedback` has it. `trace` is known where the run alone would not tell. Raises Refused."""
    if not isinstance(given, Mapping):
        raise Refused("The feedback must be an object.")
    key = given.get("key")
    if not isinstance(key, str) or not key.strip() or len(key) > LONGEST:
        raise Refused(f"key: must be a text of 1 to {LONGEST} characters.")
    run = identity(given["run_id"], "run_id") if given.get("run_id") else ""
    of = identity(given["trace_id"], "trace_id") if given.get("trace_id") else trace or run
    source = given["feedback_source"] if isinstance(given.get("feedback_source"), Mapping) else {}
    extra = given["extra"] if isinstance(given.get("extra"), Mapping) else {}
    about = source["metadata"] if isinstance(source.get("metadata"), Mapping) else {}
    number, text, is_flag = _value(given.get("score"), given.get("value"), given.get("feedback_config"))
    return Word(
        id=identity(given["id"], "id") if given.get("id") else "",
        trace=of,
        name=key.strip(),
        at=moment(given.get("created_at"), "created_at"),
        number=number,
        text=text,
        comment=_text(given.get("comment"), "comment"),
        correction=_correction(given.get("correction")),
        span=run if run != of else "",
        is_flag=is_flag,
        by_machine=source.get("type") == "model",
        by_user=by_user,
        metadata={**extra, **about},
    )


def _value(score: Any, value: Any, config: Any) -> tuple[float | None, str, bool]:
    """The number, the text beside it, and whether the number says yes or no."""
    for name, one in (("score", score), ("value", value)):
        if one is not None and not isinstance(one, str | int | float | dict | list):
            raise Refused(f"{name}: must be a number or a text.")
    if isinstance(score, str):
        raise Refused("score: must be a number. Send a text as value.")
    number = score if isinstance(score, int | float) else value if isinstance(value, int | float) else None
    text = value if isinstance(value, str) else json.dumps(value) if isinstance(value, dict | list) else ""
    if number is not None and not text and isinstance(config, Mapping) and config.get("type") == "categorical":
        text = next(
            (
                str(one.get("label") or "")
                for one in config.get("categories") or ()
                if isinstance(one, Mapping) and one.get("value") == number
            ),
            "",
        )
    return (None if number is None else float(number)), text, isinstance(number, bool)


def _correction(given: Any) -> str:
    """The corrected answer: the text, or the field of an object that must be it."""
    if given is None or isinstance(given, str):
        return given or ""
    if isinstance(given, Mapping):
        said = next((given[name] for name in CORRECTED if isinstance(given.get(name), str)), None)
        if said is None and len(given) == 1 and isinstance(one := next(iter(given.values())), str):
            said = one
        return said or (json.dumps(given, ensure_ascii=False) if given else "")
    raise Refused("correction: must be a text or an object.")


def _text(given: Any, field: str) -> str:
    if given is None:
        return ""
    if not isinstance(given, str):
        raise Refused(f"{field}: must be a text.")
    return given.strip()
