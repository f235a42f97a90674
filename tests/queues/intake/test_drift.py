import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from hitl.access import tokens
from hitl.models import AuditEvent
from queues.models import DriftReport
from queues.sampling import reports
from tests.factories.hitl import TenantFactory

pytestmark = pytest.mark.django_db

DRIFT = "/api/v1/drift"


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme")


@pytest.fixture
def headers(tenant):
    _, secret = tokens.issue(tenant=tenant, name="monitoring", scopes=["ingest"])
    return {"Authorization": f"Bearer {secret}"}


def report(**change):
    return {"report_id": "drift-1", "topic": "refund", "detector": "embedding-drift", "score": 0.41, **change}


def post(rows, headers):
    return Client().post(DRIFT, json.dumps(rows), content_type="application/json", headers=headers)


def refused(row, headers):
    answer = post(row, headers).json()
    assert answer["accepted"] == 0
    return answer["rejected"][0]["error"]


class TestAReport:
    def test_holds_for_a_day_and_asks_for_twenty_where_nothing_else_is_said(self, tenant, headers):
        assert post(report(), headers).json() == {"accepted": 1, "duplicates": 0, "rejected": []}
        stored = DriftReport.objects.get()
        assert (stored.tenant, stored.topic, stored.detector, stored.score) == (
            tenant,
            "refund",
            "embedding-drift",
            0.41,
        )
        assert (stored.wanted, stored.until - stored.at) == (20, timedelta(days=1))

    def test_names_any_slice_or_a_cluster_by_its_traces(self, tenant, headers):
        rows = [
            report(report_id="a", topic="", release="2026.11.2", prompt_version="p-7", model="large", language="DE-at"),
            report(report_id="b", topic="", trace_ids=["t-1", "t-2"]),
        ]
        assert post(rows, headers).json()["accepted"] == 2
        found = {one.external_id: one for one in DriftReport.objects.all()}
        assert reports.words(found["a"]).startswith("language German (Austria), model large")
        assert reports.words(found["b"]) == "a cluster of 2 traces"

    def test_the_same_again_is_a_duplicate_and_another_of_that_name_a_conflict(self, tenant, headers):
        post(report(), headers)
        assert post([report(), report()], headers).json()["duplicates"] == 2
        assert "conflict" in refused(report(wanted=5), headers)
        assert DriftReport.objects.get().wanted == 20

    def test_without_a_name_the_same_content_is_the_same_report(self, tenant, headers):
        row = report(report_id=None)
        assert post(row, headers).json()["accepted"] == 1
        assert post(row, headers).json()["duplicates"] == 1

    def test_one_bad_row_stops_no_other(self, tenant, headers):
        answer = post([report(report_id="a"), {"topic": 3}, report(report_id="b")], headers).json()
        assert (answer["accepted"], [one["index"] for one in answer["rejected"]]) == (2, [1])

    def test_personal_data_in_it_is_not_stored(self, tenant, headers):
        post(report(detail="Asked by anna.maier@example.com", detector="anna.maier@example.com"), headers)
        stored = DriftReport.objects.get()
        assert "anna.maier" not in stored.detail + stored.detector

    def test_is_on_record(self, tenant, headers):
        post(report(), headers)
        event = AuditEvent.objects.get(action="drift.reported")
        assert (event.tenant_id, event.detail["accepted"]) == (tenant.pk, 1)


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"topic": ""}, "one of them is needed, or nobody knows which traces are meant"),
            ({"wanted": 0}, "wanted:"),
            ({"language": "xx-nothing-like-it"}, "language:"),
            ({"topik": "refund"}, "topik"),
            ({"report_id": "anna.maier@example.com"}, "report_id: holds an e-mail address"),
        ],
    )
    def test_says_why(self, headers, change, said):
        assert said in refused(report(**change), headers)

    def test_times_that_cannot_be(self, headers):
        now = timezone.now()
        assert "lies in the future" in refused(report(at=(now + timedelta(hours=2)).isoformat()), headers)
        assert "until: is over" in refused(report(until=(now - timedelta(hours=2)).isoformat()), headers)
        assert "31 days" in refused(report(until=(now + timedelta(days=60)).isoformat()), headers)

    def test_a_token_that_may_not_and_none(self, tenant):
        _, secret = tokens.issue(tenant=tenant, name="page", scopes=["feedback"])
        assert post(report(), {"Authorization": f"Bearer {secret}"}).status_code == 403
        assert post(report(), {}).status_code == 401


class TestWhichAreHeeded:
    def test_the_strongest_first_and_each_only_while_it_lasts(self, tenant, headers):
        now = timezone.now()
        post([report(report_id="weak", score=0.1), report(report_id="strong", score=0.9)], headers)
        post(report(report_id="unsaid", score=None), headers)
        names = [one.external_id for one, _ in reports.open_reports(tenant, timezone.now())]
        assert names == ["strong", "weak", "unsaid"]
        assert reports.open_reports(tenant, now + timedelta(days=2)) == []
        assert reports.open_reports(TenantFactory(), timezone.now()) == []
