"""POST /api/v1/feedback: an interaction and what its user made of it, in one call."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from hitl.access import tokens
from hitl.audit.models import AuditEvent
from queues.intake.feedback import taking, waiting
from queues.models import IntakeSettings, Receipt, Signal, Trace
from tests.factories.hitl import TenantFactory
from tests.factories.traces import SignalFactory, TraceFactory

pytestmark = pytest.mark.django_db

URL = "/api/v1/feedback"
ALL = {"evaluation": True, "retrieval": True, "training": False}


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme")


def secret_for(tenant, *scopes):
    return tokens.issue(tenant=tenant, name=" ".join(scopes), scopes=scopes)[1]


@pytest.fixture
def send(tenant):
    """Sends events as a program does that knows the interactions; returns the answer's JSON."""
    return Sender(secret_for(tenant, "ingest"))


@pytest.fixture
def visitor(tenant):
    """Sends events as a page does."""
    return Sender(secret_for(tenant, "feedback"))


class Sender:
    def __init__(self, secret):
        self.secret = secret

    def __call__(self, *events, status=200):
        answer = self.raw(json.dumps(events[0] if len(events) == 1 else events))
        assert answer.status_code == status, answer.text
        return answer.json()

    def raw(self, body, **headers):
        return Client().post(
            URL, body, content_type="application/json", headers={"Authorization": f"Bearer {self.secret}"} | headers
        )


def event(**fields):
    """The seed's event, as a small application logs it."""
    given = {
        "request_id": "r-1", "prompt_version": "support-7", "user_input": "Do I get it back?",
        "llm_output": "Yes, within three days.", "implicit_signal": "accepted", "explicit_rating": None,
        "edited_output": None, "timestamp": (timezone.now() - timedelta(minutes=5)).timestamp(),
    }  # fmt: skip
    return given | fields


def said(**fields):
    """An event as a page sends it."""
    given = {"trace_id": "r-1", "consent": ALL, "signals": [{"type": "user_rating", "thumbs": "down"}]}
    return given | fields


def kept(**which):
    return sorted(Signal.objects.filter(**which).values_list("type", flat=True))


