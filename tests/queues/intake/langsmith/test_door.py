import gzip
import json
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from hitl.access import tokens
from hitl.audit.models import AuditEvent
from hitl.models import ApiToken
from queues.models import FeedbackToken, IntakeSettings, Receipt, Signal, Trace
from tests.factories.hitl import TenantFactory

pytestmark = pytest.mark.django_db
BEGAN = timezone.now() - timedelta(minutes=10)
ROOT, CHILD = (str(uuid.UUID(int=number)) for number in (1, 2))
EDGE = "----edge"


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme", name="Acme")


@pytest.fixture
def secret(tenant):
    return tokens.issue(tenant=tenant, name="LangSmith", scopes=["ingest"])[1]


@pytest.fixture
def send(secret):
    def send(path, body, method="POST", content_type="application/json", **headers):
        data = body if isinstance(body, bytes) else json.dumps(body)
        answer = Client(raise_request_exception=False).generic(
            method, f"/langsmith/{path}", data, content_type, headers={"x-api-key": secret, **headers}
        )
        assert answer.headers["Content-Type"] == "application/json"
        return answer.status_code, answer.json()

    return send


def way(*runs):
    return ".".join(f"{BEGAN + timedelta(seconds=place):%Y%m%dT%H%M%S%f}Z{run}" for place, run in enumerate(runs))


def began(run, *above, **more):
    steps = (*above, run)
    named = {"id": run, "trace_id": steps[0], "dotted_order": way(*steps), "run_type": "chain", "name": "answer"}
    return named | ({"parent_run_id": above[-1]} if above else {}) | more


def ended(run, *above, **more):
    steps = (*above, run)
    return {"id": run, "trace_id": steps[0], "dotted_order": way(*steps), **more}


def parts(*sent, edge=EDGE, closed=True):
    """A multipart body out of (name, value)."""
    body = b""
    for name, value in sent:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        head = f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: application/json'
        body += f"{head}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data + b"\r\n"
    return body + (f"--{edge}--\r\n".encode() if closed else b"")


@pytest.fixture
def post_parts(send):
    def post_parts(data, **headers):
        return send("runs/multipart", data, content_type=f"multipart/form-data; boundary={EDGE}", **headers)

    return post_parts


