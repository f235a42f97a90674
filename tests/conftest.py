import os

import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.test import Client
from django.test.utils import setup_databases, teardown_databases

from tests.factories.hitl import PASSWORD, UserFactory

# pytest-playwright runs an event loop in the test's thread; Django's ORM is safe there, but cannot know it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment, django_db_modify_db_settings, django_db_keepdb, django_db_createdb, django_db_blocker
):
    """The owner makes the test database, the app uses it: both are always set up, whichever a test asks for.

    Left to itself, a test that names only `default` would be pointed at the data of a hitl that is running.
    """
    with django_db_blocker.unblock():
        made = setup_databases(
            verbosity=0,
            interactive=False,
            aliases={"default", "owner"},
            keepdb=django_db_keepdb and not django_db_createdb,
        )
    yield
    if not django_db_keepdb:
        with django_db_blocker.unblock():
            connections["default"].close()
            hang_up()
            teardown_databases(made, verbosity=0)


def hang_up() -> None:
    """Ends the sessions of servers that a client somewhere still keeps open: nobody can remove a database in use."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )


@pytest.fixture(scope="session", autouse=True)
def _static_folder(django_test_environment):
    """Nothing is collected for tests, but the middleware wants the folder to be there."""
    django_settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture(autouse=True)
def _audit_outside(settings, tmp_path_factory, request):
    """Each test has a copy of the checkpoints of its own; the folder is made when something is sealed."""
    settings.AUDIT_CHECKPOINT_DIR = tmp_path_factory.getbasetemp() / f"audit-{abs(hash(request.node.nodeid))}"


@pytest.fixture(autouse=True)
def _audit_forgets(request, django_db_blocker):
    """What a transactional test committed to the audit record, which Django cannot flush."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if (marker and marker.kwargs.get("transaction")) or {"transactional_db", "live_server"} & set(request.fixturenames):
        with django_db_blocker.unblock():
            forget_audit()


@pytest.fixture
def audit_alone(django_db_setup, django_db_blocker):
    """A database in which the test commits to the audit record and to nothing else: no other table need be flushed."""
    with django_db_blocker.unblock():
        yield
        forget_audit()


def forget_audit() -> None:
    owner = connections.create_connection("owner")
    with owner.cursor() as cursor:
        cursor.execute("select size > 0 or low > '0' or exists (select from audit_event) from audit_tree")
        if cursor.fetchone()[0]:
            cursor.execute(
                "set lock_timeout = '20s'; truncate audit_event, audit_leaf, audit_checkpoint;"
                "update audit_tree set origin = 'a test', size = 0, subtrees = '{}', low = '0', cluster = 0"
            )
    owner.close()


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def sign_in():
    """A client signed in as the person given, or as a new one without any grant."""

    def signed_in(user=None) -> Client:
        client = Client()
        client.force_login(user or UserFactory(), backend="hitl.access.sessions.Backend")
        return client

    return signed_in


@pytest.fixture
def password() -> str:
    return PASSWORD


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {**browser_type_launch_args, "executable_path": "/usr/bin/chromium", "args": ["--no-sandbox"]}
