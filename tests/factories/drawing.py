from datetime import timedelta

import factory
import numpy as np
from django.utils import timezone
from factory.django import DjangoModelFactory

from queues.models import DriftReport, SamplingPlan
from queues.sampling import mix
from queues.sampling.policies import Pool
from tests.factories.hitl import TenantFactory


class SamplingPlanFactory(DjangoModelFactory):
    class Meta:
        model = SamplingPlan

    tenant = factory.SubFactory(TenantFactory)
    revision = 1
    mix = factory.LazyFunction(lambda: dict(mix.DEFAULT))
    latency_days = 9
    at = factory.LazyFunction(lambda: timezone.now() - timedelta(days=30))


class DriftReportFactory(DjangoModelFactory):
    class Meta:
        model = DriftReport

    tenant = factory.SubFactory(TenantFactory)
    topic = "refund"
    detector = "embedding-drift"
    at = factory.LazyFunction(timezone.now)
    until = factory.LazyAttribute(lambda o: o.at + timedelta(days=1))
    received_at = factory.LazyAttribute(lambda o: o.at)


def pool(rows):
    """Rows with only what differs from a plain fresh trace of topic 0; ids count up, so that the last is the newest."""

    def column(name, default, dtype):
        return np.array([row.get(name, default) for row in rows], dtype=dtype)

    order = np.arange(len(rows), dtype=np.uint64)
    return Pool(
        high=order,
        low=order * np.uint64(0x9E3779B97F4A7C15),
        topic=column("topic", 0, np.int64),
        user=column("user", 0, np.int64),
        weight=column("weight", 0.0, np.float32),
        distance=column("distance", np.inf, np.float32),
        slice=column("slice", 0, np.int16),
        is_negative=column("is_negative", False, bool),
        is_edited=column("is_edited", False, bool),
        is_fresh=column("is_fresh", True, bool),
        is_case=column("is_case", False, bool),
    )
