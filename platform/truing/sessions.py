"""Who is signed in: read on every request, so read with statements that are planned once."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from truing.models import User
from truing.prepared import fetch

_SESSION = """
SELECT session_data, expire_date FROM django_session
WHERE session_key = %s AND expire_date > %s
"""
_USER = "SELECT {} FROM truing_user WHERE id = %s".format(
    ", ".join(str(field.column) for field in User._meta.concrete_fields)
)


class SessionStore(db.SessionStore):
    """Django's sessions in the database."""

    def _get_session_from_db(self) -> Any:
        rows = fetch(_SESSION, [self.session_key or "", timezone.now()])
        if not rows:
            self._session_key = None
            return None
        content, expires = rows[0]
        return Session(self.session_key or "", content, expires)


class Backend(ModelBackend):
    """Django's sign-in with a password."""

    def get_user(self, user_id: Any) -> User | None:
        rows = fetch(_USER, [user_id])
        if not rows:
            return None
        user = User.from_db("default", [one.attname for one in User._meta.concrete_fields], rows[0])
        return user if self.user_can_authenticate(user) else None
