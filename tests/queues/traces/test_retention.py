"""What is too old is forgotten: whole weeks where nobody keeps them, else row by row; never a day too early."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from hitl.audit.models import AuditEvent
from queues.intake import signals, traces
from queues.models import EarlyWord, IntakeSettings, Receipt, Signal, Span, Trace
from queues.traces import partitions, retention
from tests.factories.hitl import TenantFactory
from tests.factories.traffic import signalled, traced

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme")


def keeps(tenant, days):
    IntakeSettings.objects.update_or_create(tenant=tenant, defaults={"trace_days": days})


def came(tenant, days, trace_id, *types):
    """A trace of so many days ago, and signals of an hour later."""
    at = NOW - timedelta(days=days)
    later = at + timedelta(hours=1)
    taken = traces.traces([traced(trace_id=trace_id, at=at.isoformat())], tenant=tenant, now=later, source="api")
    assert taken.accepted == 1
    rows = [signalled(type=type, trace_id=trace_id, at=later.isoformat()) for type in types]
    assert signals.signals(rows, tenant=tenant, now=later, source="api").accepted == len(types)
    return Trace.objects.get(tenant=tenant, external_id=trace_id)


def left():
    names = Trace.objects.order_by("-id").values_list("external_id", flat=True)
    return list(names), Signal.objects.count(), Receipt.objects.count()


def weeks():
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_inherits where inhparent = 'queues_trace'::regclass")
        return cursor.fetchone()[0]


def test_weeks_that_nobody_keeps_are_dropped_with_their_receipts(tenant):
    keeps(tenant, 200)
    came(tenant, 150, "old", "implicit_copy")
    came(tenant, 20, "new", "implicit_copy")
    before = weeks()
    keeps(tenant, 90)
    with connection.cursor() as cursor:
        # A table is not dropped while rows of the same transaction are still to be checked.
        cursor.execute("set constraints all immediate")
    assert retention.forget(NOW) > 0
    assert left() == (["new"], 1, 2)
    assert weeks() < before
    dropped = AuditEvent.objects.get(action="traces.weeks_dropped").detail["partitions"]
    assert dropped == 3 * (before - weeks())
    assert retention.forget(NOW) == 0


def test_nothing_goes_while_somebody_keeps_it(tenant):
    came(tenant, 80, "old", "implicit_copy")
    retention.forget(NOW)
    assert left() == (["old"], 1, 2)
    assert not AuditEvent.objects.filter(action__startswith="traces.weeks").exists()


def test_a_tenant_that_keeps_less_than_others_is_forgotten_row_by_row(tenant, monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    other = TenantFactory()
    for n in range(5):
        trace = came(tenant, 8 + n, f"old-{n}", "implicit_copy", "implicit_abandon")
        Span.objects.create(
            trace_id=trace.id, span_id="a", tenant=tenant, started_at=trace.at, received_at=trace.at
        )  # fmt: skip
    came(tenant, 6, "new", "implicit_copy")
    came(other, 12, "theirs", "implicit_copy")
    keeps(tenant, 7)
    retention.forget(NOW)
    assert left() == (["new", "theirs"], 2, 4)
    assert not Span.objects.exists()
    told = AuditEvent.objects.filter(action="traces.forgotten", tenant_id=tenant.pk)
    assert sum(one.detail["traces"] for one in told) == 5
    assert sum(one.detail["signals"] for one in told) == 10
    assert retention.forget(NOW) == 0


def test_what_waits_in_vain_goes_too(tenant):
    keeps(TenantFactory(), 90)
    at = NOW - timedelta(days=10)
    for name, moment in (("old", at), ("new", NOW)):
        signals.signals([signalled(trace_id=name)], tenant=tenant, now=moment, source="api")
    keeps(tenant, 7)
    retention.forget(NOW)
    assert Signal.objects.get().trace_ref == "new"
    assert Receipt.objects.count() == 1


def test_what_was_said_of_a_span_that_never_came_waits_a_week(tenant):
    for days in (8, 6):
        EarlyWord.objects.create(tenant=tenant, span_id=f"{days}", kind="span", word={}, at=NOW - timedelta(days=days))
    retention.forget(NOW)
    assert list(EarlyWord.objects.values_list("span_id", flat=True)) == ["6"]


def test_much_is_forgotten_in_several_goes(tenant, monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    monkeypatch.setattr(retention, "LOTS_MOST", 2)
    TenantFactory()
    for n in range(5):
        came(tenant, 8, f"old-{n}")
    keeps(tenant, 7)
    assert retention.forget(NOW) == 4
    assert retention.forget(NOW) == 1


def test_what_was_forgotten_may_not_come_again(tenant):
    TenantFactory()
    trace = came(tenant, 8, "old")
    keeps(tenant, 7)
    retention.forget(NOW)
    again = traces.traces([traced(trace_id="old", at=trace.at.isoformat())], tenant=tenant, now=NOW, source="api")
    assert [one.error.partition(" back")[0] for one in again.rejected] == ["at: lies more than 7 days"]


def test_without_a_tenant_nothing_is_done():
    assert retention.forget(NOW) == 0


def test_weeks_are_made_before_they_begin():
    partitions.ensure(NOW, NOW)
    partitions.make_ahead(NOW)
    assert partitions.ensure(NOW, NOW + timedelta(days=14)) == 0
    assert partitions.make_ahead(NOW + timedelta(days=7)) == 3
