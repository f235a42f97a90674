from datetime import UTC, datetime

import pytest

from queues.intake import signals, traces
from queues.models import Signal, Trace
from tests.factories.hitl import TenantFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def trace(**fields):
    row = {"trace_id": "t-1", "at": "2026-11-20T08:00:00Z", "input": "Where is it?", "output": "It is on its way."}
    return row | fields


def signal(**fields):
    return {"type": "user_rating", "trace_id": "t-1", "thumbs": "down"} | fields


def test_smoke():
    tenant = TenantFactory()
    r = traces.traces([trace()], tenant=tenant, now=NOW, source="api x")
    assert r.rejected == []
    r = signals.signals(
        [signal(), signal(type="user_edit", edited_output="It is lost.", thumbs=None)],
        tenant=tenant,
        now=NOW,
        source="api x",
    )
    assert r.rejected == []
    one = Trace.objects.get()
    assert (one.signals, one.weight, one.is_negative, one.is_edited) == (2, -1.6, True, True)
    signals.signals([signal(trace_id="t-2")], tenant=tenant, now=NOW, source="api x")
    assert Signal.objects.get(trace_ref="t-2").trace_id is None
    traces.traces([trace(trace_id="t-2")], tenant=tenant, now=NOW, source="api x")
    assert Trace.objects.get(external_id="t-2").signals == 1
