from django.db import migrations

# Roles belong to the whole cluster: another database's migration may have made them, or be making them right now.
# An owner that is no superuser needs to be granted them to act as one (`-c role=hitl_app`) and to give one its tables.
ROLES = """
do $$
declare
  wanted text;
begin
  foreach wanted in array array['hitl_app', 'hitl_audit'] loop
    if not exists (select from pg_roles where rolname = wanted) then
      begin
        execute format('create role %I %s', wanted, case wanted when 'hitl_app' then 'login' else 'nologin' end);
      exception
        when duplicate_object or unique_violation then null;
        when insufficient_privilege then
          raise exception 'The user % of DATABASE_URL may not create the role %. Let a superuser run once: '
            'create role hitl_app login; create role hitl_audit; grant hitl_app, hitl_audit to %;',
            current_user, wanted, current_user using errcode = 'insufficient_privilege';
      end;
    end if;
    if not (select rolsuper from pg_roles where rolname = current_user) then
      begin
        if current_setting('server_version_num')::int >= 160000 then
          execute format('grant %I to %I with set true, inherit true', wanted, current_user);
        elsif not pg_has_role(current_user, wanted, 'member') then
          execute format('grant %I to %I', wanted, current_user);
        end if;
      exception
        when unique_violation or internal_error then null;
        when insufficient_privilege then
          -- hitl_app may have a login of its own (DATABASE_APP_URL), which the owner need not be able to act as
          if wanted <> 'hitl_app' and not pg_has_role(current_user, wanted, 'member') then raise; end if;
      end;
    end if;
  end loop;
end $$;
"""

# Tables of apps that migrated earlier get the grants here, those made later get them by default. A table the app may
# not write takes it back in the migration that makes it.
GRANTS = """
grant usage on schema public to hitl_app;
alter default privileges in schema public grant select, insert, update, delete on tables to hitl_app;
alter default privileges in schema public grant usage, select on sequences to hitl_app;
do $$
declare
  known text;
begin
  for known in select tablename from pg_tables where schemaname = 'public' and tablename <> 'django_migrations' loop
    execute format('grant select, insert, update, delete on %I to hitl_app', known);
  end loop;
end $$;
grant select on django_migrations to hitl_app;
grant usage, select on all sequences in schema public to hitl_app;
"""

REVOKED = """
alter default privileges in schema public revoke all on tables from hitl_app;
alter default privileges in schema public revoke all on sequences from hitl_app;
revoke all on all tables in schema public from hitl_app;
revoke all on all sequences in schema public from hitl_app;
revoke usage on schema public from hitl_app;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.RunSQL(ROLES, migrations.RunSQL.noop),
        migrations.RunSQL(GRANTS, REVOKED),
    ]
