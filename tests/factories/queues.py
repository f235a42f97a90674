from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from queues.models import Calendar, Case, JudgeVerdict, Lane, Queue, RoutingRule, Slot
from queues.risk import Risk
from tests.factories.hitl import TenantFactory, UserFactory, grant


class CalendarFactory(DjangoModelFactory):
    class Meta:
        model = Calendar

    name = factory.Sequence(lambda n: f"Office {n}")
    time_zone = "Europe/Berlin"
    hours = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


class QueueFactory(DjangoModelFactory):
    class Meta:
        model = Queue

    slug = factory.Sequence(lambda n: f"queue-{n}")
    name = factory.LazyAttribute(lambda o: o.slug.replace("-", " ").title())
    # Which cases are chosen hangs on their numbers, and these on the tests before: who wants seconds says so.
    second_share = 0


class RoutingRuleFactory(DjangoModelFactory):
    class Meta:
        model = RoutingRule

    queue = factory.SubFactory(QueueFactory)
    name = factory.Sequence(lambda n: f"Rule {n}")


class LaneFactory(DjangoModelFactory):
    class Meta:
        model = Lane

    queue = factory.SubFactory(QueueFactory)
    tenant = factory.SubFactory(TenantFactory)
    stream = Lane.Stream.ESCALATION
    language = "en"


class CaseFactory(DjangoModelFactory):
    class Meta:
        model = Case

    tenant = factory.SubFactory(TenantFactory)
    external_id = factory.Sequence(lambda n: f"case-{n}")
    domain = "billing"
    language = "en"
    risk = Risk.MEDIUM
    question = "I was charged twice in October. Do I get it back?"
    draft = "You were charged twice. The second payment is returned within three days."
    evidence = [
        {
            "document_id": "ledger-7731",
            "title": "Ledger",
            "score": 0.83,
            "quote": "04 Oct: duplicate payment, flagged.",
        },
        {"document_id": "refunds-4.2", "title": "Refunds", "score": 0.7, "quote": "Refunds need a confirmed error."},
    ]
    reason = "Low groundedness and money is promised."
    received_at = factory.LazyFunction(timezone.now)


class JudgeVerdictFactory(DjangoModelFactory):
    class Meta:
        model = JudgeVerdict

    case = factory.SubFactory(CaseFactory)
    tenant = factory.LazyAttribute(lambda o: o.case.tenant)
    judge = "grounded"
    verdict = "accept"
    confidence = 0.95
    given_at = factory.LazyFunction(timezone.now)
    received_at = factory.LazyFunction(timezone.now)


class SlotFactory(DjangoModelFactory):
    class Meta:
        model = Slot

    lane = factory.SubFactory(LaneFactory)
    case = factory.LazyAttribute(
        lambda o: CaseFactory(tenant=o.lane.tenant, queue=o.lane.queue, language=o.lane.language)
    )
    due_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=4))
    created_at = factory.LazyFunction(timezone.now)


def reviewer_of(*lanes, **fields):
    """A person who may decide the cases of these lanes (authority aside)."""
    user = UserFactory(languages=sorted({lane.language for lane in lanes if lane.language}) or ["en"], **fields)
    for lane in lanes:
        grant(user, "review_queue", lane.queue)
        grant(user, "work_in_tenant", lane.tenant)
    return user


def lead_of(*lanes, **fields):
    user = reviewer_of(*lanes, **fields)
    for lane in lanes:
        grant(user, "lead_queue", lane.queue)
        grant(user, "lead_tenant", lane.tenant)
    return user
