import django.db.models.deletion
from django.db import migrations, models

# Sortable by time to a quarter of a microsecond; PostgreSQL has one of its own only from 18 on.
UUID7 = """
create function uuid7(moment timestamptz default clock_timestamp()) returns uuid
language sql volatile parallel safe
return (
  select encode(
    substring(int8send(micros / 1000) from 3 for 6)
      || int2send((28672 + micros % 1000 * 4096 / 1000)::smallint)
      || substring(uuid_send(gen_random_uuid()) from 9 for 8), 'hex')::uuid
  from (select (extract(epoch from moment) * 1000000)::bigint as micros) as clock
);

create function uuid7_floor(moment timestamptz) returns uuid
language sql stable parallel safe
return (encode(substring(int8send((extract(epoch from moment) * 1000)::bigint) from 3 for 6), 'hex')
  || repeat('0', 20))::uuid;
"""

# Rows come in through the functions below, which work
# as hitl_audit; the app's role reads. What new tables give the app by default is taken back before the owner changes.
TABLES = """
create table audit_event (
  id uuid default uuid7() primary key,
  at timestamptz not null default clock_timestamp(),
  tx xid8 not null default pg_current_xact_id(),
  actor_id bigint,
  actor_name text not null default '',
  action text not null constraint audit_action_is_named check (action ~ '^[a-z_]+([.][a-z_]+)+$'),
  subject text not null default '',
  tenant_id bigint,
  queue_id bigint,
  detail jsonb not null default '{}' constraint audit_detail_is_an_object check (jsonb_typeof(detail) = 'object'),
  digest bytea not null constraint audit_digest_is_sha256 check (octet_length(digest) = 32)
) partition by range (id);
create index audit_event_tx on audit_event (tx);
create index audit_event_tenant on audit_event (tenant_id, id desc);
create index audit_event_subject on audit_event (subject, id desc);
create index audit_event_actor on audit_event (actor_id, id desc);
create table audit_event_default partition of audit_event default;

create table audit_leaf (
  position bigint primary key,
  event_id uuid not null constraint audit_event_is_sealed_once unique,
  leaf bytea not null
);

create table audit_checkpoint (
  size bigint primary key,
  at timestamptz not null default clock_timestamp(),
  root bytea not null,
  note text not null
);

-- One row: how far the tree has grown, its complete subtrees (largest first), and the transaction below which nothing
-- is left to seal. Numbers of transactions mean something in one cluster only.
create table audit_tree (
  single boolean primary key default true constraint audit_tree_is_one check (single),
  origin text not null,
  size bigint not null default 0,
  subtrees bytea[] not null default '{}',
  low xid8 not null default '0',
  cluster bigint not null default 0,
  constraint audit_tree_has_its_subtrees check (cardinality(subtrees) = bit_count(size::bit(64)))
);
insert into audit_tree (origin) values ('hitl-audit/' || gen_random_uuid());

revoke all on audit_event, audit_event_default, audit_leaf, audit_checkpoint, audit_tree from hitl_app;
grant select on audit_event, audit_event_default, audit_leaf, audit_checkpoint, audit_tree to hitl_app;
"""

# The digest is the leaf of RFC 6962 over the event as one line of JSON, built of the server's own functions only;
# hitl/audit/reading.py has the same expression, so that a proof needs no function of this database.
APPEND = """
create function audit_append(entries jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into public.audit_event
    (id, at, tx, actor_id, actor_name, action, subject, tenant_id, queue_id, detail, digest)
  select e.*, sha256('\\x00'::bytea || convert_to(jsonb_build_object(
    'id', e.id, 'at', to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'tx', e.tx::text,
    'actor_id', e.actor_id, 'actor_name', e.actor_name, 'action', e.action, 'subject', e.subject,
    'tenant_id', e.tenant_id, 'queue_id', e.queue_id, 'detail', e.detail)::text, 'UTF8'))
  from (
    select public.uuid7(clock.at) as id, clock.at, pg_current_xact_id() as tx,
      (entry->>'actor_id')::bigint as actor_id, coalesce(entry->>'actor_name', '') as actor_name,
      entry->>'action' as action, coalesce(entry->>'subject', '') as subject,
      (entry->>'tenant_id')::bigint as tenant_id, (entry->>'queue_id')::bigint as queue_id,
      coalesce(entry->'detail', '{}') as detail
    from jsonb_array_elements(entries) with ordinality as given (entry, nth),
      lateral (select clock_timestamp() + (nth - 1) * interval '1 microsecond' as at offset 0) as clock
    offset 0
  ) as e;
end $$;
"""

