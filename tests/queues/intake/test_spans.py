import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from queues.intake import spans as door
from queues.intake.signals import signals
from queues.intake.span import SpanIn
from queues.intake.spans import spans
from queues.models import IntakeSettings, Receipt, Signal, Span, Trace
from tests.factories.hitl import TenantFactory
from tests.factories.traces import TraceFactory

pytestmark = pytest.mark.django_db

NOW = timezone.now()
THEN = NOW - timedelta(minutes=3)


def at(seconds):
    return THEN + timedelta(seconds=seconds)


def interaction(trace="t1"):
    """A question with retrieval, a tool, and an answer, as a tracing tool sends it."""
    return [
        SpanIn(
            trace, "root", at(0), kind="chain", name="ask", ended_at=at(2),
            content={"input": "Was I charged twice?", "output": "You were.", "user_key": "u-7", "session": "s-1"},
        ),
        SpanIn(
            trace, "find", at(0.1), parent="root", kind="retriever", ended_at=at(0.4),
            content={"documents": [{"document_id": "refunds-4.2", "quote": "Refunds need an error.", "score": 0.9}]},
        ),
        SpanIn(
            trace, "look", at(0.5), parent="root", kind="tool", ended_at=at(0.6),
            content={"tools": [{"name": "payments", "status": "ok", "arguments": {"month": 10}, "output": "2 found"}]},
        ),
        SpanIn(
            trace, "llm", at(0.7), parent="root", kind="llm", ended_at=at(1.9),
            content={
                "input": "Was I charged twice?", "output": "You were.", "model": "chat-large",
                "conversation": [{"role": "system", "content": "Be kind."}], "scores": {"groundedness": 0.4},
            },
        ),
    ]  # fmt: skip


@pytest.fixture
def tenant():
    return TenantFactory()


def take(parts, tenant, **options):
    return spans(parts, tenant=tenant, now=NOW, source="otlp", **options)


def whole(tenant):
    """Everything that is kept of its traces, but when it came and the random part of ids."""
    fields = [field.name for field in Trace._meta.fields if field.name not in ("id", "received_at")]
    return sorted(map(str, Trace.objects.filter(tenant=tenant).values_list(*fields)))


class TestATraceOfSpans:
    def test_has_what_its_spans_say(self, tenant):
        taken = take(interaction(), tenant)

        assert (taken.accepted, taken.rejected) == (4, [])
        trace = Trace.objects.get(tenant=tenant)
        assert (trace.external_id, trace.source, trace.at, trace.latency_ms) == ("t1", "otlp", at(0), 2000)
        assert (trace.input, trace.output, trace.model) == ("Was I charged twice?", "You were.", "chat-large")
        assert trace.conversation == [{"role": "system", "content": "Be kind."}]
        assert trace.documents == [{"document_id": "refunds-4.2", "quote": "Refunds need an error.", "score": 0.9}]
        assert trace.tools == [{"name": "payments", "status": "ok", "arguments": {"month": 10}, "output": "2 found"}]
        assert (trace.scores, trace.user_key, trace.session) == ({"groundedness": 0.4}, "u-7", "s-1")

    def test_is_the_same_in_whatever_order_and_however_often_they_come(self, tenant):
        take(interaction(), tenant)
        expected = whole(tenant)[0].replace(str(tenant.pk), "", 1)
        for seed in range(5):
            other = TenantFactory()
            again = interaction() + interaction()
            random.Random(seed).shuffle(again)
            for part in again:
                take([part], other)
            assert whole(other)[0].replace(str(other.pk), "", 1) == expected
            assert Span.objects.filter(tenant=other).count() == 4

    def test_grows_and_keeps_its_id(self, tenant):
        root, *rest = interaction()
        take(rest, tenant)
        first = Trace.objects.get(tenant=tenant)
        assert (first.output, first.user_key) == ("You were.", "")

        take([root], tenant)
        grown = Trace.objects.get(tenant=tenant)
        assert (grown.id, grown.at, grown.user_key) == (first.id, at(0), "u-7")

    def test_keeps_what_signals_made_of_it(self, tenant):
        root, *rest = interaction()
        take(rest, tenant)
        Trace.objects.filter(tenant=tenant).update(signals=2, weight=-1.5, is_negative=True)
        take([root], tenant)
        assert Trace.objects.filter(tenant=tenant, signals=2, weight=-1.5, is_negative=True).exists()

    def test_a_later_word_adds_to_a_span(self, tenant):
        take([SpanIn("t", "s", at(0), kind="llm", content={"input": "How are you?"})], tenant)
        take([SpanIn("t", "s", at(0), ended_at=at(1), content={"output": "Well.", "metadata": {"tag": "x"}})], tenant)
        trace = Trace.objects.get(tenant=tenant)
        assert (trace.input, trace.output, trace.latency_ms) == ("How are you?", "Well.", 1000)
        assert trace.metadata == {"tag": "x"}

    def test_one_that_came_whole_stays_as_it_is(self, tenant):
        trace = TraceFactory(tenant=tenant, external_id="t1")
        taken = take([*interaction("t1"), *interaction("t2")], tenant)
        assert taken.accepted == 4
        assert taken.rejected == [(number, door.WHOLE) for number in range(4)]
        assert Trace.objects.get(pk=trace.pk).input == trace.input
        assert not Span.objects.filter(trace_id=trace.pk).exists()

    def test_is_each_tenants_own(self, tenant):
        other = TenantFactory()
        take(interaction(), tenant)
        take(interaction()[1:2], other)
        assert Trace.objects.get(tenant=other).input == ""
        assert Receipt.objects.filter(kind="trace", external_id="t1").count() == 2


