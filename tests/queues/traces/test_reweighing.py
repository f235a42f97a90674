import pytest
from django.utils import timezone

from hitl.audit.wording import SENTENCES
from hitl.models import AuditEvent, Job
from queues.models import SignalWeights
from queues.traces import reweighing, weights
from tests.factories.hitl import TenantFactory, UserFactory
from tests.factories.traces import SignalFactory, TraceFactory

pytestmark = pytest.mark.django_db


def change(tenant, after=0, **changed):
    return reweighing.change(
        tenant=tenant, changed=changed, measured={}, because="As measured", by=UserFactory(), after=after,
        now=timezone.now(),
    )  # fmt: skip


def test_a_revision_keeps_what_it_does_not_name():
    tenant = TenantFactory()
    change(tenant, implicit_copy=0.2)
    change(tenant, after=1, implicit_regenerate=-0.5)
    standing = weights.of(tenant)
    assert (standing.revision, standing.of_kind("implicit_copy"), standing.of_kind("implicit_regenerate")) == (
        2,
        0.2,
        -0.5,
    )
    assert standing.of_kind("user_edit") == weights.DEFAULTS["user_edit"]


def test_who_began_with_an_older_revision_is_refused_and_so_is_a_weight_beyond_one():
    tenant = TenantFactory()
    change(tenant, implicit_copy=0.2)
    with pytest.raises(reweighing.Overtaken):
        change(tenant, implicit_copy=0.3)
    with pytest.raises(ValueError, match="from -1 to 1"):
        change(tenant, after=1, implicit_copy=1.2)
    assert SignalWeights.objects.filter(tenant=tenant).count() == 1


def test_it_is_on_record_with_what_changed():
    tenant = TenantFactory()
    change(tenant, implicit_copy=0.2)
    event = AuditEvent.objects.get(action="signals.weighed")
    assert (event.detail["weights"], event.tenant_id) == ({"implicit_copy": 0.2}, tenant.pk)
    assert "signals.weighed" in SENTENCES


def test_the_worker_weighs_every_trace_that_is_kept_anew_and_twice_is_the_same(monkeypatch):
    monkeypatch.setattr(reweighing, "AT_A_TIME", 2)
    tenant, other = TenantFactory(), TenantFactory()
    traces = [TraceFactory(tenant=tenant, signals=2, weight=1.4) for _ in range(5)]
    elsewhere = TraceFactory(tenant=other, signals=1, weight=0.7)
    for trace in traces:
        SignalFactory(trace=trace, type="implicit_copy", value=None, weight=0.7)
        SignalFactory(trace=trace, type="user_rating", value=2, weight=-0.3)
    SignalFactory(trace=elsewhere, type="implicit_copy", value=None, weight=0.7)
    change(tenant, **{"implicit_copy": 0.1, "user_rating:down": -0.8})
    job = Job.objects.get(kind=f"reweigh:{tenant.pk}")
    for _ in range(2):
        reweighing.run(job.pk, tenant.pk)
        for trace in traces:
            trace.refresh_from_db()
            assert trace.weight == pytest.approx(0.1 - 0.4)
    elsewhere.refresh_from_db()
    assert elsewhere.weight == 0.7
    job.refresh_from_db()
    assert job.result["sentence"] == "10 signals on 5 traces count for something else now."
