"""What a score, a piece of feedback or an annotation of another tool means here. Pure: a word in, what is kept out.

By its name, if nobody said otherwise: what users of the field call a thumb, a rating, a reason. What no name explains
is kept on the trace, a number as a score and a text as metadata; what cannot be kept is refused with the reason.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from queues.models import ScoreName, Signal

AUTO: Final = ScoreName.Meaning.AUTO.value
THUMBS, STARS, SHARE = (
    one.value for one in (ScoreName.Meaning.THUMBS, ScoreName.Meaning.STARS, ScoreName.Meaning.SHARE)
)
REASON, EDIT = ScoreName.Meaning.REASON.value, ScoreName.Meaning.EDIT.value
JUDGE, SCORE = ScoreName.Meaning.JUDGE.value, ScoreName.Meaning.SCORE.value
IMPLICIT: Final = frozenset(one.value for one in ScoreName.Meaning if one.value.startswith("implicit_"))
UP, DOWN = "up", "down"
LARGEST: Final = 1e6
CONSENTS: Final = ("evaluation", "retrieval", "training")
VERDICTS: Final = {"pass": "pass", "passed": "pass", "accept": "accept", "fail": "fail", "failed": "fail",
                   "reject": "reject", "true": "pass", "false": "fail"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Word:
    """A score as it came, in one shape for all tools. `id` is the tool's name for it; `is_flag`: its number says yes or
    no; `by_machine`: a judge gave it; `by_user`: nobody but a user could have; `by_staff`: somebody of the house did,
    who is neither.
    """

    id: str
    trace: str
    name: str
    at: datetime | None = None
    number: float | None = None
    text: str = ""
    comment: str = ""
    correction: str = ""
    span: str = ""
    is_flag: bool = False
    by_machine: bool = False
    by_user: bool = False
    by_staff: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Kept:
    """What becomes of a word: signals as the public API has them, numbers and notes for the trace."""

    signals: list[dict[str, Any]] = field(default_factory=list)
    scores: dict[str, float] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


class Refused(ValueError):
    """A word that cannot be kept; the text says why."""


def read(word: Word, meaning: str = AUTO) -> Kept:
    """What is kept of a word whose name means this. Raises Refused."""
    if not word.trace:
        raise Refused(
            "It names no trace. Feedback is kept by the trace it is on; what is said of a session, a project or a data "
            "set is not."
        )
    if word.number is not None and not abs(word.number) <= LARGEST:
        raise Refused(f"Its number is out of range: {LARGEST:,.0f} to either side of 0 is taken.")
    kept = Kept()
    if word.correction:
        _add(kept, word, Signal.Type.USER_EDIT, edited_output=word.correction)
    meant = meaning_of(word, meaning)
    if meant in IMPLICIT:
        _implicit(kept, word, meant)
    elif word.number is not None or word.text or plain(word.name) in _LIKES | _DISLIKES:
        _READERS[meant](kept, word)
    if word.number is not None and word.text and not _is_said(word.text, kept):
        kept.notes.setdefault(word.name, word.text)
    if word.comment and not any(row.get("comment") for row in kept.signals):
        kept.notes[f"{word.name} (comment)"] = word.comment
    if not (kept.signals or kept.scores or kept.notes):
        raise Refused("It has no value, no correction and no comment, so it says nothing.")
    return kept


def _is_said(text: str, kept: Kept) -> bool:
    """Whether a text beside a number says nothing more than what is kept already."""
    return plain(text) in _UPS | _DOWNS or any(text in row.values() for row in kept.signals)


def meaning_of(word: Word, meaning: str) -> str:
    """What its name means, as a lead said or as it is commonly used."""
    if meaning != AUTO:
        return meaning
    if word.by_machine or word.by_staff:
        return JUDGE if word.by_machine else SCORE
    name = plain(word.name)
    users = _OF_USERS.get(name.removeprefix("user_")) if name.startswith("user_") else None
    return users or _NAMES.get(name) or (THUMBS if word.by_user else SCORE)


def plain(name: str) -> str:
    """`User-Feedback` -> `user_feedback`; what has no letters stays, such as a thumb that is drawn."""
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_") or name.strip()


def _thumbs(kept: Kept, word: Word) -> None:
    """A thumb; but 2 to 5 are stars, and what lies between 0 and 1 is a share, as tools have them under one name."""
    number, text = word.number, plain(word.text)
    if plain(word.name) in _DISLIKES and number in (0, 1):
        # That somebody did not dislike it says little.
        if number:
            _rate(kept, word, thumbs=DOWN)
        else:
            _score(kept, word)
    elif number is None and not text:
        _rate(kept, word, thumbs=DOWN if plain(word.name) in _DISLIKES else UP)
    elif text in _UPS or text in _DOWNS:
        _rate(kept, word, thumbs=UP if text in _UPS else DOWN)
    elif number is None:
        (_reason if text in _REASONS else _stars if _number(word.text) is not None else _score)(kept, word)
    elif number in (-1, 0, 1):
        _rate(kept, word, thumbs=UP if number > 0 else DOWN)
    else:
        (_stars if number > 1 else _share)(kept, word)


def _stars(kept: Kept, word: Word) -> None:
    number = word.number if word.number is not None else _number(word.text)
    if number is None:
        _thumbs(kept, word)
    elif word.is_flag:
        _rate(kept, word, thumbs=UP if number else DOWN)
    elif 1 <= number <= 5:
        _rate(kept, word, rating=int(number + 0.5))
    else:
        _score(kept, word)


def _share(kept: Kept, word: Word) -> None:
    number = word.number if word.number is not None else _number(word.text)
    if number is not None and 0 <= number <= 1:
        _rate(kept, word, rating=1 + int(4 * number + 0.5))
    else:
        _score(kept, word)


def _rate(kept: Kept, word: Word, *, rating: int | None = None, thumbs: str = "") -> None:
    """A rating; what the user wrote with a bad one is why it is bad."""
    _add(kept, word, Signal.Type.USER_RATING, **({"rating": rating} if rating else {"thumbs": thumbs}))
    if word.comment and (thumbs == DOWN or (rating and rating <= 2)):
        _add(kept, word, Signal.Type.USER_REASON, reason=Signal.Reason.OTHER.value, comment=word.comment)


def _reason(kept: Kept, word: Word) -> None:
    """What went wrong: one of the reasons, or in the user's own words."""
    if not word.text:
        _score(kept, word)
        return
    known = _REASONS.get(plain(word.text))
    said = word.comment if known else "\n\n".join(part for part in (word.text, word.comment) if part)
    reason = known or Signal.Reason.OTHER.value
    _add(kept, word, Signal.Type.USER_REASON, reason=reason, **({"comment": said} if said else {}))


