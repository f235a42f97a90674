import pytest
from django.core.exceptions import ValidationError

from hitl.models import AuditEvent
from queues.intake import changing
from queues.intake.settings_form import origin
from queues.models import IntakeSettings
from tests.factories.hitl import TenantFactory, UserFactory, grant

pytestmark = pytest.mark.django_db

URL = "/tenants/acme/intake/"
SENT = {"trace_days": "30", "takes_complaints": "on", "origins": "", "feedback_per_minute": "60"}


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme", name="Acme")


@pytest.fixture
def lead(sign_in, tenant):
    return sign_in(grant(UserFactory(), "lead_tenant", tenant))


def test_a_tenant_without_settings_shows_the_defaults_and_stores_nothing(lead, tenant):
    page = lead.get(URL).content.decode()
    assert 'value="90"' in page
    assert not IntakeSettings.objects.exists()


def test_what_is_saved_holds_and_is_on_record_once(lead, tenant):
    assert "on record" in lead.post(URL, SENT, follow=True).content.decode()
    settings = IntakeSettings.of(tenant)
    assert (settings.trace_days, settings.takes_complaints, settings.keeps_vault) == (30, True, False)
    assert "Nothing changed" in lead.post(URL, SENT, follow=True).content.decode()
    event = AuditEvent.objects.get(action="intake.changed")
    assert (event.subject, event.detail) == (f"tenant:{tenant.pk}", {"trace_days": 30, "takes_complaints": True})


def test_origins_are_kept_as_a_browser_names_them(lead, tenant):
    lines = "https://Shop.example.com/cart?x=1\nhttp://localhost:8080\nhttps://shop.example.com:443\nhttps://müller.de"
    lead.post(URL, SENT | {"origins": lines})
    named = ["https://shop.example.com", "http://localhost:8080", "https://xn--mller-kva.de"]
    assert IntakeSettings.of(tenant).origins == named


@pytest.mark.parametrize(
    "address", ["shop.example.com", "*", "https://*.example.com", "null", "ftp://x.de", "https://me@x.de", "http://x:y"]
)
def test_what_is_no_origin_is_refused_in_words(address):
    with pytest.raises(ValidationError, match="no origin"):
        origin(address)


@pytest.mark.parametrize(
    "wrong", [{"trace_days": "0"}, {"trace_days": "9999"}, {"feedback_per_minute": "0"}, {"origins": "shop"}]
)
def test_what_cannot_be_is_refused_and_changes_nothing(lead, tenant, wrong):
    assert lead.post(URL, SENT | wrong).status_code == 422
    assert not IntakeSettings.objects.exists()
    assert not AuditEvent.objects.filter(action="intake.changed").exists()


def test_it_stands_on_the_tenants_page_and_is_for_its_leads_alone(lead, sign_in, tenant):
    assert URL in lead.get("/tenants/acme/").content.decode()
    assert sign_in(grant(UserFactory(), "work_in_tenant", tenant)).get(URL).status_code == 404


def test_a_configuration_file_changes_it_by_the_same_verb(tenant):
    assert changing.change(tenant=tenant, by=None, fields={"trace_days": 10}, actor_name="file") == ["trace_days"]
    assert AuditEvent.objects.get(action="intake.changed").actor_name == "file"
