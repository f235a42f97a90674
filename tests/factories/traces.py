from datetime import UTC, datetime, timedelta

import factory
from django.db import connection
from django.utils import timezone
from factory.django import DjangoModelFactory

from hitl.database.uuid7 import uuid7
from queues.models import Complaint, Receipt, Signal, Trace
from tests.factories.hitl import TenantFactory


def with_partition(moment: datetime) -> None:
    """A week that nothing was taken in for has no partition yet."""
    with connection.cursor() as cursor:
        cursor.execute("select traces_partitions(%s, %s)", [moment, moment])


class TraceFactory(DjangoModelFactory):
    class Meta:
        model = Trace

    tenant = factory.SubFactory(TenantFactory)
    external_id = factory.Sequence(lambda n: f"trace-{n}")
    source = "api"
    at = factory.LazyFunction(lambda: timezone.now() - timedelta(hours=1))
    received_at = factory.LazyAttribute(lambda o: o.at)
    id = factory.LazyAttribute(lambda o: uuid7(o.at.astimezone(UTC)))
    domain = "billing"
    topic = "refund"
    language = "en"
    model = "chat-large"
    prompt_version = "support-7"
    release = "2026.11.2"
    input = "I was charged twice in October. Do I get it back?"
    output = "You were charged twice. The second payment is returned within three days."
    documents = [{"document_id": "refunds-4.2", "title": "Refunds", "score": 0.7, "quote": "Refunds need an error."}]

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        with_partition(kwargs["at"])
        trace = super()._create(model_class, *args, **kwargs)
        Receipt.objects.create(
            tenant=trace.tenant, kind="trace", external_id=trace.external_id, digest=b"", object_uuid=trace.id,
            received_at=trace.received_at,
        )  # fmt: skip
        return trace


class SignalFactory(DjangoModelFactory):
    class Meta:
        model = Signal

    class Params:
        trace = None

    tenant = factory.LazyAttribute(lambda o: o.trace.tenant if o.trace else TenantFactory())
    external_id = factory.Sequence(lambda n: f"signal-{n}")
    type = Signal.Type.USER_RATING
    value = 1
    trace_ref = factory.LazyAttribute(lambda o: o.trace.external_id if o.trace else "trace-to-come")
    trace_id = factory.LazyAttribute(lambda o: o.trace.id if o.trace else None)
    at = factory.LazyFunction(timezone.now)
    received_at = factory.LazyAttribute(lambda o: o.at)
    id = factory.LazyAttribute(lambda o: uuid7(o.at.astimezone(UTC)))
    source = "api"

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        with_partition(kwargs["at"])
        return super()._create(model_class, *args, **kwargs)


class ComplaintFactory(DjangoModelFactory):
    class Meta:
        model = Complaint

    tenant = factory.SubFactory(TenantFactory)
    channel = "ticket"
    text = "Your assistant told me that I get my money back, and I did not."
    at = factory.LazyFunction(timezone.now)
    received_at = factory.LazyAttribute(lambda o: o.at)
