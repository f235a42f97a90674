"""Which trace a complaint is likely about, with the reasons. Pure: values in, an order out.

Four clues, each from 0 to 1, counted by their weights: the same user; words that they share, beside the candidate that
shares most; how near in time; and feedback that says something was wrong. Words count by BM25 over the candidates, as a
share of what all of the complaint's could reach (Robertson, Walker, "Some simple effective approximations to the
2-Poisson model for probabilistic weighted retrieval", SIGIR 1994).
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp, log
from typing import Final
from uuid import UUID

USER, WORDS, TIME, FEEDBACK = "user", "words", "time", "feedback"
WEIGHTS: Final[Mapping[str, float]] = {USER: 0.45, WORDS: 0.35, TIME: 0.15, FEEDBACK: 0.05}
# After so long, nearness in time is worth about a third: people complain within days, and say "this morning" of hours.
NEAR_ABOUT: Final = timedelta(hours=12)
NEAR_COMPLAINT: Final = timedelta(days=3)
# Below this nothing speaks for a trace but its date.
LEAST: Final = 0.05
NAMED: Final = 4
# A word is named as a reason unless it counts for so much less than the one that counts most.
TELLING: Final = 4
# Nobody repeats an answer word by word: who shares so much of what could be shared has all that words can say.
FULL: Final = 0.25

_K1, _B = 1.2, 0.75
# A word's beginning stands for its forms: refund, refunds, refunded.
_STEM: Final = 5
_WORD: Final = re.compile(r"[^\W_]{2,}")


@dataclass(frozen=True, slots=True)
class Said:
    """What is known of a complaint. `about` is when the interaction was, where the user said so."""

    text: str
    user_key: str
    about: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trace that may be meant."""

    id: UUID
    at: datetime
    user_key: str
    text: str
    is_negative: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """A clue in words, and its share of the score, 0 to 1."""

    words: str
    share: float


@dataclass(frozen=True, slots=True)
class Likeness:
    """`score` goes up to 1: all four clues at their full weight."""

    id: UUID
    score: float
    reasons: tuple[Reason, ...]


def rank(
    said: Said, candidates: Sequence[Candidate], *, most: int = 5, weights: Mapping[str, float] = WEIGHTS
) -> list[Likeness]:
    """The likeliest first, at most `most`; none that only its date speaks for. Equal ones: the newer first."""
    shared = _shared(said.text, [candidate.text for candidate in candidates])
    found = [
        likeness
        for candidate, words in zip(candidates, shared, strict=True)
        if (likeness := _likeness(said, candidate, words, weights)) is not None
    ]
    at = {candidate.id: candidate.at for candidate in candidates}
    return sorted(found, key=lambda one: (-one.score, -at[one.id].timestamp()))[:most]


@dataclass(frozen=True, slots=True)
class _Words:
    share: float
    telling: tuple[str, ...]


def _likeness(said: Said, candidate: Candidate, words: _Words, weights: Mapping[str, float]) -> Likeness | None:
    clues: list[tuple[str, float, str]] = []
    if said.user_key and said.user_key == candidate.user_key:
        clues.append((USER, 1.0, "the same user"))
    if words.telling:
        quoted = ", ".join(f"“{word}”" for word in words.telling)
        clues.append((WORDS, words.share, f"shares the words {quoted}"))
    if candidate.is_negative:
        clues.append((FEEDBACK, 1.0, "its user said that something was wrong"))
    if sum(weights[clue] * value for clue, value, _ in clues) < LEAST:
        return None
    near, when = _near(said, candidate.at)
    clues.append((TIME, near, when))
    points = [(weights[clue] * value, sentence) for clue, value, sentence in clues]
    score = sum(point for point, _ in points)
    ordered = sorted(points, reverse=True)
    return Likeness(candidate.id, score, tuple(Reason(sentence, point / score) for point, sentence in ordered if point))


def _near(said: Said, at: datetime) -> tuple[float, str]:
    """How near it is to when it is said to have happened, or to the complaint; a trace after the complaint is far."""
    if said.about is not None:
        apart = abs(at - said.about)
        return exp(-apart / NEAR_ABOUT), f"{_long(apart)} from the time that was named"
    before = said.at - at
    if before < timedelta(0):
        return 0.0, f"{_long(-before)} after the complaint"
    return exp(-before / NEAR_COMPLAINT), f"{_long(before)} before the complaint"


def _long(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < 48 else f"{round(hours / 24)} days"


def words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _shared(complaint: str, texts: Sequence[str]) -> list[_Words]:
    """For each text the share of the complaint's telling words that it has, and which tell most."""
    # By its stem, the word as the complaint first has it.
    asked: dict[str, str] = {}
    for word in words(complaint):
        asked.setdefault(word[:_STEM], word)
    counted = []
    lengths = []
    for text in texts:
        stems = [word[:_STEM] for word in words(text)]
        lengths.append(len(stems))
        counted.append(Counter(stem for stem in stems if stem in asked))
    if not texts or not asked:
        return [_Words(0.0, ())] * len(texts)
    usual = sum(lengths) / len(lengths) or 1.0
    having: Counter[str] = Counter(stem for counts in counted for stem in counts)
    # A word that no trace has says nothing of which is meant; one that most have, next to nothing.
    telling = {stem: log(1 + (len(texts) - n + 0.5) / (n + 0.5)) for stem, n in having.items()}
    reach = sum(telling.values()) * (_K1 + 1) or 1.0
    told = [
        _told(counts, length / usual, telling, reach, asked) for counts, length in zip(counted, lengths, strict=True)
    ]
    best = max(FULL, *(one.share for one in told)) if told else FULL
    return [_Words(one.share / best, one.telling) for one in told]


def _told(
    counts: Counter[str], length: float, telling: Mapping[str, float], reach: float, asked: Mapping[str, str]
) -> _Words:
    points = {stem: telling[stem] * n * (_K1 + 1) / (n + _K1 * (1 - _B + _B * length)) for stem, n in counts.items()}
    total, most = sum(points.values()), max(points.values(), default=0.0)
    first = sorted((stem for stem in points if points[stem] >= most / TELLING), key=lambda stem: -points[stem])
    # Short words count like the others; to a reader they say nothing where longer ones are shared.
    long = [stem for stem in first if len(stem) == _STEM or stem.isdigit()]
    named = tuple(asked[stem] for stem in (long or first)[:NAMED])
    return _Words(min(1.0, total / reach), named)
