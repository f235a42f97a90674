from django.db import migrations

# A heartbeat rewrites the row in its own page (HOT) while there is room on it.
ROOM = "alter table queues_slot set (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02)"

# `de` may take `de-AT`, and whoever speaks any kind of `pt` may take a case that just says `pt`.
SPEAKS = """
create function speaks(known text[], wanted text) returns boolean language sql immutable parallel safe as $$
  select wanted = '' or wanted = any(known) or split_part(wanted, '-', 1) = any(known)
    or (position('-' in wanted) = 0 and exists (select from unnest(known) one where split_part(one, '-', 1) = wanted))
$$;
"""

# Who may take the slots of which lane: the one place that says so. The claim asks it for a person, the alarm for a
# lane that nobody serves, the screen for colleagues to pass a case to.
LANE_TAKER = """
create view queues_lanetaker as
select lane.id as lane_id, person.id as user_id
from queues_lane lane
join queues_queue queue on queue.id = lane.queue_id and queue.is_active
join (
  select own.user_id, own.content_object_id as queue_id
  from queues_queueuserpermission own
  join auth_permission wanted on wanted.id = own.permission_id and wanted.codename = 'review_queue'
  union
  select member.user_id, shared.content_object_id
  from queues_queuegrouppermission shared
  join auth_permission wanted on wanted.id = shared.permission_id and wanted.codename = 'review_queue'
  join hitl_user_groups member on member.group_id = shared.group_id
) reviews on reviews.queue_id = lane.queue_id
join (
  select own.user_id, own.content_object_id as tenant_id
  from hitl_tenantuserpermission own
  join auth_permission wanted on wanted.id = own.permission_id and wanted.codename in ('work_in_tenant', 'lead_tenant')
  union
  select member.user_id, shared.content_object_id
  from hitl_tenantgrouppermission shared
  join auth_permission wanted on wanted.id = shared.permission_id
    and wanted.codename in ('work_in_tenant', 'lead_tenant')
  join hitl_user_groups member on member.group_id = shared.group_id
) works on works.tenant_id = lane.tenant_id and works.user_id = reviews.user_id
join hitl_user person on person.id = reviews.user_id and person.is_active and speaks(person.languages, lane.language)
where lane.authority = '' or exists (
  select from hitl_authoritygrant held
  where held.user_id = person.id
    and (held.tenant_id is null or held.tenant_id = lane.tenant_id)
    and (held.until is null or held.until > clock_timestamp())
    and authority_covers(held.authority, lane.authority))
"""

# The head of each lane that a person may take from: no sort over a queue, one index probe a lane. Expired leases
# stand beside the open slots. In plpgsql, so that the plan is made once a connection and not at every claim.
LANE_HEADS = """
create function lane_heads(p_user bigint, p_queue bigint default null)
  returns table (lane_id bigint, stream text, weight smallint, reserved boolean, overdue boolean)
  language plpgsql stable rows 20 as $$
begin
  return query
  select lane.id, lane.stream::text, lane.weight, head.reserved, head.overdue
  from queues_lanetaker taker
  join queues_lane lane on lane.id = taker.lane_id
  cross join lateral (
    (select false as reserved, slot.overdue
     from queues_slot slot
     where slot.lane_id = lane.id and slot.state = 'open' and slot.reserved_for_id is null
       and not slot.barred @> array[p_user]
     order by slot.overdue desc, slot.priority, slot.due_at, slot.id limit 1)
    union all
    (select false, slot.overdue
     from queues_slot slot
     where slot.lane_id = lane.id and slot.state = 'held' and slot.lease_until < clock_timestamp()
       and not slot.barred @> array[p_user]
     limit 1)
    union all
    (select true, slot.overdue
     from queues_slot slot
     where slot.lane_id = lane.id and slot.state = 'open' and slot.reserved_for_id = p_user
       and not slot.barred @> array[p_user]
     limit 1)
  ) head
  where taker.user_id = p_user and (p_queue is null or lane.queue_id = p_queue);
end $$;
"""

# Takes the head of one lane: overdue first, then priority, deadline and age; somebody else's lock is stepped over.
TAKE_HEAD = """
create function take_head(p_user bigint, p_lane bigint, p_reserved boolean)
  returns table (slot_id bigint, case_id bigint, token bigint, tenant_id bigint, queue_id bigint)
  language plpgsql volatile rows 1 as $$
declare
  found_id bigint;
begin
  if p_reserved then
    select slot.id into found_id from queues_slot slot
    where slot.lane_id = p_lane and slot.state = 'open' and slot.reserved_for_id = p_user
      and not slot.barred @> array[p_user]
    order by slot.id limit 1 for no key update skip locked;
  else
    select slot.id into found_id from queues_slot slot
    where slot.lane_id = p_lane and slot.state = 'held' and slot.lease_until < clock_timestamp()
      and not slot.barred @> array[p_user]
    order by slot.overdue desc, slot.priority, slot.due_at, slot.id limit 1 for no key update skip locked;
    if found_id is null then
      select slot.id into found_id from queues_slot slot
      where slot.lane_id = p_lane and slot.state = 'open' and slot.reserved_for_id is null
        and not slot.barred @> array[p_user]
      order by slot.overdue desc, slot.priority, slot.due_at, slot.id limit 1 for no key update skip locked;
    end if;
  end if;
  if found_id is null then return; end if;
  return query
  update queues_slot slot
  set state = 'held', holder_id = p_user, lease_token = slot.lease_token + 1, claimed_at = clock_timestamp(),
      seen_at = null, reserved_for_id = null,
      lease_until = clock_timestamp() + make_interval(mins => queue.lease_minutes)
  from queues_lane lane join queues_queue queue on queue.id = lane.queue_id
  where lane.id = slot.lane_id and slot.id = found_id
  returning slot.id, slot.case_id, slot.lease_token, lane.tenant_id, lane.queue_id;
end $$;
"""

# The compare-and-set that makes a decision count once: only the holder, only under the token that was given out, and
# only while the person may still take from the lane.
DECIDE_SLOT = """
create function decide_slot(p_user bigint, p_slot bigint, p_token bigint) returns setof queues_slot
  language plpgsql volatile rows 1 as $$
begin
  return query
  update queues_slot slot
  set state = 'decided', decided_by_id = p_user, decided_at = clock_timestamp(), holder_id = null, lease_until = null,
      reason = ''
  where slot.id = p_slot and slot.holder_id = p_user and slot.lease_token = p_token and slot.state = 'held'
    and exists (select from queues_lanetaker taker where taker.lane_id = slot.lane_id and taker.user_id = p_user)
  returning slot.*;
end $$;
"""


class Migration(migrations.Migration):
    dependencies = [("queues", "0001_initial"), ("hitl", "0003_authority_covers"), ("guardian", "0001_initial")]

    operations = [
        migrations.RunSQL(ROOM, migrations.RunSQL.noop),
        migrations.RunSQL(SPEAKS, "drop function speaks(text[], text)"),
        migrations.RunSQL(LANE_TAKER, "drop view queues_lanetaker"),
        migrations.RunSQL(LANE_HEADS, "drop function lane_heads(bigint, bigint)"),
        migrations.RunSQL(TAKE_HEAD, "drop function take_head(bigint, bigint, boolean)"),
        migrations.RunSQL(DECIDE_SLOT, "drop function decide_slot(bigint, bigint, bigint)"),
    ]
