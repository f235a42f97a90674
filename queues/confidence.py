"""One confidence from many signals. A model's own word counts for little, and what nobody sent is said, not guessed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from queues.json_values import Reader
from queues.risk import Risk

RETRIEVAL: Final = "retrieval_score"
MARGIN: Final = "rerank_margin"
GROUNDEDNESS: Final = "groundedness"
TOOLS: Final = "tool_success"
POLICY: Final = "policy_classifier_score"
ROUTE: Final = "route_quality"
SELF_REPORTED: Final = "self_reported"
RISK: Final = "risk"

LABELS: Final[dict[str, str]] = {
    RETRIEVAL: "Best passage found",
    MARGIN: "Gap between the two best passages",
    GROUNDEDNESS: "Groundedness",
    TOOLS: "Tools",
    POLICY: "Policy check",
    ROUTE: "Drafts accepted on this route",
    SELF_REPORTED: "The model's own word",
    RISK: "Risk level",
}
SIGNALS: Final = tuple(key for key in LABELS if key != RISK)
_FROM_EVIDENCE: Final = (RETRIEVAL, MARGIN)
_ORDER: Final = {key: place for place, key in enumerate(LABELS)}

GOOD: Final = "good"
AMBIGUOUS: Final = "ambiguous"
WEAK: Final = "weak"
UNKNOWN: Final = "unknown"
CANNOT_VERIFY: Final = "cannot verify"
CANNOT_READ: Final = "cannot read"
NEEDS_CARE: Final = "needs care"
ORDINARY: Final = "ordinary"
NOT_NEEDED: Final = "not needed"

_TOOLS_OK: Final = frozenset(("ok", "success", "succeeded"))
_TOOLS_FAILED: Final = frozenset(("failed", "failure", "error"))


@dataclass(frozen=True, slots=True)
class SignalSettings:
    """How one signal is read. From `good_from` it is good, from `ambiguous_from` ambiguous, below that weak.

    Values outside `low` to `high` are not read at all. `full` is the value that counts as 1 (a gap of 0.2 between two
    passages is as clear as it gets). `inverted`: high values are bad, as in a classifier that scores violations.
    """

    key: str
    weight: float
    good_from: float
    ambiguous_from: float
    full: float = 1.0
    low: float = 0.0
    high: float = 1.0
    inverted: bool = False


DEFAULT_SIGNALS: Final = (
    SignalSettings(RETRIEVAL, 0.20, good_from=0.70, ambiguous_from=0.50),
    SignalSettings(MARGIN, 0.10, good_from=0.10, ambiguous_from=0.0, full=0.20),
    SignalSettings(GROUNDEDNESS, 0.30, good_from=0.80, ambiguous_from=0.65),
    SignalSettings(TOOLS, 0.15, good_from=1.0, ambiguous_from=1.0),
    SignalSettings(POLICY, 0.15, good_from=0.80, ambiguous_from=0.50),
    SignalSettings(ROUTE, 0.10, good_from=0.80, ambiguous_from=0.60),
    SignalSettings(SELF_REPORTED, 0.05, good_from=0.80, ambiguous_from=0.50),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One line of the table a reviewer sees: `value` is None where nothing countable came, `weak` asks for care."""

    key: str
    label: str
    value: float | None
    display: str
    interpretation: str
    weak: bool
    weight: float

    @classmethod
    def not_sent(cls, key: str, weight: float) -> "Reading":
        return cls(key, LABELS.get(key, key), None, "not sent", UNKNOWN, False, weight)