class TestAProgram:
    def test_sends_an_interaction_and_what_came_of_it_in_one_call(self, send):
        at = datetime.now(UTC) - timedelta(hours=1)
        answer = send(
            event(
                implicit_signal="edited", explicit_rating=2, edited_output="Yes, in five days.", reason="hallucination",
                comment="Three is wrong.", timestamp=at.timestamp(), user_key="u-1", topic="refund", model="chat",
                release="7", consent=ALL,
            )
        )  # fmt: skip
        assert answer == {
            "traces": {"accepted": 1, "duplicates": 0},
            "signals": {"accepted": 3, "duplicates": 0},
            "events": [{"index": 0, "request_id": "r-1", "trace": "stored", "signals": 3, "errors": []}],
        }
        trace = Trace.objects.get()
        assert (trace.external_id, trace.input, trace.output) == ("r-1", "Do I get it back?", "Yes, within three days.")
        assert (trace.prompt_version, trace.topic, trace.model, trace.release) == ("support-7", "refund", "chat", "7")
        assert (trace.user_key, trace.source, trace.signals) == ("u-1", "feedback", 3)
        assert abs(trace.at - at) < timedelta(milliseconds=1)
        assert kept(trace_id=trace.pk, may_evaluate=True, may_train=False, user_key="u-1") == [
            "user_edit", "user_rating", "user_reason",
        ]  # fmt: skip
        assert Signal.objects.get(type="user_edit").difference
        assert Signal.objects.get(type="user_reason").text == "Three is wrong."

    @pytest.mark.parametrize(
        ("said", "type"),
        [
            ("accepted", "implicit_accept"),
            ("regenerated", "implicit_regenerate"),
            ("abandoned", "implicit_abandon"),
            ("edited", "implicit_copy_edit"),
        ],
    )
    def test_names_what_the_user_did(self, send, said, type):
        send(event(implicit_signal=said))
        assert kept() == [type]

    def test_sends_more_signals_along(self, send):
        answer = send(
            event(
                implicit_signal=None, user_key="u-1",
                signals=[{"type": "implicit_dwell", "seconds": 7.5}, {"type": "implicit_copy", "user_key": "u-2"}],
            )
        )  # fmt: skip
        assert answer["events"][0]["signals"] == 2
        assert dict(Signal.objects.values_list("type", "user_key")) == {
            "implicit_dwell": "u-1", "implicit_copy": "u-2",
        }  # fmt: skip

    def test_sends_the_same_again_and_it_is_stored_once(self, send):
        one = event(explicit_rating=4)
        for _ in range(2):
            answer = send(one, one)
        assert answer["traces"] == {"accepted": 0, "duplicates": 2}
        assert answer["signals"] == {"accepted": 0, "duplicates": 4}
        assert [one["trace"] for one in answer["events"]] == ["known", "known"]
        assert (Trace.objects.count(), Signal.objects.count()) == (1, 2)

    def test_tells_of_one_answer_at_several_times(self, send):
        send(event(timestamp=timezone.now().timestamp() - 500))
        answer = send(event(implicit_signal="regenerated"))
        assert (answer["traces"]["duplicates"], answer["signals"]["accepted"]) == (1, 1)
        assert kept(trace_id=Trace.objects.get().pk) == ["implicit_accept", "implicit_regenerate"]

    def test_is_told_that_an_interaction_was_another(self, send):
        send(event())
        answer = send(event(llm_output="No.", explicit_rating=1))
        (one,) = answer["events"]
        assert (one["trace"], one["signals"]) == ("refused", 2)
        assert "other content" in one["errors"][0]["error"]
        assert Trace.objects.get().output == "Yes, within three days."

    def test_leaves_a_trace_of_another_door_as_it_is(self, send, tenant):
        trace = TraceFactory(tenant=tenant, external_id="r-1", source="otlp")
        answer = send(event())
        assert answer["events"][0]["trace"] == "known"
        assert answer["events"][0]["errors"] == []
        assert Trace.objects.get().output == trace.output
        assert kept(trace_id=trace.pk) == ["implicit_accept"]

    def test_is_not_held_up_by_somebody_quicker(self, send, monkeypatch):
        send(event())
        looked, really = [], taking.known.ids

        def late(tenant, refs):
            looked.append(refs)
            return {} if len(looked) == 1 else really(tenant, refs)

        monkeypatch.setattr(taking.known, "ids", late)
        answer = send(event(timestamp=timezone.now().timestamp()))
        assert answer["events"][0]["trace"] == "known"
        assert answer["events"][0]["errors"] == []

    def test_sends_signals_before_the_trace(self, send):
        send({"request_id": "r-1", "implicit_signal": "regenerated"})
        assert Signal.objects.get().trace_id is None
        send(event())
        assert Signal.objects.get(type="implicit_regenerate").trace_id == Trace.objects.get().pk

    def test_sends_several_and_each_is_judged_alone(self, send):
        answer = send(
            event(),
            event(request_id="r-2", explicit_rating=6),
            event(request_id="r-3", implicit_signal="loved"),
            {"user_input": "Who am I?"},
            {"request_id": "r-4"},
            {"request_id": "r-5", "trace_id": "r-6", "explicit_rating": 1},
            "nothing",
            event(request_id="r-7", signals=[
                {"type": "user_rating", "rating": 9}, {"type": "judge_verdict", "judge": "x", "verdict": "accept"},
                {"type": "implicit_copy", "trace_id": "r-9"}, {"type": "implicit_copy"}, {}, {"type": ["a"]},
            ]),
        )  # fmt: skip
        found = [[fault["field"] for fault in one["errors"]] for one in answer["events"]]
        assert found == [
            [], ["explicit_rating"], ["implicit_signal"], ["request_id"], [""], ["trace_id"], [""],
            ["signals[1].type", "signals[2].trace_id", "signals[5].type", "signals[0].rating", "signals[4].type"],
        ]  # fmt: skip
        assert all(fault["error"] for one in answer["events"] for fault in one["errors"])
        assert Trace.objects.count() == 2
        assert kept(trace_ref="r-7") == ["implicit_accept", "implicit_copy"]

    @pytest.mark.parametrize("time", ["soon", 1e30, -1e30, "2026-11-20", True, 1.5e12])
    def test_is_told_when_a_time_is_none(self, send, time):
        answer = send(event(timestamp=time))
        assert [fault["field"] for fault in answer["events"][0]["errors"]] == ["timestamp"]

    def test_from_ahead_of_now_is_told_under_the_fields_own_name(self, send):
        answer = send(event(timestamp=timezone.now().timestamp() + 3600))
        assert {fault["field"] for fault in answer["events"][0]["errors"]} == {"timestamp", "implicit_signal"}

    def test_sends_what_is_personal_and_it_is_not_stored(self, send):
        send(event(user_input="I am mia@example.org", edited_output="Ask mia@example.org", comment="mia@example.org!"))
        stored = str(list(Trace.objects.values())) + str(list(Signal.objects.values()))
        assert "mia@example.org" not in stored

    def test_sends_too_many_at_once(self, send):
        answer = send.raw(json.dumps([{"request_id": "r"}] * 1001))
        assert answer.status_code == 413


