"""Which web pages may send feedback from a browser: those of the origins that a tenant names, to this address alone.

No cookie is ever allowed along: a page shows its token, and has nothing else here.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from hitl.access.models import ApiToken
from hitl.access.tokens import TokenRefused
from queues.models import IntakeSettings

# Chromium asks again after two hours whatever is said here; the others may wait longer.
ASKED_AGAIN_AFTER: Final = 7200
LONGEST: Final = 200

View = Callable[..., HttpResponseBase]


def across(view: View) -> View:
    """Opens a view of the API to the pages of allowed origins: the browser's question beforehand is answered, and they
    may read what the view says. Which tenant's page it is shows in the token only: see `admit`.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        origin = origin_of(request)
        known = _may_be_named(origin) and IntakeSettings.objects.filter(origins__contains=[origin]).exists()
        asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = _preflight(known) if asks else view(request, *args, **kwargs)
        # Said to everybody, so that no cache gives one origin the answer of another.
        response.headers["Vary"] = "Origin"
        if known:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = "Retry-After"
        return response

    return answer


def admit(request: HttpRequest, token: ApiToken, settings: IntakeSettings) -> None:
    """Refuse a page that the token's tenant does not name, and a token in a page that may do more than feedback.

    A program that is no browser names no origin, and is held to its scopes alone. Raises TokenRefused.
    """
    origin = origin_of(request)
    if not origin:
        return
    if token.scopes != [ApiToken.Scope.FEEDBACK]:
        may = ", ".join(token.scopes)
        raise TokenRefused(
            403,
            f"This token may do more than send feedback ({may}), and a page shows its token to everybody. "
            "Revoke it, and give the page one for feedback alone.",
        )
    if not _may_be_named(origin) or origin not in settings.origins:
        raise TokenRefused(
            403, "Pages of this origin may not send feedback here. A lead names the origins in the tenant's settings."
        )


def origin_of(request: HttpRequest) -> str:
    """What the browser says the page is of; empty for a program that is none."""
    return request.headers.get("Origin", "")


def _may_be_named(origin: str) -> bool:
    """`null` is what pages of nowhere all say: a file, a frame in a sandbox, anybody's."""
    return origin not in ("", "null") and len(origin) <= LONGEST


def _preflight(known: bool) -> HttpResponse:
    if not known:
        return JsonResponse({"error": "Pages of this origin may not send feedback here."}, status=403)
    response = HttpResponse(status=204)
    response.headers["Access-Control-Allow-Methods"] = "POST"
    response.headers["Access-Control-Allow-Headers"] = "authorization, content-type"
    response.headers["Access-Control-Max-Age"] = str(ASKED_AGAIN_AFTER)
    return response
