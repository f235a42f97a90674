"""What a trace's signals come to is the same, added one by one or counted anew, whatever was sent in whatever order."""

from datetime import UTC, datetime

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hitl.database.uuid7 import floor
from queues.intake import signals, traces
from queues.models import Signal, SignalWeights, TopicDwell, Trace
from queues.traces import aggregates, known, waiting, weighing
from tests.factories.hitl import TenantFactory
from tests.factories.traces import SignalFactory, TraceFactory
from tests.factories.traffic import signalled, traced

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
IN_THE_DATABASE = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FIELDS = ("signals", "is_negative", "is_edited")
OUTPUT = traced()["output"]

SENT = st.one_of(
    st.builds(lambda rating: {"rating": rating}, st.sampled_from([1, 2, 2.5, 3, 4.5, 5])),
    st.builds(lambda reason: {"type": "user_reason", "reason": reason}, st.sampled_from(Signal.Reason.values)),
    st.builds(
        lambda type, text: {"type": type, "edited_output": text},
        st.sampled_from(["user_edit", "implicit_copy_edit"]),
        st.sampled_from(["", OUTPUT, "Something else.", OUTPUT + " Sorry."]),
    ),
    st.builds(lambda seconds: {"type": "implicit_dwell", "seconds": seconds}, st.sampled_from([0, 3, 20, 300])),
    st.builds(
        lambda type: {"type": type},
        st.sampled_from(
            ["implicit_accept", "implicit_regenerate", "implicit_followup", "implicit_abandon", "implicit_copy"]
        ),
    ),
)


def as_it_is(trace):
    return Trace.objects.values(*FIELDS, "weight").get(pk=trace.pk)


@IN_THE_DATABASE
@given(sent=st.lists(st.tuples(SENT, st.integers(0, 2)), max_size=8), late=st.integers(0, 8))
def test_added_up_or_counted_anew_they_are_the_same(sent, late):
    tenant = TenantFactory()
    TopicDwell.objects.create(tenant=tenant, topic="refund", median=20, count=50, at=NOW)
    rows = [signalled(**fields, signal_id=f"s-{n}", trace_id=f"t-{place}") for n, (fields, place) in enumerate(sent)]

    def bring():
        return traces.traces([traced(trace_id=f"t-{n}") for n in range(3)], tenant=tenant, now=NOW, source="api")

    signals.signals(rows[:late], tenant=tenant, now=NOW, source="api")
    assert bring().accepted == 3
    signals.signals(rows[late:], tenant=tenant, now=NOW, source="api")
    for trace in Trace.objects.filter(tenant=tenant):
        added = as_it_is(trace)
        assert added["signals"] == sum(row["trace_id"] == trace.external_id for row in rows)
        with transaction.atomic():
            aggregates.recompute([trace.id])
        anew = as_it_is(trace)
        assert added.pop("weight") == pytest.approx(anew.pop("weight"))
        assert added == anew
        with transaction.atomic():
            assert weighing.reweigh(tenant, [trace.id]) == 0, "nothing has changed"


def test_new_weights_may_be_put_on_what_is_there():
    trace = TraceFactory()
    for type in ("implicit_copy", "implicit_regenerate"):
        SignalFactory(trace=trace, type=type, value=None, weight=0.5)
    SignalWeights.objects.create(tenant=trace.tenant, revision=1, weights={"implicit_copy": 0.25}, at=NOW)
    with transaction.atomic():
        assert weighing.reweigh(trace.tenant, [trace.id]) == 2
    assert as_it_is(trace)["weight"] == pytest.approx(0.25 - 0.7)
    assert set(trace_weights(trace)) == {0.25, -0.7}


def test_an_output_that_has_grown_changes_what_an_edit_changed():
    trace = TraceFactory(output="One.")
    SignalFactory(trace=trace, type="user_edit", value=0, text="One. Two.", weight=0, difference=[["=", 4]])
    Trace.objects.filter(pk=trace.pk).update(output="One. Three.")
    with transaction.atomic():
        weighing.reweigh(trace.tenant, [trace.id])
    kept = Signal.objects.get()
    assert kept.difference == [["=", 5], ["-", "Three"], ["+", "Two"], ["=", 1]]
    assert as_it_is(trace)["is_edited"]


def test_a_trace_without_signals_comes_to_nothing():
    trace = TraceFactory(signals=7, weight=-3, is_negative=True, is_edited=True)
    with transaction.atomic():
        aggregates.recompute([trace.id])
    assert as_it_is(trace) == {"signals": 0, "weight": 0, "is_negative": False, "is_edited": False}


class TestAttaching:
    def test_says_how_many_and_touches_no_other(self):
        tenant = TenantFactory()
        mine, other = SignalFactory(tenant=tenant, trace_ref="a"), SignalFactory(tenant=tenant, trace_ref="b")
        stranger = SignalFactory(trace_ref="a")
        trace = TraceFactory(tenant=tenant, external_id="a")
        with transaction.atomic():
            assert waiting.attach(tenant, {"a": trace.id, "c": floor(NOW)}) == 1
            assert waiting.attach(tenant, {"a": trace.id}) == 0
            assert waiting.attach(tenant, {}) == 0
        for signal, kept in ((mine, trace.id), (other, None), (stranger, None)):
            signal.refresh_from_db()
            assert signal.trace_id == kept

    def test_where_nothing_waits_it_is_one_cheap_look(self, django_assert_num_queries):
        trace = TraceFactory()
        with django_assert_num_queries(1):
            assert waiting.attach(trace.tenant, {trace.external_id: trace.id}) == 0


def test_traces_are_known_by_their_producer_s_name():
    trace, stranger = TraceFactory(external_id="a"), TraceFactory(external_id="b")
    assert known.ids(trace.tenant, ["a", "b", "a", '"', "\\"]) == {"a": trace.id}
    assert known.ids(stranger.tenant, []) == {}


def trace_weights(trace):
    return Signal.objects.filter(trace_id=trace.id).values_list("weight", flat=True)
