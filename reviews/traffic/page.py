"""What the pages on a tenant's traffic show: a stored report in words and drawings, and how many signals wait."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from hitl.models import Job, Tenant, User
from queues.models import Sampled, SamplingPlan
from queues.sampling import plans
from queues.traces.weights import DEFAULTS, Weights
from reviews.models import TrafficReport
from reviews.traffic import priors, reports, tuning
from reviews.traffic.gathering import DIMENSIONS, Json, rate_of
from reviews.traffic.periods import USUAL, periods
from reviews.traffic.priors import KINDS, Weighing
from reviews.traffic.rates import Rate
from reviews.traffic.tuning import Part, Proposal, Yield

# The drawing's own units, and what a whole line may stand for: see traces/_rate.html.
BAR: Final = 120
SCALES: Final = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
DIMENSION_WORDS: Final = {"topic": "Topic", "release": "Release", "prompt_version": "Prompt version"}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A rate beside a line from 0 to `scale`, with a mark at what it is compared to."""

    rate: Rate
    scale: float
    mark: float | None = None

    @property
    def left(self) -> str:
        return _along(self.rate.low, self.scale)

    @property
    def width(self) -> str:
        return f"{max(1.0, BAR * (min(self.rate.high or 0, self.scale) - (self.rate.low or 0)) / self.scale):.1f}"

    @property
    def at(self) -> str:
        return _along(self.rate.value, self.scale)

    @property
    def mark_at(self) -> str:
        return _along(self.mark, self.scale)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The rate of a part of the traffic, by all that was drawn and by the random draw alone."""

    name: str
    traffic: int
    all: Drawn
    at_random: Drawn

    @property
    def failing(self) -> tuple[int, int, int] | None:
        """How many answers fail, with the ends of the interval."""
        rate = self.all.rate
        if rate.value is None or rate.low is None or rate.high is None:
            return None
        return round(rate.value * self.traffic), round(rate.low * self.traffic), round(rate.high * self.traffic)


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A sampling policy: what it found, and its share."""

    words: str
    part: Part
    found: Drawn | None
    cost: tuple[float, float, float] | None
    alone: int


@dataclass(frozen=True, slots=True)
class SignalRow:
    weighing: Weighing
    drawn: Drawn


def common(tenant: Tenant, user: User, asked: str, now: datetime) -> Json:
    """What every such page says of its period, its report, and the job that measures it."""
    spans = periods(now)
    chosen = next((one for one in spans if one.key == asked), next(one for one in spans if one.key == USUAL))
    report, job = reports.latest(tenant, chosen.key), reports.running(tenant)
    return {
        "tenant": tenant,
        "periods": spans,
        "period": chosen,
        "report": report,
        "last_day": min(report.until - timedelta(seconds=1), report.computed_at) if report else None,
        "running": job,
        "job": job if job and _is_own(job, user) else None,
    }


def estimates(report: TrafficReport) -> Json:
    """The rate of all traffic, and of its parts."""
    kept = report.result["estimates"]
    rates = [kept["whole"], *(one for name in DIMENSIONS for one in kept[name])]
    whole = kept["whole"]["rate"]["value"]
    scale = _scale(one[which]["high"] for one in rates for which in ("rate", "at_random"))
    traffic, drawn = kept["whole"]["traffic"], kept["whole"]["rate"]["stands_for"]
    return {
        "whole": _estimate("", kept["whole"], scale, None),
        "covers": drawn / traffic if traffic else None,
        "parts": [
            (DIMENSION_WORDS[name], [_estimate(one["name"], one, scale, whole) for one in kept[name]],
             kept[f"more_{name}"])
            for name in DIMENSIONS if kept[name]
        ],
    }  # fmt: skip


def yields(report: TrafficReport) -> list[Yield]:
    """What each sampling policy found, in their order."""
    kept = report.result["policies"]
    return [_yield(policy, kept[policy]) for policy in tuning.ORDER if policy in kept]


def proposal(report: TrafficReport, plan: SamplingPlan | None) -> Proposal:
    """For the plan as it stands: the same for the page that shows it, and for the lead who takes it."""
    return tuning.propose(plans.fields_of(plan)["mix"], yields(report))


def policies(report: TrafficReport, found: Proposal) -> list[PolicyRow]:
    known = {one.policy: one for one in yields(report)}
    scale = _scale(one.found.high for one in known.values())
    base = report.result["base"]["value"]
    return [
        PolicyRow(
            words=str(Sampled.Policy(part.policy).label),
            part=part,
            found=Drawn(known[part.policy].found, scale, base) if part.policy in known else None,
            cost=known[part.policy].cost if part.policy in known else None,
            alone=known[part.policy].alone if part.policy in known else 0,
        )
        for part in found.parts
    ]


def weighings(report: TrafficReport, weights: Weights) -> list[Weighing]:
    """Every kind of signal with its weight now and as proposed: the same for the page, and for who takes it."""
    base, kept = rate_of(report.result["base"]), report.result["signals"]
    usual = Weights(0, DEFAULTS)
    return [
        priors.weigh(
            priors.Measured(kind, kept[kind]["came"] if kind in kept else 0, _precision(kept.get(kind))),
            base=base, now=round(weights.of_kind(kind), 2), default=usual.of_kind(kind),
        )
        for kind in KINDS
    ]  # fmt: skip


def signals(report: TrafficReport, found: Sequence[Weighing]) -> tuple[list[SignalRow], list[Weighing]]:
    """Those that came, and those that did not."""
    base = report.result["base"]["value"]
    came = [SignalRow(one, Drawn(one.precision, 1.0, base)) for one in found if one.came or one.precision.drawn]
    return came, [one for one in found if not (one.came or one.precision.drawn)]


def measured_of(found: Iterable[Weighing], report: TrafficReport) -> Mapping[str, Any]:
    """What is kept with a revision: the figures that it was proposed by."""
    return {
        "period": report.period,
        "base": report.result["base"],
        "signals": {one.kind: {"came": one.came, **one.precision.to_json()} for one in found},
    }


def _is_own(job: Job, user: User) -> bool:
    return job.started_by_id == user.pk or user.is_superuser


def _estimate(name: str, kept: Json, scale: float, mark: float | None) -> Estimate:
    drawn = [Drawn(rate_of(kept[which]), scale, mark) for which in ("rate", "at_random")]
    return Estimate(name, kept["traffic"], *drawn)


def _yield(policy: str, kept: Json) -> Yield:
    wanted, picked = kept["wanted"], kept["picked"]
    return Yield(policy, rate_of(kept["found"]), kept["alone"], 1 - picked / wanted if wanted else 0.0)


def _precision(kept: Json | None) -> Rate:
    return rate_of(kept["precision"]) if kept else Rate(None, None, None, 0, 0, 0, 0, 0, 0, 0.0)


def _scale(highs: Iterable[float | None]) -> float:
    widest = max((high for high in highs if high is not None), default=1.0)
    return next((scale for scale in SCALES if widest <= scale), 1.0)


def _along(value: float | None, scale: float) -> str:
    return f"{BAR * min(1.0, max(0.0, (value or 0.0) / scale)):.1f}"
