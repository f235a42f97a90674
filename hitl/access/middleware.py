"""What holds for every page: headers, how long a session lives, and signing in first."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

NEXT = Callable[[HttpRequest], HttpResponseBase]
View = TypeVar("View", bound=Callable[..., HttpResponseBase])

SEEN = "seen"
NOTED_EVERY = 300
PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "autoplay", "bluetooth", "browsing-topics", "camera", "display-capture", "geolocation",
        "gyroscope", "hid", "magnetometer", "microphone", "midi", "payment", "serial", "usb", "xr-spatial-tracking",
    )
)  # fmt: skip


class Headers:
    """Headers that Django and django-csp do not set. Pages are never kept: they show other people's text."""

    def __init__(self, get_response: NEXT) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers["Permissions-Policy"] = PERMISSIONS
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def start_clock(request: HttpRequest) -> None:
    """At signing in: the session ends at a fixed time, whatever is written to it later."""
    request.session.set_expiry(timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE))
    request.session[SEEN] = int(time.time())


def passive(view: View) -> View:
    """Marks a view that a page calls by itself (heartbeat, progress): it keeps no session alive."""
    view.is_passive = True  # type: ignore[attr-defined]
    return view


class SessionLimits:
    """Ends a session that nobody worked in. When it was last used is noted every few minutes, not at each request."""

    def __init__(self, get_response: NEXT) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any) -> None:
        if not getattr(view, "login_required", True) or not request.user.is_authenticated:
            return
        now = int(time.time())
        idle = now - request.session.get(SEEN, 0)
        if SEEN in request.session and idle > settings.SESSION_IDLE_SECONDS:
            logout(request)
        elif idle >= NOTED_EVERY and not getattr(view, "is_passive", False):
            request.session[SEEN] = now


class LocalTime:
    """Shows every time as it is where the person is; who is not signed in sees UTC."""

    def __init__(self, get_response: NEXT) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # The last request of this thread was somebody else's.
        timezone.deactivate()
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any) -> None:
        if getattr(view, "login_required", True) and request.user.is_authenticated:
            timezone.activate(request.user.time_zone)


class SignInFirst(LoginRequiredMiddleware):
    """Sends who is not signed in to the sign-in page; a page's own request gets the reason, so that the page stays."""

    def handle_no_permission(self, request: HttpRequest, view_func: Callable[..., Any]) -> HttpResponse:  # type: ignore[override]
        if not _by_script(request):
            return super().handle_no_permission(request, view_func)
        came_from = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")).path or "/"
        url = f"{reverse(self.get_login_url(view_func))}?{urlencode({'next': came_from})}"
        return render(request, "access/_signed_out.html", {"url": url}, status=401)


def _by_script(request: HttpRequest) -> bool:
    """A request that a page makes by itself: a redirect to the sign-in page would be taken for its answer."""
    mode = request.headers.get("Sec-Fetch-Mode", "navigate")
    return mode != "navigate" or "HX-Request" in request.headers or "X-Review" in request.headers
