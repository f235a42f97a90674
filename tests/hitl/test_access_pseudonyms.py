import hashlib
import hmac
import importlib

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from hitl.access import pseudonyms
from hitl.audit.models import AuditEvent
from hitl.models import Tenant
from queues import scrubbing
from queues.scrubbing import scrubbed
from tests.factories.hitl import TenantFactory

pytestmark = pytest.mark.django_db

TEXT = "Write to anna@example.org."


@pytest.fixture(autouse=True)
def _another_process():
    scrubbing._opened.cache_clear()
    yield
    scrubbing._opened.cache_clear()


def change_secret_key(settings, *, keep):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if keep else []
    settings.SECRET_KEY = "another key of the installation"
    scrubbing._opened.cache_clear()


def test_a_person_keeps_their_pseudonym_when_the_installations_key_changes(settings):
    tenant = TenantFactory()
    before = scrubbed(TEXT, tenant)
    assert "anna" not in before
    change_secret_key(settings, keep=True)
    assert scrubbed(TEXT, Tenant.objects.get(pk=tenant.pk)) == before


def test_each_tenant_has_pseudonyms_of_its_own():
    assert scrubbed(TEXT, TenantFactory()) != scrubbed(TEXT, TenantFactory())


def test_the_key_is_not_in_the_database_in_clear():
    tenant = TenantFactory()
    assert pseudonyms.opened(tenant.scrub_key) not in tenant.scrub_key


def test_without_the_key_nothing_is_scrubbed_rather_than_otherwise(settings):
    tenant = TenantFactory()
    change_secret_key(settings, keep=False)
    with pytest.raises(pseudonyms.Unreadable, match="HITL_SECRET_KEY_FALLBACKS"):
        scrubbed(TEXT, tenant)


def test_after_a_lost_key_the_tenant_gets_another_and_the_record_says_so(settings, capsys):
    tenant = TenantFactory(slug="acme")
    before = scrubbed(TEXT, tenant)
    call_command("new_pseudonyms")
    assert capsys.readouterr().out == "The keys of all tenants can be read. Nothing was changed.\n"
    change_secret_key(settings, keep=False)
    healthy = TenantFactory()
    call_command("new_pseudonyms")
    assert "acme has a new key" in capsys.readouterr().out
    tenant.refresh_from_db()
    assert scrubbed(TEXT, tenant) not in ("", TEXT, before)
    assert Tenant.objects.get(pk=healthy.pk).scrub_key == healthy.scrub_key
    assert [event.subject for event in AuditEvent.objects.filter(action="tenant.pseudonyms_renewed")] == [
        f"tenant:{tenant.pk}"
    ]


def test_tenants_from_before_keep_the_pseudonyms_they_had(settings):
    tenant = TenantFactory()
    Tenant.objects.update(scrub_key=b"")
    importlib.import_module("hitl.migrations.0006_scrub_key").keep_keys(apps, connection.schema_editor())
    tenant.refresh_from_db()
    before = hmac.digest(settings.SECRET_KEY.encode(), f"scrub:{tenant.pk}".encode(), hashlib.sha256)
    assert scrubbing.key_of(tenant) == before
