import pytest
from django.utils import timezone

from hitl.models import AuditEvent
from queues.complaints import settling
from queues.complaints.settling import Refused
from queues.models import Receipt, Signal
from queues.traces.consent import Use, allowed
from tests.factories.hitl import UserFactory
from tests.factories.queues import CaseFactory
from tests.factories.traces import ComplaintFactory, SignalFactory, TraceFactory

pytestmark = pytest.mark.django_db
POINT = Signal.Reason.MISSED_THE_POINT


@pytest.fixture
def trace():
    return TraceFactory()


@pytest.fixture
def complaint(trace):
    return ComplaintFactory(tenant=trace.tenant, user_key="u-1")


@pytest.fixture
def by():
    return UserFactory()


def link(complaint, trace, by):
    settling.link(complaint=complaint, trace=trace, reason=POINT, by=by, now=timezone.now())
    complaint.refresh_from_db()
    trace.refresh_from_db()


class TestALink:
    def test_counts_as_negative_feedback_on_the_trace(self, complaint, trace, by):
        link(complaint, trace, by)
        signal = Signal.objects.get()
        assert (signal.trace_id, signal.type, signal.reason) == (trace.pk, "user_reason", POINT)
        assert (signal.text, signal.user_key, signal.source) == (complaint.text, "u-1", "complaint")
        assert (trace.signals, trace.is_negative) == (1, True)
        assert trace.weight < 0
        assert (complaint.state, complaint.trace_id, complaint.settled_by) == ("linked", trace.pk, by)

    def test_allows_no_use_of_what_the_user_wrote(self, complaint, trace, by):
        link(complaint, trace, by)
        assert not any(allowed(Signal.objects.get(), use) for use in Use)

    def test_is_on_record(self, complaint, trace, by):
        link(complaint, trace, by)
        event = AuditEvent.objects.get(action="complaint.linked")
        assert (event.actor_id, event.subject, event.detail) == (
            by.pk, f"complaint:{complaint.pk}", {"trace": str(trace.pk), "as": POINT.value}
        )  # fmt: skip

    def test_is_refused_for_what_is_settled_and_for_a_strangers_trace(self, complaint, trace, by):
        with pytest.raises(Refused, match="another tenant"):
            link(complaint, TraceFactory(), by)
        link(complaint, trace, by)
        with pytest.raises(Refused, match="Somebody settled it"):
            link(complaint, TraceFactory(tenant=trace.tenant), by)
        assert Signal.objects.count() == 1


class TestADismissal:
    def test_needs_a_reason_and_keeps_it(self, complaint, by):
        with pytest.raises(Refused, match="Say why"):
            settling.dismiss(complaint=complaint, because=" ", by=by, now=timezone.now())
        settling.dismiss(complaint=complaint, because="About the app", by=by, now=timezone.now())
        complaint.refresh_from_db()
        assert (complaint.state, complaint.because) == ("dismissed", "About the app")
        assert AuditEvent.objects.filter(action="complaint.dismissed").count() == 1

    def test_can_be_taken_back_at_any_time(self, complaint, by):
        settling.dismiss(complaint=complaint, because="About the app", by=by, now=timezone.now())
        settling.reopen(complaint=complaint, by=by)
        complaint.refresh_from_db()
        assert (complaint.state, complaint.because, complaint.settled_by) == ("open", "", None)


class TestTakingALinkBack:
    def test_leaves_the_trace_as_if_it_had_never_been_and_it_can_be_linked_anew(self, complaint, trace, by):
        SignalFactory(trace=trace, type="implicit_copy", value=None, weight=0.7)
        link(complaint, trace, by)
        settling.reopen(complaint=complaint, by=by)
        trace.refresh_from_db()
        assert (trace.signals, trace.weight, trace.is_negative) == (1, 0.7, False)
        assert not Receipt.objects.filter(kind="signal").exists()
        other = TraceFactory(tenant=trace.tenant)
        complaint.refresh_from_db()
        link(complaint, other, by)
        assert other.is_negative

    def test_is_refused_once_the_trace_is_a_case(self, complaint, trace, by):
        link(complaint, trace, by)
        CaseFactory(tenant=trace.tenant, trace_id=trace.external_id)
        with pytest.raises(Refused, match="the link stays"):
            settling.reopen(complaint=complaint, by=by)
        assert Signal.objects.count() == 1

    def test_of_what_is_open_is_refused(self, complaint, by):
        with pytest.raises(Refused, match="open already"):
            settling.reopen(complaint=complaint, by=by)
