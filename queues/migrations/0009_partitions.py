from django.db import migrations

# Django has made three plain tables; they are made again as partitioned ones, which it cannot do. Nothing lies in them.
TABLES = """
alter table queues_trace rename to queues_trace_plain;
create table queues_trace (like queues_trace_plain including defaults including constraints) partition by range (id);
alter table queues_signal rename to queues_signal_plain;
create table queues_signal (like queues_signal_plain including defaults including constraints) partition by range (id);
alter table queues_span rename to queues_span_plain;
create table queues_span (like queues_span_plain including defaults including constraints) partition by range (trace_id);
drop table queues_trace_plain, queues_signal_plain, queues_span_plain;

alter table queues_trace add primary key (id);
alter table queues_signal add primary key (id);
alter table queues_span add primary key (trace_id, span_id);
alter table queues_trace add constraint trace_of_tenant foreign key (tenant_id) references hitl_tenant
  deferrable initially deferred;
alter table queues_signal add constraint signal_of_tenant foreign key (tenant_id) references hitl_tenant
  deferrable initially deferred;
alter table queues_span add constraint span_of_tenant foreign key (tenant_id) references hitl_tenant
  deferrable initially deferred;

create index trace_by_tenant on queues_trace (tenant_id, id desc);
create index trace_by_weight on queues_trace (tenant_id, weight, id desc) where signals > 0;
create index trace_by_user on queues_trace (tenant_id, user_key, id desc) where user_key <> '';
create index signal_of_trace on queues_signal (trace_id) where trace_id is not null;
create index signal_waits on queues_signal (tenant_id, trace_ref) where trace_id is null;
create index signal_of_user on queues_signal (tenant_id, user_key) where user_key <> '';

-- Small columns in the row, texts beside it: a sample drawn from a million traces reads none of them.
alter table queues_trace alter column scores set storage main;
"""

# Weeks begin on Monday, UTC. A partition's name is that day. Made by the owner's function, dropped by another, so that
# the app's role can do neither in any other way.
FUNCTIONS = """
create function traces_partitions(since timestamptz, until timestamptz) returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp set timezone = 'UTC' set lock_timeout = '5s' as $$
declare
  week timestamptz := date_trunc('week', since);
  parent text;
  partition text;
  made integer := 0;
begin
  while week <= until loop
    if to_regclass('public.queues_span_' || to_char(week, 'YYYY_MM_DD')) is null then
      perform pg_advisory_xact_lock(hashtext('traces_partitions'));
      foreach parent in array array['queues_trace', 'queues_signal', 'queues_span'] loop
        partition := parent || '_' || to_char(week, 'YYYY_MM_DD');
        if to_regclass('public.' || partition) is null then
          execute format('create table public.%I (like public.%I including all)', partition, parent);
          if parent = 'queues_trace' then
            execute format('alter table public.%I set (toast_tuple_target = 256, fillfactor = 90)', partition);
          end if;
          execute format('alter table public.%I attach partition public.%I for values from (%L) to (%L)',
            parent, partition, public.uuid7_floor(week), public.uuid7_floor(week + interval '7 days'));
          made := made + 1;
        end if;
      end loop;
    end if;
    week := week + interval '7 days';
  end loop;
  return made;
end $$;

-- Weeks that ended before `before`: how many partitions were dropped.
create function traces_drop_partitions(before timestamptz) returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp set timezone = 'UTC' set lock_timeout = '5s' as $$
declare
  partition record;
  dropped integer := 0;
begin
  if before > clock_timestamp() - interval '1 day' then
    raise exception 'Traces of the last day are not dropped.';
  end if;
  for partition in
    select child.relname as name
    from pg_inherits join pg_class child on child.oid = inhrelid join pg_class parent on parent.oid = inhparent
    where parent.relname in ('queues_trace', 'queues_signal', 'queues_span')
      and parent.relnamespace = 'public'::regnamespace
      and to_timestamp(right(child.relname, 10), 'YYYY_MM_DD') + interval '7 days' <= before
    order by child.relname
  loop
    execute format('drop table public.%I', partition.name);
    dropped := dropped + 1;
  end loop;
  return dropped;
end $$;

revoke all on function traces_partitions(timestamptz, timestamptz), traces_drop_partitions(timestamptz) from public;
grant execute on function traces_partitions(timestamptz, timestamptz), traces_drop_partitions(timestamptz) to hitl_app;
select traces_partitions(now(), now() + interval '7 days');
"""

GONE = "drop function traces_partitions(timestamptz, timestamptz), traces_drop_partitions(timestamptz);"


class Migration(migrations.Migration):
    dependencies = [("queues", "0008_traces_and_signals")]

    operations = [migrations.RunSQL(TABLES, migrations.RunSQL.noop), migrations.RunSQL(FUNCTIONS, GONE)]
