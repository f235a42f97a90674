import re

import pytest
from django.db import DatabaseError

from hitl.api import api

pytestmark = pytest.mark.django_db


def test_the_openapi_document_names_every_operation_its_token_and_its_errors(client):
    document = client.get("/api/v1/openapi.json").json()
    assert {
        "/api/v1/cases",
        "/api/v1/cases/{case_id}",
        "/api/v1/assess",
        "/api/v1/signals",
        "/api/v1/feedback",
        "/api/v1/labels",
    } <= document["paths"].keys()
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["security"] == [{"Bearer": []}]
            assert {"200", "401", "403"} <= operation["responses"].keys()
    case = document["components"]["schemas"]["EscalatedCase"]
    assert case["required"] == ["case_id", "user_question", "model_draft", "risk_level"]
    assert case["additionalProperties"] is False


def test_every_reference_in_the_document_leads_somewhere(client):
    text = client.get("/api/v1/openapi.json").text
    schemas = client.get("/api/v1/openapi.json").json()["components"]["schemas"]
    assert set(re.findall(r'"#/components/schemas/(\w+)"', text)) <= schemas.keys()


def test_the_documentation_is_a_page_without_a_script_of_its_own(client):
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    assert "Content-Security-Policy" in page.headers
    assert "evidence[].document_id" in page.text
    assert "at most 200,000 characters" in page.text
    scripts = re.findall(r"<script[^>]*>", page.text)
    assert all("src=" in script for script in scripts)
    assert "http" not in "".join(scripts)


@pytest.mark.parametrize(
    ("method", "path"), [("get", "cases"), ("put", "cases"), ("post", "cases/x"), ("get", "assess")]
)
def test_a_method_that_is_not_done_is_told_which_is(client, method, path):
    answer = getattr(client, method)(f"/api/v1/{path}")
    assert answer.status_code == 405
    assert answer.json()["error"].endswith(f"use {answer.headers['Allow']}.")


@pytest.mark.parametrize("path", ["nothing", "cases/a%0Ab/", "cases/", ""])
def test_an_address_that_leads_nowhere_says_so_in_the_same_shape(client, path):
    answer = client.post(f"/api/v1/{path}", "{}", content_type="application/json")
    assert answer.status_code in (404, 405)
    assert answer.json()["error"]


def test_a_database_that_is_away_is_said_and_the_same_may_be_sent_again(client, monkeypatch):
    def away(*_args, **_kwargs):
        raise DatabaseError("secret detail")

    monkeypatch.setattr("hitl.access.tokens.authenticate", away)
    answer = client.get("/api/v1/cases/x")
    assert answer.status_code == 503
    assert "Try again" in answer.json()["error"]
    assert "secret" not in answer.text


def test_a_fault_of_ours_is_a_sentence_and_a_line_in_the_log(client, monkeypatch, caplog):
    def broken(*_args, **_kwargs):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("hitl.access.tokens.authenticate", broken)
    answer = client.get("/api/v1/cases/x")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "secret detail" in caplog.text


def test_operations_have_names_of_their_own():
    names = [
        operation["operationId"]
        for methods in api.get_openapi_schema()["paths"].values()
        for operation in methods.values()
    ]
    assert len(names) == len(set(names))
