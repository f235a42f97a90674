#!/bin/sh
# Runs once, when the database is made: the owner of the tables, and the application, which may not change audit records.
# Neither is a superuser.
set -eu
psql --quiet -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname "$POSTGRES_DB" \
  -v database="$POSTGRES_DB" -v owner_password="$HITL_OWNER_PASSWORD" -v app_password="$HITL_APP_PASSWORD" <<'SQL'
create role hitl_owner login password :'owner_password';
create role hitl_app login password :'app_password';
create role hitl_audit nologin;
grant hitl_audit to hitl_owner;
alter database :"database" owner to hitl_owner;
SQL
