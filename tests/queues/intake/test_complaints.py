import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from hitl.access import tokens
from hitl.models import AuditEvent
from queues.intake import complaints
from queues.models import Complaint, IntakeSettings
from queues.traces.consent import cleaned_key
from tests.factories.hitl import TenantFactory

pytestmark = pytest.mark.django_db

URL = "/api/v1/complaints"
SENT = {"text": "I was told that I get my money back.", "complaint_id": "t-1", "user_key": "u-1", "channel": "ticket"}


@pytest.fixture
def tenant():
    tenant = TenantFactory(slug="acme", name="Acme")
    IntakeSettings.objects.create(tenant=tenant, takes_complaints=True)
    return tenant


def take(tenant, *rows):
    return complaints.complaints(rows, tenant=tenant, now=timezone.now(), source="test")


@pytest.fixture
def post(tenant):
    _, secret = tokens.issue(tenant=tenant, name="Tickets", scopes=["ingest"])

    def send(content, kind="application/json"):
        data = content if isinstance(content, str) else json.dumps(content)
        return Client().post(URL, data, content_type=kind, headers={"Authorization": f"Bearer {secret}"})

    return send


class TestTheDoor:
    def test_is_shut_until_the_tenant_opens_it_and_says_who_can(self, tenant, post):
        IntakeSettings.objects.update(takes_complaints=False)
        answer = post(SENT)
        assert answer.status_code == 403
        assert "Acme takes no complaints" in answer.json()["error"]
        assert not Complaint.objects.exists()

    def test_takes_one_many_and_lines(self, tenant, post):
        assert post(SENT).json() == {"accepted": 1, "duplicates": 0, "rejected": []}
        assert post([SENT | {"complaint_id": "t-2"}, SENT | {"complaint_id": "t-3"}]).json()["accepted"] == 2
        lines = "\n".join(json.dumps(SENT | {"complaint_id": f"t-{n}"}) for n in (4, 5))
        assert post(lines, "application/x-ndjson").json()["accepted"] == 2
        assert Complaint.objects.filter(tenant=tenant, state="open").count() == 5

    def test_names_what_is_wrong_and_takes_the_rest(self, tenant, post):
        late = (timezone.now() + timedelta(days=1)).isoformat()
        bad = [{"text": " "}, {"complaint_id": "x"}, SENT | {"about": late}, SENT | {"rating": 1}, 7]
        answer = post([*bad, SENT]).json()
        assert (answer["accepted"], [one["index"] for one in answer["rejected"]]) == (1, [0, 1, 2, 3, 4])
        assert "lies in the future" in answer["rejected"][2]["error"]
        assert "rating" in answer["rejected"][3]["error"]

    def test_says_what_it_kept_of_a_body_that_breaks_off(self, post):
        assert post("{").status_code == 400


class TestTheSameAgain:
    def test_is_stored_once_and_other_content_under_its_name_is_refused(self, tenant):
        assert take(tenant, SENT, SENT).duplicates == 1
        assert take(tenant, SENT).duplicates == 1
        conflict = take(tenant, SENT | {"text": "Something else"}).rejected[0].error
        assert "conflict" in conflict
        assert "Nothing was changed" in conflict
        assert Complaint.objects.get().text == SENT["text"]

    def test_without_a_name_is_told_by_its_content(self, tenant):
        assert take(tenant, {"text": "One"}, {"text": "Two"}).accepted == 2
        assert take(tenant, {"text": "One"}).duplicates == 1

    def test_of_another_tenant_is_another(self, tenant):
        other = TenantFactory()
        IntakeSettings.objects.create(tenant=other, takes_complaints=True)
        take(tenant, SENT)
        assert take(other, SENT).accepted == 1


class TestWhatIsStored:
    def test_has_nothing_personal_in_it(self, tenant):
        take(
            tenant,
            {
                "text": "Write to jane.doe@example.org",
                "user_key": "jane.doe@example.org",
                "tags": ["jane.doe@example.org"],
            },
        )
        stored = Complaint.objects.get()
        assert "jane" not in f"{stored.text}{stored.user_key}{stored.tags}"
        assert stored.user_key == cleaned_key("jane.doe@example.org", tenant)

    def test_is_refused_under_a_personal_name(self, tenant):
        assert "e-mail" in take(tenant, SENT | {"complaint_id": "jane.doe@example.org"}).rejected[0].error

    def test_is_on_record_by_number_not_by_word(self, tenant):
        take(tenant, SENT, {})
        event = AuditEvent.objects.get(action="complaints.received")
        assert event.detail == {"accepted": 1, "duplicates": 0, "rejected": 1, "source": "test"}
