import json

import pytest
from django.core.management import CommandError, call_command

from queues.models import Case
from tests.factories.hitl import TenantFactory
from tests.factories.intake import sent

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme")


@pytest.fixture
def run(tmp_path, capsys, tenant):
    def ran(name, content, **options):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        code = 0
        try:
            call_command("import_cases", file, tenant="acme", **options)
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    return ran


def jsonl(*rows):
    return "\n".join(json.dumps(row) for row in rows)


def test_good_rows_are_taken_and_the_bar_shows_how_far_it_is(run):
    code, out, err = run("cases.jsonl", jsonl(sent(), sent()))
    assert (code, out) == (0, "2 cases were taken in.\n")
    assert "100%" in err
    assert Case.objects.count() == 2


def test_bad_rows_are_told_each_and_the_exit_code_says_so(run):
    row = sent()
    run("cases.jsonl", jsonl(row))
    code, out, err = run("cases.jsonl", jsonl(row, sent(), sent(case_id="bad", risk_level="x"), 5))
    assert code == 1
    assert out == "1 case was taken in; 1 had been taken in before, 2 of 4 rows were refused.\n"
    assert "row 3 (bad): risk_level: must be one of low, medium, high, critical." in err
    assert "row 4 (?): The case must be an object, not a number." in err


def test_a_table_and_an_array_are_understood(run):
    code, out, _ = run("cases.csv", "case_id,user_question,model_draft,risk_level\nc-1,Why?,Because.,low\n")
    assert (code, out) == (0, "1 case was taken in.\n")
    assert run("cases.json", json.dumps([sent()]))[0] == 0
    assert run("cases.txt", jsonl(sent()), format="jsonl")[0] == 0


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("cases.txt", "", "name must end in .jsonl, .ndjson, .json, .csv"),
        ("cases.json", '[{"a": 1}, ', "The body is not JSON"),
        ("cases.csv", "a,b\n", "names no column case_id"),
        ("cases.csv", "case_id,user_question\n1,Grüße\n".encode("latin-1"), "The file is not in UTF-8."),
    ],
)
def test_a_file_that_cannot_be_read_says_why(run, name, content, said):
    with pytest.raises(CommandError, match=said):
        run(name, content)


def test_a_tenant_or_a_file_that_is_not_there_is_named(tenant, tmp_path):
    with pytest.raises(CommandError, match=r"There is no tenant globex\. There are: acme\."):
        call_command("import_cases", tmp_path / "x.jsonl", tenant="globex")
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_cases", tmp_path / "x.jsonl", tenant="acme")