class TestAPage:
    def test_gives_feedback_on_a_trace_that_is_here(self, visitor, tenant):
        trace = TraceFactory(tenant=tenant, external_id="r-1")
        answer = visitor(said(explicit_rating=1, edited_output="Better.", user_key="u-9"))
        assert answer["events"][0] == {"index": 0, "request_id": "r-1", "trace": None, "signals": 3, "errors": []}
        assert kept(trace_id=trace.pk, source="page", may_retrieve=True) == ["user_edit", "user_rating", "user_rating"]

    @pytest.mark.parametrize("field", ["user_input", "llm_output", "prompt_version", "topic", "model", "release"])
    def test_plants_no_trace_and_changes_none(self, visitor, field):
        answer = visitor(said(**{field: "Buy now"}))
        assert [fault["field"] for fault in answer["events"][0]["errors"]] == [field]
        assert (Trace.objects.count(), Signal.objects.count()) == (0, 0)

    def test_with_a_token_for_more_that_is_not_ingest_plants_none_either(self, tenant):
        answer = Sender(secret_for(tenant, "feedback", "deploy"))(event())
        assert answer["events"][0]["errors"]
        assert Trace.objects.count() == 0

    @pytest.mark.parametrize("consent", [None, {}, {"evaluation": False, "training": False}])
    def test_sends_nothing_of_a_person_who_allowed_nothing(self, visitor, consent):
        answer = visitor(said(consent=consent))
        assert [fault["field"] for fault in answer["events"][0]["errors"]] == ["consent"]
        answer = visitor(said(signals=[{"type": "implicit_copy", "consent": consent or {"training": False}}]))
        assert [fault["field"] for fault in answer["events"][0]["errors"]] == ["signals[0].consent"]
        assert Signal.objects.count() == 0

    def test_sends_texts_of_a_sensible_length(self, visitor):
        long = "x" * 20_001
        answer = visitor(
            said(edited_output=long),
            said(comment=long),
            said(signals=[{"type": "user_edit", "edited_output": long}, {"type": "implicit_copy"}]),
        )
        assert [[fault["field"] for fault in one["errors"]] for one in answer["events"]] == [
            ["edited_output"], ["comment"], ["signals[0].edited_output"],
        ]  # fmt: skip
        assert kept() == ["implicit_copy"]

    def test_sends_no_more_at_once_than_a_page_has_to_say(self, visitor):
        many = said(signals=[{"type": "implicit_copy", "signal_id": f"s-{n}"} for n in range(50)])
        assert visitor.raw(json.dumps([many, many, many])).status_code == 413
        assert visitor.raw(b'"' + b"x" * 1_100_000 + b'"').status_code == 413
        assert Signal.objects.count() == 0

    def test_of_a_wrong_clock_is_taken_as_of_now(self, visitor):
        before = timezone.now()
        for year in (2003, 2150):
            visitor(said(timestamp=f"{year}-01-01T00:00:00Z", signals=[
                {"type": "implicit_copy", "signal_id": f"{year}-1"},
                {"type": "implicit_copy", "signal_id": f"{year}-2", "at": f"{year}-01-01T00:00:00Z"},
            ]))  # fmt: skip
        assert Signal.objects.filter(at__gte=before).count() == 4
        answer = visitor(
            said(timestamp="2003-01-01T00:00:00Z", signals=[{"type": "implicit_copy", "signal_id": "2003-1"}])
        )
        assert answer["signals"]["duplicates"] == 1

    def test_reads_nothing(self, visitor):
        for path in ("cases/x", "cases", "signals", "traces", "assess", "labels"):
            for method in (Client().get, Client().post):
                answer = method(f"/api/v1/{path}", headers={"Authorization": f"Bearer {visitor.secret}"})
                assert answer.status_code in (403, 404, 405), path

    def test_is_told_when_it_sent_enough(self, visitor, tenant):
        IntakeSettings.objects.create(tenant=tenant, feedback_per_minute=3)
        visitor(said(signals=[{"type": "implicit_copy", "signal_id": f"s-{n}"} for n in range(3)]))
        answer = visitor.raw(json.dumps(said()))
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 120
        assert "Nothing was kept" in answer.json()["error"]
        assert len(kept()) == 3

    def test_is_counted_also_for_what_cannot_be_read(self, visitor, tenant):
        IntakeSettings.objects.create(tenant=tenant, feedback_per_minute=2)
        assert [visitor.raw("{").status_code for _ in range(3)] == [400, 400, 429]

    def test_is_limited_but_a_program_is_not(self, send, tenant):
        IntakeSettings.objects.create(tenant=tenant, feedback_per_minute=0)
        assert send(event())["signals"]["accepted"] == 1


