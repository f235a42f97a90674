"""Why a person should look: six triggers, and whether the answer goes to a human, out in part, or out.

A producer may raise the risk or ask for a human. Nothing it sends lowers either.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from django.db import models

from queues.confidence import DEFAULTS as DEFAULT_CONFIDENCE
from queues.confidence import POLICY, RISK, Confidence, ConfidenceSettings
from queues.json_values import Reader, shown
from queues.phrases import PERSON_PHRASES, Phrases, compiled
from queues.risk import Risk


class Trigger(models.TextChoices):
    """Stored by value on the case; `sentence` is what a screen says about the trigger in general."""

    LOW_CONFIDENCE = "low_confidence", "Low confidence"
    HIGH_STAKES = "high_stakes", "High stakes"
    POLICY_BOUNDARY = "policy_boundary", "Policy boundary"
    TOOL_RISK = "tool_risk", "Tool risk"
    USER_ESCALATION = "user_escalation", "The user asked for a person"
    QUALITY_FAILURE = "quality_failure", "Quality failure"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES: Final = {
    Trigger.LOW_CONFIDENCE: "The signals together say that the answer may not hold, or too few are known to say.",
    Trigger.HIGH_STAKES: "A wrong answer would do harm: the domain or the risk asks for care.",
    Trigger.POLICY_BOUNDARY: "The request is near something the policy restricts.",
    Trigger.TOOL_RISK: "The proposed action changes money, permissions, data or something outside.",
    Trigger.USER_ESCALATION: "The user asked for a person.",
    Trigger.QUALITY_FAILURE: "A judge's score or the user's own rating is below what is accepted.",
}


class Outcome(models.TextChoices):
    HUMAN = "human", "To a human"
    LIMITED_ANSWER = "limited_answer", "Limited answer"
    PASS = "pass", "Passed"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about one answer. Ratings run from 1 to 5 (a thumb down is 1); judges' scores from 0 to 1.

    `producer_asks` is the producer's own wish for a human, in `producer_reason`'s words.
    """

    risk: Risk | None = None
    domain: str = ""
    question: str = ""
    producer_asks: bool = False
    producer_reason: str = ""
    user_requested_human: bool = False
    policy_flags: tuple[str, ...] = ()
    judge_scores: tuple[tuple[str, float], ...] = ()
    user_rating: float | None = None
    tool: str = ""
    tool_risk: Risk | None = None


