"""Guarantee 10: personal data that the scrubber knows is in clear in no table, log, export or audit record."""

import csv
import gzip
import io
import json
import logging

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connections
from django.test import Client

from hitl.access import tokens
from queues.masks import passing, revealing, vault
from queues.models import Case, IntakeSettings, VaultEntry
from queues.scrub.kinds import WORDS
from queues.scrub.reading import PSEUDONYM
from reviews import coding, deciding
from reviews.given import Found
from tests.factories.codebook import CodebookFactory, published
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.jobs import work_off
from tests.factories.queues import CaseFactory, LaneFactory, RoutingRuleFactory
from tests.guarantees import doors
from tests.guarantees.planted import DOORS, KEEPS_NOTHING, MAIL, SILENT, TEXT, TRACES, VALUES, Sender, planted
from tests.reviews.test_deciding import Desk

pytestmark = pytest.mark.django_db


def everything(alias="default"):
    """Every cell of every table, as text; bytes also decoded, since something readable may stand in them."""
    with connections[alias].cursor() as cursor:
        cursor.execute("select tablename from pg_tables where schemaname = 'public' order by 1")
        for (table,) in cursor.fetchall():
            cursor.execute(f'select row_to_json(t)::text from "{table}" t')
            for (row,) in cursor.fetchall():
                yield table, row
            cursor.execute(
                "select attname from pg_attribute where attrelid = %s::regclass and atttypid = 'bytea'::regtype",
                [f'"{table}"'],
            )
            for (column,) in cursor.fetchall():
                cursor.execute(f'select "{column}" from "{table}" where "{column}" is not null')
                for (content,) in cursor.fetchall():
                    yield f"{table}.{column}", bytes(content).decode("latin-1")


def found_in(pairs):
    return [(where, trace) for where, text in pairs for trace in TRACES if trace in text]


@pytest.fixture
def lead():
    tenant = TenantFactory(slug="acme")
    RoutingRuleFactory()
    return grant(UserFactory(), "lead_tenant", tenant)


@pytest.fixture
def send():
    def sent_to(path, row, content_type="application/json"):
        _, secret = tokens.issue(tenant=TenantFactory(slug="acme"), name="prod", scopes=["ingest"])
        content = row if isinstance(row, str) else json.dumps(row)
        return Client(headers={"Authorization": f"Bearer {secret}"}).post(path, content, content_type=content_type)

    return sent_to


def test_the_search_finds_what_is_planted(send, lead):
    tenant = TenantFactory(slug="acme")
    tenant.scrubs = False
    tenant.save()
    assert send("/api/v1/cases", planted()).json()["accepted"] == 1
    assert {trace for _, trace in found_in(everything())} == set(TRACES)


