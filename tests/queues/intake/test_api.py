import gzip
import io
import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from hitl.access import tokens
from hitl.audit.models import AuditEvent
from queues.intake import body
from queues.models import Case, Outcome
from tests.factories.hitl import TenantFactory
from tests.factories.intake import sent
from tests.factories.queues import CaseFactory, QueueFactory, RoutingRuleFactory

pytestmark = pytest.mark.django_db

CASES = "/api/v1/cases"
LINES = "application/x-ndjson"


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme")


@pytest.fixture
def headers(tenant):
    _, secret = tokens.issue(tenant=tenant, name="prod", scopes=["ingest"])
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def post(headers):
    def posted(content, path=CASES, content_type="application/json", **more):
        if not isinstance(content, bytes):
            content = json.dumps(content).encode()
        return Client(headers=headers | more).post(path, content, content_type=content_type)

    return posted


def decided(tenant, *, release_in=-60, **fields):
    case = CaseFactory(tenant=tenant, state=Case.State.DECIDED, **fields)
    now = timezone.now()
    Outcome.objects.create(
        case=case,
        verdict="edit",
        final_answer="The second payment is returned.",
        categories=["tone"],
        codebook="support",
        codebook_version=4,
        decided_at=now,
        release_at=now + timedelta(seconds=release_in),
    )
    return case


class TestSendCases:
    def test_one_an_array_or_a_line_each(self, post):
        assert post(sent()).json() == {"accepted": 1, "duplicates": 0, "rejected": []}
        assert post([sent(), sent()]).json()["accepted"] == 2
        lines = b"\n".join(json.dumps(sent()).encode() for _ in range(3))
        assert post(lines, content_type=LINES).json()["accepted"] == 3
        assert post([]).json() == {"accepted": 0, "duplicates": 0, "rejected": []}
        assert Case.objects.count() == 6

    def test_packed_bodies_are_understood(self, post):
        packed = gzip.compress(json.dumps(sent()).encode()) + gzip.compress(b"\n" + json.dumps(sent()).encode())
        answer = post(packed, content_type=LINES, **{"Content-Encoding": "gzip"})
        assert answer.json()["accepted"] == 2

    def test_faults_are_named_by_index_id_and_field_and_the_good_rows_kept(self, post):
        answer = post([sent(case_id="good"), sent(case_id="bad", risk_level="huge")])
        assert answer.status_code == 200
        assert answer.json() == {
            "accepted": 1,
            "duplicates": 0,
            "rejected": [
                {"index": 1, "case_id": "bad", "error": "risk_level: must be one of low, medium, high, critical."}
            ],
        }

    def test_who_sent_it_is_on_the_record(self, post, tenant):
        post(sent())
        event = AuditEvent.objects.get(action="cases.received")
        assert (event.tenant_id, event.actor_id, event.detail["accepted"]) == (tenant.pk, None, 1)
        assert "prod" in event.actor_name

    @pytest.mark.parametrize(
        ("content", "content_type", "more", "status", "said"),
        [
            (b'[{"a": 1}, {"b" 2}]', "application/json", {}, 400, "line 1, column 17 (entry 1). Nothing was taken."),
            (b" ", "application/json", {}, 400, "The body is empty."),
            (b"{}", "text/csv", {}, 415, "text/csv is not read here. Send Content-Type: application/json"),
            (b"{}", "application/json; charset=latin-1", {}, 415, "JSON is sent in UTF-8, not in latin-1."),
            (b"{}", "application/json", {"Content-Encoding": "br"}, 415, "Content-Encoding: br is not understood."),
            (b"{}", LINES, {"Content-Encoding": "gzip"}, 400, "The body is not gzip"),
            (
                gzip.compress(b'{"a": 1}\n' * 99, mtime=0)[:-9],
                LINES,
                {"Content-Encoding": "gzip"},
                400,
                "ends before its end",
            ),
        ],
    )
    def test_a_body_that_cannot_be_read_says_why(self, post, content, content_type, more, status, said):
        answer = post(content, content_type=content_type, **more)
        assert answer.status_code == status
        assert said in answer.json()["error"]

    def test_too_large_a_body_is_refused(self, post, settings):
        settings.INTAKE_MAX_BYTES = 1024 * 1024
        answer = post(b"x" * 1024 * 1025, content_type=LINES)
        assert (answer.status_code, answer.json()["error"]) == (413, "The body is larger than 1 MB. Send it in parts.")
        answer = post(b"x" * (body.JSON_BYTES + 1))
        assert answer.status_code == 413
        assert "One case a line (application/x-ndjson) may be larger." in answer.json()["error"]

    def test_a_small_body_that_swells_is_stopped_at_the_limit_and_what_came_before_is_kept(self, post, settings):
        settings.INTAKE_MAX_BYTES = 1024 * 1024
        bomb = gzip.compress(json.dumps(sent()).encode() + b"\n" + b" " * 300_000_000)
        answer = post(bomb, content_type=LINES, **{"Content-Encoding": "gzip"})
        assert answer.status_code == 413
        assert "The body is larger than 1 MB." in answer.json()["error"]
        assert "Of the 1 rows read: 1 accepted" in answer.json()["detail"]
        assert Case.objects.count() == 1

    def test_a_body_sent_in_chunks_has_no_length(self, headers, post):
        content = json.dumps(sent()).encode()
        chunked = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": io.BytesIO(content)}
        server = {"wsgi.input_terminated": True}  # what gunicorn says of a body whose end it sees
        answer = Client(headers=headers).generic("POST", CASES, content, LINES, **chunked, **server)
        assert answer.json()["accepted"] == 1
        answer = Client(headers=headers).generic("POST", CASES, content, LINES, **chunked)
        assert answer.status_code == 411


