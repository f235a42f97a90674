"""Two weeks of traffic in the story: answers, what users made of them, their tickets, and the samples drawn of it.

All of it comes in by the doors that a team's systems knock at.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml
from django.db import transaction

from codebook.models import Label
from codebook.versions import current
from hitl.models import Tenant, User
from queues import claims
from queues.complaints import candidates, settling
from queues.intake import changing, complaints, drift, signals, traces
from queues.models import Case, Complaint, Signal, Slot, Trace
from queues.sampling import plans, running
from queues.traces import consent
from reviews import deciding
from reviews.given import Given

HERE: Final = Path(__file__).parent
DAYS: Final = 14
TRACES: Final = 800
# The newest prompt version went live so many days ago, and made one topic worse.
NEWEST: Final = 4.0
RELEASES: Final = ((9.0, "2026.44", "30"), (NEWEST, "2026.45", "31"), (0.0, "2026.46", "32"))
USERS: Final = 160
# Whom nothing pleases; who takes back what they allowed.
NOISY, LEAVING = "u-1003", "u-1010"
# What users do, by whether the answer was a bad one: their way of saying it, and how often.
SAID: Final[Mapping[str, tuple[float, float]]] = {
    "user_rating": (0.16, 0.05),
    "user_reason": (0.08, 0.01),
    "user_edit": (0.09, 0.0),
    "implicit_regenerate": (0.2, 0.04),
    "implicit_followup": (0.22, 0.05),
    "implicit_abandon": (0.12, 0.05),
    "implicit_copy": (0.05, 0.24),
    "implicit_accept": (0.06, 0.3),
    "implicit_copy_edit": (0.05, 0.02),
    "implicit_dwell": (0.25, 0.25),
}
REASONS: Final = ("hallucination", "missed_the_point", "missed_the_point", "too_long", "refused", "other")
AGAIN: Final = ("No, I meant something else.", "That is not what I asked.", "Are you sure? Your letter says otherwise.")
CONSENTS: Final[tuple[dict[str, bool], ...]] = (
    {},
    {},
    {"evaluation": True},
    {"evaluation": True, "retrieval": True, "training": True},
)
# Cases a day of each tenant, and how many of them the lead has decided.
BUDGET: Final = {"northlight": 60, "harbor": 24}
DECIDED: Final = 0.8


@dataclass
class Told:
    """The rows of one tenant as its systems send them, and which of its answers were bad: the story knows."""

    traces: list[dict[str, Any]] = field(default_factory=list)
    signals: list[dict[str, Any]] = field(default_factory=list)
    bad: set[str] = field(default_factory=set)


def tell(lead: User, now: datetime) -> None:
    chance = random.Random(5)  # noqa: S311 -- the same story for everyone
    told = _told(chance, now)
    for slug, rows in told.items():
        tenant = Tenant.objects.get(slug=slug)
        changing.change(tenant=tenant, by=lead, fields={"takes_complaints": slug == "northlight"})
        # A draw looks at what came in before it.
        traces.traces(rows.traces, tenant=tenant, now=now - timedelta(minutes=5), source="demo")
        signals.signals(rows.signals, tenant=tenant, now=now, source="demo")
    northlight = Tenant.objects.get(slug="northlight")
    consent.withdraw(tenant=northlight, user_key=LEAVING, by=lead, source="a lead", now=now)
    _complain(northlight, told["northlight"], lead, chance, now)
    drift.drift([_report(now)], tenant=northlight, now=now, source="demo")
    for slug, rows in told.items():
        _sample(Tenant.objects.get(slug=slug), rows.bad, lead, chance, now)


def _told(chance: random.Random, now: datetime) -> dict[str, Told]:
    kinds = yaml.safe_load((HERE / "traffic.yaml").read_text())
    shares = [kind["share"] for kind in kinds.values()]
    told: dict[str, Told] = {kind["tenant"]: Told() for kind in kinds.values()}
    for number in range(TRACES):
        (slug,) = chance.choices(list(kinds), shares)
        kind = kinds[slug]
        rows = told[kind["tenant"]]
        days = _days_ago(chance)
        release, prompt = next((release, prompt) for since, release, prompt in RELEASES if days >= since)
        is_bad = chance.random() < kind["fails"][days < NEWEST]
        trace = _trace(number, slug, kind, is_bad, chance) | {
            "at": (now - timedelta(days=days)).isoformat(), "release": release, "prompt_version": prompt
        }  # fmt: skip
        rows.traces.append(trace)
        rows.signals += _signals(trace, kind, is_bad, chance, now)
        if is_bad:
            rows.bad.add(trace["trace_id"])
    for rows in told.values():
        rows.signals += _waiting(rows, now)
    return told


def _days_ago(chance: random.Random) -> float:
    """More by day than by night."""
    while True:
        days = chance.uniform(0.05, DAYS - 0.1)
        if chance.random() < (0.25 if 0.35 < days % 1 < 0.7 else 1):
            return days


def _trace(number: int, slug: str, kind: Mapping[str, Any], is_bad: bool, chance: random.Random) -> dict[str, Any]:
    words = {
        "{amount}": f"{chance.randrange(40, 900)}.{chance.randrange(100):02}",
        "{n}": str(chance.randrange(1000, 9999)),
        "{day}": chance.choice(("Friday", "Monday", "30 November", "15 December")),
    }

    def fill(text: str) -> str:
        for name, word in words.items():
            text = text.replace(name, word)
        return text

    # Some users ask far more than others.
    user = f"u-{1000 + min(int(chance.paretovariate(0.7)), USERS)}"
    return {
        "trace_id": f"{slug}-{number:04}",
        "input": fill(chance.choice(kind["ask"])),
        "output": fill(kind["bad" if is_bad else "good"]),
        "documents": [{**kind["document"], "score": round(chance.uniform(0.62, 0.94), 2)}],
        "tool_calls": [kind["tool"]] if "tool" in kind else [],
        "scores": {"groundedness": round(chance.gauss(0.46 if is_bad else 0.84, 0.14), 2)},
        "model": "support-7",
        "user_key": user,
        "session_id": f"s-{number // 3}",
        "topic": kind["topic"],
        "domain": kind["domain"],
        "language": kind.get("language", "en"),
        "latency_ms": chance.randrange(700, 5_200),
    }


def _signals(
    trace: Mapping[str, Any], kind: Mapping[str, Any], is_bad: bool, chance: random.Random, now: datetime
) -> list[dict[str, Any]]:
    given = [name for name, (bad, good) in SAID.items() if chance.random() < (bad if is_bad else good)]
    if trace["user_key"] == NOISY:
        given = ["user_rating"]
    at = datetime.fromisoformat(trace["at"])
    rows = []
    for name in given:
        after = min(at + timedelta(minutes=chance.uniform(0.2, 90)), now)
        row = {
            "type": name, "trace_id": trace["trace_id"], "signal_id": f"{trace['trace_id']}-{name}",
            "at": after.isoformat(), "user_key": trace["user_key"], "consent": chance.choice(CONSENTS),
        }  # fmt: skip
        rows.append(row | _content(name, kind, is_bad or trace["user_key"] == NOISY, chance))
    return rows


def _content(name: str, kind: Mapping[str, Any], is_bad: bool, chance: random.Random) -> dict[str, Any]:
    if name == "user_rating":
        return {"rating": chance.choice((1, 1, 2) if is_bad else (4, 5, 5))}
    if name == "user_reason":
        return {"reason": chance.choice(REASONS), "comment": "The letter I got says something else." if is_bad else ""}
    if name in ("user_edit", "implicit_copy_edit"):
        return {"edited_output": kind["edit"].replace("{amount}", "the amount")}
    if name == "implicit_followup":
        return {"text": chance.choice(AGAIN)}
    if name == "implicit_dwell":
        return {"seconds": round(chance.lognormvariate(3.3 if is_bad else 2.6, 0.6), 1)}
    return {}


def _waiting(rows: Told, now: datetime) -> list[dict[str, Any]]:
    """Feedback on answers whose traces are still in the tracing tool's buffer, or were never sent."""
    return [
        {
            "type": "user_rating", "trace_id": f"buffered-{hours}", "signal_id": f"buffered-{hours}", "thumbs": "down",
            "at": (now - timedelta(hours=hours)).isoformat(),
        }
        for hours in (1, 2, 26)
    ]  # fmt: skip


