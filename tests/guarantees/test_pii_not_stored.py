"""Guarantee 10: personal data that the scrubber knows is in clear in no table, log, export or audit record."""

import csv
import io
import json
import logging

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connections
from django.test import Client

from hitl.access import tokens
from queues.models import Case
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.intake import sent
from tests.factories.jobs import work_off
from tests.factories.queues import RoutingRuleFactory

pytestmark = pytest.mark.django_db

MAIL = "anna.kowalska@example-mail.org"
IBAN = "DE89370400440532013000"
KEY = "sk-proj-" + "Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4z"
CARD = "4111 1111 1111 1111"
PHONE = "+49 30 901820"
PLANTED = (MAIL, IBAN, KEY, CARD, PHONE)
# However it is written down, these parts of it would give it away.
TRACES = ("kowalska", "370400440532013000", "Ab3dEf6hIj9kLm2n", "1111 1111 1111", "4111111111111111", "901820")

TEXT = f"I am {MAIL}, card {CARD}, account {IBAN}, phone {PHONE}, key {KEY}."


def planted(**fields):
    """The values in every field that takes text."""
    return sent(
        user_question=TEXT,
        model_draft=TEXT,
        reason_for_escalation=TEXT,
        policy=TEXT,
        conversation=[{"role": "user", "content": TEXT}],
        evidence=[{"document_id": f"mail/{MAIL}", "quote": TEXT, "title": TEXT, "url": f"https://a.example/?k={KEY}"}],
        tool_results=[{"name": "crm", "status": "ok", "output": {"email": MAIL, "notes": [TEXT], MAIL: 1}}],
        judges=[{"name": "grounded", "verdict": TEXT, "score": 0.2}],
        policy_flags=[MAIL],
        metadata={"customer": MAIL, "card": int(CARD.replace(" ", "")), "deep": {"list": [IBAN, PHONE]}},
        topic=MAIL,
        domain=f"billing {MAIL}",
        trace_id=MAIL,
        user_key=PHONE,
        model=f"m {MAIL}",
        prompt_version=MAIL,
        release=IBAN,
        **fields,
    )


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
