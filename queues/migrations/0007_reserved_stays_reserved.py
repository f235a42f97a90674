from django.db import migrations

# As in 0002, but what only one person may answer (a case of their own, asked again) is still theirs alone when they put
# it back, or let its lease run out.
LANE_HEADS = """
create or replace function lane_heads(p_user bigint, p_queue bigint default null)
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
       and not slot.barred @> array[p_user]{mine}
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

TAKE_HEAD = """
create or replace function take_head(p_user bigint, p_lane bigint, p_reserved boolean)
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
      and not slot.barred @> array[p_user]{mine}
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
      seen_at = null, reserved_for_id = {kept},
      lease_until = clock_timestamp() + make_interval(mins => queue.lease_minutes)
  from queues_lane lane join queues_queue queue on queue.id = lane.queue_id
  where lane.id = slot.lane_id and slot.id = found_id
  returning slot.id, slot.case_id, slot.lease_token, lane.tenant_id, lane.queue_id;
end $$;
"""
NOW = {
    "mine": "\n       and (slot.reserved_for_id is null or slot.reserved_for_id = p_user)",
    "kept": "case slot.purpose when 'drift' then slot.reserved_for_id end",
}
BEFORE = {"mine": "", "kept": "null"}


class Migration(migrations.Migration):
    dependencies = [("queues", "0006_judge_first")]

    operations = [
        migrations.RunSQL(LANE_HEADS.format(**NOW), LANE_HEADS.format(**BEFORE)),
        migrations.RunSQL(TAKE_HEAD.format(**NOW), TAKE_HEAD.format(**BEFORE)),
    ]