@dataclass(frozen=True, slots=True)
class ConfidenceSettings:
    """The weights and cut-offs. Below `coverage_floor` of the weights, the confidence is unknown."""

    signals: tuple[SignalSettings, ...] = DEFAULT_SIGNALS
    coverage_floor: float = 0.30
    _missing: tuple[Reading, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Made once here, because most rows of an intake lack most signals.
        object.__setattr__(
            self, "_missing", tuple(Reading.not_sent(signal.key, signal.weight) for signal in self.signals)
        )

    def judged(self, key: str, value: float) -> float:
        """A signal's value as it is judged: higher is better."""
        for signal in self.signals:
            if signal.key == key:
                return signal.low + signal.high - value if signal.inverted else value
        return value

    def to_json(self) -> dict[str, Any]:
        return {
            "signals": {
                signal.key: {
                    "weight": signal.weight,
                    "good_from": signal.good_from,
                    "ambiguous_from": signal.ambiguous_from,
                    "full": signal.full,
                    "low": signal.low,
                    "high": signal.high,
                    "inverted": signal.inverted,
                }
                for signal in self.signals
            },
            "coverage_floor": self.coverage_floor,
        }

    @classmethod
    def read(cls, reader: Reader) -> "ConfidenceSettings":
        """From a reader of settings, which collects the faults; what is not named keeps its default."""
        by_key = reader.object("signals")
        settings = cls(
            signals=tuple(_read_signal(by_key.object(default.key), default) for default in DEFAULT_SIGNALS),
            coverage_floor=reader.number("coverage_floor", 0.30, 0, 1),
        )
        by_key.finish()
        reader.finish()
        if not any(signal.weight for signal in settings.signals):
            reader.fault("signals", "every weight is 0; give at least one signal a weight above 0.")
        return settings


@dataclass(frozen=True, slots=True)
class Confidence:
    """A weighted mean from 0 to 1, or None when too little is known. `coverage` is the share of weight that was there.

    `needs` names, in words, the signals that would have counted and that nobody sent.
    """

    value: float | None
    readings: tuple[Reading, ...]
    coverage: float
    needs: tuple[str, ...]

    def reading(self, key: str) -> Reading | None:
        for reading in self.readings:
            if reading.key == key:
                return reading
        return None

    def to_json(self) -> dict[str, Any]:
        """What is stored on the case. Signals that nobody sent are stored by name only: they are most of them."""
        present = []
        missing = {}
        for reading in self.readings:
            if reading.interpretation == UNKNOWN:
                missing[reading.key] = reading.weight
            else:
                present.append(
                    {
                        "key": reading.key,
                        "value": reading.value,
                        "display": reading.display,
                        "interpretation": reading.interpretation,
                        "weak": reading.weak,
                        "weight": reading.weight,
                    }
                )
        return {"value": self.value, "coverage": self.coverage, "readings": present, "missing": missing}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Confidence":
        """What `to_json` gave; an empty object reads as "nothing is known"."""
        present = [Reading(label=LABELS.get(row["key"], row["key"]), **row) for row in stored.get("readings", ())]
        missing = [Reading.not_sent(key, weight) for key, weight in stored.get("missing", {}).items()]
        readings = sorted((*present, *missing), key=lambda reading: _ORDER.get(reading.key, len(_ORDER)))
        needs = tuple(reading.label for reading in readings if reading.value is None and reading.weight)
        return cls(stored.get("value"), tuple(readings), stored.get("coverage", 0.0), needs)


DEFAULTS: Final = ConfidenceSettings()


def combine(
    signals: Mapping[str, Any],
    *,
    evidence: Sequence[Mapping[str, Any]] = (),
    tool_results: Sequence[Mapping[str, Any]] = (),
    risk: Risk | None = None,
    settings: ConfidenceSettings = DEFAULTS,
) -> Confidence:
    """The confidence of one answer: the weighted mean over the signals that are there.

    Where the producer names no retrieval score or margin, the evidence's own scores give them; tool success comes from
    the tool results' `status`. Other names in `signals` are left alone. With `risk`, the table ends with its line.
    """
    readings: list[Reading] = []
    needs: list[str] = []
    total = present = possible = 0.0
    scores: list[float] | None = None
    for signal, missing in zip(settings.signals, settings._missing, strict=True):
        key = signal.key
        value = signals.get(key)
        if value is None:
            if key == TOOLS:
                reading = _read_tools(tool_results, signal)
                readings.append(reading)
                possible += reading.weight
                if reading.value is not None:
                    total += reading.weight * reading.value
                    present += reading.weight
                elif reading.weight:
                    needs.append(reading.label)
                continue
            if evidence and key in _FROM_EVIDENCE:
                if scores is None:
                    scores = _scores(evidence)
                if key == RETRIEVAL:
                    value = scores[0] if scores else None
                elif len(scores) > 1:
                    value = scores[0] - scores[1]
            if value is None:
                readings.append(missing)
                if signal.weight:
                    needs.append(missing.label)
                    possible += signal.weight
                continue
        low, high = signal.low, signal.high
        if not isinstance(value, int | float) or not low <= value <= high:
            readings.append(_unreadable(value, signal))
            if signal.weight:
                needs.append(missing.label)
                possible += signal.weight
            if key == RETRIEVAL:
                scores = []  # on a scale we cannot read, the gap between two of them says nothing either
            continue
        value = float(value)
        judged = low + high - value if signal.inverted else value
        if judged >= signal.good_from:
            word, weak = GOOD, False
        elif judged >= signal.ambiguous_from:
            word, weak = AMBIGUOUS, False
        else:
            word, weak = WEAK, True
        readings.append(Reading(key, missing.label, value, f"{value:.2f}", word, weak, signal.weight))
        counted = (judged - low) / (signal.full - low)
        total += signal.weight * (counted if counted < 1.0 else 1.0)
        present += signal.weight
        possible += signal.weight
    if risk is not None:
        readings.append(_RISK_READINGS[risk])
    coverage = round(present / possible, 4) if possible else 0.0
    known = present > 0 and coverage >= settings.coverage_floor
    return Confidence(round(total / present, 4) if known else None, tuple(readings), coverage, tuple(needs))


def _scores(evidence: Sequence[Mapping[str, Any]]) -> list[float]:
    """The passages' scores, best first; passages without a number are left out."""
    found = [score for passage in evidence if type(score := passage.get("score")) is float or type(score) is int]
    found.sort(reverse=True)
    return found


def _read_tools(results: Sequence[Mapping[str, Any]], signal: SignalSettings) -> Reading:
    """The tools' line, with the share that worked.

    A tool that could not be reached is worse than nothing: what it would have shown cannot be verified.
    """
    if not results:
        return _NO_TOOLS
    ok = failed = unavailable = 0
    for result in results:
        status = result.get("status")
        word = status.lower() if isinstance(status, str) else ""
        if word in _TOOLS_OK:
            ok += 1
        elif word in _TOOLS_FAILED:
            failed += 1
        elif word == "unavailable":
            unavailable += 1
    counted = ok + failed + unavailable
    if not counted:
        return Reading(TOOLS, LABELS[TOOLS], None, "no status given", CANNOT_READ, False, signal.weight)
    share = ok / counted
    if unavailable:
        display = "unavailable" if unavailable == counted else f"{unavailable} of {counted} unavailable"
        return Reading(TOOLS, LABELS[TOOLS], share, display, CANNOT_VERIFY, True, signal.weight)
    word = GOOD if share >= signal.good_from else AMBIGUOUS if share >= signal.ambiguous_from else WEAK
    return Reading(TOOLS, LABELS[TOOLS], share, f"{ok} of {counted} worked", word, word == WEAK, signal.weight)


def _unreadable(value: object, signal: SignalSettings) -> Reading:
    if isinstance(value, int | float) and not isinstance(value, bool):
        shown = f"{value:.3g}" if abs(value) < 1e15 else "a number"
        display = f"{shown} is not from {signal.low:g} to {signal.high:g}"
    else:
        display = "not a number"
    return Reading(signal.key, LABELS[signal.key], None, display, CANNOT_READ, False, signal.weight)


def _read_signal(reader: Reader, default: SignalSettings) -> SignalSettings:
    low = reader.number("low", default.low, -1e6, 1e6)
    high = reader.number("high", default.high, -1e6, 1e6)
    if low >= high:
        reader.fault("low", f"must be below high, not {low:g} and {high:g}.")
        low, high = default.low, default.high
    good_from = reader.number("good_from", default.good_from, low, high)
    ambiguous_from = reader.number("ambiguous_from", default.ambiguous_from, low, high)
    if ambiguous_from > good_from:
        reader.fault("ambiguous_from", f"must not be above good_from, not {ambiguous_from:g} and {good_from:g}.")
    full = reader.number("full", default.full if default.full <= high else high, low, high)
    if full <= low:
        reader.fault("full", f"must be above low, not {full:g} and {low:g}.")
        full = high
    read = SignalSettings(
        key=default.key,
        weight=reader.number("weight", default.weight, 0, 100),
        good_from=good_from,
        ambiguous_from=ambiguous_from,
        full=full,
        low=low,
        high=high,
        inverted=reader.flag("inverted", default.inverted),
    )
    reader.finish()
    return read


_NO_TOOLS: Final = Reading(TOOLS, LABELS[TOOLS], None, "none called", NOT_NEEDED, False, 0.0)
_CARE_FROM: Final = Risk.HIGH
_RISK_READINGS: Final = {
    risk: Reading(
        RISK,
        LABELS[RISK],
        None,
        str(risk.label).lower(),
        NEEDS_CARE if risk >= _CARE_FROM else ORDINARY,
        risk >= _CARE_FROM,
        0.0,
    )
    for risk in Risk
}
