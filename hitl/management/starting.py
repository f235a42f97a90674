"""What `up` does before it starts anything: each refusal is a sentence that says what to do."""

import errno
import fcntl
import hashlib
import os
import secrets
import socket
from collections.abc import Callable, Iterable
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor

from hitl.access import people
from hitl.database.base import Unavailable
from hitl.models import User

# django-htmx brings other versions of htmx, which take seconds to compress.
UNUSED_STATIC = ["htmx-4*", "htmax*", "guardian"]

OWN_LOGIN = """
select r.rolsuper or pg_has_role(session_user, t.tableowner, 'member')
from pg_roles r, pg_tables t
where r.rolname = session_user and t.schemaname = 'public' and t.tablename = 'django_migrations'
"""


class Refused(CommandError):
    """The start is refused; the text says why, and what to do."""


def check_settings() -> None:
    """Refuse settings that must not start; the parts then need not check them again."""
    wrong = [found for found in run_checks(tags=[Tags.security]) if found.is_serious()]
    if wrong:
        raise Refused("\n".join(f"{found.msg} {found.hint or ''}".strip() for found in wrong))


def lock_parts(parts: Iterable[str], address: str) -> None:
    """Keep a second `up` off these parts of this data folder, until this process ends, whatever program it becomes."""
    for part in parts:
        file = settings.DATA_DIR / f"{part}.lock"
        try:
            settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
            lock = open(file, "a+")  # noqa: SIM115 -- its lock outlives it, in a copy
        except OSError as error:
            raise Refused(
                f"The data folder {settings.DATA_DIR} cannot be written ({error.strerror}). Choose another --data-dir."
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Refused(
                f"hitl already runs on the data folder {settings.DATA_DIR} ({lock.read().strip()}). "
                "Use it, stop it, or start this one with another --data-dir and --port."
            ) from None
        lock.truncate(0)
        lock.write(address)
        lock.flush()
        os.set_inheritable(os.dup(lock.fileno()), True)


def check_port(host: str, port: int) -> None:
    """Refuse an address that the web server could not take."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OverflowError:
            raise Refused(f"A port is a number from 1 to 65535, not {port}.") from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Refused(
                    f"Port {port} is in use by another program. Stop that, or choose another: --port {port + 1}."
                ) from error
            why = f"The web server cannot listen on {host}, port {port} ({error.strerror})."
            if error.errno == errno.EACCES:
                raise Refused(f"{why} Ports below 1024 are for the administrator: choose --port 8000.") from error
            raise Refused(f"{why} Check --host.") from error


def pending() -> int:
    """How many migrations this version has that the database has not seen."""
    executor = MigrationExecutor(connections["owner"])
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def prepare_database(say: Callable[[str], None]) -> None:
    """Make or update the tables, as their owner; then see that the application can come in with its own role."""
    try:
        if count := pending():
            say(f"Preparing the database ({count} steps) ...")
            call_command("migrate", verbosity=0)
        connections["owner"].close()
        connection.ensure_connection()
    except Unavailable as error:
        raise Refused(str(error)) from error
    except DatabaseError as error:
        first = str(error).strip().splitlines()[0]
        raise Refused(
            f"The database could not be prepared: {first}. Earlier steps are kept, nothing of the failed one is. "
            "`manage.py migrate --traceback` shows the whole of it."
        ) from error


def check_prepared() -> None:
    """Refuse a database that `manage.py prepare` has not brought to this version."""
    try:
        if count := pending():
            raise Refused(
                f"The database is {count} steps behind this version: run `manage.py prepare` once, as its owner."
            )
        connection.ensure_connection()
    except Unavailable as error:
        raise Refused(str(error)) from error


def first_administrator() -> list[str]:
    """Makes one where nobody could sign in yet; returns what to tell about it. There is no default password."""
    if User.objects.exists():
        return []
    email, password = os.environ.get("HITL_ADMIN_EMAIL") or "admin@localhost", secrets.token_urlsafe(15)
    try:
        people.create_administrator(email=email, password=password)
    except people.Refused as refusal:
        raise Refused(f"The first administrator could not be made: {refusal} Correct HITL_ADMIN_EMAIL.") from refusal
    return [f"Sign in as {email} with the password {password} (shown this once; change it after signing in)."]


def collect_static() -> None:
    """Put style, script and fonts where the web server finds them, when any of them has changed."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda found: found[0]):
            file = Path(storage.path(name))
            state = file.stat()
            digest.update(f"{file} {state.st_size} {state.st_mtime_ns}\n".encode())
    mark = Path(settings.STATIC_ROOT) / ".collected"
    if not mark.exists() or mark.read_text() != digest.hexdigest():
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=UNUSED_STATIC)
        mark.write_text(digest.hexdigest())


def guarantees() -> str:
    """Whether the app could become the owner of what it may not change, in a sentence."""
    with connection.cursor() as cursor:
        cursor.execute(OWN_LOGIN)
        may_become_owner = cursor.fetchone()[0]
    if may_become_owner:
        return (
            "Audit records and published codebooks: the application has a role that cannot change them. It stops "
            "mistakes; an injected SET ROLE would get round it. A login of its own, in DATABASE_APP_URL, closes that."
        )
    return "Audit records and published codebooks: the application has a login of its own that cannot change them."
