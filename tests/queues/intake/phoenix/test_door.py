import json

import pytest
from django.test import Client
from django.utils import timezone

from hitl.access import tokens
from queues.intake.phoenix import taking
from queues.models import EarlyWord, JudgeVerdict, Signal, Trace
from tests.factories.hitl import TenantFactory
from tests.queues.intake.otlp.test_door import CHILD, PROTOBUF, ROOT, TRACE, protobuf, request, span

pytestmark = pytest.mark.django_db

ANSWERED = {
    "openinference.span.kind": "CHAIN", "input.value": '{"question": "Was I charged twice?"}',
    "input.mime_type": "application/json", "output.value": "You were.",
}  # fmt: skip
FOUND = {
    "openinference.span.kind": "RETRIEVER",
    "retrieval.documents.0.document.id": "refunds-4.2",
    "retrieval.documents.0.document.content": "Refunds need an error.",
    "retrieval.documents.0.document.score": 0.9, "retrieval.documents.1.document.content": "Nothing about it.",
}  # fmt: skip


@pytest.fixture
def tenant():
    return TenantFactory()


@pytest.fixture
def send(tenant):
    secret = tokens.issue(tenant=tenant, name="phoenix", scopes=["ingest"])[1]

    def post(path, body, kind="application/json", **headers):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {secret}", **headers}
        return Client().generic("POST", f"/phoenix/v1/{path}", body, CONTENT_TYPE=kind, headers=headers)

    return post


@pytest.fixture
def traced(send):
    def sent():
        body = protobuf(request(span(attributes=ANSWERED), span(CHILD, ROOT, attributes=FOUND)))
        answer = send("traces", body, PROTOBUF, **{"x-project-name": "support"})
        assert (answer.status_code, answer.content) == (200, b"")

    return sent


def said(name="feedback", kind="HUMAN", about=ROOT, **result):
    return {"name": name, "annotator_kind": kind, "span_id": about, "result": result}


class TestSpans:
    def test_come_as_openinference_has_them_with_the_projects_name(self, traced):
        traced()
        trace = Trace.objects.get()
        assert (trace.source, trace.input, trace.output) == ("phoenix", "Was I charged twice?", "You were.")
        assert trace.metadata == {"project": "support"}
        assert [document["document_id"] for document in trace.documents] == ["refunds-4.2", "document 2"]

    def test_may_come_as_plain_json(self, send):
        plain = {
            "name": "ask", "context": {"trace_id": TRACE.upper(), "span_id": ROOT}, "span_kind": "CHAIN",
            "start_time": f"{timezone.now():%Y-%m-%dT%H:%M:%S}Z", "end_time": None, "status_code": "OK",
            "attributes": {"input": {"value": "Hello?"}, "retrieval": {"documents": [{"document": {"id": "a"}}]}},
        }  # fmt: skip
        answer = send("projects/my%20project/spans", {"data": [plain]})
        assert (answer.status_code, answer.json()) == (202, {"total_received": 1, "total_queued": 1})
        trace = Trace.objects.get()
        assert (trace.external_id, trace.input, trace.metadata) == (TRACE, "Hello?", {"project": "my project"})
        assert trace.documents == [{"document_id": "a"}]

        answer = send("projects/x/spans", {"data": [plain | {"start_time": "soon"}, plain]})
        assert (answer.status_code, answer.json()["invalid_spans"][0]["error"]) == (
            400, "start_time is missing, or is no time.",
        )  # fmt: skip


