"""The page of what is masked: what is looked for, how well it is found, how far it goes, and the vault."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.utils import timezone

from hitl.audit.models import AuditEvent
from hitl.models import Tenant
from queues.masks import measuring
from queues.models import IntakeSettings, ScrubMeasurement, VaultEntry
from queues.scrub.kinds import WORDS
from queues.scrubbing import scrubbed
from tests.factories.hitl import TenantFactory, UserFactory, grant

pytestmark = pytest.mark.django_db
URL = "/tenants/acme/scrubbing/"
LINES = [
    {"text": "Write to ann@example.org", "spans": [{"start": 9, "end": 24, "type": "EMAIL_ADDRESS"}]},
    {"text": "Zanzibar is far", "spans": [{"start": 0, "end": 8, "type": "GPE"}]},
    {"text": "my SSN is 219-09-9998", "spans": [], "checked_type": "US_SSN"},
]


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme", name="Acme")


@pytest.fixture
def client(sign_in, tenant):
    return sign_in(grant(UserFactory(), "lead_tenant", tenant))


def file(lines=LINES, name="marked.jsonl"):
    return SimpleUploadedFile(name, "\n".join(json.dumps(line) for line in lines).encode())


class TestThePage:
    def test_says_what_is_looked_for_and_what_is_not(self, client):
        page = client.get(URL).text
        for _, words in WORDS.values():
            assert words in page
        for words in ("Not claimed", "names of places", "Not measured on your own texts yet", "gone for good"):
            assert words in page

    def test_says_where_nothing_is_masked_at_all(self, client, tenant):
        Tenant.objects.update(scrubs=False)
        assert "Nothing is masked" in client.get(URL).text

    def test_how_far_it_goes_is_saved_on_record_and_holds_from_then_on(self, client, tenant):
        assert "Dear [NAME_" in scrubbed("Dear Anna,", tenant)
        client.post(URL, {"scrubs_names": "none"})
        tenant.refresh_from_db()
        assert (tenant.scrubs_names, tenant.scrubs_addresses) == ("none", False)
        assert scrubbed("Dear Anna, 12 Baker Street", tenant) == "Dear Anna, 12 Baker Street"
        client.post(URL, {"scrubs_names": "known", "scrubs_addresses": "on"})
        tenant.refresh_from_db()
        assert "Agnieszka" not in scrubbed("Then Agnieszka Nowak called", tenant)
        assert AuditEvent.objects.filter(action="scrub.changed").count() == 2
        assert client.post(URL, {"scrubs_names": "some"}).status_code == 422


class TestMeasuring:
    def test_a_file_of_marked_texts_gives_figures_and_leaves_no_text(self, client, tenant):
        page = client.post(f"{URL}measure/", {"file": file()}, follow=True).text
        assert "3 texts were measured" in page
        for words in ("marked.jsonl", "EMAIL_ADDRESS", "1 of 1", "US_SSN", "0 of 1", "GPE", "not looked for"):
            assert words in page
        stored = ScrubMeasurement.objects.get()
        assert (stored.names, stored.addresses, stored.result["texts"]) == ("said", True, 3)
        assert "ann@" not in str(stored.result)
        assert AuditEvent.objects.get(action="scrub.measured").detail == {"texts": 3}

    @pytest.mark.parametrize(
        ("brought", "said"),
        [
            (SimpleUploadedFile("x.jsonl", b"\xff\xfe"), "no text in UTF-8"),
            (SimpleUploadedFile("x.jsonl", b"{"), "Line 1"),
            (SimpleUploadedFile("x.jsonl", b" \n"), "holds no text"), (None, "required"),
        ],
    )  # fmt: skip
    def test_a_file_that_cannot_be_used_says_why(self, client, brought, said):
        answer = client.post(f"{URL}measure/", {"file": brought} if brought else {})
        assert (answer.status_code, said in answer.text) == (422, True)
        assert not ScrubMeasurement.objects.exists()

    def test_a_file_that_is_too_large_is_refused(self, client, monkeypatch):
        monkeypatch.setattr(measuring, "BYTES", 10)
        answer = client.post(f"{URL}measure/", {"file": file()})
        assert (answer.status_code, "Split it" in answer.text) == (422, True)

    def test_from_the_command_line(self, tenant, tmp_path, capsys):
        path = tmp_path / "marked.jsonl"
        path.write_text("\n".join(json.dumps(line) for line in LINES))
        call_command("measure_scrub", path)
        told = capsys.readouterr().out
        for words in ("email", "1/1", "1.00 [0.21, 1.00]", "GPE (not looked for)", "0/1"):
            assert words in told
        assert not ScrubMeasurement.objects.exists()
        call_command("measure_scrub", path, tenant="acme")
        assert ScrubMeasurement.objects.get().tenant == tenant
        call_command("bench", only=["pii"], pii=[path])
        assert "email" in capsys.readouterr().out
        with pytest.raises(CommandError, match="no tenant"):
            call_command("measure_scrub", path, tenant="nowhere")
        path.write_text("{")
        with pytest.raises(CommandError, match="Line 1"):
            call_command("measure_scrub", path)
        with pytest.raises(CommandError, match="--pii"):
            call_command("bench", only=["pii"])


class TestTheVault:
    @pytest.fixture
    def kept(self, tenant):
        VaultEntry.objects.create(tenant=tenant, token="[EMAIL_aaaaaaaa]", kind="email", sealed=b"x",
                                  first_seen_at=timezone.now())  # fmt: skip

    def test_that_is_kept_says_so_and_is_not_emptied(self, client, tenant, kept):
        IntakeSettings.objects.create(tenant=tenant, keeps_vault=True)
        assert "1 so far" in client.get(URL).text
        assert "Switch that off first" in client.post(f"{URL}forget/", follow=True).text
        assert VaultEntry.objects.exists()

    def test_that_is_switched_off_offers_to_forget(self, client, tenant, kept):
        IntakeSettings.objects.create(tenant=tenant, keeps_vault=True)
        sent = {"trace_days": 90, "origins": "", "feedback_per_minute": 60}
        assert "still kept. Forget them" in client.post("/tenants/acme/intake/", sent, follow=True).text

    def test_that_was_switched_off_may_be_forgotten(self, client, kept):
        assert "Forget 1 value" in client.get(URL).text
        assert "forgotten for good" in client.post(f"{URL}forget/", follow=True).text
        assert not VaultEntry.objects.exists()
