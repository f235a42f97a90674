"""Seeing what is masked in a case or a trace: who may, and what the page says."""

import pytest
from django.utils import timezone

from hitl.audit.models import AuditEvent
from queues.intake import receive
from queues.masks import passing
from queues.models import Case, IntakeSettings, VaultEntry
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.intake import sent
from tests.factories.queues import RoutingRuleFactory
from tests.factories.traces import TraceFactory

pytestmark = pytest.mark.django_db
MAIL = "ann.lee@example.org"


@pytest.fixture
def tenant():
    tenant = TenantFactory(slug="acme", name="Acme")
    IntakeSettings.objects.create(tenant=tenant, keeps_vault=True)
    return tenant


@pytest.fixture
def case(tenant):
    passing.forget(tenant.pk)
    rule = RoutingRuleFactory()
    receive.cases([sent(user_question=f"I am {MAIL}")], tenant=tenant, now=timezone.now(), source="api")
    case = Case.objects.get()
    assert case.queue == rule.queue
    return case


@pytest.fixture
def lead(tenant, case):
    return grant(grant(UserFactory(), "lead_tenant", tenant), "lead_queue", case.queue)


@pytest.fixture
def revealer(lead, tenant):
    return grant(lead, "reveal_tenant", tenant)


def url(case):
    return f"/cases/{case.pk}/masked/"


class TestWhoMay:
    def test_a_lead_without_the_permission_finds_nothing_and_no_link(self, sign_in, lead, case):
        client = sign_in(lead)
        assert client.get(url(case)).status_code == 404
        assert client.post(url(case), {"reason": "I want to see it"}).status_code == 404
        assert "What is masked" not in client.get(f"/cases/{case.pk}/").text

    def test_the_permission_without_the_case_is_not_enough(self, sign_in, tenant, case):
        client = sign_in(grant(UserFactory(), "reveal_tenant", tenant))
        assert client.get(url(case)).status_code == 404

    def test_the_permission_in_another_tenant_is_not_enough(self, sign_in, lead, case):
        client = sign_in(grant(lead, "reveal_tenant", TenantFactory()))
        assert client.get(url(case)).status_code == 404

    def test_whoever_has_both_is_led_there(self, sign_in, revealer, case):
        assert url(case) in sign_in(revealer).get(f"/cases/{case.pk}/").text


class TestThePage:
    def test_asks_for_a_reason_first(self, sign_in, revealer, case):
        client = sign_in(revealer)
        page = client.get(url(case))
        assert "Show 1 value" in page.text
        assert MAIL not in page.text
        refused = client.post(url(case), {"reason": "x"})
        assert (refused.status_code, MAIL in refused.text) == (422, False)
        assert not AuditEvent.objects.filter(action="pii.revealed").exists()

    def test_shows_the_values_once_and_is_kept_nowhere(self, sign_in, revealer, case):
        client = sign_in(revealer)
        page = client.post(url(case), {"reason": "She asks for her data"})
        assert (page.status_code, MAIL in page.text) == (200, True)
        assert "no-store" in page["Cache-Control"]
        assert MAIL not in client.get(url(case)).text
        assert MAIL not in str(list(AuditEvent.objects.values()))

    def test_says_where_there_is_no_vault(self, sign_in, revealer, case):
        IntakeSettings.objects.update(keeps_vault=False)
        VaultEntry.objects.all().delete()
        client = sign_in(revealer)
        assert "keeps no vault" in client.get(url(case)).text
        assert "keeps no vault" in client.post(url(case), {"reason": "She asks for her data"}).text
        assert not AuditEvent.objects.filter(action="pii.revealed").exists()

    def test_says_where_nothing_is_masked(self, sign_in, revealer, case):
        Case.objects.filter(pk=case.pk).update(question="Nothing", user_key="")
        assert "Nothing is masked here" in sign_in(revealer).get(url(case)).text

    def test_of_a_trace(self, sign_in, revealer, tenant):
        trace = TraceFactory(tenant=tenant, input="I am [EMAIL_abcdefgh]")
        client = sign_in(revealer)
        path = f"/tenants/acme/traces/{trace.pk}/masked/"
        assert path in client.get(f"/tenants/acme/traces/{trace.pk}/").text
        assert "nothing is kept" in client.post(path, {"reason": "A complaint came"}).text
