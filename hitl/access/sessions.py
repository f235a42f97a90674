"""Who is asking, read in plain SQL: the two statements that every request of every page begins with."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from hitl.access.models import User
from hitl.database.rows import Columns

_SESSION = Columns(Session, "session")
_LIVING = f"""
select {_SESSION.sql} from django_session session where session_key = %s and expire_date > %s
"""  # noqa: S608 -- names of columns
_USER = Columns(User, "person")
_PERSON = f"select {_USER.sql} from hitl_user person where id = %s"  # noqa: S608 -- names of columns


class SessionStore(db.SessionStore):
    """Django's sessions in the database."""

    def _get_session_from_db(self) -> Session | None:
        with connection.cursor() as cursor:
            cursor.execute(_LIVING, [self.session_key, timezone.now()])
            row = cursor.fetchone()
        if row:
            return _SESSION.read(row)
        self._session_key = None
        return None


class Backend(ModelBackend):
    """Django's sign-in by password."""

    def get_user(self, user_id: Any) -> User | None:
        with connection.cursor() as cursor:
            cursor.execute(_PERSON, [user_id])
            row = cursor.fetchone()
        user = _USER.read(row) if row else None
        return user if user and self.user_can_authenticate(user) else None
