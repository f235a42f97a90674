"""Phoenix's client: what a product, a reviewer or an evaluation says of spans."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from phoenix.client import Client

from queues.models import JudgeVerdict, Signal

pytestmark = [pytest.mark.sdk, pytest.mark.django_db(transaction=True, databases=["default", "owner"])]

TRACE, ROOT, CHILD = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "eee19b7ec3c1b173"


@pytest.fixture
def client(live_server, secret):
    return Client(base_url=f"{live_server.url}/phoenix", api_key=secret)


def spans():
    began = datetime.now(UTC) - timedelta(minutes=1)
    common = {
        "start_time": began.isoformat(),
        "end_time": (began + timedelta(seconds=1)).isoformat(),
        "status_code": "OK",
    }
    return [
        {
            "name": "ask", "context": {"trace_id": TRACE, "span_id": ROOT}, "span_kind": "CHAIN", **common,
            "attributes": {"input.value": "Was I charged twice?", "output.value": "You were.", "user.id": "u-7"},
        },
        {
            "name": "find", "context": {"trace_id": TRACE, "span_id": CHILD}, "parent_id": ROOT,
            "span_kind": "RETRIEVER", **common,
            "attributes": {
                "retrieval.documents.0.document.id": "refunds-4.2",
                "retrieval.documents.0.document.content": "Need an error.",
            },
        },
    ]  # fmt: skip


@pytest.fixture
def logged(client):
    assert client.spans.log_spans(project_identifier="support", spans=spans()) == {
        "total_received": 2, "total_queued": 2,
    }  # fmt: skip


def test_spans_that_the_client_logs_become_a_trace(logged, kept):
    trace = kept(TRACE)
    assert (trace.input, trace.output, trace.user_key) == ("Was I charged twice?", "You were.", "u-7")
    assert trace.documents == [{"document_id": "refunds-4.2", "quote": "Need an error."}]
    assert trace.metadata == {"project": "support"}


@pytest.mark.parametrize("sync", [True, False])
def test_a_thumb_and_a_judge_on_a_span(client, logged, kept, sync):
    client.spans.add_span_annotation(
        span_id=ROOT, annotation_name="user_feedback", annotator_kind="HUMAN", label="thumbs-down", score=0,
        explanation="That is not true.", sync=sync,
    )  # fmt: skip
    made = client.spans.log_span_annotations(
        span_annotations=[
            {
                "span_id": ROOT,
                "name": "groundedness",
                "annotator_kind": "LLM",
                "result": {"score": 0.2, "label": "fail"},
            }
        ],
        sync=sync,
    )
    assert (made is not None) == sync
    trace = kept(TRACE)
    assert (trace.signals, trace.is_negative, trace.scores["groundedness"]) == (2, True, 0.2)
    assert JudgeVerdict.objects.get().verdict == "reject"


def test_an_annotation_waits_for_its_span(client, kept):
    client.spans.add_span_annotation(span_id=ROOT, annotation_name="user_feedback", score=1)
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        client.spans.add_span_annotation(span_id=ROOT, annotation_name="user_feedback", score=1, sync=True)
    client.spans.log_spans(project_identifier="support", spans=spans())
    assert kept(TRACE).signals == 1


def test_a_whole_trace_documents_and_notes(client, logged, kept):
    client.traces.add_trace_annotation(trace_id=TRACE, annotation_name="user_rating", annotator_kind="HUMAN", score=4)
    client.spans.add_document_annotation(
        span_id=CHILD, document_position=0, annotation_name="relevance", annotator_kind="LLM", score=1, sync=True
    )
    assert client.spans.add_span_note(span_id=ROOT, note="Odd.")["id"]
    trace = kept(TRACE)
    assert Signal.objects.get().value == 4
    assert trace.scores["relevance"] == 1
    assert trace.metadata["document_annotations"]["refunds-4.2"]["relevance"]["score"] == 1
    assert list(trace.metadata["notes"].values()) == ["Odd."]


def test_a_wrong_key(live_server, tenant):
    client = Client(base_url=f"{live_server.url}/phoenix", api_key="hitl_wrong")
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        client.spans.add_span_annotation(span_id=ROOT, annotation_name="x", score=1)
