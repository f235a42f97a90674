"""Which pages may send feedback: of the origins that the tenant names, and to that one address."""

import json

import pytest
from django.test import Client

from hitl.access import tokens
from queues.models import IntakeSettings, Signal
from tests.factories.hitl import TenantFactory

pytestmark = pytest.mark.django_db

URL = "/api/v1/feedback"
SHOP = "https://shop.example"
ASKS = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}
SAID = json.dumps({
    "trace_id": "t-1", "consent": {"evaluation": True}, "signals": [{"type": "user_rating", "thumbs": "up"}]
})  # fmt: skip
ALLOW = "Access-Control-Allow-Origin"


@pytest.fixture
def tenant():
    return named("acme", SHOP)


def named(slug, *origins):
    tenant = TenantFactory(slug=slug)
    IntakeSettings.objects.create(tenant=tenant, origins=list(origins))
    return tenant


def preflight(origin, path=URL):
    return Client().options(path, headers={"Origin": origin, **ASKS})


def send(tenant, origin=None, scopes=("feedback",), secret=None):
    secret = secret or tokens.issue(tenant=tenant, name="page", scopes=scopes)[1]
    headers = {"Authorization": f"Bearer {secret}"} | ({"Origin": origin} if origin else {})
    return Client().post(URL, SAID, content_type="application/json", headers=headers)


def test_a_browser_that_asks_beforehand_is_answered(tenant):
    answer = preflight(SHOP)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers[ALLOW] == SHOP
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert {"authorization", "content-type"} <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example", "http://shop.example", "https://shop.example:8443", "https://www.shop.example",
        "https://shop.example.evil.example", "https://shop.example/", "HTTPS://SHOP.EXAMPLE", "null", "*", "x" * 9000,
    ],
)  # fmt: skip
def test_only_the_very_origin_is_let_in(tenant, origin):
    assert preflight(origin).status_code == 403
    assert ALLOW not in preflight(origin).headers
    answer = send(tenant, origin)
    assert answer.status_code == 403
    assert ALLOW not in answer.headers
    assert Signal.objects.count() == 0


def test_a_page_of_nowhere_is_let_in_by_no_setting():
    tenant = named("acme", "null", "*", "")
    for origin in ("null", SHOP):
        assert preflight(origin).status_code == 403
        assert send(tenant, origin).status_code == 403


def test_a_page_may_read_what_is_answered_and_no_cookie_goes_along(tenant):
    answer = send(tenant, SHOP)
    assert answer.status_code == 200
    assert answer.headers[ALLOW] == SHOP
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert Signal.objects.get().source == "page"


def test_a_page_may_read_why_it_was_refused(tenant):
    assert send(tenant, SHOP, secret="hitl_nonsense").headers[ALLOW] == SHOP
    IntakeSettings.objects.update(feedback_per_minute=0)
    answer = send(tenant, SHOP)
    assert (answer.status_code, answer.headers[ALLOW]) == (429, SHOP)


def test_the_page_of_one_tenant_does_not_use_anothers_token(tenant):
    other = named("other", "https://other.example")
    answer = send(other, SHOP)
    assert answer.status_code == 403
    assert "origin" in answer.json()["error"]
    assert Signal.objects.count() == 0


@pytest.mark.parametrize("scopes", [("ingest",), ("feedback", "ingest"), ("feedback", "deploy")])
def test_a_token_for_more_than_feedback_does_not_work_in_a_page(tenant, scopes):
    answer = send(tenant, SHOP, scopes)
    assert answer.status_code == 403
    assert "Revoke it" in answer.json()["error"]
    assert Signal.objects.count() == 0


def test_a_program_is_of_no_origin(tenant):
    assert send(tenant).status_code == 200
    assert ALLOW not in send(tenant).headers


@pytest.mark.parametrize(
    "path", ["cases", "cases/x", "signals", "traces", "assess", "labels", "docs", "openapi.json", "x"]
)
def test_no_other_address_is_open_to_pages(tenant, path):
    for answer in (preflight(SHOP, f"/api/v1/{path}"), Client().get(f"/api/v1/{path}", headers={"Origin": SHOP})):
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_asking_what_is_done_here_is_no_preflight(tenant):
    assert Client().options(URL, headers={"Origin": SHOP}).status_code == 405