class TestWhatIsOnlySaidOfATrace:
    def test_makes_none_and_is_there_when_it_comes(self, tenant):
        word = SpanIn("t1", "score:1", at(9), parent="root", kind="evaluator", content={"scores": {"tone": 0.5}})
        assert take([word], tenant).accepted == 1
        assert not Trace.objects.exists()
        signals([{"type": "user_rating", "trace_id": "t1", "thumbs": "down"}], tenant=tenant, now=NOW, source="api")

        take(interaction(), tenant)
        trace = Trace.objects.get()
        assert (trace.scores, trace.at, trace.latency_ms) == ({"groundedness": 0.4, "tone": 0.5}, at(0), 2000)
        assert (trace.signals, trace.is_negative) == (1, True)

    def test_an_edit_is_held_against_the_output_when_it_has_come(self, tenant):
        root, *rest = interaction()
        take([SpanIn("t1", "root", at(0), content={"input": "Was I charged twice?"})], tenant)
        edit = {"type": "user_edit", "trace_id": "t1", "edited_output": "You were not."}
        signals([edit], tenant=tenant, now=NOW, source="api")
        take([root, *rest], tenant)
        signal = Signal.objects.get()
        assert 0 < signal.value < 1
        assert Trace.objects.get().is_edited


class TestWhatIsNotTaken:
    def test_is_said_and_the_rest_goes_on(self, tenant):
        good = interaction()
        taken = take(
            [
                SpanIn("", "s", at(0)),
                SpanIn("t", "", at(0)),
                SpanIn("t", "s", NOW + timedelta(hours=1)),
                SpanIn("t", "s", NOW - timedelta(days=91)),
                SpanIn("t", "s", at(1), ended_at=at(0)),
                SpanIn("t" * 201, "s", at(0)),
                SpanIn("t", "s", at(0), content={"input": "x" * 20_000_000}),
                *good,
            ],
            tenant,
        )
        assert taken.accepted == 4
        assert [index for index, _ in taken.rejected] == list(range(7))
        said = " ".join(error for _, error in taken.rejected)
        for words in ("no trace id", "in the future", "not kept", "ends before", "too long", "20,000,"):
            assert words in said

    def test_how_old_is_too_old_is_the_tenants_choice(self, tenant):
        IntakeSettings.objects.create(tenant=tenant, trace_days=400)
        assert take([SpanIn("t", "s", NOW - timedelta(days=300))], tenant).accepted == 1

    def test_a_trace_without_end_stops_growing_but_its_root_is_taken(self, tenant):
        text = "a word " * 100_000
        many = [SpanIn("t", f"s{n}", at(n), parent="root", kind="llm", content={"input": text}) for n in range(8)]
        taken = take(many, tenant)
        assert (taken.accepted, len(taken.rejected)) == (5, 3)
        assert "more of it is not taken" in taken.rejected[0][1]
        assert take([SpanIn("t", "root", at(0), content={"output": "Done."})], tenant).accepted == 1
        assert Trace.objects.get(tenant=tenant).output == "Done."

    def test_a_long_text_is_cut_and_the_trace_says_so(self, tenant):
        take([SpanIn("t", "s", at(0), kind="llm", content={"input": "Hi", "output": "a word " * 100_000})], tenant)
        trace = Trace.objects.get(tenant=tenant)
        assert len(trace.output) < 200_100
        assert trace.output.endswith("more characters were not kept]")
        assert trace.metadata == {"shortened": ["output"]}