def test_nothing_of_a_case_that_was_taken_in_is_in_clear(send, lead, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    assert send("/api/v1/cases", planted()).json()["accepted"] == 1
    assert Case.objects.get().question != TEXT
    assert found_in(everything()) == []
    told = capfd.readouterr()
    assert found_in([("log", caplog.text), ("output", told.out), ("errors", told.err)]) == []


def test_nothing_of_a_row_that_was_refused_is_kept(send, lead, caplog):
    caplog.set_level(logging.DEBUG)
    rows = [
        planted(case_id="bad", risk_level=MAIL),
        planted(case_id=MAIL),
        planted(case_id="callback", callback_url=f"https://a.example/?mail={MAIL}"),
        planted(case_id="extra", **{MAIL: TEXT}),
        planted(case_id="language", language=MAIL),
    ]
    answer = send("/api/v1/cases", rows).json()
    assert [one["index"] for one in answer["rejected"]] == [0, 1, 2, 3, 4]
    send("/api/v1/cases", f'{{"user_question": "{TEXT}", \n', content_type="application/x-ndjson")
    send("/api/v1/cases", f'{{"user_question": "{TEXT}", ')
    send("/api/v1/assess", planted())
    assert found_in(everything()) == []
    assert found_in([("log", caplog.text)]) == []


def test_nothing_of_an_uploaded_file_is_in_clear_at_any_time(sign_in, lead, caplog):
    caplog.set_level(logging.DEBUG)
    client = sign_in(lead)
    rows = [planted(), planted(case_id="bad", risk_level=TEXT), planted(case_id=MAIL), planted(**{MAIL: 1})]
    file = SimpleUploadedFile(f"export {MAIL}.jsonl", "\n".join(map(json.dumps, rows)).encode())
    page = client.post("/tenants/acme/uploads/new/", {"file": file})
    assert found_in(everything()) == []
    assert found_in([("page", client.get(page.url).text), ("export", client.get(f"{page.url}refused.csv").text)]) == []
    client.post(f"{page.url}confirm/")
    assert found_in(everything()) == []
    work_off()
    assert Case.objects.count() == 1
    assert found_in(everything()) == []
    assert found_in([("page", client.get(page.url).text), ("export", client.get(f"{page.url}refused.csv").text)]) == []
    assert found_in([("log", caplog.text)]) == []


def test_nothing_of_an_imported_file_is_in_clear(lead, tmp_path):
    file = tmp_path / "cases.csv"
    table = io.StringIO()
    row = {
        name: value if isinstance(value, str | int | float) else json.dumps(value) for name, value in planted().items()
    }
    csv.DictWriter(table, row).writeheader()
    csv.DictWriter(table, row).writerow(row)
    file.write_text(table.getvalue())
    call_command("import_cases", file, tenant="acme")
    assert Case.objects.count() == 1
    assert found_in(everything()) == []


class TestEveryDoor:
    """The values come in by every door there is, with a vault and without one; then everything is searched."""

    @pytest.fixture(params=["no vault", "vault"])
    def tenant(self, request, lead):
        tenant = TenantFactory(slug="acme")
        kept = request.param == "vault"
        IntakeSettings.objects.create(tenant=tenant, takes_complaints=True, keeps_vault=kept)
        passing.forget(tenant.pk)
        lane = LaneFactory(tenant=tenant)
        published(lane.queue, codebook=CodebookFactory(slug="brought"))
        CaseFactory(tenant=tenant, queue=lane.queue, external_id="i-1")
        return tenant

    @pytest.fixture
    def sender(self, tenant):
        return Sender(tokens.issue(tenant=tenant, name="prod", scopes=["ingest"])[1])

    def test_a_door_of_the_api_that_nobody_thought_of_fails(self):
        by_token = {name for name, door in doors.DOORS.items() if door.scopes or name.startswith("api:")}
        families = {name.partition("_")[0] + "_" for name in by_token if not name.startswith("api:")}
        wanted = by_token | {name for name in doors.DOORS if name.startswith(tuple(families))}
        assert wanted == set(DOORS) | SILENT

    def test_every_kind_is_planted(self):
        assert set(VALUES) == set(WORDS)
        for value in VALUES.values():
            assert value in TEXT
            assert any(trace in value for trace in TRACES)

    @pytest.mark.parametrize("name", sorted(DOORS))
    def test_lets_nothing_in_in_clear(self, name, tenant, sender, caplog, capfd):
        caplog.set_level(logging.DEBUG)
        answer = DOORS[name](sender)
        assert answer.status_code < 500, answer.content
        assert found_in(everything()) == []
        assert bool(masks_in(everything())) == (name not in KEEPS_NOTHING)
        told = capfd.readouterr()
        assert found_in([("log", caplog.text), ("output", told.out), ("errors", told.err)]) == []
        if IntakeSettings.of(tenant).keeps_vault:
            assert_kept(tenant)
        else:
            assert not VaultEntry.objects.exists()

    def test_lets_nothing_in_that_people_write(self, tenant, sign_in, lead, caplog):
        caplog.set_level(logging.DEBUG)
        client = sign_in(lead)
        client.post("/tenants/acme/complaints/new/", {"text": TEXT, "channel": "ticket", "user_key": MAIL})
        labelled = json.dumps({"text": TEXT, "spans": [{"start": 0, "end": 4, "type": MAIL}]})
        client.post(
            "/tenants/acme/scrubbing/measure/", {"file": SimpleUploadedFile(f"{MAIL}.jsonl", labelled.encode())}
        )
        client.post("/tenants/acme/traces/send/", {"trace": TEXT})
        desk = Desk(cases=2)
        own = desk.lane.tenant
        IntakeSettings.objects.create(tenant=own, keeps_vault=IntakeSettings.of(tenant).keeps_vault)
        deciding.keep_draft(user=desk.user, slot_id=desk.held[1].slot_id, content={"final_answer": TEXT})
        noted = (Found(kind="note", text=TEXT), Found(kind="new_failure_mode", text=TEXT))
        desk.decide(desk.given("edit", "tone", final_answer=TEXT, findings=noted))
        case = Case.objects.get(pk=desk.slots[1].case_id)
        coding.write_code(codebook=CodebookFactory(), case=case, text=TEXT, by=lead, now=case.received_at)
        assert found_in(everything()) == []
        assert found_in([("log", caplog.text)]) == []
        if IntakeSettings.of(tenant).keeps_vault:
            assert {one.kind for one in VaultEntry.objects.filter(tenant=own)} == set(VALUES)

    def test_seeing_behind_masks_leaves_nothing_in_clear(self, tenant, sender, sign_in, lead, caplog):
        caplog.set_level(logging.DEBUG)
        sender("/api/v1/cases", planted())
        case = Case.objects.exclude(external_id="i-1").get()
        if not IntakeSettings.of(tenant).keeps_vault:
            with pytest.raises(revealing.Refused):
                revealing.of_case(case=case, by=lead, reason="")
        shown = revealing.of_case(case=case, by=lead, reason=f"{MAIL} asks for her data")
        values = {one.value.replace(" ", "") for one in shown.values}
        wanted = {value.replace(" ", "") for value in VALUES.values()}
        assert (wanted <= values) == IntakeSettings.of(tenant).keeps_vault
        assert bool(values) == IntakeSettings.of(tenant).keeps_vault
        assert found_in(everything()) == []
        assert found_in([("log", caplog.text)]) == []

    def test_no_export_holds_any(self, tenant, sender, sign_in, lead, tmp_path, capsys):
        sender("/api/v1/cases", [planted(), planted()])
        DOORS["api:send_traces"](sender)
        DOORS["api:send_complaints"](sender)
        client = sign_in(UserFactory(is_superuser=True))
        for path in ("/audit/export/", "/audit/", "/tenants/acme/traces/", "/tenants/acme/complaints/", "/"):
            page = client.get(path, follow=True)
            content = b"".join(page.streaming_content) if page.streaming else page.content
            assert found_in([(path, _text(content))]) == []
        call_command("export_config")
        call_command("audit", "export", tmp_path / "audit.jsonl")
        told = capsys.readouterr()
        files = [(str(file), _text(file.read_bytes())) for file in tmp_path.rglob("*") if file.is_file()]
        assert files
        assert found_in([*files, ("said", told.out + told.err)]) == []


def _text(content):
    return (gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content).decode(errors="replace")


def stored_masks():
    """The masks of all texts that are shown as one tenant's: not of the vault itself, of who takes back consent, and of
    rubrics and raters, which many tenants share.
    """
    aside = ("queues_vaultentry", "queues_consentwithdrawal", "codebook_")
    return masks_in((where, row) for where, row in everything() if not where.startswith(aside))


def masks_in(pairs):
    return {mask for _, row in pairs for mask in PSEUDONYM.findall(row)}


def assert_kept(tenant):
    """Behind every mask there is a value in the vault, and it is one that was planted."""
    masks = sorted(stored_masks())
    kept = {one.token: one.value for one in vault.opened(tenant_id=tenant.pk, tokens=masks)}
    assert set(masks) - set(kept) == set()
    assert all(any(trace.lower() in value.lower() for trace in TRACES) or value == "1111" for value in kept.values()), (
        kept
    )