def _edit(kept: Kept, word: Word) -> None:
    if word.text and not word.correction:
        _add(kept, word, Signal.Type.USER_EDIT, edited_output=word.text)
    else:
        _score(kept, word)


def _judge(kept: Kept, word: Word) -> None:
    """A judge's word, held against people's; its number stands on the trace too, where the sampler looks for it."""
    said: dict[str, Any] = {}
    if verdict := VERDICTS.get(plain(word.text)):
        said["verdict"] = verdict
    if word.is_flag and word.number in (0, 1):
        said.setdefault("verdict", "pass" if word.number else "fail")
    elif word.number is not None:
        said["score"] = word.number
    _score(kept, word)
    if said:
        for name in ("version", "prompt"):
            if isinstance(known := word.metadata.get(name), str | int) and str(known):
                said[name] = str(known)[:120]
        _add(kept, word, "judge_verdict", judge=word.name, **said)


def _score(kept: Kept, word: Word) -> None:
    if word.number is not None:
        kept.scores[word.name] = word.number
    if word.text:
        kept.notes[word.name] = word.text


def _implicit(kept: Kept, word: Word, meaning: str) -> None:
    """What the user did. That they did not do it is no signal."""
    if meaning == Signal.Type.DWELL:
        if word.number is not None:
            _add(kept, word, meaning, seconds=word.number)
        else:
            _score(kept, word)
    elif word.number == 0 or plain(word.text) in _DOWNS:
        _score(kept, word)
    elif meaning == Signal.Type.COPY_EDIT and word.text and plain(word.text) not in _UPS:
        _add(kept, word, meaning, edited_output=word.text)
    elif meaning in (Signal.Type.FOLLOWUP, Signal.Type.COPY) and word.text and plain(word.text) not in _UPS:
        _add(kept, word, meaning, text=word.text)
    else:
        _add(kept, word, meaning)