class TestFeedbackOnTracesThatAreNotHere:
    def test_from_a_page_waits_only_so_much(self, visitor, tenant, monkeypatch):
        monkeypatch.setattr(waiting, "MOST", 3)
        here = TraceFactory(tenant=tenant, external_id="here")
        for n in range(3):
            assert visitor(said(trace_id=f"gone-{n}"))["signals"]["accepted"] == 1
        answer = visitor(said(trace_id="gone-9"), said(trace_id="here"))
        assert [one["signals"] for one in answer["events"]] == [0, 1]
        assert answer["events"][0]["errors"][0]["field"] == "trace_id"
        assert kept(trace_id=here.pk) == ["user_rating"]

    def test_is_bounded_in_each_tenant_and_not_for_programs(self, visitor, send, tenant, monkeypatch):
        monkeypatch.setattr(waiting, "MOST", 1)
        SignalFactory(tenant=TenantFactory(slug="other"), source="page", trace_ref="t")
        send({"request_id": "r-1", "implicit_signal": "accepted"})
        assert visitor(said(trace_id="r-2"))["signals"]["accepted"] == 1
        assert send({"request_id": "r-3", "implicit_signal": "accepted"})["signals"]["accepted"] == 1

    def test_is_swept_when_it_waited_in_vain_and_the_record_says_how_much(self, visitor, send, tenant, monkeypatch):
        monkeypatch.setattr(waiting, "AT_ONCE", 2)
        visitor(*(said(trace_id=f"gone-{n}") for n in range(3)))
        visitor(said(trace_id="r-1"))
        send(event(), {"request_id": "late", "implicit_signal": "accepted"})
        now = timezone.now()
        assert waiting.sweep(now) == 0
        assert waiting.sweep(now + waiting.PATIENCE + timedelta(seconds=1)) == 3
        assert kept(trace_id=None) == ["implicit_accept"]
        swept = AuditEvent.objects.filter(action="feedback.swept", tenant_id=tenant.pk)
        assert sum(one.detail["signals"] for one in swept) == 3
        assert Receipt.objects.filter(kind="signal").count() == Signal.objects.count()
        assert visitor(said(trace_id="gone-1"))["signals"]["accepted"] == 1
