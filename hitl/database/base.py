"""Django's PostgreSQL backend, which attaches to the embedded server at the first connection and explains refusals."""

import contextlib
import select
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base, features
from django.db.utils import OperationalError

from hitl.database import keeper


class Unavailable(OperationalError):
    """The database cannot be used; the text is a sentence for a person, with what to do."""


class DatabaseFeatures(features.DatabaseFeatures):
    minimum_database_version = (15,)


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = DatabaseFeatures

    def get_connection_params(self) -> dict[str, Any]:
        if not settings.EMBEDDED:
            return super().get_connection_params()
        data = settings.DATA_DIR / "postgres"
        try:
            keeper.use(data)
            self.settings_dict["HOST"] = str(keeper.socket_folder(data))
        except keeper.KeeperError as error:
            raise Unavailable(str(error)) from error
        return super().get_connection_params()

    def get_new_connection(self, conn_params: dict[str, Any]) -> psycopg.Connection[Any]:
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError as error:
            if not settings.EMBEDDED:
                raise self._explained(error) from error
        # No server is there yet, or it is just coming back, or its database was never made.
        try:
            keeper.attach(settings.DATA_DIR / "postgres")
        except keeper.KeeperError as error:
            raise Unavailable(str(error)) from error
        create_database(conn_params)
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError as error:
            raise self._explained(error) from error

    def is_usable(self) -> bool:
        # Asked before every request: a server that went away has closed the socket, which is known without a statement.
        if self.connection is None or self.connection.closed:
            return False
        said = select.poll()
        said.register(self.connection.fileno(), select.POLLIN)
        return not said.poll(0) or super().is_usable()

    def _explained(self, error: psycopg.OperationalError) -> Unavailable:
        said, wanted = str(error), self.settings_dict
        where = f"{wanted['HOST'] or 'localhost'}:{wanted['PORT'] or 5432}"
        if f'role "{settings.APP_ROLE}" does not exist' in said:
            sentence = "The database is not set up yet: run `manage.py up`, which prepares it."
        elif "does not exist" in said and "database" in said and wanted["NAME"]:
            sentence = (
                f"The server {where} has no database {wanted['NAME']!r} (or no such user): create it, for example with "
                f"`createdb {wanted['NAME']}`, or correct DATABASE_URL. It said: {said}"
            )
        elif "authentication failed" in said or "no password supplied" in said or "no pg_hba.conf entry" in said:
            sentence = (
                f"The database server {where} refused the login of {wanted['USER']!r}: correct user and password "
                f"in DATABASE_URL. It said: {said}"
            )
        elif "permission denied to set role" in said or "permission denied to set parameter" in said:
            sentence = (
                f"{wanted['USER']!r} may not act as {settings.APP_ROLE}: give the application a login of its own in "
                f"DATABASE_APP_URL, or let a superuser run `grant {settings.APP_ROLE} to {wanted['USER']}`. "
                f"It said: {said}"
            )
        else:
            sentence = (
                f"The database at {where} cannot be reached; nothing was changed. Start it, or correct DATABASE_URL; "
                f"without DATABASE_URL hitl runs a database of its own. It said: {said}"
            )
        return Unavailable(" ".join(sentence.split()))


def create_database(params: dict[str, Any]) -> None:
    """The embedded server's database, when it is the first time. Two may come at once: one of them makes it."""
    if params.get("dbname") != settings.DATABASES["owner"]["NAME"]:
        return
    with psycopg.connect(host=params["host"], user=keeper.SUPERUSER, dbname="postgres", autocommit=True) as connection:
        known = connection.execute("select 1 from pg_database where datname = %s", [params["dbname"]]).fetchone()
        if not known:
            with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(f'create database "{params["dbname"]}" template template0')
