"""Values of every kind that the scrub knows, and every door of the API with a way to carry them through it.

A door that is not listed fails `test_pii_not_stored.py`: whoever makes one says here how texts come in by it.
"""

import base64
import itertools
import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from tests.factories.intake import sent
from tests.factories.traffic import signalled, traced

MAIL = "anna.kowalska@example-mail.org"
IBAN = "DE89370400440532013000"
KEY = "sk-proj-" + "Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4z"
CARD = "4111 1111 1111 1111"
PHONE = "+49 30 901820"
# However a value is written down, these parts of it would give it away.
TRACES = (
    "kowalska", "370400440532013000", "Ab3dEf6hIj9kLm2n", "1111 1111 1111", "4111111111111111", "901820",
    "48151623", "RSSMRA85", "219-09-9998", "C01X00T47", "7ABC123", "203.0.113.77", "1A:2B:3C", "16Yeky6GMj",
    "6 May 1984", "Baker Street", "Quist-Oduya",
)  # fmt: skip
# The whole of each by its kind; what is called so stands behind what it is called.
VALUES = {
    "email": MAIL, "iban": IBAN, "key": KEY, "card": CARD, "phone": PHONE, "account": "48151623",
    "national_id": "RSSMRA85T10A562S", "document": "C01X00T47", "plate": "7ABC123", "ip": "203.0.113.77",
    "mac": "00:1A:2B:3C:4D:5E", "wallet": "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ", "birthdate": "6 May 1984",
    "address": "221B Baker Street, London NW1 6XE", "name": "Wilhelmina Quist-Oduya",
}  # fmt: skip
TEXT = (
    f"I am {MAIL}, card {CARD}, account {IBAN}, phone {PHONE}, key {KEY}. My account number is 48151623. "
    "Codice fiscale RSSMRA85T10A562S, SSN 219-09-9998. My passport is C01X00T47; license plate 7ABC123. It came from "
    "203.0.113.77, card 00:1A:2B:3C:4D:5E. Paid to 16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ. I was born on 6 May 1984. "
    "My address is 221B Baker Street, London NW1 6XE. My name is Wilhelmina Quist-Oduya."
)
NUMBERS = itertools.count(1)


def planted(**fields: Any) -> dict[str, Any]:
    """A case with the values in every field that takes text."""
    return sent(
        user_question=TEXT,
        model_draft=TEXT,
        reason_for_escalation=TEXT,
        policy=TEXT,
        conversation=[{"role": "user", "content": TEXT}],
        evidence=[{"document_id": f"mail/{MAIL}", "quote": TEXT, "title": TEXT, "url": f"https://a.example/?k={KEY}"}],
        tool_results=[{"name": "crm", "status": "ok", "output": {"email": MAIL, "notes": [TEXT], MAIL: 1}}],
        judges=[{"name": "grounded", "verdict": TEXT, "score": 0.2}],
        policy_flags=[MAIL],
        metadata={"customer": MAIL, "card": int(CARD.replace(" ", "")), "deep": {"list": [IBAN, PHONE]}},
        topic=MAIL,
        domain=f"billing {MAIL}",
        trace_id=MAIL,
        user_key=PHONE,
        model=f"m {MAIL}",
        prompt_version=MAIL,
        release=IBAN,
        **fields,
    )


def planted_trace(**fields: Any) -> dict[str, Any]:
    return traced(
        at=timezone.now().isoformat(), input=TEXT, output=TEXT, conversation=[{"role": "user", "content": TEXT}],
        documents=[{"document_id": f"mail/{MAIL}", "quote": TEXT, "title": TEXT}],
        tool_calls=[{"name": "crm", "output": {"email": MAIL, "notes": [TEXT]}}], scores={MAIL: 0.5},
        metadata={MAIL: TEXT, "deep": {"list": [IBAN, TEXT]}}, topic=MAIL, domain=f"billing {MAIL}", user_key=PHONE,
        session_id=MAIL, model=f"m {MAIL}", prompt_version=MAIL, release=IBAN, **fields,
    )  # fmt: skip


