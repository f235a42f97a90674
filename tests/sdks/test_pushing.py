"""Decisions go back to the tools that hold the trace: to a hitl of another tenant, through the doors that it has in
their place, in bodies that the tools' own SDKs would have sent.
"""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone
from langfuse.api.scores.types.create_score_request import CreateScoreRequest
from langsmith.schemas import FeedbackCreate
from phoenix.client.__generated__ import v1 as phoenix
from pydantic import TypeAdapter

from hitl.access import tokens
from hitl.models import Message, Tenant
from hitl.outbox import tools
from hitl.outbox.delivery import deliver_due
from queues import cases
from queues.intake.span import SpanIn
from queues.intake.spans import spans
from queues.models import Outcome, Trace
from reviews.pushing import langfuse, langsmith, verdict
from reviews.pushing import phoenix as phoenix_shape
from tests.factories.hitl import UserFactory
from tests.factories.queues import CaseFactory

pytestmark = [pytest.mark.sdk, pytest.mark.django_db(transaction=True, databases=["default", "owner"])]

PATHS = {"langfuse": "", "langsmith": "/langsmith", "phoenix": "/phoenix"}
TRACE = "11112222-3333-4444-5555-666677778888"


@pytest.fixture(autouse=True)
def _this_machine_may_be_called(settings):
    settings.OUTBOX_ALLOW_PRIVATE = True


@pytest.fixture
def there(transactional_db):
    """The other tenant, which stands for the tool."""
    return Tenant.objects.create(slug="tool", name="Tool")


@pytest.fixture(params=list(PATHS))
def connected(request, live_server, tenant, there):
    """A tool of this kind, and the name under which it knows the trace."""
    kind = request.param
    _, secret = tokens.issue(tenant=there, name=kind, scopes=["ingest"])
    trace = TRACE if kind == "langsmith" else UUID(TRACE).hex
    began = timezone.now() - timedelta(minutes=5)
    step = SpanIn(trace=trace, span="s-1", started_at=began, content={"input": "How long?", "output": "Three days."})
    spans([step], tenant=there, now=timezone.now(), source="test")
    return tools.connect(
        tenant=tenant,
        kind=kind,
        url=live_server.url + PATHS[kind],
        key=f"pk:{secret}" if kind == "langfuse" else secret,
        project="",
        by=None,
    ), trace


def decide(case, verdict=Outcome.Verdict.REJECT, categories=("unsupported", "tone"), **more):
    with transaction.atomic():
        cases.record_outcome(
            case=case, verdict=verdict, final_answer="", categories=categories, codebook="support",
            codebook_version=3, now=timezone.now(), undo_seconds=0, **more,
        )  # fmt: skip


def test_a_decision_arrives_and_an_amendment_takes_its_place(connected, tenant, there):
    tool, trace = connected
    case = CaseFactory(tenant=tenant, trace_id=trace, external_id="esc-1")
    decide(case)
    deliver_due(timezone.now() + timedelta(seconds=1))
    message = Message.objects.get()
    assert (message.state, message.last_error, message.channel) == ("sent", "", "tool")
    kept = Trace.objects.get(tenant=there, external_id=trace)
    if tool.kind == "langfuse":
        assert kept.metadata[verdict.NAME] == "reject"
    else:
        assert kept.scores == {verdict.NAME: 0.0}
    assert "unsupported, tone (by support version 3)" in str(kept.metadata)

    decide(case, Outcome.Verdict.ACCEPT, (), amend=True)
    deliver_due(timezone.now() + timedelta(seconds=1))
    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}
    kept.refresh_from_db()
    if tool.kind != "langfuse":
        assert kept.scores == {verdict.NAME: 1.0}


def test_trying_the_connection(connected, tenant):
    assert tools.attempt(endpoint=connected[0], by=UserFactory()) == ""


@pytest.fixture
def payload(tenant, connected):
    case = CaseFactory(tenant=tenant, trace_id=TRACE, external_id="esc-2")
    decide(case)
    return Message.objects.get().payload


@pytest.mark.parametrize("connected", ["langfuse"], indirect=True)
class TestBodies:
    """They are what the SDKs' own models have, and the same word on a case has the same id."""

    def test_of_langfuse(self, payload):
        call = langfuse.told(payload, key="pk:sk", project="")
        score = TypeAdapter(CreateScoreRequest).validate_python(
            {**call.body, "trace_id": call.body["traceId"], "data_type": call.body["dataType"]}
        )
        assert (score.trace_id, score.name, score.value, score.data_type) == (
            TRACE, "hitl_verdict", "reject", "CATEGORICAL",
        )  # fmt: skip
        assert score.metadata["codebook"] == "support"
        assert score.metadata["codebook_version"] == 3
        assert langfuse.told(payload, key="pk:sk", project="").body["id"] == score.id

    def test_of_langsmith(self, payload):
        call = langsmith.told(payload, key="k", project="")
        feedback = FeedbackCreate(**call.body)
        assert (str(feedback.run_id), feedback.key, feedback.score, feedback.value) == (
            TRACE, "hitl_verdict", 0.0, "reject",
        )  # fmt: skip
        assert feedback.feedback_source.metadata["codebook_version"] == 3
        assert call.if_known.path.endswith(str(feedback.id))

    def test_of_phoenix(self, payload):
        body = phoenix_shape.told(payload, key="k", project="").body
        (one,) = body["data"]
        for sent, model in ((body, phoenix.AnnotateTracesRequestBody), (one, phoenix.TraceAnnotationData)):
            assert model.__required_keys__ <= sent.keys() <= model.__annotations__.keys()
        assert (one["annotator_kind"], one["result"]["label"], one["metadata"]["codebook_version"]) == (
            "HUMAN", "reject", 3,
        )  # fmt: skip

    def test_nobody_is_named_and_no_text_goes_along(self, payload):
        for shape in (langfuse, langsmith, phoenix_shape):
            body = str(shape.told(payload, key="k:k", project="").body)
            assert "final_answer" not in body
            assert "reviewer" not in body
