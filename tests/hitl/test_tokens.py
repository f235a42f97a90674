import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import RequestFactory
from django.utils import timezone

from hitl.access import tokens
from hitl.access.people import Refused
from hitl.audit.models import AuditEvent
from hitl.models import ApiToken, Tenant
from tests.factories.hitl import TenantFactory, UserFactory, grant

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme():
    return TenantFactory(slug="acme", name="Acme")


def asking(secret=None, header=None):
    header = header if header is not None else f"Bearer {secret}"
    return RequestFactory().post("/api/v1/cases", headers={"Authorization": header} if header else {})


def refusal(request, *scopes):
    with pytest.raises(tokens.TokenRefused) as refused:
        tokens.authenticate(request, *(scopes or ("ingest",)))
    return refused.value.status, refused.value.sentence


class TestATokenThatIsIssued:
    def test_is_shown_once_and_kept_as_a_digest(self, acme):
        token, secret = tokens.issue(tenant=acme, name="Helpdesk", scopes=["ingest"])
        assert re.fullmatch(r"hitl_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", secret)
        assert secret.startswith(f"hitl_{token.prefix}_")
        kept = ApiToken.objects.values().get()
        assert secret not in str(kept)
        assert bytes(kept["digest"]) == ApiToken.digest_of(secret)

    def test_is_good_for_a_year_unless_said_otherwise(self, acme):
        year, _ = tokens.issue(tenant=acme, name="", scopes=["ingest"])
        week, _ = tokens.issue(tenant=acme, name="", scopes=["ingest"], days=7)
        assert timedelta(days=364) < year.expires_at - timezone.now() <= timedelta(days=365)
        assert timedelta(days=6) < week.expires_at - timezone.now() <= timedelta(days=7)

    @pytest.mark.parametrize("wrong", [{"scopes": []}, {"scopes": ["root"]}, {"days": 0}, {"days": 3651}])
    def test_has_known_scopes_and_an_end(self, acme, wrong):
        with pytest.raises(Refused):
            tokens.issue(**{"tenant": acme, "name": "x", "scopes": ["ingest"], "days": 1, **wrong})
        assert not ApiToken.objects.exists()

    def test_is_on_the_audit_record_without_the_secret(self, acme):
        token, secret = tokens.issue(tenant=acme, name="x", scopes=["ingest"])
        event = AuditEvent.objects.get(action="token.issued")
        assert (event.subject, event.tenant_id) == (f"token:{token.pk}", acme.pk)
        assert secret.rsplit("_", 1)[-1] not in str(event.detail)


class TestARequest:
    def test_with_a_token_of_the_scope_is_the_tenants(self, acme):
        _, secret = tokens.issue(tenant=acme, name="x", scopes=["export", "ingest"])
        assert tokens.authenticate(asking(secret), "ingest").tenant == acme
        assert tokens.authenticate(asking(header=f"bearer  {secret} "), "deploy", "export").tenant == acme

    def test_with_a_token_of_another_scope_is_refused_as_not_allowed(self, acme):
        _, secret = tokens.issue(tenant=acme, name="x", scopes=["feedback"])
        assert refusal(asking(secret)) == (403, "This token is for feedback; this needs one for ingest.")

    @pytest.mark.parametrize(
        ("header", "said"),
        [
            ("", "This needs a token."),
            ("Basic abc", "not understood"),
            ("Bearer", "not understood"),
            ("Bearer sk-123", "not understood"),
            ("Bearer hitl_00000000_" + "a" * 43, "not known here"),
            ("Bearer hitl_\x00", "not known here"),
            ("Bearer hitl_ü", "not understood"),
        ],
    )
    def test_without_a_token_is_told_how(self, header, said):
        request = asking(header="")
        if header:
            request.META["HTTP_AUTHORIZATION"] = header
        status, sentence = refusal(request)
        assert status == 401
        assert said in sentence

    def test_with_one_sign_changed_is_refused(self, acme):
        _, secret = tokens.issue(tenant=acme, name="x", scopes=["ingest"])
        changed = secret[:-1] + ("A" if secret[-1] != "A" else "B")
        assert refusal(asking(changed))[0] == 401

    def test_with_an_expired_or_revoked_token_is_told_since_when(self, acme):
        old, secret = tokens.issue(tenant=acme, name="x", scopes=["ingest"])
        ApiToken.objects.filter(pk=old.pk).update(expires_at="2026-01-02T00:00Z")
        assert refusal(asking(secret)) == (401, "This token expired on 2026-01-02. Ask for a new one.")
        gone, secret = tokens.issue(tenant=acme, name="x", scopes=["ingest"])
        tokens.revoke(token=gone, by=None)
        assert "was revoked on" in refusal(asking(secret))[1]

    def test_costs_one_look_up_and_notes_the_use_once_a_minute(self, acme, django_assert_num_queries):
        token, secret = tokens.issue(tenant=acme, name="x", scopes=["ingest"])
        with django_assert_num_queries(2):
            tokens.authenticate(asking(secret), "ingest")
        with django_assert_num_queries(1):
            tokens.authenticate(asking(secret), "ingest")
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=timezone.now() - timedelta(seconds=61))
        with django_assert_num_queries(2):
            tokens.authenticate(asking(secret), "ingest")