def _complain(tenant: Tenant, told: Told, lead: User, chance: random.Random, now: datetime) -> None:
    """Tickets about bad answers; the lead has linked one of them and dismissed another."""
    bad = [trace for trace in told.traces if trace["trace_id"] in told.bad]
    refunds = [trace for trace in bad if trace["topic"] == "refund"][-3:]
    texts = (
        "Your assistant told me that my refund is already approved. The bank says nothing is on its way. Which is it?",
        "I was promised a credit of 30 and my second payment back within three days. Nothing came.",
        "The chat said the refund was approved, your hotline says that somebody still has to check the ledger.",
    )
    rows = [_ticket(number, text, trace, now) for number, (text, trace) in enumerate(zip(texts, refunds, strict=False))]
    rows += [
        {"complaint_id": "ticket-4790", "channel": "ticket", "text": "Your app logs me out every day. Please fix it.",
         "at": (now - timedelta(hours=30)).isoformat()},
        {"complaint_id": "ticket-4801", "channel": "chat", "at": (now - timedelta(hours=2)).isoformat(),
         "text": "Im Chat hieß es, ich könne den Abschlag beliebig oft auf jeden Betrag senken. Das stimmt nicht!"},
    ]  # fmt: skip
    complaints.complaints(rows, tenant=tenant, now=now, source="demo")
    waiting = {one.external_id: one for one in Complaint.objects.filter(tenant=tenant).select_related("tenant")}
    settling.dismiss(complaint=waiting["ticket-4790"], because="About the app, not about an answer.", by=lead, now=now)
    if likely := candidates.propose(waiting["ticket-4780"], most=1).rows:
        trace = Trace.objects.get(pk=likely[0].id)
        reason = Signal.Reason.HALLUCINATION
        settling.link(complaint=waiting["ticket-4780"], trace=trace, reason=reason, by=lead, now=now)


