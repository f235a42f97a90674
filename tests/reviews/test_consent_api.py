import json

import pytest
from django.test import Client

from hitl.access import tokens
from queues.models import ConsentWithdrawal
from reviews import consent_api
from reviews.datasets.holding import Held
from tests.factories.hitl import TenantFactory
from tests.factories.traces import SignalFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant():
    return TenantFactory()


@pytest.fixture
def post(tenant):
    _, secret = tokens.issue(tenant=tenant, name="Product", scopes=["ingest"])

    def send(content):
        return Client().post(
            "/api/v1/consent/withdrawals", json.dumps(content), content_type="application/json",
            headers={"Authorization": f"Bearer {secret}"},
        )  # fmt: skip

    return send


def test_a_user_is_out_of_all_datasets_to_come(tenant, post):
    signal = SignalFactory(tenant=tenant, user_key="u-1", may_train=True)
    (done,) = post({"user_key": "u-1"}).json()["withdrawals"]
    assert (done["signals"], done["datasets"]) == (1, [])
    signal.refresh_from_db()
    assert not signal.may_train
    assert ConsentWithdrawal.objects.get().by is None


def test_it_says_which_earlier_datasets_held_them(post, monkeypatch):
    monkeypatch.setattr(consent_api, "holding", lambda tenant, key: [Held("preferences", 3, 12)])
    (done,) = post({"user_key": "u-1"}).json()["withdrawals"]
    assert done["datasets"] == [{"dataset": "preferences", "version": 3, "rows": 12}]


@pytest.mark.parametrize("wrong", [{}, {"user_key": ""}, {"user_key": 7}, {"user": "u-1"}, "u-1"])
def test_if_one_is_wrong_none_is_carried_out_and_it_says_which(post, wrong):
    answer = post([{"user_key": "u-1"}, wrong])
    assert answer.status_code == 422
    assert "Row 1" in answer.json()["error"]
    assert not ConsentWithdrawal.objects.exists()


def test_more_than_a_request_may_hold_are_refused(post):
    assert post([{"user_key": "u"}] * (consent_api.AT_ONCE + 1)).status_code == 413
