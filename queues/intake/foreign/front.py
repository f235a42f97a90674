"""The front of a door that stands where another tool's server would: who comes in, and failures in its shape."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from hitl.access import tokens
from hitl.access.models import ApiToken
from hitl.access.tokens import TokenRefused
from queues.intake.body import BodyRefused

log = logging.getLogger(__name__)

Say = Callable[[int, str], HttpResponse]
Secret = Callable[[HttpRequest], str]
View = Callable[..., HttpResponse]


def guarded(view: View, *, methods: tuple[str, ...], say: Say) -> View:
    """A view that needs no signing in and never answers with a page, whatever goes wrong."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            if request.method not in methods:
                refused = say(405, f"{request.method} is not done here; use {' or '.join(methods)}.")
                refused.headers["Allow"] = ", ".join(methods)
                return refused
            return view(request, *args, **kwargs)
        except (TokenRefused, BodyRefused) as refused_:
            return say(refused_.status, refused_.sentence)
        except (DatabaseError, InterfaceError):
            log.exception("A foreign door could not use the database")
            return say(503, "The database could not be used just now. Send the same again: it is safe.")
        except Exception:
            log.exception("A foreign door failed")
            return say(500, "Something failed here, and its log says what. Sending the same again is safe.")

    return login_not_required(csrf_exempt(answer))


def door(*methods: str, secret: Secret, say: Say, scopes: tuple[str, ...] = ("ingest",)) -> Callable[[View], View]:
    """For a view that takes the request and the token that let it in. `secret` finds the token's secret, or raises
    TokenRefused.
    """

    def made(view: View) -> View:
        @wraps(view)
        def admitted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            token: ApiToken = tokens.admit(secret(request), *scopes)
            return view(request, token, *args, **kwargs)

        return guarded(admitted, methods=methods, say=say)

    return made


def bearer(request: HttpRequest) -> str:
    """The secret of `Authorization: Bearer …`; empty where there is none, for doors that look elsewhere as well."""
    kind, _, said = request.headers.get("Authorization", "").partition(" ")
    return said.strip() if kind.lower() == "bearer" and said.isascii() else ""