class TestWhatIsStored:
    def test_holds_no_personal_data(self, tenant):
        hostile = "Write to anna.muster@example.org, please."
        take(
            [
                SpanIn(
                    "t", "s", at(0), name=hostile, kind="llm",
                    content={
                        "input": hostile, "output": hostile, "user_key": "anna.muster@example.org",
                        "conversation": [{"role": "user", "content": hostile}],
                        "documents": [{"document_id": "a/anna.muster@example.org", "quote": hostile, "title": hostile}],
                        "tools": [{"name": hostile, "arguments": {"to": hostile}, "output": {hostile: 1}}],
                        "scores": {hostile: 1}, "metadata": {"who": hostile}, "topic": hostile,
                    },
                )
            ],
            tenant,
        )  # fmt: skip
        with connection.cursor() as cursor:
            for table in ("queues_span", "queues_trace", "queues_receipt", "audit_event"):
                cursor.execute(f"select count(*) from {table} t where t::text like '%muster%'")
                assert cursor.fetchone()[0] == 0, table
        assert Trace.objects.get(tenant=tenant).user_key.startswith("[EMAIL_")

    def test_is_what_a_database_can_hold(self, tenant):
        odd = {
            "input": "a\x00b",
            "output": "half \ud83d",
            "metadata": {"when": datetime(2026, 1, 1, tzinfo=UTC), "n": float("nan")},
        }
        assert take([SpanIn("t", "s\x00", at(0), name="x\x00y", content=odd)], tenant).accepted == 1
        trace = Trace.objects.get(tenant=tenant)
        assert trace.input == "a�b"
        assert trace.metadata["n"] is None

    def test_documents_have_the_fields_of_evidence(self, tenant):
        given = [
            {"document_id": "a", "quote": {"json": 1}, "score": float("inf"), "url": "javascript:alert(1)", "x": 1},
            {"quote": "without an id"},
            "nonsense",
        ]
        take([SpanIn("t", "s", at(0), kind="retriever", content={"documents": given})], tenant)
        assert Trace.objects.get(tenant=tenant).documents == [{"document_id": "a", "quote": '{"json":1}'}]


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_two_requests_at_once_add_to_one_trace(tenant):
    """Of traces that are there already, and of new ones; both at the same moment."""
    names = [f"t{number}" for number in range(60)]
    take([interaction(name)[0] for name in names[:40]], tenant)
    together = Barrier(2, timeout=60)

    def send(mine):
        try:
            for start in range(0, len(names), 2):
                together.wait()
                assert take([span for name in names[start : start + 2] for span in mine(name)], tenant).rejected == []
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as both:
        one = both.submit(send, lambda name: interaction(name)[:2])
        other = both.submit(send, lambda name: interaction(name)[:1:-1])
        one.result(timeout=120)
        other.result(timeout=120)

    assert (Trace.objects.count(), Span.objects.count()) == (60, 240)
    for trace in Trace.objects.all():
        assert (trace.user_key, len(trace.documents), len(trace.tools)) == ("u-7", 1, 1)
        assert trace.scores == {"groundedness": 0.4}
