"""LangSmith's Python SDK: LANGSMITH_ENDPOINT and LANGSMITH_API_KEY are all that changes."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from langsmith import Client, traceable
from langsmith import utils as langsmith_utils
from langsmith.run_helpers import get_current_run_tree
from langsmith.utils import LangSmithError, LangSmithNotFoundError

from hitl.access import tokens
from hitl.models import Tenant
from queues.models import FeedbackToken, JudgeVerdict, Signal, Trace

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.django_db(transaction=True, databases=["default", "owner"]),
    pytest.mark.filterwarnings("ignore::langsmith.utils.LangSmithWarning"),
]


@pytest.fixture
def environment(live_server, secret, monkeypatch, settings):
    settings.HITL_URL = live_server.url
    for name, value in {
        "LANGSMITH_ENDPOINT": f"{live_server.url}/langsmith",
        "LANGSMITH_API_KEY": secret,
        "LANGSMITH_TRACING": "true",
        "LANGSMITH_PROJECT": "support",
    }.items():
        monkeypatch.setenv(name, value)
    langsmith_utils.get_env_var.cache_clear()
    yield monkeypatch
    langsmith_utils.get_env_var.cache_clear()


@pytest.fixture(params=["plain", "packed"])
def client(environment, request):
    """Both ways in which the SDK packs its runs."""
    if request.param == "plain":
        environment.setenv("LANGSMITH_DISABLE_RUN_COMPRESSION", "true")
    client = Client()
    yield client
    assert (client.compressed_traces is not None) is (request.param == "packed")
    client.cleanup()


def answered(client, **extra):
    """A function that is traced, with a retriever, a tool and a model in it: the id of its trace."""

    @traceable(run_type="retriever", client=client)
    def search(question):
        return [{"page_content": "Refunds take three days.", "type": "Document", "metadata": {"source": "kb-1"}}]

    @traceable(run_type="tool", client=client)
    def ledger(account):
        return {"charges": 2}

    @traceable(run_type="llm", client=client, metadata={"ls_model_name": "chat-large"})
    def model(messages):
        return {"choices": [{"message": {"role": "assistant", "content": "Yes, on 3 October."}}]}

    @traceable(client=client, tags=["beta"], metadata={"session_id": "chat-3", "user_id": "user-7", "topic": "refund"})
    def answer(question):
        search(question)
        ledger(12)
        said = model([{"role": "user", "content": question}])
        tree = get_current_run_tree()
        return {"answer": said["choices"][0]["message"]["content"], "trace": str(tree.trace_id)}

    trace = answer("Was I charged twice?", **extra)["trace"]
    client.flush()
    return trace


def test_a_traced_function_is_kept_whole(client, kept):
    trace = kept(answered(client))
    assert (trace.input, trace.output) == ("Was I charged twice?", "Yes, on 3 October.")
    assert (trace.source, trace.model, trace.session, trace.topic) == ("langsmith", "chat-large", "chat-3", "refund")
    assert trace.user_key
    assert [document["document_id"] for document in trace.documents] == ["kb-1"]
    assert [(tool["name"], tool["output"]) for tool in trace.tools] == [("ledger", {"charges": 2})]
    assert (trace.metadata["project"], trace.metadata["tags"]) == ("support", ["beta"])
    assert trace.latency_ms is not None


def test_a_run_may_come_when_it_begins_and_again_when_it_ends(client, kept):
    run = uuid4()
    client.create_run("answer", {"question": "Why?"}, "chain", id=run, start_time=datetime.now(UTC))
    client.update_run(run, outputs={"answer": "Because."}, end_time=datetime.now(UTC))
    child = uuid4()
    client.create_run("ledger", {"account": 12}, "tool", id=child, parent_run_id=run)
    client.update_run(child, outputs={"output": 2}, name="ledger", run_type="tool")
    client.flush()
    trace = kept(run)
    assert (trace.input, trace.output) == ("Why?", "Because.")
    assert [tool["name"] for tool in trace.tools] == ["ledger"]
    assert Trace.objects.count() == 1


class TestFeedback:
    @pytest.fixture
    def client(self, environment):
        client = Client()
        yield client
        client.cleanup()

    @pytest.fixture
    def trace(self, client):
        return answered(client)

    def test_a_users_word_becomes_a_signal_of_its_trace(self, client, trace, kept):
        client.create_feedback(
            run_id=trace, trace_id=trace, key="user_score", score=0, comment="Too late.",
            source_info={"user_id": "user-7", "consent": {"training": True}},
        )  # fmt: skip
        client.create_feedback(run_id=trace, key="user_rating", score=4)
        client.create_feedback(run_id=trace, key="user_edit", correction={"answer": "Yes, on 4 October."})
        found = {
            (signal.type, signal.value if signal.type == "user_rating" else signal.reason or signal.text): signal
            for signal in Signal.objects.filter(trace_id=kept(trace).id)
        }
        assert set(found) == {
            ("user_rating", 1.0), ("user_reason", "other"), ("user_rating", 4.0), ("user_edit", "Yes, on 4 October."),
        }  # fmt: skip
        assert found["user_rating", 1.0].may_train
        assert not found["user_rating", 4.0].may_train

    def test_what_a_judge_said_is_held_against_people_and_stands_on_the_trace(self, client, trace, kept):
        client.create_feedback(run_id=trace, trace_id=trace, key="correctness", score=0.2, feedback_source_type="model")
        assert (JudgeVerdict.objects.get().judge, JudgeVerdict.objects.get().score) == ("correctness", 0.2)
        assert kept(trace).scores == {"correctness": 0.2}

    def test_any_other_number_is_a_score_of_the_trace(self, client, trace, kept):
        client.create_feedback(run_id=trace, trace_id=trace, key="toxicity", score=0.01, value="none")
        assert kept(trace).scores == {"toxicity": 0.01}
        assert kept(trace).metadata["toxicity"] == "none"
        assert not Signal.objects.exists()

    def test_feedback_on_a_project_is_refused_and_the_program_hears_why(self, client):
        with pytest.raises(LangSmithError, match="It names no trace"):
            client.create_feedback(None, key="user_score", score=1, project_id=uuid4())

    def test_an_address_is_good_for_one_key_and_one_trace(self, client, trace, kept):
        made = client.create_presigned_feedback_token(trace, "user_score", expiration=timedelta(hours=1))
        client.create_feedback_from_token(made.url, score=1)
        client.create_feedback_from_token(made.id, score=1)
        signal = Signal.objects.get()
        assert (signal.type, signal.value, signal.trace_id) == ("user_rating", 5.0, kept(trace).id)
        assert made.id.bytes not in bytes(FeedbackToken.objects.get().digest)

    def test_several_addresses_at_once(self, client, trace):
        liked, reason = client.create_presigned_feedback_tokens(trace, ["user_liked", "user_reason"])
        client.create_feedback_from_token(liked.url)
        client.create_feedback_from_token(reason.url, value="too long", comment="By half.")
        assert sorted(Signal.objects.values_list("type", "value", "reason", "text")) == [
            ("user_rating", 5.0, "", ""),
            ("user_reason", None, "too_long", "By half."),
        ]

    def test_an_address_that_has_ended_says_so(self, client, trace):
        made = client.create_presigned_feedback_token(trace, "user_score", expiration=timedelta(hours=1))
        now = datetime.now(UTC)
        FeedbackToken.objects.update(created_at=now - timedelta(hours=2), expires_at=now - timedelta(minutes=1))
        with pytest.raises(LangSmithNotFoundError, match="This address ended on"):
            client.create_feedback_from_token(made.url, score=1)
        assert not Signal.objects.exists()


class TestAsASecondServer:
    """LANGSMITH_RUNS_ENDPOINTS: what the application sends to its own server, hitl gets as well."""

    @pytest.fixture
    def other(self, db):
        other = Tenant.objects.create(slug="other", name="Other")
        return other, tokens.issue(tenant=other, name="SDK", scopes=["ingest"])[1]

    @pytest.mark.parametrize("form", ["object", "list"])
    def test_each_gets_the_same_trace(self, environment, live_server, secret, other, form):
        _, key = other
        own, second = f"{live_server.url}/langsmith", f"{live_server.url}/langsmith/api/v1"
        endpoints = {own: secret, second: key}
        if form == "list":
            endpoints = [{"api_url": url, "api_key": one} for url, one in endpoints.items()]
        environment.setenv("LANGSMITH_RUNS_ENDPOINTS", json.dumps(endpoints))
        environment.delenv("LANGSMITH_ENDPOINT")
        langsmith_utils.get_env_var.cache_clear()
        client = Client(api_url=own, api_key=secret)
        trace = answered(client)
        client.cleanup()
        traces = Trace.objects.filter(external_id=trace).order_by("tenant__slug")
        assert [(one.tenant.slug, one.output) for one in traces] == [
            ("acme", "Yes, on 3 October."),
            ("other", "Yes, on 3 October."),
        ]

    def test_the_first_servers_way_of_packing_is_read(self, environment, live_server, secret, other, monkeypatch):
        """Of the first the SDK asks what it takes; then it sends the same bytes to both."""
        tenant, key = other
        environment.setenv("LANGSMITH_RUNS_ENDPOINTS", json.dumps({f"{live_server.url}/langsmith/api/v1": key}))
        environment.delenv("LANGSMITH_ENDPOINT")
        langsmith_utils.get_env_var.cache_clear()
        info = {"version": "0.13.1", "instance_flags": {"zstd_compression_enabled": True}}
        client = Client(api_url=f"{live_server.url}/langsmith", api_key=secret, info=info)
        trace = answered(client)
        assert client.compressed_traces is not None
        client.create_feedback(run_id=UUID(trace), trace_id=UUID(trace), key="user_score", score=1)
        client.cleanup()
        assert Trace.objects.get(tenant=tenant, external_id=trace).output == "Yes, on 3 October."
        assert Signal.objects.get().tenant.slug == "acme"