class TestRuns:
    def test_when_they_end_before_they_began_and_the_child_before_the_root(self, send, tenant):
        late = {
            "post": [began(ROOT, inputs={"question": "Why?"}, extra={"metadata": {"thread_id": "chat-3"}})],
            "patch": [ended(ROOT, outputs={"answer": "Because."}, end_time=(BEGAN + timedelta(seconds=4)).isoformat())],
        }
        child = began(CHILD, ROOT, run_type="tool", name="ledger", inputs={"account": 12}, outputs={"output": 2})
        assert send("runs/batch", {"patch": late["patch"], "post": [child]})[0] == 202
        assert send("runs/batch", {"post": late["post"]})[0] == 202
        trace = Trace.objects.get(tenant=tenant, external_id=ROOT)
        assert (trace.input, trace.output, trace.session) == ("Why?", "Because.", "chat-3")
        assert (trace.at, trace.latency_ms) == (BEGAN, 4000)
        assert [(tool["name"], tool["output"]) for tool in trace.tools] == [("ledger", 2)]

    def test_a_bad_run_is_named_and_the_others_are_kept(self, send):
        status, answer = send("runs/batch", {"post": [
            began(ROOT, inputs={"question": "Why?"}), {"id": "x"}, began(CHILD, start_time="noon"), "nonsense",
        ]})  # fmt: skip
        assert status == 422
        assert answer["detail"].startswith("1 taken, 3 not taken: ")
        assert "x: id: must be a UUID." in answer["detail"]
        assert "start_time: is not a time" in answer["detail"]
        assert Trace.objects.get().input == "Why?"

    def test_in_parts_with_attachments_and_feedback(self, post_parts):
        status, _ = post_parts(parts(
            (f"post.{ROOT}", began(ROOT)), (f"post.{ROOT}.inputs", {"question": "Why?"}),
            (f"post.{ROOT}.outputs", {"answer": "Because."}), (f"attachment.{ROOT}.photo", b"\x89PNG\r\n\xff"),
            (f"feedback.{CHILD}", {"trace_id": ROOT, "run_id": ROOT, "key": "user_score", "score": 0}),
        ))  # fmt: skip
        assert status == 202
        trace = Trace.objects.get()
        assert (trace.input, trace.output) == ("Why?", "Because.")
        assert trace.metadata["attachments not kept"] == ["photo"]
        assert Signal.objects.get().trace_id == trace.id

    def test_parts_that_were_cut_off_are_said_to_be_and_what_came_is_kept(self, post_parts):
        whole = parts((f"post.{ROOT}", began(ROOT, inputs={"question": "Why?"})), closed=False)
        status, answer = post_parts(whole)
        assert (status, "cut off" in answer["detail"]) == (400, True)

    def test_a_part_that_is_too_large_costs_its_run_alone(self, post_parts):
        status, answer = post_parts(parts(
            (f"post.{CHILD}", began(CHILD)), (f"post.{CHILD}.inputs", {"text": "x" * 5_000_000}),
            (f"post.{ROOT}", began(ROOT, inputs={"question": "Why?"})),
        ))  # fmt: skip
        assert (status, "larger than 4 MB" in answer["detail"]) == (422, True)
        assert Trace.objects.get().external_id == ROOT

    @pytest.mark.parametrize("pack", ["gzip", "zstd"])
    def test_packed_bodies_are_read_and_what_swells_is_stopped(self, post_parts, settings, pack):
        zstandard = pytest.importorskip("zstandard")
        packed = gzip.compress if pack == "gzip" else zstandard.ZstdCompressor().compress
        good = parts((f"post.{ROOT}", began(ROOT, inputs={"question": "Why?"})))
        assert post_parts(packed(good), **{"Content-Encoding": pack})[0] == 202
        assert post_parts(packed(good)[:-9], **{"Content-Encoding": pack})[0] == 400
        assert post_parts(b"nonsense", **{"Content-Encoding": pack})[0] == 400
        settings.INTAKE_MAX_BYTES = 1_000_000
        bomb = parts((f"post.{CHILD}", began(CHILD)), (f"attachment.{CHILD}.photo", b" " * 9_000_000))
        status, answer = post_parts(packed(bomb), **{"Content-Encoding": pack})
        assert (status, "larger than" in answer["detail"]) == (413, True)

    def test_a_run_that_names_no_trace_is_its_parents(self, send):
        for run in ({"id": ROOT, "name": "answer", "inputs": {"q": "Why?"}}, {"id": CHILD, "parent_run_id": ROOT}):
            assert send("runs", {**run, "start_time": BEGAN.isoformat(), "run_type": "chain"})[0] == 202
        assert send(f"runs/{CHILD}", {"outputs": {"output": "x"}}, method="PATCH")[0] == 202
        assert send("feedback", {"run_id": CHILD, "key": "user_score", "score": 1})[0] == 200
        assert Trace.objects.get().external_id == ROOT
        assert Receipt.objects.get(kind="run").object_uuid == uuid.UUID(ROOT)
        assert Signal.objects.get().trace_ref == ROOT

    @pytest.mark.parametrize("sent", [b"{", b"[1]", {"post": 1}])
    def test_a_body_that_cannot_be_read_is_refused_whole(self, send, sent):
        assert send("runs/batch", sent)[0] in (400, 422)
        assert not Trace.objects.exists()


class TestFeedback:
    @pytest.mark.parametrize(
        ("sent", "why"),
        [
            ({"key": "k", "score": 1}, "names no trace"),
            ({"run_id": ROOT, "score": 1}, "key: must be"),
            ({"run_id": "one", "key": "k", "score": 1}, "run_id: must be a UUID"),
            ({"run_id": ROOT, "key": "k", "score": "high"}, "score: must be a number"),
            ({"run_id": ROOT, "key": "k"}, "says nothing"),
        ],
    )
    def test_what_cannot_be_kept_is_refused_with_the_reason(self, send, sent, why):
        status, answer = send("feedback", sent)
        assert (status, why in answer["detail"]) == (422, True)

    def test_a_category_is_read_by_its_label(self, send):
        config = {
            "type": "categorical",
            "categories": [{"value": 3, "label": "Too long"}, {"value": 4, "label": "Wrong"}],
        }
        sent = {"run_id": ROOT, "key": "user_reason", "score": 3, "feedback_config": config}
        assert send("feedback", sent)[0] == 200
        assert Signal.objects.get().reason == "too_long"