def _ticket(number: int, text: str, trace: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    asked = datetime.fromisoformat(trace["at"])
    # Of the first the help desk knows who it is, of the second when it was, of the third neither.
    known = ({"user_key": trace["user_key"]}, {"about": (asked + timedelta(hours=1)).isoformat()}, {})[number]
    at = min(asked + timedelta(hours=9), now - timedelta(minutes=20))
    return {"complaint_id": f"ticket-{4780 + number}", "channel": "ticket", "text": text, "at": at.isoformat(), **known}


def _report(now: datetime) -> dict[str, Any]:
    return {
        "report_id": "drift-outage", "topic": "outage", "release": "2026.46", "detector": "topic share", "score": 0.31,
        "detail": "Questions about outages have doubled since Monday.", "wanted": 6,
        "at": (now - timedelta(hours=5)).isoformat(), "until": (now + timedelta(days=2)).isoformat(),
    }  # fmt: skip


def _sample(tenant: Tenant, bad: set[str], lead: User, chance: random.Random, now: datetime) -> None:
    """A plan, a sample by it, and what people said of some of the cases."""
    plan = plans.save(
        tenant=tenant, change={"budget": BUDGET[tenant.slug]}, because="What two people can read in an hour.",
        by=lead, after=0, now=now,
    )  # fmt: skip
    running.keep(sample=running.sample(plan=plan, until=now, now=now), day=None, by=lead, now=now)
    sampled = Slot.objects.filter(
        case__origin=Case.Origin.SAMPLING, lane__tenant=tenant, state=Slot.State.OPEN, purpose=Slot.Purpose.FIRST
    )
    # Passed on to the lead, so that these come first.
    with transaction.atomic():
        slots = list(sampled.values_list("pk", flat=True))
        mine = chance.sample(sorted(slots), k=round(len(slots) * DECIDED))
        Slot.objects.filter(pk__in=mine).update(reserved_for=lead)
    for _ in mine:
        _decide(lead, bad, chance)
    claims.release(user=lead)


def _decide(lead: User, bad: set[str], chance: random.Random) -> None:
    """As somebody would who reads closely, and errs at times."""
    held = claims.hold(user=lead, wanted=1)
    if not held:
        return
    claim = held[0]
    case = Case.objects.get(pk=claim.case_id)
    version = current(claim.queue_id)
    rejects = (case.trace_id in bad) is (chance.random() < 0.95)
    given = Given(
        verdict=Label.Verdict.REJECT if rejects else Label.Verdict.ACCEPT,
        version_id=version.id,
        category_ids=frozenset([chance.choice(version.categories[:3]).pk] if rejects else []),
        handling_ms=chance.randrange(9_000, 70_000),
    )
    deciding.decide(user=lead, slot_id=claim.slot_id, token=claim.token, given=given, painted=None)