class TestRevoking:
    def test_twice_is_recorded_once(self, acme):
        token, _ = tokens.issue(tenant=acme, name="x", scopes=["ingest"])
        tokens.revoke(token=token, by=None)
        tokens.revoke(token=token, by=None)
        assert AuditEvent.objects.filter(action="token.revoked").count() == 1


class TestTheCommand:
    def test_prints_the_token_alone_on_the_last_line_and_makes_the_tenant(self, capsys):
        call_command("token", "create", "--tenant", "acme", "--scope", "ingest", "--scope", "export")
        secret = capsys.readouterr().out.splitlines()[-1]
        token = tokens.authenticate(asking(secret), "ingest")
        assert (token.tenant.slug, token.scopes) == ("acme", ["export", "ingest"])
        call_command("token", "create", "--tenant", "acme", "--scope", "ingest")
        assert Tenant.objects.count() == 1

    def test_lists_and_revokes(self, acme, capsys):
        token, secret = tokens.issue(tenant=acme, name="Helpdesk", scopes=["ingest"])
        call_command("token", "list")
        assert token.prefix in (listed := capsys.readouterr().out)
        assert secret not in listed
        call_command("token", "revoke", token.prefix)
        assert refusal(asking(secret))[0] == 401

    def test_says_what_is_wrong(self):
        with pytest.raises(CommandError, match="cannot be a tenant's short name"):
            call_command("token", "create", "--tenant", "Ac me", "--scope", "ingest")
        with pytest.raises(CommandError, match="invalid choice"):
            call_command("token", "create", "--tenant", "acme", "--scope", "root")
        with pytest.raises(CommandError, match="token list"):
            call_command("token", "revoke", "0000")
        with pytest.raises(CommandError, match="1 to 3650 days"):
            call_command("token", "create", "--tenant", "acme", "--scope", "ingest", "--days", "0")


class TestTheScreen:
    @pytest.fixture
    def lead(self, acme):
        return grant(UserFactory(), "lead_tenant", acme)

    def test_shows_a_new_token_once(self, lead, sign_in):
        client = sign_in(lead)
        page = client.post("/tenants/acme/tokens/", {"name": "Helpdesk", "scopes": ["ingest"], "days": 30})
        secret = re.search(r"hitl_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", page.content.decode())[0]
        assert tokens.authenticate(asking(secret), "ingest")
        assert page.headers["Cache-Control"] == "no-store"
        assert secret not in client.get("/tenants/acme/tokens/").content.decode()

    def test_revokes(self, acme, lead, sign_in):
        token, secret = tokens.issue(tenant=acme, name="x", scopes=["ingest"])
        sign_in(lead).post(f"/tenants/acme/tokens/{token.pk}/revoke/")
        assert refusal(asking(secret))[0] == 401
        assert AuditEvent.objects.get(action="token.revoked").actor == lead

    def test_reaches_no_token_of_another_tenant(self, acme, lead, sign_in):
        foreign, secret = tokens.issue(tenant=TenantFactory(), name="x", scopes=["ingest"])
        assert sign_in(lead).post(f"/tenants/acme/tokens/{foreign.pk}/revoke/").status_code == 404
        assert tokens.authenticate(asking(secret), "ingest")

    def test_says_what_is_missing(self, lead, sign_in):
        answer = sign_in(lead).post("/tenants/acme/tokens/", {"name": "Helpdesk", "days": 30})
        assert answer.status_code == 422
        assert not ApiToken.objects.exists()