class Sender:
    """Sends with a token, as a program does; answers that are no 2xx are the door's word too."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def __call__(self, path: str, body: Any, method: str = "POST", kind: str = "application/json", **more: str) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.secret}", **more}
        return Client(raise_request_exception=False).generic(method, path, data, kind, headers=headers)


Way = Callable[[Sender], Any]


def _past(seconds: int = 60) -> str:
    return (timezone.now() - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def _span(attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    start = int(timezone.now().timestamp() - 60) * 10**9
    return {
        "traceId": f"{next(NUMBERS):032x}", "spanId": f"{next(NUMBERS):016x}", "name": "chat", "kind": 3,
        "startTimeUnixNano": str(start), "endTimeUnixNano": str(start + 10**9),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()], **more,
    }  # fmt: skip


def _otlp() -> dict[str, Any]:
    spoken = {
        "openinference.span.kind": "LLM", "input.value": TEXT, "output.value": TEXT, "llm.model_name": f"m {MAIL}",
        "user.id": MAIL, "session.id": MAIL, "metadata": json.dumps({"note": TEXT, MAIL: 1}),
        "llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": TEXT,
    }  # fmt: skip
    events = [{"name": "exception", "timeUnixNano": "0", "attributes": [
        {"key": "exception.message", "value": {"stringValue": TEXT}},
    ]}]  # fmt: skip
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": MAIL}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [_span(spoken, events=events)]}]}]}


def _run(**more: Any) -> dict[str, Any]:
    run = str(uuid.UUID(int=next(NUMBERS) + 2**64))
    began = timezone.now() - timedelta(minutes=1)
    return {
        "id": run, "trace_id": run, "dotted_order": f"{began:%Y%m%dT%H%M%S%f}Z{run}", "run_type": "chain",
        "name": f"ask {MAIL}", "start_time": began.isoformat(), "inputs": {"question": TEXT},
        "outputs": {"answer": TEXT},
        "error": TEXT, "tags": [MAIL], "extra": {"metadata": {"note": TEXT, "user_id": MAIL}},
        "session_name": MAIL, **more,
    }  # fmt: skip


def _langfuse(send: Sender, path: str, body: Any) -> Any:
    basic = base64.b64encode(f"pk:{send.secret}".encode()).decode()
    return send(f"/api/public/{path}", body, Authorization=f"Basic {basic}")


def _multipart(send: Sender) -> Any:
    run = _run()
    data = b""
    for name, value in ((f"post.{run['id']}", run), (f"post.{run['id']}.inputs", {"q": TEXT})):
        part = json.dumps(value).encode()
        head = f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: application/json\r\n'
        data += f"{head}Content-Length: {len(part)}\r\n\r\n".encode() + part + b"\r\n"
    return send("/langsmith/runs/multipart", data + b"--edge--\r\n", kind="multipart/form-data; boundary=edge")


def _said(about: str) -> list[dict[str, Any]]:
    return [
        {"type": "user_reason", "trace_id": about, "reason": "other", "comment": TEXT, "user_key": PHONE},
        {"type": "user_edit", "trace_id": about, "edited_output": TEXT},
        {"type": "implicit_followup", "trace_id": about, "text": TEXT},
        {"type": "implicit_copy", "trace_id": about, "text": TEXT},
        {"type": "judge_verdict", "trace_id": about, "judge": f"by {MAIL}", "verdict": "reject",
        "categories": [MAIL]},
    ]  # fmt: skip


def _token(send: Sender) -> Any:
    run = _run()
    send("/langsmith/runs", run)
    made = send("/langsmith/feedback/tokens", {"run_id": run["id"], "feedback_key": f"by {MAIL}"})
    url = made.json()["url"] if made.status_code < 300 else "/langsmith/feedback/tokens/none"
    path = "/langsmith" + url.partition("/langsmith")[2]
    return send(path, {"score": 0, "comment": TEXT, "value": TEXT, "correction": {"answer": TEXT}})


def _annotated(kind: str) -> Way:
    def way(send: Sender) -> Any:
        one = {"name": f"by {MAIL}", "annotator_kind": "HUMAN", "metadata": {"note": TEXT},
               "result": {"label": "thumbs-down", "score": 0, "explanation": TEXT}}  # fmt: skip
        about = {"trace_id": f"{7:032x}"} if kind == "trace" else {"span_id": f"{7:016x}"}
        more = {"document_position": 0} if kind == "document" else {}
        return send(f"/phoenix/v1/{kind}_annotations", {"data": [one | about | more]})

    return way


def _noted(send: Sender) -> Any:
    span = _span({"openinference.span.kind": "CHAIN", "input.value": "Hello?"})
    send("/phoenix/v1/traces", {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": [span]}]}]})
    return send("/phoenix/v1/span_notes", {"data": {"span_id": span["spanId"], "note": TEXT}})


# By the address's name: how texts come in by it.
DOORS: dict[str, Way] = {
    "api:send_cases": lambda send: send("/api/v1/cases", [planted(), planted(case_id=MAIL),
    planted(risk_level=TEXT)]),
    "api:send_traces": lambda send: send("/api/v1/traces", [planted_trace(), planted_trace(trace_id=MAIL),
    {"x": TEXT}]),
    "api:send_signals": lambda send: send("/api/v1/signals", [*_said("t-1"), signalled(trace_id=MAIL), {MAIL: TEXT}]),
    "api:send_feedback": lambda send: send("/api/v1/feedback", {
        "request_id": "r-1", "user_input": TEXT, "llm_output": TEXT, "edited_output": TEXT, "comment": TEXT,
        "reason": "other", "user_key": PHONE, "topic": MAIL, "prompt_version": MAIL, "model": MAIL, "release": IBAN,
        "explicit_rating": 1,
    }),
    "api:send_drift": lambda send: send("/api/v1/drift", {
        "report_id": "d-1", "topic": MAIL, "model": MAIL, "detector": MAIL, "detail": TEXT, "trace_ids": [MAIL],
    }),
    "api:send_complaints": lambda send: send("/api/v1/complaints", [
        {"text": TEXT, "channel": "ticket", "user_key": PHONE, "tags": [MAIL]}, {"text": TEXT, "complaint_id": MAIL},
    ]),
    "api:withdraw_consent": lambda send: send("/api/v1/consent/withdrawals", {"user_key": MAIL}),
    "api:assess": lambda send: send("/api/v1/assess", planted()),
    "api:send_labels": lambda send: send("/api/v1/labels?codebook=brought", [
        {"item": "i-1", "rater": MAIL, "categories": [{"key": "tone", "title": MAIL, "definition": TEXT}]},
        {"item": MAIL, "rater": MAIL, "verdict": TEXT},
    ]),
    "api:ask_for_verdict": lambda send: send(f"/api/v1/cases/{MAIL}", b"", method="GET"),
    "api:nowhere": lambda send: send(f"/api/v1/{MAIL}", {"text": TEXT}),
    "langfuse_scores": lambda send: _langfuse(send, "scores", {
        "id": "s-1", "traceId": "t-9", "name": f"by {MAIL}", "value": 0, "comment": TEXT, "metadata": {"note": TEXT},
    }),
    "langfuse_ingestion": lambda send: _langfuse(send, "ingestion", {"batch": [
        {"id": "e-1", "type": "trace-create", "timestamp": _past(), "body": {
            "id": "t-2", "name": f"ask {MAIL}", "userId": MAIL, "sessionId": MAIL, "input": {"question": TEXT},
            "output": TEXT, "metadata": {"note": TEXT, MAIL: 1}, "tags": [MAIL], "release": IBAN,
        }},
        {"id": "e-2", "type": "score-create", "timestamp": _past(), "body": {
            "id": "s-2", "traceId": "t-2", "name": "user-feedback", "value": 0, "comment": TEXT,
        }},
    ]}),
    "langfuse_traces": lambda send: _langfuse(send, "otel/v1/traces", _otlp()),
    "langfuse_nowhere": lambda send: _langfuse(send, f"prompts/{MAIL}", {"text": TEXT}),
    "langsmith_runs": lambda send: send("/langsmith/runs", _run()),
    "langsmith_batch": lambda send: send("/langsmith/runs/batch", {"post": [_run(), {"id": TEXT}], "patch": []}),
    "langsmith_multipart": _multipart,
    "langsmith_run": lambda send: send(f"/langsmith/runs/{(run := _run())['id']}", run, method="PATCH"),
    "langsmith_feedback": lambda send: send("/langsmith/feedback", {
        "id": str(uuid.uuid4()), "run_id": str(uuid.UUID(int=5)), "trace_id": str(uuid.UUID(int=5)),
        "key": f"by {MAIL}",
        "score": 0, "comment": TEXT, "value": TEXT, "correction": {"answer": TEXT},
    }),
    "langsmith_tokens": _token,
    "langsmith_token": _token,
    "langsmith_nowhere": lambda send: send(f"/langsmith/datasets/{MAIL}", {"text": TEXT}),
    "otlp_traces": lambda send: send("/v1/traces", _otlp()),
    "phoenix_traces": lambda send: send("/phoenix/v1/traces", _otlp()),
    "phoenix_spans": lambda send: send("/phoenix/v1/projects/support/spans", {"data": [{
        "name": f"ask {MAIL}", "context": {"trace_id": f"{3:032x}", "span_id": f"{3:016x}"}, "span_kind": "CHAIN",
        "start_time": _past(), "end_time": None, "status_code": "ERROR", "status_message": TEXT,
        "attributes": {"input": {"value": TEXT}, "output": {"value": TEXT}, "user": {"id": MAIL},
        "metadata": {MAIL: TEXT}},
    }]}),
    "phoenix_span_annotations": _annotated("span"),
    "phoenix_trace_annotations": _annotated("trace"),
    "phoenix_document_annotations": _annotated("document"),
    "phoenix_span_notes": _noted,
    "phoenix_nowhere": lambda send: send(f"/phoenix/v1/datasets/{MAIL}", {"text": TEXT}),
}  # fmt: skip
# Nothing is kept of what comes by these.
KEEPS_NOTHING = frozenset((
    "api:assess", "api:ask_for_verdict", "api:nowhere", "langfuse_nowhere", "langsmith_nowhere", "phoenix_nowhere",
))  # fmt: skip
# They take no text, or only say what there is.
SILENT = frozenset((
    "api:api-root", "api:openapi-json", "api:openapi-view", "langfuse_projects", "langfuse_health", "langsmith_info",
    "langsmith_sessions", "phoenix_projects",
))  # fmt: skip
