"""Guarantee 8: the audit record cannot be changed or removed through the app's role, and one command proves it."""

import io
import re

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, OperationalError, connection, connections, transaction

from hitl.audit import log, reading, sealing
from hitl.audit.merkle import leaf_hash
from hitl.models import AuditEvent

pytestmark = pytest.mark.usefixtures("audit_alone")

REFUSED = "42501"  # insufficient_privilege: refused as such, not for some other mistake

ON_EACH_TABLE = (
    "update {} set {column} = {column}",
    "delete from {}",
    "delete from only {}",
    "truncate {}",
    "truncate {} cascade",
    "insert into {} select * from {}",
    "insert into {} default values",
    "merge into {} using (select 1) as one on false when not matched then insert default values",
    "select * from {} for update",
    "lock table {} in exclusive mode",
    "alter table {} disable trigger all",
    "alter table {} enable row level security",
    "alter table {} rename to elsewhere",
    "alter table {} set schema pg_temp",
    "alter table {} add column more integer",
    "alter table {} drop column {column}",
    "alter table {} owner to hitl_app",
    "alter table {} alter column {column} type text",
    "create rule hide as on select to {} do instead select 1",
    "create trigger swallow before insert on {} for each row execute function suppress_redundant_updates_trigger()",
    "create policy hide on {} using (false)",
    "create index on {} ({column})",
    "drop table {}",
)
ON_A_PARTITION = ("alter table audit_event detach partition {}", "alter table {} no inherit audit_event")
ANYWHERE = (
    "set role hitl_audit",
    "set session authorization hitl_audit",
    "set session authorization pg_database_owner",
    "set session_replication_role = replica",
    "alter role hitl_app superuser",
    "alter role hitl_app set session_replication_role = replica",
    "grant hitl_audit to hitl_app",
    "create role other superuser",
    "alter function audit_append(jsonb) security invoker",
    "alter function audit_append(jsonb) owner to hitl_app",
    "alter function audit_append(jsonb) reset search_path",
    "create or replace function public.audit_append(entries jsonb) returns void language sql as ''",
    "create or replace function public.uuid7(moment timestamptz) returns uuid language sql as 'select null::uuid'",
    "create function public.mine() returns void language sql as ''",
    "create table public.mine (x integer)",
    "drop function audit_append(jsonb)",
    "drop function audit_seal(integer)",
    "drop schema public cascade",
    "alter schema public rename to elsewhere",
    "copy audit_event to program 'cat'",
    "select pg_read_file('postgresql.conf')",
    "reassign owned by hitl_audit to hitl_app",
    "drop owned by hitl_audit",
)


@pytest.fixture
def app():
    """The app under a login of its own, where nothing that it tries and is not refused can last."""
    own = connections.create_connection("owner")
    own.settings_dict = {**own.settings_dict, "USER": "hitl_app"}
    try:
        own.ensure_connection()
    except OperationalError:
        pytest.skip("This server wants a password of hitl_app; the embedded one, where this runs, does not.")
    with own.cursor() as cursor:
        cursor.execute("select session_user, current_user, rolsuper from pg_roles where rolname = session_user")
        assert cursor.fetchone() == ("hitl_app", "hitl_app", False)
        yield cursor
    own.close()


@pytest.fixture
def recorded():
    for number in range(3):
        with transaction.atomic():
            log.append(actor=None, action="case.decided", subject=f"case:{number}", tenant_id=1)
    sealing.seal()


def tables() -> dict[str, str]:
    """Each table of the audit record, every partition too, with one of its columns."""
    with connection.cursor() as cursor:
        cursor.execute("select inhrelid::regclass::text from pg_inherits where inhparent = 'audit_event'::regclass")
        partitions = [name for (name,) in cursor.fetchall()]
    assert len(partitions) >= 5
    return dict.fromkeys(["audit_event", *partitions], "subject") | {
        "audit_leaf": "leaf",
        "audit_checkpoint": "note",
        "audit_tree": "size",
    }


def everything() -> list[tuple]:
    found = []
    with connection.cursor() as cursor:
        for table in tables():
            cursor.execute(f"select tableoid::regclass::text, t::text from {table} t order by 2")
            found += cursor.fetchall()
    return found


def allowed(app, statements: list[str]) -> list[str]:
    """Those that were not refused for want of a privilege. Each in a transaction that is undone."""
    through = []
    for statement in statements:
        app.execute("begin")
        try:
            app.execute(statement)
            through.append(f"{statement}: went through")
        except DatabaseError as error:
            if getattr(error.__cause__, "sqlstate", None) != REFUSED:
                through.append(f"{statement}: {error}")
        app.execute("rollback")
    return through


def test_the_app_can_read_and_append_so_that_a_refusal_below_means_something(app, recorded):
    app.execute("select count(*) from audit_event")
    assert app.fetchone() == (3,)
    app.execute("""select audit_append('[{"action": "case.seen", "subject": "case:9"}]')""")
    assert AuditEvent.objects.count() == 4


