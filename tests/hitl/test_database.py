"""The database backend: nothing starts before it is needed, and the app's role owns nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, connections, transaction

from hitl.database.base import Unavailable
from hitl.supervisor import PROJECT
from tests.hitl.test_supervisor import environment

ROLES = (
    "select session_user <> current_user, current_user, (select rolsuper from pg_roles where rolname = current_user)"
)


def manage(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *arguments, "--data-dir", str(data)]
    return subprocess.run(
        command, cwd=PROJECT, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )


def test_a_check_starts_no_database(tmp_path: Path) -> None:
    assert manage(tmp_path, "check").returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


@pytest.mark.slow
def test_a_database_that_was_never_prepared_is_named_in_a_sentence(tmp_path: Path) -> None:
    refused = manage(tmp_path, "shell", "-v0", "-c", "from hitl.models import User; User.objects.count()")
    assert refused.returncode == 1
    assert refused.stderr.strip() == "The database is not set up yet: run `manage.py up`, which prepares it."


@pytest.mark.django_db
class TestTheAppsRole:
    def test_it_is_what_the_app_acts_as(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(ROLES)
            assert cursor.fetchone() == (True, settings.APP_ROLE, False)

    @pytest.mark.parametrize(
        "statement",
        [
            "create table mine (n int)",
            "alter table hitl_user add column n int",
            "drop table hitl_user",
            "truncate hitl_heartbeat",
            "delete from django_migrations",
            "alter table hitl_user disable trigger all",
            "set session_replication_role = replica",
            "create role other",
        ],
    )
    def test_it_may_not(self, statement: str) -> None:
        refused = pytest.raises(DatabaseError, match=r"permission denied|must be owner")
        with refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.django_db(databases=["default", "owner"])
class TestAConnectionKeptBetweenRequests:
    def test_is_known_to_be_good_without_a_statement(self) -> None:
        kept = connections.create_connection("default")
        kept.ensure_connection()
        before = kept.connection.info.backend_pid
        with kept.execute_wrapper(lambda *_: pytest.fail("asked the server")):
            assert kept.is_usable()
        assert kept.connection.info.backend_pid == before
        kept.close()

    def test_is_known_to_be_gone_when_the_server_closed_it(self) -> None:
        kept = connections.create_connection("default")
        kept.ensure_connection()
        with connections["owner"].cursor() as cursor:
            cursor.execute("select pg_terminate_backend(%s, 5000)", [kept.connection.info.backend_pid])
        assert not kept.is_usable()
        kept.close()


def test_an_unknown_database_server_is_explained_without_the_password(settings) -> None:
    settings.EMBEDDED = False
    stranger = connections.create_connection("default")
    stranger.settings_dict = {**stranger.settings_dict, "HOST": "127.0.0.1", "PORT": "1", "PASSWORD": "swordfish"}
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1 cannot be reached; nothing was changed") as refusal:
        stranger.connect()
    assert "swordfish" not in str(refusal.value)
