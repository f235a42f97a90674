"""Limits on guessing passwords: per person and address, and per address over all persons (settings.py has the numbers).

django-axes keeps the count, in the database, so that it holds over all web nodes.
"""

from datetime import datetime
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max, QuerySet, Sum
from django.http import HttpRequest


def address(request: HttpRequest) -> str | None:
    """Who is asking. Behind a proxy the last entry of X-Forwarded-For is the proxy's word, any before it a claim."""
    if settings.BEHIND_PROXY and (said := request.META.get("HTTP_X_FORWARDED_FOR", "")):
        return str(said).rsplit(",", 1)[-1].strip() or None
    return request.META.get("REMOTE_ADDR") or None


def name_tried(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """The e-mail address as it is compared, so that another spelling is not another count."""
    given = (credentials or {}).get("username") or request.POST.get("username") or ""
    return str(given).strip().lower()[:255]


class Attempts(AxesDatabaseHandler):
    """Adds the limit per address, which stops one guess each at many persons."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        by_name = super().get_failures(request, credentials)
        by_address = _from(request).aggregate(tried=Sum("failures_since_start"))["tried"] or 0
        return max(by_name, by_address * settings.AXES_FAILURE_LIMIT // settings.FAILURES_PER_ADDRESS)


def free_again(request: HttpRequest) -> datetime | None:
    """When the address that was locked out may try again; None if nothing was counted."""
    last = _from(request).aggregate(at=Max("attempt_time"))["at"]
    return last + get_cool_off(request) if last else None


def _from(request: HttpRequest) -> "QuerySet[AccessAttempt]":
    since = request.axes_attempt_time - get_cool_off(request)  # type: ignore[attr-defined]
    return AccessAttempt.objects.filter(ip_address=request.axes_ip_address, attempt_time__gte=since)  # type: ignore[attr-defined]
