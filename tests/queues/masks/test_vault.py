"""The vault: what goes in, what does not, and how it is read again."""

import pytest
from django.utils import timezone

from hitl.audit.models import AuditEvent
from queues.intake import receive
from queues.masks import passing, revealing, vault
from queues.models import Case, IntakeSettings, VaultEntry
from queues.scrubbing import scrubbed
from tests.factories.hitl import TenantFactory, UserFactory
from tests.factories.intake import sent
from tests.factories.queues import RoutingRuleFactory
from tests.factories.traces import TraceFactory

pytestmark = pytest.mark.django_db
MAIL = "ann.lee@example.org"


@pytest.fixture
def tenant():
    RoutingRuleFactory()
    tenant = TenantFactory(slug="acme", name="Acme")
    IntakeSettings.objects.create(tenant=tenant, keeps_vault=True)
    return tenant


@pytest.fixture
def lead():
    return UserFactory()


def take(tenant, *rows):
    return receive.cases(rows, tenant=tenant, now=timezone.now(), source="api")


class TestWhatIsKept:
    def test_values_behind_the_masks_of_what_was_stored_once_each_and_sealed(self, tenant):
        take(tenant, sent(user_question=f"I am {MAIL}, {MAIL.upper()}"), sent(user_question=f"Ask {MAIL}"))
        entry = VaultEntry.objects.get()
        assert (entry.kind, entry.token) == ("email", scrubbed(MAIL, tenant))
        assert MAIL.encode() not in bytes(entry.sealed)
        assert [one.value for one in vault.opened(tenant_id=tenant.pk, tokens=[entry.token])] == [MAIL]

    def test_nothing_of_a_row_that_was_refused_or_only_looked_at(self, tenant):
        take(tenant, sent(user_question=f"I am {MAIL}", risk_level="nonsense"))
        receive.look([sent(user_question=f"I am {MAIL}")], tenant=tenant, now=timezone.now())
        assert not VaultEntry.objects.exists()

    def test_nothing_where_the_tenant_keeps_none_and_memory_lets_it_go(self, tenant):
        IntakeSettings.objects.update(keeps_vault=False)
        take(tenant, sent(user_question=f"I am {MAIL}"))
        assert not VaultEntry.objects.exists()
        assert not passing.has(tenant.pk)

    def test_nothing_of_a_transaction_that_was_rolled_back(self, tenant, monkeypatch):
        monkeypatch.setattr("queues.intake.storing.placing.open_slots", lambda *args, **more: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            take(tenant, sent(user_question=f"I am {MAIL}"))
        assert not VaultEntry.objects.exists()

    def test_another_tenant_cannot_read_it(self, tenant):
        take(tenant, sent(user_question=f"I am {MAIL}"))
        VaultEntry.objects.update(tenant=TenantFactory())
        (entry,) = VaultEntry.objects.all()
        assert [one.value for one in vault.opened(tenant_id=entry.tenant_id, tokens=[entry.token])] == [None]

    def test_a_lost_key_is_said_and_breaks_nothing(self, tenant, settings):
        take(tenant, sent(user_question=f"I am {MAIL}"))
        token = VaultEntry.objects.get().token
        settings.SECRET_KEY = "another" * 8
        assert [one.value for one in vault.opened(tenant_id=tenant.pk, tokens=[token])] == [None]

    def test_memory_is_bounded(self, tenant, monkeypatch):
        monkeypatch.setattr(passing, "MOST", 3)
        for number in range(9):
            scrubbed(f"user{number}@example.org", tenant)
        kept = [scrubbed(f"user{number}@example.org", tenant) for number in range(9)][-3:]
        assert set(passing.among(tenant.pk, kept)) == set(kept)


class TestEmptying:
    def test_is_refused_while_values_are_kept(self, tenant, lead):
        with pytest.raises(vault.Refused, match="Switch that off first"):
            vault.empty(tenant=tenant, by=lead)

    def test_forgets_the_tenants_values_on_record_and_nobody_elses(self, tenant, lead):
        take(tenant, sent(user_question=f"I am {MAIL}"))
        other = TenantFactory()
        VaultEntry.objects.create(tenant=other, token="[EMAIL_aaaaaaaa]", kind="email", sealed=b"x",
                                  first_seen_at=timezone.now())  # fmt: skip
        IntakeSettings.objects.update(keeps_vault=False)
        assert vault.empty(tenant=tenant, by=lead) == 1
        assert VaultEntry.objects.get().tenant == other
        assert AuditEvent.objects.get(action="vault.emptied").detail == {"values": 1}


class TestRevealing:
    def test_shows_the_masks_of_one_case_and_records_kinds_and_reason_alone(self, tenant, lead):
        take(tenant, sent(user_question=f"I am {MAIL}, Dear Anna,"), sent(user_question="I am bob@example.org"))
        case = Case.objects.get(question__contains="NAME")
        shown = revealing.of_case(case=case, by=lead, reason=f"{MAIL} asks for\x00 her  data")
        assert (shown.masked, {one.value for one in shown.values}) == (2, {MAIL, "Anna"})
        event = AuditEvent.objects.get(action="pii.revealed")
        assert (event.subject, event.actor_id, event.tenant_id) == (f"case:{case.pk}", lead.pk, tenant.pk)
        assert event.detail == {
            "kinds": {"email": 1, "name": 1}, "masks": 2, "reason": f"{scrubbed(MAIL, tenant)} asks for her data",
        }  # fmt: skip

    def test_says_how_many_masks_have_nothing_behind_them(self, tenant, lead):
        trace = TraceFactory(tenant=tenant, input="[EMAIL_abcdefgh] and [PHONE_abcdefgh]")
        shown = revealing.of_trace(trace=trace, by=lead, reason="A complaint came")
        assert (shown.masked, shown.values) == (2, [])
        assert revealing.in_trace(trace) == 2

    @pytest.mark.parametrize("reason", ["", "  x  ", "\x00\x00\x00\x00\x00\x00\x00\x00"])
    def test_needs_a_reason(self, tenant, lead, reason):
        take(tenant, sent())
        with pytest.raises(revealing.Refused, match="Say why"):
            revealing.of_case(case=Case.objects.get(), by=lead, reason=reason)
        assert not AuditEvent.objects.filter(action="pii.revealed").exists()
