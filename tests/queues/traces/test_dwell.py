from datetime import UTC, datetime, timedelta

import pytest

from queues.models import TopicDwell
from queues.traces import dwell
from queues.traces.dwell import FEWEST
from tests.factories.hitl import TenantFactory
from tests.factories.traces import SignalFactory, TraceFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def stays(trace, *seconds, at=NOW - timedelta(days=1), **fields):
    for value in seconds:
        SignalFactory(trace=trace, type="implicit_dwell", value=value, at=at, **fields)


def test_the_median_of_a_topic_is_that_of_its_own_tenant_s_last_two_weeks():
    tenant = TenantFactory()
    refund, delivery = TraceFactory(tenant=tenant, topic="refund"), TraceFactory(tenant=tenant, topic="delivery")
    stays(refund, *range(1, FEWEST + 2))
    stays(refund, *[5000] * 30, at=NOW - timedelta(days=15))
    stays(refund, *[5000] * 30, withdrawn_at=NOW)
    stays(refund, *[0] * 30)
    stays(delivery, *[9] * (FEWEST - 1))
    stays(TraceFactory(topic="refund"), *[7] * FEWEST)
    assert dwell.refresh(NOW) == 2
    assert dwell.medians(tenant, ["refund", "delivery", "refund"]) == {"refund": 11}
    assert TopicDwell.objects.get(tenant=tenant).count == FEWEST + 1


def test_it_follows_what_users_do():
    trace = TraceFactory(topic="refund")
    stays(trace, *[10] * FEWEST)
    dwell.refresh(NOW)
    stays(trace, *[30] * (FEWEST * 2))
    dwell.refresh(NOW + timedelta(hours=6))
    assert dwell.medians(trace.tenant, ["refund"]) == {"refund": 30}
