import json

import pytest

from codebook.models import Label
from hitl.access import tokens
from tests.factories.codebook import published
from tests.factories.hitl import TenantFactory
from tests.factories.queues import CaseFactory, LaneFactory

pytestmark = pytest.mark.django_db
ROW = {"item": "c-1", "rater": "anna", "verdict": "reject", "categories": ["tone"]}


@pytest.fixture
def lane():
    lane = LaneFactory(tenant=TenantFactory(slug="acme"))
    CaseFactory(tenant=lane.tenant, queue=lane.queue, external_id="c-1")
    published(lane.queue, keys=("tone",))
    return lane


def send(client, lane, body, *, scopes=("ingest",), kind="application/json", **query):
    _, secret = tokens.issue(tenant=lane.tenant, name="A test", scopes=scopes)
    query = {"codebook": lane.queue.codebook_use.codebook.slug} | query
    return client.post(
        "/api/v1/labels", body, content_type=kind, query_params=query, headers={"Authorization": f"Bearer {secret}"}
    )


def test_good_rows_are_taken_and_each_other_is_named(client, lane):
    answer = send(client, lane, json.dumps([ROW, {**ROW, "item": "c-2"}]))
    assert answer.status_code == 200
    told = answer.json()
    assert (told["accepted"], told["duplicates"], told["codebook_version"]) == (1, 0, 2)
    assert [(one["index"], one["item"]) for one in told["rejected"]] == [(1, "c-2")]


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
def test_one_label_alone_is_taken_in_either_form(client, lane, kind):
    assert send(client, lane, json.dumps(ROW), kind=kind).json()["accepted"] == 1
    assert Label.objects.count() == 1


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"codebook": "nowhere"}, 404),
        ({"codebook": "a\x00b"}, 404),
        ({"version": ""}, 422),
        ({"version": "x" * 200}, 422),
    ],
)
def test_a_codebook_or_a_name_that_is_none_is_said(client, lane, query, status):
    answer = send(client, lane, json.dumps(ROW), **query)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_codebook_that_decides_no_case_of_the_tenant_is_not_there(client, lane):
    other = published(LaneFactory().queue).codebook
    assert send(client, lane, json.dumps(ROW), codebook=other.slug).status_code == 404


def test_a_token_for_something_else_is_refused(client, lane):
    assert send(client, lane, json.dumps(ROW), scopes=("export",)).status_code == 403
    assert not Label.objects.exists()


@pytest.mark.parametrize(("body", "status"), [(" ", 400), ("[", 400), ("7", 400)])
def test_a_body_that_cannot_be_read_is_refused_whole(client, lane, body, status):
    answer = send(client, lane, body)
    assert answer.status_code == status
    assert answer.json()["error"]
