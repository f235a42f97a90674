from django.db import migrations

# A label, its batch and its categories speak of one version.
ONE_VERSION = """
alter table codebook_label
  add constraint label_in_a_batch_of_its_version
  foreign key (batch_id, version_id) references codebook_labelbatch (id, version_id);
alter table codebook_labelcategory
  add constraint label_category_of_the_labels_version
  foreign key (label_id, version_id) references codebook_label (id, version_id),
  add constraint label_category_of_its_version
  foreign key (category_id, version_id) references codebook_category (id, version_id);
"""
NOT_ONE_VERSION = """
alter table codebook_label drop constraint label_in_a_batch_of_its_version;
alter table codebook_labelcategory
  drop constraint label_category_of_the_labels_version, drop constraint label_category_of_its_version;
"""

# A published version and its categories stay as they are, whoever asks; only the tables' owner could take this away.
FROZEN = """
create function version_is_frozen() returns trigger language plpgsql as $$
begin
  if old.state = 'published' then
    raise exception 'Version % of codebook % is published and cannot be changed.', old.number, old.codebook_id
      using errcode = 'integrity_constraint_violation', constraint = 'version_frozen_once_published';
  end if;
  return case tg_op when 'DELETE' then old else new end;
end $$;
create trigger version_frozen_once_published before update or delete on codebook_version
  for each row execute function version_is_frozen();

create function category_is_frozen() returns trigger language plpgsql as $$
declare
  touched bigint[] := case tg_op when 'INSERT' then array[new.version_id] when 'DELETE' then array[old.version_id]
                                 else array[old.version_id, new.version_id] end;
begin
  if exists (select from codebook_version where id = any(touched) and state = 'published') then
    raise exception 'A category of a published version cannot be added, changed or removed.'
      using errcode = 'integrity_constraint_violation', constraint = 'category_frozen_once_published';
  end if;
  return case tg_op when 'DELETE' then old else new end;
end $$;
create trigger category_frozen_once_published before insert or update or delete on codebook_category
  for each row execute function category_is_frozen();

create function version_has_labels_only_if_published() returns trigger language plpgsql as $$
begin
  if not exists (select from codebook_version where id = new.version_id and state = 'published') then
    raise exception 'Labels are given under a published version only.'
      using errcode = 'integrity_constraint_violation', constraint = 'batch_of_a_published_version';
  end if;
  return new;
end $$;
create trigger batch_of_a_published_version before insert or update of version_id on codebook_labelbatch
  for each row execute function version_has_labels_only_if_published();

create function label_is_kept() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or (to_jsonb(old) - 'undone_at') is distinct from (to_jsonb(new) - 'undone_at')
     or old.undone_at is not null then
    raise exception 'A label is never changed: undo it, or let another follow it.'
      using errcode = 'integrity_constraint_violation', constraint = 'label_kept_as_given';
  end if;
  return new;
end $$;
create trigger label_kept_as_given before update or delete on codebook_label
  for each row execute function label_is_kept();

create function label_category_is_kept() returns trigger language plpgsql as $$
begin
  raise exception 'A label is never changed: undo it, or let another follow it.'
    using errcode = 'integrity_constraint_violation', constraint = 'label_category_kept_as_given';
end $$;
create trigger label_category_kept_as_given before update or delete on codebook_labelcategory
  for each row execute function label_category_is_kept();
"""
NOT_FROZEN = """
drop trigger label_category_kept_as_given on codebook_labelcategory;
drop trigger label_kept_as_given on codebook_label;
drop trigger batch_of_a_published_version on codebook_labelbatch;
drop trigger category_frozen_once_published on codebook_category;
drop trigger version_frozen_once_published on codebook_version;
drop function label_category_is_kept(), label_is_kept(), version_has_labels_only_if_published(),
  category_is_frozen(), version_is_frozen();
"""


class Migration(migrations.Migration):
    dependencies = [("codebook", "0002_initial")]

    operations = [
        migrations.RunSQL(ONE_VERSION, NOT_ONE_VERSION),
        migrations.RunSQL(FROZEN, NOT_FROZEN),
    ]