class TestAnAnnotation:
    def test_of_a_person_is_a_signal_of_the_user(self, send, traced):
        traced()
        answer = send("span_annotations?sync=true", {"data": [said(label="thumbs-down", explanation="Not true.")]})
        assert answer.status_code == 200
        assert len(answer.json()["data"]) == 1
        assert set(Signal.objects.values_list("type", "value", "text")) == {
            ("user_rating", 1.0, ""), ("user_reason", None, "Not true."),
        }  # fmt: skip
        assert Trace.objects.get().is_negative

    def test_of_a_machine_is_a_judges_word_and_a_score(self, send, traced):
        traced()
        send("span_annotations", {"data": [said("groundedness", "LLM", label="fail", score=0.2)]})
        verdict = JudgeVerdict.objects.get()
        assert (verdict.judge, verdict.verdict, verdict.score, verdict.trace_id) == (
            "groundedness",
            "reject",
            0.2,
            TRACE,
        )
        assert Trace.objects.get().scores == {"groundedness": 0.2}

    def test_of_a_trace_may_come_before_it(self, send, traced):
        row = {"name": "feedback", "annotator_kind": "HUMAN", "trace_id": TRACE.upper(), "result": {"score": 1}}
        judged = {"name": "tone", "annotator_kind": "LLM", "trace_id": TRACE, "result": {"score": 0.7}}
        assert send("trace_annotations", {"data": [row, judged]}).status_code == 200
        assert not Trace.objects.exists()
        traced()
        trace = Trace.objects.get()
        assert (trace.signals, trace.scores, trace.input) == (1, {"tone": 0.7}, "Was I charged twice?")

    def test_sent_again_is_taken_once(self, send, traced):
        traced()
        for _ in range(3):
            answer = send("span_annotations", {"data": [said(score=1), said("g", "LLM", score=0.5)]})
            assert "rejected" not in answer.json()
        assert (Signal.objects.count(), JudgeVerdict.objects.count()) == (1, 1)

    def test_of_a_span_that_has_not_come_waits_for_it(self, send, traced):
        write = "Write to anna.muster@example.org"
        rows = [said(label="👎"), said("g", "LLM", score=0.5, explanation=write)]
        assert send("span_annotations?sync=false", {"data": rows}).status_code == 200
        assert EarlyWord.objects.count() == 2
        assert "muster" not in str(list(EarlyWord.objects.values_list("word", flat=True)))
        traced()
        trace = Trace.objects.get()
        assert (trace.signals, trace.is_negative, trace.scores) == (1, True, {"g": 0.5})
        assert not EarlyWord.objects.exists()

    def test_that_is_to_be_kept_at_once_is_refused_where_the_span_has_not_come(self, send, traced):
        traced()
        answer = send("span_annotations?sync=true", {"data": [said(score=1), said(about="beef" * 4)]})
        assert answer.status_code == 422
        answer = send("span_annotations?sync=true", {"data": [said(score=1), said(about="beef" * 4, score=1)]})
        assert (answer.status_code, answer.json()) == (404, {"detail": "Spans with IDs beefbeefbeefbeef do not exist."})
        assert not Signal.objects.exists()

    def test_does_not_wait_without_end(self, send, monkeypatch):
        monkeypatch.setattr(taking, "WAITING_MOST", 3)
        answer = send("span_annotations", {"data": [said(about=f"{n:016x}", score=1) for n in range(1, 3)]})
        assert "rejected" not in answer.json()
        answer = send("span_annotations", {"data": [said(about=f"{n:016x}", score=1) for n in range(3, 6)]})
        assert [one["index"] for one in answer.json()["rejected"]] == [0, 1, 2]
        assert EarlyWord.objects.count() == 2

    def test_of_documents_stands_with_the_trace(self, send, traced):
        traced()
        rows = [
            {**said("relevance", "LLM", CHILD, label="relevant", score=1), "document_position": 0},
            {**said("relevance", "LLM", CHILD, label="unrelated", score=0), "document_position": 1},
            {**said("relevance", "LLM", CHILD, score=0), "document_position": 7},
        ]
        answer = send("document_annotations", {"data": rows})
        assert answer.json()["rejected"] == [
            {"index": 2, "error": "The span has 2 documents; there is none at position 7."}
        ]
        trace = Trace.objects.get()
        assert trace.scores == {"relevance": 0.5}
        assert trace.metadata["document_annotations"] == {
            "refunds-4.2": {"relevance": {"label": "relevant", "score": 1, "kind": "LLM"}},
            "document 2": {"relevance": {"label": "unrelated", "score": 0, "kind": "LLM"}},
        }

    def test_as_a_note_is_kept_with_the_trace(self, send, traced):
        assert send("span_notes", {"data": {"span_id": ROOT, "note": "Odd."}}).status_code == 404
        traced()
        for note in ("Odd.", "Ask anna.muster@example.org."):
            assert send("span_notes", {"data": {"span_id": ROOT, "note": note}}).json()["data"]["id"]
        notes = list(Trace.objects.get().metadata["notes"].values())
        assert len(notes) == 2
        assert "muster" not in str(notes)

    def test_of_another_tenants_span_finds_nothing(self, traced):
        traced()
        secret = tokens.issue(tenant=TenantFactory(), name="other", scopes=["ingest"])[1]
        answer = Client().post(
            "/phoenix/v1/span_annotations?sync=true", {"data": [said(score=1)]}, "application/json",
            headers={"Authorization": f"Bearer {secret}"},
        )  # fmt: skip
        assert answer.status_code == 404


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (b"{", "not JSON"),
            ([], "data: must be a list"),
            ({"data": ["x"]}, "data[0]: must be an object"),
            ({"data": [said(score=1), {**said(score=1), "span_id": 7}]}, "data[1].span_id"),
            ({"data": [said(score=1) | {"annotator_kind": "DOG"}]}, "annotator_kind"),
            ({"data": [said(score="1")]}, "result.score"),
            ({"data": [said(label="")]}, "needs a label"),
        ],
    )
    def test_whole_with_the_place(self, send, traced, body, words):
        traced()
        answer = send("span_annotations", body)
        assert answer.status_code == 422
        assert words in answer.json()["detail"]
        assert not Signal.objects.exists()

    def test_without_a_token(self):
        answer = Client().post("/phoenix/v1/span_annotations", {}, "application/json")
        assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/json")
        assert "needs a token" in answer.json()["detail"]

    def test_what_is_not_served(self, send):
        answer = send("datasets/upload", {})
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/json")
