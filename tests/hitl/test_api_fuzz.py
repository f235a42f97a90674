"""The API does what its own document says, whatever comes: fuzzed through the document against a running server.

Needs the group fuzz (`uv sync --group fuzz`).
"""

import json

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings

from hitl.access import tokens
from hitl.api import api
from queues.intake import receive
from tests.factories.codebook import CodebookFactory, published
from tests.factories.hitl import TenantFactory
from tests.factories.intake import sent
from tests.factories.queues import LaneFactory, RoutingRuleFactory

schemathesis = pytest.importorskip("schemathesis", reason="the group fuzz is not installed")

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, databases=["default", "owner"])]

# What no pattern tells: which tags are languages, which addresses may be called; and what the fuzzer takes \p{C} for.
UNTOLD = ("language: ", "callback_url: ", "cannot be seen")
BY_ROW = ("/cases", "/traces", "/signals", "/labels", "/feedback", "/drift", "/complaints")
BOUNDED = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@schemathesis.serializer("application/x-ndjson")
def lines(ctx, value):
    """Half of the time as it is, else as text that looks like lines of JSON."""
    return (value if isinstance(value, str) else "\n").encode("utf-8", "surrogatepass")


@pytest.fixture
def headers(db):
    rule = RoutingRuleFactory(name="Everything")
    tenant = TenantFactory(slug="acme")
    published(LaneFactory(queue=rule.queue, tenant=tenant).queue, codebook=CodebookFactory(slug="support"))
    # Through the door, so that it has its receipt, and a case of the same name is a conflict.
    receive.cases([sent(case_id="0")], tenant=tenant, now=timezone.now(), source="fuzz")
    _, secret = tokens.issue(tenant=tenant, name="fuzz", scopes=["ingest"])
    return {"Authorization": f"Bearer {secret}"}


# As it is published: through JSON, as a client reads it.
schema = schemathesis.openapi.from_dict(json.loads(json.dumps(api.get_openapi_schema())))
# Every keyword of every field once: five thousand requests, which are made up before any test begins.
schema.config.phases.coverage.enabled = False


@schema.parametrize()
@BOUNDED
def test_every_answer_is_one_the_document_names(case, live_server, headers):
    if isinstance(case.query.get("codebook"), str) and len(case.query["codebook"]) % 2:
        # Drawn at random, it would never be one that is there.
        case.query["codebook"] = "support"
    answer = case.call(base_url=live_server.url, headers=headers)
    checks = schemathesis.checks
    excluded = []
    if case.operation.path.endswith(BY_ROW):
        # Rows are refused one by one inside a 200, so that one bad row is no reason to refuse the others.
        excluded.append(checks.negative_data_rejection)
    if answer.status_code == 422 and any(said in answer.json()["error"] for said in UNTOLD):
        excluded.append(checks.positive_data_acceptance)
    case.validate_response(answer, headers=headers, excluded_checks=excluded)