@dataclass(frozen=True, slots=True)
class Fired:
    """A trigger and why it fired here. The words may quote the producer: escape them on screen."""

    key: Trigger
    because: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """`risk` is what counts from here on: the producer's, raised to the settings' floor for the domain."""

    outcome: Outcome
    triggers: tuple[Fired, ...]
    reason: str
    risk: Risk

    def to_json(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome.value,
            "triggers": [{"key": fired.key.value, "because": fired.because} for fired in self.triggers],
            "reason": self.reason,
            "risk": int(self.risk),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Assessment":
        return cls(
            Outcome(stored["outcome"]),
            tuple(Fired(Trigger(row["key"]), row["because"]) for row in stored["triggers"]),
            stored["reason"],
            Risk(stored["risk"]),
        )


HIGH_STAKES_DOMAINS: Final = (
    "medical",
    "medicine",
    "health",
    "healthcare",
    "legal",
    "law",
    "finance",
    "financial",
    "safety",
    "employment",
    "security",
)


@dataclass(frozen=True, slots=True)
class AssessmentSettings:
    """A tenant's thresholds. Read with `from_json`, which refuses the whole when anything in it is wrong.

    A domain is high-stakes when its name, or one of the words in it, is in `high_stakes_domains`.
    """

    confidence: ConfidenceSettings = DEFAULT_CONFIDENCE
    enabled: tuple[Trigger, ...] = tuple(Trigger)
    low_confidence_below: float = 0.60
    high_stakes_domains: tuple[str, ...] = HIGH_STAKES_DOMAINS
    high_stakes_from: Risk = Risk.HIGH
    domain_risks: tuple[tuple[str, Risk], ...] = ()
    risk_when_not_sent: Risk = Risk.MEDIUM
    policy_below: float = 0.50
    tool_risk_from: Risk = Risk.MEDIUM
    judge_below: float = 0.50
    judges_below: tuple[tuple[str, float], ...] = ()
    rating_at_most: float = 2
    limited_answer: bool = True
    limited_answer_up_to: Risk = Risk.LOW
    person_phrases: tuple[tuple[str, tuple[str, ...]], ...] = tuple(PERSON_PHRASES.items())
    _phrases: Phrases = field(init=False, repr=False, compare=False)
    _high_stakes: frozenset[str] = field(init=False, repr=False, compare=False)
    _floors: dict[str, Risk] = field(init=False, repr=False, compare=False)
    _judges: dict[str, float] = field(init=False, repr=False, compare=False)
    _on: tuple[bool, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        every_phrase = tuple(phrase for _, phrases in self.person_phrases for phrase in phrases)
        object.__setattr__(self, "_phrases", compiled(every_phrase))
        object.__setattr__(self, "_high_stakes", frozenset(domain.casefold() for domain in self.high_stakes_domains))
        object.__setattr__(self, "_floors", {domain.casefold(): risk for domain, risk in self.domain_risks})
        object.__setattr__(self, "_judges", dict(self.judges_below))
        object.__setattr__(self, "_on", tuple(trigger in self.enabled for trigger in Trigger))

    def to_json(self) -> dict[str, Any]:
        return {
            "confidence": self.confidence.to_json(),
            "triggers": [trigger.value for trigger in self.enabled],
            "low_confidence_below": self.low_confidence_below,
            "high_stakes_domains": list(self.high_stakes_domains),
            "high_stakes_from": _NAMES[self.high_stakes_from],
            "domain_risks": {domain: _NAMES[risk] for domain, risk in self.domain_risks},
            "risk_when_not_sent": _NAMES[self.risk_when_not_sent],
            "policy_below": self.policy_below,
            "tool_risk_from": _NAMES[self.tool_risk_from],
            "judge_below": self.judge_below,
            "judges_below": dict(self.judges_below),
            "rating_at_most": self.rating_at_most,
            "limited_answer": self.limited_answer,
            "limited_answer_up_to": _NAMES[self.limited_answer_up_to],
            "person_phrases": {language: list(phrases) for language, phrases in self.person_phrases},
        }

    @classmethod
    def from_json(cls, data: object) -> "AssessmentSettings":
        """Settings from JSON; what is not named keeps its default. Raises `Refused` with a sentence for each fault."""
        reader = Reader(data)
        default = DEFAULTS
        domain_risks = reader.object("domain_risks")
        judges_below = reader.object("judges_below")
        on = reader.choices("triggers", Trigger.values, Trigger.values)
        settings = cls(
            confidence=ConfidenceSettings.read(reader.object("confidence")),
            enabled=tuple(trigger for trigger in Trigger if trigger.value in on),
            low_confidence_below=reader.number("low_confidence_below", default.low_confidence_below, 0, 1),
            high_stakes_domains=reader.texts("high_stakes_domains", default.high_stakes_domains, 80),
            high_stakes_from=_read_risk(reader, "high_stakes_from", default.high_stakes_from),
            domain_risks=tuple((key, _read_risk(domain_risks, key, Risk.LOW)) for key in domain_risks.names()),
            risk_when_not_sent=_read_risk(reader, "risk_when_not_sent", default.risk_when_not_sent),
            policy_below=reader.number("policy_below", default.policy_below, 0, 1),
            tool_risk_from=_read_risk(reader, "tool_risk_from", default.tool_risk_from),
            judge_below=reader.number("judge_below", default.judge_below, 0, 1),
            judges_below=tuple((key, judges_below.number(key, 0.5, 0, 1)) for key in judges_below.names()),
            rating_at_most=reader.number("rating_at_most", default.rating_at_most, 0, 5),
            limited_answer=reader.flag("limited_answer", default.limited_answer),
            limited_answer_up_to=_read_risk(reader, "limited_answer_up_to", default.limited_answer_up_to),
            person_phrases=_read_phrases(reader),
        )
        if settings.limited_answer and settings.limited_answer_up_to >= settings.high_stakes_from:
            reader.fault(
                "limited_answer_up_to", "must be a lower risk than high_stakes_from: a limited answer has low stakes."
            )
        reader.finish()
        reader.refuse_faults()
        return settings


def assess(facts: Facts, confidence: Confidence, settings: "AssessmentSettings | None" = None) -> Assessment:
    """Which triggers fire, and what follows.

    Any trigger but low confidence, or a producer that asks, means a human. Low confidence alone means a limited answer
    where the settings allow one at this risk, else a human.
    """
    settings = settings or DEFAULTS
    low_on, stakes_on, policy_on, tool_on, user_on, quality_on = settings._on
    fired: list[Fired] = []
    domain = facts.domain.casefold() if facts.domain else ""
    risk = settings.risk_when_not_sent if facts.risk is None else facts.risk
    if settings._floors and (floor := settings._floors.get(domain)) is not None and floor > risk:
        risk = floor

    low = None
    if low_on and (confidence.value is None or confidence.value < settings.low_confidence_below):
        low = Fired(Trigger.LOW_CONFIDENCE, _why_low(confidence, settings.low_confidence_below))
        fired.append(low)
    if stakes_on:
        risky = risk >= settings.high_stakes_from
        if (domain and not settings._high_stakes.isdisjoint(_domain_names(domain))) or risky:
            fired.append(Fired(Trigger.HIGH_STAKES, _why_high(facts.domain, domain, risk, risky, settings)))
    if policy_on:
        because = _why_policy(facts, confidence, settings)
        if because:
            fired.append(Fired(Trigger.POLICY_BOUNDARY, because))
    if facts.tool_risk is not None and facts.tool_risk >= settings.tool_risk_from and tool_on:
        action = f"the action {_clip(facts.tool)}" if facts.tool else "the proposed action"
        fired.append(Fired(Trigger.TOOL_RISK, f"{action} is of {_NAMES[facts.tool_risk]} risk"))
    if user_on:
        if facts.user_requested_human:
            fired.append(Fired(Trigger.USER_ESCALATION, "the user asked for a person"))
        elif facts.question and (phrase := settings._phrases.find(facts.question)):
            fired.append(Fired(Trigger.USER_ESCALATION, f"the user asked for a person (“{phrase}”)"))
    if (facts.judge_scores or facts.user_rating is not None) and quality_on:
        because = _why_quality(facts, settings)
        if because:
            fired.append(Fired(Trigger.QUALITY_FAILURE, because))

    triggers = tuple(fired)
    if facts.producer_asks or (triggers and (len(triggers) > 1 or low is None)):
        words = [one.because for one in triggers]
        if facts.producer_asks:
            reason = _clip(facts.producer_reason, 200)
            words.append(
                f"the application asked for a person ({reason})" if reason else "the application asked for a person"
            )
        return Assessment(Outcome.HUMAN, triggers, f"A person decides, because {'; '.join(words)}.", risk)
    if low is None:
        return Assessment(Outcome.PASS, triggers, _why_pass(confidence), risk)
    if settings.limited_answer and risk <= settings.limited_answer_up_to:
        reason = f"A limited answer is enough, because the stakes are low; but {low.because}."
        return Assessment(Outcome.LIMITED_ANSWER, triggers, reason, risk)
    return Assessment(Outcome.HUMAN, triggers, f"A person decides, because {low.because}.", risk)


def _why_low(confidence: Confidence, below: float) -> str:
    if confidence.value is None:
        if not confidence.needs:
            return "nothing is known about how good the answer is"
        return f"too little is known about how good the answer is (not sent: {', '.join(confidence.needs)})"
    weak = [f"{r.label} {r.display}, {r.interpretation}" for r in confidence.readings if r.weak and r.key != RISK]
    words = f"confidence is {confidence.value:.2f}, below {below:.2f}"
    return f"{words} ({'; '.join(weak)})" if weak else words


def _why_high(name: str, domain: str, risk: Risk, risky: bool, settings: AssessmentSettings) -> str:
    if domain and not settings._high_stakes.isdisjoint(_domain_names(domain)):
        words = f"{_clip(name)} is a domain of high stakes"
        return f"{words} and the risk is {_NAMES[risk]}" if risky else words
    return f"the risk is {_NAMES[risk]}"


def _why_policy(facts: Facts, confidence: Confidence, settings: AssessmentSettings) -> str:
    if facts.policy_flags:
        return f"the request is near a policy boundary ({', '.join(_clip(flag) for flag in facts.policy_flags[:3])})"
    for reading in confidence.readings:
        if reading.key == POLICY:
            if reading.value is None:
                return ""
            judged = settings.confidence.judged(POLICY, reading.value)
            if judged >= settings.policy_below:
                return ""
            return f"the policy check gave {reading.display}, which is worse than {settings.policy_below:.2f} allows"
    return ""


def _why_quality(facts: Facts, settings: AssessmentSettings) -> str:
    words = []
    for judge, score in facts.judge_scores:
        below = settings._judges.get(judge, settings.judge_below)
        if score < below:
            words.append(f"{_clip(judge)} scored it {score:.2f}, below {below:.2f}")
    if facts.user_rating is not None and facts.user_rating <= settings.rating_at_most:
        words.append(f"the user rated it {facts.user_rating:g} of 5")
    return ", ".join(words)


def _why_pass(confidence: Confidence) -> str:
    if confidence.value is None:
        return "No trigger that is switched on asks for a person."
    return f"No trigger asks for a person; confidence is {confidence.value:.2f}."


def _clip(text: str, longest: int = 60) -> str:
    """A producer's words, short enough for a sentence."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


_WORDS: Final = re.compile(r"\w+")


@lru_cache(maxsize=4096)
def _domain_names(domain: str) -> frozenset[str]:
    """A domain's whole name and the words in it: "healthcare / medicine" is both."""
    return frozenset((domain, *_WORDS.findall(domain)))


_NAMES: Final[dict[Risk, str]] = {risk: risk.name.lower() for risk in Risk}
_BY_NAME: Final = {name: risk for risk, name in _NAMES.items()}


def _read_risk(reader: Reader, key: str, default: Risk) -> Risk:
    value = reader.raw(key, _NAMES[default])
    if isinstance(value, str) and (risk := _BY_NAME.get(value.strip().lower())):
        return risk
    reader.fault(key, f"must be one of {', '.join(_BY_NAME)}, not {shown(value)}.")
    return default


def _read_phrases(reader: Reader) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not reader.has("person_phrases"):
        return DEFAULTS.person_phrases
    lists = reader.object("person_phrases")
    read = []
    for language in lists.names():
        phrases = lists.texts(language, (), 120)
        for phrase in phrases:
            if len(_WORDS.findall(phrase)) < 1:
                lists.fault(language, f"{shown(phrase)} holds no word.")
        read.append((language, phrases))
    return tuple(read)


DEFAULTS: Final = AssessmentSettings()
