"""Langfuse's Python SDK: LANGFUSE_BASE_URL and LANGFUSE_SECRET_KEY are all that changes."""

import pytest
from django.utils import timezone
from langfuse import Langfuse, observe, propagate_attributes
from langfuse._client.resource_manager import LangfuseResourceManager
from opentelemetry.sdk.trace import TracerProvider

from queues.models import JudgeVerdict, ScoreName, Signal

pytestmark = [pytest.mark.sdk, pytest.mark.django_db(transaction=True, databases=["default", "owner"])]


@pytest.fixture
def langfuse(live_server, secret, monkeypatch):
    public = f"pk-{secret[5:13]}"
    for name, value in {
        "LANGFUSE_BASE_URL": live_server.url,
        "LANGFUSE_PUBLIC_KEY": public,
        "LANGFUSE_SECRET_KEY": secret,
    }.items():
        monkeypatch.setenv(name, value)
    # One client a process and one provider for all of OpenTelemetry is what an application has; here each test is one.
    client = Langfuse(tracer_provider=TracerProvider())
    yield client
    LangfuseResourceManager.reset()


def test_the_keys_are_tried_as_the_sdk_tries_them(langfuse):
    assert langfuse.auth_check() is True


def test_a_trace_made_with_the_sdk_is_kept_whole(langfuse, kept):
    with (
        propagate_attributes(user_id="user-7", session_id="chat-3", tags=["beta"], metadata={"topic": "refund"}),
        langfuse.start_as_current_observation(name="answer", as_type="chain") as root,
    ):
        root.update(input={"question": "Was I charged twice?"}, output={"answer": "Yes, on 3 October."})
        with langfuse.start_as_current_observation(name="search", as_type="retriever") as found:
            found.update(
                input="charged twice", output=[{"id": "kb-1", "page_content": "Refunds take three days.", "score": 0.8}]
            )
        with langfuse.start_as_current_observation(name="ledger", as_type="tool") as tool:
            tool.update(input={"account": 12}, output={"charges": 2})
        with langfuse.start_as_current_observation(name="llm", as_type="generation", model="chat-large") as call:
            call.update(
                input=[
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "Was I charged twice?"},
                ],
                output="Yes, on 3 October.",
            )
        trace_id = root.trace_id
    langfuse.flush()

    trace = kept(trace_id)
    assert (trace.input, trace.output, trace.source) == ("Was I charged twice?", "Yes, on 3 October.", "langfuse")
    assert (trace.model, trace.session, trace.topic) == ("chat-large", "chat-3", "refund")
    assert trace.user_key
    assert [document["document_id"] for document in trace.documents] == ["kb-1"]
    assert [tool["name"] for tool in trace.tools] == ["ledger"]
    assert trace.metadata["tags"] == ["beta"]


def test_a_decorated_function_is_a_trace(langfuse, kept):
    @observe()
    def reply(question):
        return langfuse.get_current_trace_id(), f"I do not know: {question}"

    trace_id, _ = reply("Why?")
    langfuse.flush()
    assert "Why?" in kept(trace_id).input


class TestScores:
    @pytest.fixture
    def trace_id(self, langfuse):
        with langfuse.start_as_current_observation(name="answer") as root:
            root.update(input="How long?", output="Three days.")
            trace_id = root.trace_id
        langfuse.flush()
        return trace_id

    def test_a_users_word_becomes_a_signal_of_its_trace(self, langfuse, trace_id, kept):
        langfuse.create_score(
            trace_id=trace_id, name="user-feedback", value=0, data_type="BOOLEAN", comment="Too late.",
            metadata={"user_id": "user-7", "consent": {"evaluation": True}},
        )  # fmt: skip
        langfuse.create_score(trace_id=trace_id, name="user_rating", value=4)
        langfuse.create_score(trace_id=trace_id, name="user_reason", value="too verbose", data_type="CATEGORICAL")
        langfuse.create_score(trace_id=trace_id, name="output", value="Five days.", data_type="CORRECTION")
        langfuse.flush()

        found = {
            (signal.type, signal.value if signal.type == "user_rating" else signal.reason or signal.text): signal
            for signal in Signal.objects.filter(trace_id=kept(trace_id).id)
        }
        assert set(found) == {
            ("user_rating", 1.0), ("user_reason", "other"), ("user_rating", 4.0), ("user_reason", "too_long"),
            ("user_edit", "Five days."),
        }  # fmt: skip
        thumb = found["user_rating", 1.0]
        assert (thumb.may_evaluate, thumb.may_train) == (True, False)
        assert thumb.user_key
        assert found["user_reason", "other"].text == "Too late."

    def test_any_other_number_is_a_score_of_the_trace(self, langfuse, trace_id, kept):
        langfuse.create_score(trace_id=trace_id, name="groundedness", value=0.25)
        langfuse.create_score(trace_id=trace_id, name="tone", value="curt", data_type="CATEGORICAL")
        langfuse.flush()
        trace = kept(trace_id)
        assert trace.scores["groundedness"] == 0.25
        assert trace.metadata["tone"] == "curt"
        assert trace.input == "How long?"

    def test_a_score_sent_twice_is_one_and_a_changed_one_is_another(self, langfuse, trace_id, kept):
        for value in (1, 1, 0):
            langfuse.create_score(score_id="s-1", trace_id=trace_id, name="user-feedback", value=value)
            langfuse.flush()
        values = Signal.objects.filter(trace_id=kept(trace_id).id).values_list("value", flat=True)
        assert sorted(values) == [1.0, 5.0]

    def test_a_score_that_comes_before_its_trace_waits_for_it(self, langfuse, kept):
        trace_id = Langfuse.create_trace_id()
        langfuse.create_score(trace_id=trace_id, name="thumbs", value=1)
        langfuse.flush()
        assert Signal.objects.get().trace_id is None
        with langfuse.start_as_current_observation(name="late", trace_context={"trace_id": trace_id}) as root:
            root.update(input="Hello?", output="Hello.")
        langfuse.flush()
        assert Signal.objects.get().trace_id == kept(trace_id).id

    def test_what_a_judge_said_is_held_against_people_too(self, langfuse, trace_id, tenant):
        ScoreName.objects.create(
            tenant=tenant, name="grounded", meaning="judge", tool="langfuse", first_seen_at=timezone.now()
        )
        langfuse.create_score(
            trace_id=trace_id, name="grounded", value=1, data_type="BOOLEAN", metadata={"version": "7"}
        )
        langfuse.flush()
        verdict = JudgeVerdict.objects.get()
        assert (verdict.judge, verdict.judge_version, verdict.trace_id) == ("grounded", "7", trace_id)

    def test_a_score_without_a_trace_is_refused_and_the_sdk_says_so(self, langfuse, caplog):
        langfuse.create_score(name="thumbs", value=1, session_id="chat-3")
        langfuse.flush()
        assert "It names no trace" in caplog.text
        assert not Signal.objects.exists()
