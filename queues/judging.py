"""Whether a judge's word is enough, so that no person is asked. Pure.

A queue may name one judge that it trusts, and how sure that judge must be. Only what is merely doubtful may be left to
it: never what is risky, and never what sends a case to a person for a reason that no judge can weigh.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from queues.risk import Risk
from queues.triggers import Trigger

ACCEPT: Final = "accept"
REJECT: Final = "reject"
MAY_BE_JUDGED: Final = frozenset((Trigger.LOW_CONFIDENCE.value, Trigger.QUALITY_FAILURE.value))
RISKIEST: Final = Risk.MEDIUM
_WORDS: Final = {
    "accept": ACCEPT, "accepted": ACCEPT, "pass": ACCEPT, "passed": ACCEPT,
    "reject": REJECT, "rejected": REJECT, "fail": REJECT, "failed": REJECT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class JudgeFirst:
    """The judge a queue trusts, and how sure it must say it is, over 0 and up to 1."""

    judge: str
    sure: float


@dataclass(frozen=True, slots=True)
class Said:
    """One verdict of a judge's: `accept`, `reject`, or empty where it gave no verdict."""

    judge: str
    version: str = ""
    prompt: str = ""
    position: str = ""
    verdict: str = ""
    score: float | None = None
    confidence: float | None = None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides it: the queue's trust, the case's risk and the triggers that fired, and what judges said of it."""

    trusted: JudgeFirst | None
    risk: Risk
    fired: frozenset[str]
    user_requested_human: bool
    said: Sequence[Said]


@dataclass(frozen=True, slots=True)
class Ruling:
    """`by`: the place in `said` of the verdict that stands; None where a person decides. `because` is a sentence."""

    by: int | None
    because: str

    @property
    def may_label(self) -> bool:
        return self.by is not None


def verdict_of(word: str | None) -> str:
    """A judge's own word as accept or reject; empty where it is neither (free text, or another scale)."""
    return _WORDS.get(word.strip().casefold(), "") if word else ""


def may_label(facts: Facts) -> Ruling:
    """Only a judge that the queue names, that gives a verdict and says how sure it is, and does not contradict itself.

    A score is not enough, however extreme: what a judge gives best and worst says nothing of how sure it is. If the
    judge spoke several times (versions, prompts, positions), each must say the same and be sure, and the first counts.
    """
    trusted = facts.trusted
    if trusted is None:
        return Ruling(None, "In this queue people decide everything.")
    if facts.risk > RISKIEST:
        return Ruling(None, f"The risk is {facts.risk.label.lower()}: above {RISKIEST.label.lower()} people decide.")
    if facts.user_requested_human or (beyond := facts.fired - MAY_BE_JUDGED):
        why = Trigger.USER_ESCALATION if facts.user_requested_human else Trigger(min(beyond))
        return Ruling(None, f"A person is asked for more than doubt: {str(why.label).lower()}.")
    spoken = [(place, one) for place, one in enumerate(facts.said) if one.judge == trusted.judge]
    if not spoken:
        return Ruling(None, f"{trusted.judge} has not judged it.")
    if not all(one.verdict for _, one in spoken):
        return Ruling(None, f"{trusted.judge} gave no verdict.")
    if len({one.verdict for _, one in spoken}) > 1:
        return Ruling(None, f"{trusted.judge} contradicts itself.")
    least = min(-1.0 if one.confidence is None else one.confidence for _, one in spoken)
    if least < 0:
        return Ruling(None, f"{trusted.judge} does not say how sure it is.")
    if least < trusted.sure:
        return Ruling(None, f"{trusted.judge} is {least:.2f} sure; {trusted.sure:.2f} is asked for.")
    place, first = spoken[0]
    name = f"{first.judge} {first.version}".strip()
    return Ruling(place, f"{name} says {first.verdict} and is {least:.2f} sure; {trusted.sure:.2f} is asked for.")