def _add(kept: Kept, word: Word, kind: str, **fields: Any) -> None:
    row: dict[str, Any] = {"type": str(kind), "trace_id": word.trace, **fields}
    if word.at:
        row["at"] = word.at.isoformat()
    if kind != "judge_verdict":
        row |= _user(word.metadata)
    kept.signals.append(row)


def _user(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Whose feedback it is and what it may be used for, as far as the score's metadata says. Nothing is assumed."""
    said: dict[str, Any] = {}
    user = next((metadata[name] for name in ("user_key", "user_id", "userId") if metadata.get(name)), None)
    if isinstance(user, str | int) and not isinstance(user, bool):
        said["user_key"] = str(user)[:80]
    consent = metadata.get("consent")
    if isinstance(consent, Mapping):
        given = {name: consent[name] for name in CONSENTS if isinstance(consent.get(name), bool)}
        said |= {"consent": given} if given else {}
    return said


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_READERS: Final[dict[str, Callable[[Kept, Word], None]]] = {
    THUMBS: _thumbs, STARS: _stars, SHARE: _share, REASON: _reason, EDIT: _edit, JUDGE: _judge, SCORE: _score,
}  # fmt: skip
_LIKES: Final = _set("like liked user_like user_liked thumbs_up thumb_up user_thumbs_up upvote upvoted")
_DISLIKES: Final = _set(
    "dislike disliked user_dislike user_disliked thumbs_down thumb_down user_thumbs_down downvote downvoted"
)
_UPS: Final = _set("up thumbs_up thumb_up upvote positive good great like liked yes true helpful 1 👍")
_DOWNS: Final = _set(
    "down thumbs_down thumb_down downvote negative bad poor dislike disliked no false not_helpful unhelpful 0 👎"
)
# What only a user's word is called.
_NAMES: Final[dict[str, str]] = {
    **dict.fromkeys(_set("feedback thumbs thumb thumbs_up_down helpful is_helpful was_helpful"), THUMBS),
    **dict.fromkeys(_LIKES | _DISLIKES, THUMBS),
    **dict.fromkeys(_set("star_rating stars csat csat_score"), STARS),
    **dict.fromkeys(_set("feedback_reason what_went_wrong"), REASON),
    **dict.fromkeys(_set("edited_output edited_answer"), EDIT),
    **{meaning: meaning for meaning in IMPLICIT},
}
# What others are called like too, so that it needs `user_` before it.
_OF_USERS: Final[dict[str, str]] = {
    **_NAMES,
    **dict.fromkeys(_set("score vote satisfaction satisfied"), THUMBS),
    **dict.fromkeys(_set("rating star"), STARS),
    **dict.fromkeys(_set("reason issue failure_reason"), REASON),
    **dict.fromkeys(_set("edit correction corrected_output"), EDIT),
    **{meaning.removeprefix("implicit_"): meaning for meaning in IMPLICIT},
    "accepted": Signal.Type.ACCEPT.value,
    "regenerated": Signal.Type.REGENERATE.value,
    "retried": Signal.Type.REGENERATE.value,
    "follow_up": Signal.Type.FOLLOWUP.value,
    "abandoned": Signal.Type.ABANDON.value,
    "copied": Signal.Type.COPY.value,
    "dwell_time": Signal.Type.DWELL.value,
    "dwell_seconds": Signal.Type.DWELL.value,
}
_REASONS: Final[dict[str, str]] = {
    **{reason.value: reason.value for reason in Signal.Reason},
    **dict.fromkeys(
        _set("hallucinated made_up incorrect wrong inaccurate factual_error not_true false_information"),
        Signal.Reason.HALLUCINATION.value,
    ),
    **dict.fromkeys(_set("refusal refused_to_answer did_not_answer no_answer"), Signal.Reason.REFUSED.value),
    **dict.fromkeys(_set("verbose too_verbose long lengthy"), Signal.Reason.TOO_LONG.value),
    **dict.fromkeys(
        _set("off_topic irrelevant not_relevant misunderstood did_not_help"), Signal.Reason.MISSED_THE_POINT.value
    ),
    **dict.fromkeys(_set("format layout bad_format bad_formatting style"), Signal.Reason.FORMATTING.value),
}