class TestAddresses:
    @pytest.fixture
    def made(self, send):
        def made(**wanted):
            status, answer = send("feedback/tokens", {"run_id": ROOT, "feedback_key": "user_score", **wanted})
            assert status == 200, answer
            return answer

        return made

    def test_whoever_holds_one_may_speak_once_under_its_key(self, made, tenant):
        path = made()["url"].partition("/langsmith")[2]
        anybody = Client()
        assert anybody.get(f"/langsmith{path}").status_code == 422
        assert anybody.head(f"/langsmith{path}").status_code == 405
        for _ in range(2):
            assert anybody.get(f"/langsmith{path}?score=true&comment=Thanks").status_code == 200
        signal = Signal.objects.get(tenant=tenant)
        assert (signal.type, signal.value, signal.trace_ref) == ("user_rating", 5.0, ROOT)

    def test_only_its_digest_is_kept(self, made):
        secret = uuid.UUID(made()["id"])
        row = FeedbackToken.objects.values().get()
        assert secret.bytes not in bytes(row["digest"])
        assert str(secret) not in str(row) + str(AuditEvent.objects.get(action="feedback_address.made").detail)

    def test_it_ends_with_its_time_and_with_its_token(self, made):
        url = made(expires_in={"days": 0, "hours": 0, "minutes": 5})["url"].partition("8000")[2]
        ApiToken.objects.update(revoked_at=timezone.now())
        answer = Client().post(url, {"score": 1}, "application/json")
        assert (answer.status_code, "with the token" in answer.json()["detail"]) == (404, True)
        ApiToken.objects.update(revoked_at=None)
        now = timezone.now()
        FeedbackToken.objects.update(created_at=now - timedelta(hours=2), expires_at=now - timedelta(hours=1))
        answer = Client().post(url, {"score": 1}, "application/json")
        assert (answer.status_code, "ended on" in answer.json()["detail"]) == (404, True)
        assert not Signal.objects.exists()

    @pytest.mark.parametrize(
        "wanted",
        [
            {"feedback_key": ""}, {"run_id": "x"}, {"expires_in": {"days": 4000}}, {"expires_in": {"hours": -1}},
            {"expires_in": 5}, {"expires_at": "2020-01-01T00:00:00Z"},
        ],
    )  # fmt: skip
    def test_what_cannot_be_made_is_refused(self, send, wanted):
        status, answer = send("feedback/tokens", {"run_id": ROOT, "feedback_key": "user_score", **wanted})
        assert (status, "No address was made." in answer["detail"]) == (422, True)
        assert not FeedbackToken.objects.exists()

    def test_a_page_may_use_it_where_the_tenant_names_its_origin(self, made, tenant):
        IntakeSettings.objects.create(tenant=tenant, origins=["https://shop.example"])
        url = made()["url"].partition("8000")[2]
        asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
        assert Client().options(url, headers=asked).headers["Access-Control-Allow-Origin"] == "https://shop.example"
        answer = Client().post(url, {"score": 1}, "application/json", headers={"Origin": "https://other.example"})
        assert "Access-Control-Allow-Origin" not in answer.headers


class TestWhoComesIn:
    @pytest.mark.parametrize("headers", [{}, {"x-api-key": "lsv2_pt_x"}, {"x-api-key": "hitl_0_x"}])
    @pytest.mark.parametrize("path", ["runs", "runs/batch", "runs/multipart", "feedback", "feedback/tokens"])
    def test_nobody_without_a_token(self, path, headers):
        answer = Client().post(f"/langsmith/{path}", "{}", "application/json", headers=headers)
        assert (answer.status_code, list(answer.json())) == (401, ["detail"])

    def test_what_is_not_done_is_said_in_its_shape(self, secret):
        assert Client().get("/langsmith/runs/batch").status_code == 405
        assert "does not do this" in Client().get("/langsmith/api/v1/datasets").json()["detail"]

    def test_what_the_sdk_may_send_is_told_to_anybody(self):
        info = Client().get("/langsmith/api/v1/info").json()
        assert info["batch_ingest_config"]["use_multipart_endpoint"] is True
        assert info["instance_flags"]["zstd_compression_enabled"] is True