class TestTokens:
    def test_a_token_is_needed_and_the_answer_says_how(self, client):
        answer = client.post(CASES, "{}", content_type="application/json")
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert "Authorization: Bearer hitl_" in answer.json()["error"]

    def test_one_of_another_scope_is_refused(self, client, tenant):
        _, secret = tokens.issue(tenant=tenant, name="browser", scopes=["feedback"])
        headers = {"Authorization": f"Bearer {secret}"}
        answer = client.post(CASES, "{}", content_type="application/json", headers=headers)
        assert answer.status_code == 403
        assert "this needs one for ingest" in answer.json()["error"]

    def test_a_row_of_another_tenant_is_refused_and_nothing_else_is(self, post):
        TenantFactory(slug="globex")
        answer = post([sent(tenant_id="globex", case_id="theirs"), sent(tenant_id="acme")]).json()
        assert answer["accepted"] == 1
        assert answer["rejected"][0]["error"].startswith("tenant_id: is not acme")

    def test_a_session_opens_nothing_here(self, sign_in):
        assert sign_in().post(CASES, "{}", content_type="application/json").status_code == 401


class TestVerdict:
    def test_a_case_that_waits(self, client, headers, post):
        post(sent(case_id="c/1 ü?", metadata={"ticket": 7}))
        answer = client.get("/api/v1/cases/c%2F1%20%C3%BC%3F", headers=headers).json()
        assert (answer["case_id"], answer["status"], answer["metadata"]) == ("c/1 ü?", "waiting", {"ticket": 7})
        assert "verdict" not in answer

    def test_a_decision_is_told_when_the_undo_window_is_over(self, client, headers, tenant):
        decided(tenant, external_id="over")
        decided(tenant, external_id="open", release_in=60)
        told = client.get("/api/v1/cases/over", headers=headers).json()
        assert told["status"] == "decided"
        assert (told["verdict"], told["final_answer"]) == ("edit", "The second payment is returned.")
        assert (told["categories"], told["codebook"], told["codebook_version"]) == (["tone"], "support", 4)
        assert (told["revision"], "decided_at" in told) == (1, True)
        held = client.get("/api/v1/cases/open", headers=headers).json()
        assert (held["status"], "verdict" in held) == ("waiting", False)

    def test_a_case_of_another_tenant_is_not_there(self, client, headers):
        case = decided(TenantFactory())
        answer = client.get(f"/api/v1/cases/{case.external_id}", headers=headers)
        assert (answer.status_code, answer.json()) == (404, {"error": "There is no case of this id."})


class TestAssess:
    def ask(self, post, **fields):
        return post(sent(**fields), path="/api/v1/assess")

    def test_it_says_what_would_happen_and_why_and_stores_nothing(self, post):
        rule = RoutingRuleFactory(queue=QueueFactory(name="Billing", sla="minutes", sla_amount=60), domains=["billing"])
        answer = self.ask(post, risk_level="high", groundedness=0.1).json()
        assert (answer["outcome"], answer["risk"], answer["language"]) == ("human", "high", "en")
        assert [one["key"] for one in answer["triggers"]] == ["low_confidence", "high_stakes"]
        assert answer["reason"].startswith("A person decides, because confidence is ")
        assert {one["key"]: one["interpretation"] for one in answer["signals"]}["groundedness"] == "weak"
        assert answer["route"]["queue"] == "Billing"
        assert rule.name in answer["route"]["why"][0]
        assert answer["route"]["due_because"] == "the queue's 1 h"
        assert not Case.objects.exists()
        assert not AuditEvent.objects.filter(action="cases.received").exists()

    def test_a_good_answer_passes_and_a_doubtful_one_of_low_risk_goes_out_in_part(self, post):
        assert self.ask(post, groundedness=0.95).json()["outcome"] == "pass"
        assert self.ask(post, groundedness=0.1, risk_level="low").json()["outcome"] == "limited_answer"

    def test_the_draft_may_be_missing_and_so_may_all_else(self, post):
        assert self.ask(post, model_draft=None, case_id=None).status_code == 200
        answer = post({}, path="/api/v1/assess").json()
        assert answer["confidence"] is None
        assert answer["route"]["queue"] is None

    @pytest.mark.parametrize(
        ("content", "status", "said"),
        [
            ({"groundedness": "high"}, 422, "groundedness: must be a number, not text."),
            ({"language": "??"}, 422, "language: "),
            ({"tenant_id": "globex"}, 403, "tenant_id: is not acme"),
            ([{}, {}], 422, "One answer is assessed at a time, not 2."),
            (b"{", 400, "The body is not JSON"),
        ],
    )
    def test_what_is_wrong_is_said(self, post, content, status, said):
        answer = post(content, path="/api/v1/assess")
        assert answer.status_code == status
        assert said in answer.json()["error"]


def test_what_was_dropped_out_of_a_sample_does_not_seem_to_wait(tenant, headers):
    CaseFactory(tenant=tenant, external_id="trace:t-1", origin="sampling", state="dropped")
    assert Client().get(f"{CASES}/trace:t-1", headers=headers).json()["status"] == "dropped"