def test_nothing_that_the_app_tries_on_any_table_or_partition_is_let_through(app, recorded):
    before = everything()
    statements = [
        statement.format(table, table, column=column)
        for table, column in tables().items()
        for statement in (*ON_EACH_TABLE, *(ON_A_PARTITION if table.startswith("audit_event_") else ()))
    ]
    through = allowed(app, statements)
    assert not through, "\n".join(through)
    assert everything() == before


def test_nor_is_anything_that_would_make_it_someone_else_or_change_what_it_calls(app, recorded):
    before = everything()
    through = allowed(app, list(ANYWHERE))
    assert not through, "\n".join(through)
    app.execute("select session_user, current_user")
    assert app.fetchone() == ("hitl_app", "hitl_app")
    assert everything() == before


def test_a_partition_made_later_is_as_closed_as_the_first(app, recorded):
    with connections["owner"].cursor() as owner:
        owner.execute("select audit_partitions(5)")
        owner.execute("select inhrelid::regclass::text from pg_inherits where inhparent = 'audit_event'::regclass")
        names = sorted(name for (name,) in owner.fetchall())
        owner.execute(
            "select relname from pg_class where relname like 'audit%%' and relkind in ('r', 'p') and "
            "(pg_get_userbyid(relowner) <> 'hitl_audit' or has_table_privilege('hitl_app', oid, "
            "'insert, update, delete, truncate, references, trigger'))"
        )
        assert owner.fetchall() == []
    assert len(names) >= 7
    statements = [statement.format(name, name, column="subject") for name in names for statement in ON_EACH_TABLE[:7]]
    assert allowed(app, statements) == []


def test_what_it_appends_has_the_servers_time_and_number_whatever_it_says(app):
    app.execute(
        """select audit_append('[{"action": "case.seen", "subject": "case:1", "at": "1999-01-01", "tx": "5",
           "id": "00000000-0000-0000-0000-000000000000", "digest": "00"}]')"""
    )
    event = AuditEvent.objects.get()
    assert event.at.year > 2000
    assert event.id.version == 7
    assert prove() == ""


@pytest.fixture
def own_schema():
    """Even on a server where somebody let it make things of its own."""
    with connections["owner"].cursor() as owner:
        owner.execute("create schema mine authorization hitl_app")
        yield
        owner.execute("drop schema mine cascade")


def test_names_of_its_own_in_the_way_divert_nothing(app, own_schema):
    app.execute("create temp table audit_event (like public.audit_event)")
    app.execute("create temp table audit_leaf (like public.audit_leaf)")
    app.execute("grant usage on schema mine to public")
    app.execute("create function mine.sha256(bytea) returns bytea language sql as 'select pg_catalog.sha224($1)'")
    app.execute("create function mine.convert_to(text, name) returns bytea language sql as 'select null::bytea'")
    app.execute("set search_path = mine, pg_temp, public, pg_catalog")
    app.execute("""select public.audit_append('[{"action": "case.seen", "subject": "case:1"}]')""")
    app.execute("select added from public.audit_seal(10)")
    assert app.fetchone() == (1,)
    event = AuditEvent.objects.get()
    [item] = reading.Live().items()
    assert leaf_hash(item.line) == item.leaf == bytes(event.digest)


def test_it_cannot_have_a_checkpoint_stored_that_says_something_else(app, recorded):
    with connection.cursor() as cursor:
        cursor.execute("select note from audit_checkpoint")
        [note] = cursor.fetchone()
    for false in (note.replace("\n3\n", "\n2\n"), re.sub(r"\n\S{44}\n", f"\n{'A' * 43}=\n", note), "anything", ""):
        with pytest.raises(DatabaseError, match="does not describe the log"):
            app.execute("select audit_checkpoint_append(%s)", [false])


def prove() -> str:
    """What `manage.py audit verify` says is wrong; nothing if the log holds."""
    sealing.seal()
    try:
        call_command("audit", "verify", stdout=io.StringIO())
    except CommandError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "tampering",
    [
        "update audit_event set subject = 'case:7' where subject = 'case:1'",
        "update audit_event set actor_id = 5 where subject = 'case:1'",
        """update audit_event set detail = '{"verdict": "reject"}' where subject = 'case:1'""",
        "update audit_event set at = at - interval '1 microsecond' where subject = 'case:1'",
        "delete from audit_event where subject = 'case:1'",
    ],
)
def test_one_command_names_the_first_row_that_an_administrator_of_the_database_changed(recorded, tampering):
    assert prove() == ""
    bad = AuditEvent.objects.get(subject="case:1")
    with connections["owner"].cursor() as owner:
        owner.execute(tampering)
    assert f"Event {bad.pk} (place 1)" in prove().splitlines()[0]
