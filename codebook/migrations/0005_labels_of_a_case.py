import django.db.models.deletion
from django.db import migrations, models

# Frozen once it has its hash: a published version, and an imported one when its categories are in.
FROZEN = """
create or replace function version_is_frozen() returns trigger language plpgsql as $$
begin
  if old.content_hash <> '' then
    raise exception 'Version % of codebook % is published and cannot be changed.', old.number, old.codebook_id
      using errcode = 'integrity_constraint_violation', constraint = 'version_frozen_once_published';
  end if;
  return case tg_op when 'DELETE' then old else new end;
end $$;

create or replace function category_is_frozen() returns trigger language plpgsql as $$
declare
  touched bigint[] := case tg_op when 'INSERT' then array[new.version_id] when 'DELETE' then array[old.version_id]
                                 else array[old.version_id, new.version_id] end;
begin
  if exists (select from codebook_version where id = any(touched) and content_hash <> '') then
    raise exception 'A category of a published version cannot be added, changed or removed.'
      using errcode = 'integrity_constraint_violation', constraint = 'category_frozen_once_published';
  end if;
  return case tg_op when 'DELETE' then old else new end;
end $$;

create or replace function version_has_labels_only_if_published() returns trigger language plpgsql as $$
begin
  if not exists (select from codebook_version where id = new.version_id and content_hash <> '') then
    raise exception 'Labels are given under a published version only.'
      using errcode = 'integrity_constraint_violation', constraint = 'batch_of_a_published_version';
  end if;
  return new;
end $$;

-- How a category came about is said once; carrying it over may be said later.
create function link_is_kept() returns trigger language plpgsql as $$
begin
  if exists (select from codebook_version where id = old.version_id and content_hash <> '')
     and (tg_op = 'DELETE'
          or to_jsonb(old) - array['carried_at', 'carried_by_id', 'carried_because'] is distinct from
             to_jsonb(new) - array['carried_at', 'carried_by_id', 'carried_because']) then
    raise exception 'How the categories of a published version came about cannot be changed.'
      using errcode = 'integrity_constraint_violation', constraint = 'link_kept_as_published';
  end if;
  return case tg_op when 'DELETE' then old else new end;
end $$;
create trigger link_kept_as_published before update or delete on codebook_categorylink
  for each row execute function link_is_kept();
"""
NOT_FROZEN = """
drop trigger link_kept_as_published on codebook_categorylink;
drop function link_is_kept();
"""
# Labels are kept as given, so what each one is about is filled in with that rule set aside.
OF_A_CASE = """
alter table codebook_label disable trigger label_kept_as_given;
update codebook_label label set case_id = slot.case_id, round = slot.round
from queues_slot slot where slot.id = label.slot_id;
set constraints all immediate;
alter table codebook_label enable trigger label_kept_as_given;
"""


class Migration(migrations.Migration):
    dependencies = [("codebook", "0004_labels_over_time")]

    operations = [
        migrations.RunSQL(FROZEN, NOT_FROZEN),
        migrations.RunSQL(OF_A_CASE, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="label",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="labels", to="queues.case"
            ),
        ),
    ]