# `low` never passes a running transaction, so an event that commits late is found by a later round; it takes its place
# at the end then, and nothing that was sealed before moves. A plan made for any `low` would read every leaf.
SEAL = """
create function audit_seal(most integer, out added integer, out size bigint, out root bytea, out origin text)
language plpgsql security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
  tree public.audit_tree;
  lowest xid8 := pg_snapshot_xmin(pg_current_snapshot());
  here bigint := (select system_identifier from pg_control_system());
  node bytea;
  carry bigint;
begin
  select * into tree from public.audit_tree for update skip locked;
  if not found then return; end if;
  if tree.cluster <> here then
    tree.low := '0';
    tree.cluster := here;
  end if;
  insert into public.audit_leaf (position, event_id, leaf)
  select tree.size - 1 + row_number() over (order by waiting.id), waiting.id, waiting.digest
  from (
    select event.id, event.digest from public.audit_event as event
    where event.tx >= tree.low
      and not exists (select from public.audit_leaf where audit_leaf.event_id = event.id)
    order by event.id limit most
  ) as waiting;
  get diagnostics added = row_count;
  if added < most then
    tree.low := lowest;
  end if;
  if added = 0 then
    -- All of what this round looked through is sealed: the next one need not.
    update public.audit_tree set low = lowest, cluster = here
    where audit_tree.cluster <> here
      or exists (select from public.audit_event as event where event.tx >= audit_tree.low and event.tx < lowest);
    return;
  end if;
  for node in
    select audit_leaf.leaf from public.audit_leaf where audit_leaf.position >= tree.size order by audit_leaf.position
  loop
    carry := tree.size;
    while carry % 2 = 1 loop
      node := sha256('\\x01'::bytea || tree.subtrees[cardinality(tree.subtrees)] || node);
      tree.subtrees := trim_array(tree.subtrees, 1);
      carry := carry / 2;
    end loop;
    tree.subtrees := tree.subtrees || node;
    tree.size := tree.size + 1;
  end loop;
  update public.audit_tree
  set size = tree.size, subtrees = tree.subtrees, low = tree.low, cluster = tree.cluster;
  root := tree.subtrees[cardinality(tree.subtrees)];
  for nth in reverse cardinality(tree.subtrees) - 1 .. 1 loop
    root := sha256('\\x01'::bytea || tree.subtrees[nth] || root);
  end loop;
  size := tree.size;
  origin := tree.origin;
end $$;

create function audit_checkpoint_append(signed text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  tree public.audit_tree;
  root bytea;
begin
  select * into tree from public.audit_tree for update;
  root := tree.subtrees[cardinality(tree.subtrees)];
  for nth in reverse cardinality(tree.subtrees) - 1 .. 1 loop
    root := sha256('\\x01'::bytea || tree.subtrees[nth] || root);
  end loop;
  if not starts_with(signed, format(E'%s\\n%s\\n%s\\n\\n', tree.origin, tree.size, encode(root, 'base64'))) then
    raise exception 'This checkpoint does not describe the log as it stands at % events.', tree.size;
  end if;
  insert into public.audit_checkpoint (size, root, note) values (tree.size, root, signed);
end $$;
"""

# A row that came when its month had no partition lies in the default one; it is carried over as it is.
PARTITIONS = """
create function audit_partitions(months integer) returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp set timezone = 'UTC' set lock_timeout = '2s' as $$
declare
  month timestamptz := date_trunc('month', clock_timestamp());
  partition text;
  made integer := 0;
begin
  perform pg_advisory_xact_lock(hashtext('audit_partitions'));
  for nth in 0 .. months loop
    partition := 'audit_event_' || to_char(month, 'YYYY_MM');
    if to_regclass('public.' || partition) is null then
      execute format('create table public.%I (like public.audit_event including all)', partition);
      execute format('revoke all on public.%I from public, hitl_app', partition);
      execute format('grant select on public.%I to hitl_app', partition);
      execute format('with early as (delete from public.audit_event_default where id >= %L and id < %L returning *) '
        'insert into public.%I select * from early',
        public.uuid7_floor(month), public.uuid7_floor(month + interval '1 month'), partition);
      execute format('alter table public.audit_event attach partition public.%I for values from (%L) to (%L)',
        partition, public.uuid7_floor(month), public.uuid7_floor(month + interval '1 month'));
      made := made + 1;
    end if;
    month := month + interval '1 month';
  end loop;
  return made;
end $$;
"""

OWNERS = """
grant usage, create on schema public to hitl_audit;
alter table audit_event owner to hitl_audit;
alter table audit_event_default owner to hitl_audit;
alter table audit_leaf owner to hitl_audit;
alter table audit_checkpoint owner to hitl_audit;
alter table audit_tree owner to hitl_audit;
revoke all on function audit_append(jsonb), audit_seal(integer), audit_checkpoint_append(text),
  audit_partitions(integer) from public;
grant execute on function audit_append(jsonb), audit_seal(integer), audit_checkpoint_append(text),
  audit_partitions(integer) to hitl_app;
alter function audit_append(jsonb) owner to hitl_audit;
alter function audit_seal(integer) owner to hitl_audit;
alter function audit_checkpoint_append(text) owner to hitl_audit;
alter function audit_partitions(integer) owner to hitl_audit;
"""

FIRST = "select audit_partitions(3)"

GONE = """
drop function audit_append(jsonb), audit_seal(integer), audit_checkpoint_append(text), audit_partitions(integer);
drop table audit_event, audit_leaf, audit_checkpoint, audit_tree;
drop function uuid7(timestamptz), uuid7_floor(timestamptz);
revoke all on schema public from hitl_audit;
"""


class Migration(migrations.Migration):
    dependencies = [("hitl", "0003_authority_covers")]

    operations = [
        migrations.RunSQL([UUID7, TABLES, APPEND, SEAL, PARTITIONS, OWNERS, FIRST], GONE),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("actor_name", models.TextField(blank=True)),
                ("action", models.TextField()),
                ("subject", models.TextField()),
                ("tenant_id", models.BigIntegerField(null=True)),
                ("queue_id", models.BigIntegerField(null=True)),
                ("detail", models.JSONField()),
                ("digest", models.BinaryField()),
                (
                    "actor",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="hitl.user",
                    ),
                ),
            ],
            options={"db_table": "audit_event", "default_permissions": (), "managed": False},
        ),
        migrations.CreateModel(
            name="AuditCheckpoint",
            fields=[
                ("size", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("root", models.BinaryField()),
                ("note", models.TextField()),
            ],
            options={"db_table": "audit_checkpoint", "default_permissions": (), "managed": False},
        ),
    ]
