"""The audit record for those who run a tenant. Reading it is on the record too."""

import uuid
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from hitl.access import doors
from hitl.access.models import User
from hitl.audit import export, log, search, wording
from hitl.audit import scope as scopes
from hitl.audit.forms import FilterForm
from hitl.audit.reading import Live
from hitl.audit.scope import Scope
from hitl.audit.search import Wanted


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    reader = doors.signed_in(request)
    scope = scopes.of(reader)
    form = FilterForm(request.GET, scope)
    valid = form.is_valid()
    context = {"form": form, "query": _query(request), "scope": scope, "zone": reader.time_zone, "invalid": not valid}
    with timezone.override(ZoneInfo(reader.time_zone)), transaction.atomic():
        if valid:
            wanted = form.wanted(ZoneInfo(reader.time_zone))
            context |= _page(scope, wanted, _before(request))
            _record(reader, "audit.read", scope, wanted)
        if getattr(request, "htmx", False):
            return render(request, "audit/_rows.html", context)
        return render(request, "audit/log.html", {**context, "state": search.state()})


@require_safe
def take(request: HttpRequest) -> HttpResponseBase:
    """What the filters show, as a file; for an administrator without filters, the whole log, which proves itself."""
    reader = doors.signed_in(request)
    scope = scopes.of(reader)
    form = FilterForm(request.GET, scope)
    if not form.is_valid():
        return index(request)
    wanted = form.wanted(ZoneInfo(reader.time_zone))
    with transaction.atomic():
        _record(reader, "audit.exported", scope, wanted)
    return StreamingHttpResponse(
        export.compressed(_lines(scope, wanted)),
        content_type="application/gzip",
        headers={"Content-Disposition": f'attachment; filename="audit-{timezone.now():%Y%m%d-%H%M}.ndjson.gz"'},
    )


def _lines(scope: Scope, wanted: Wanted) -> Iterator[bytes]:
    looked_for = wanted.as_detail()
    if scope.everything and not looked_for:
        return export.whole(Live())
    what = wording.in_words(looked_for if scope.everything else {**looked_for, "tenants": list(scope.tenants.values())})
    return export.part(search.lines(wanted.among(scope.events())), what)


def _page(scope: Scope, wanted: Wanted, before: uuid.UUID | None) -> dict[str, Any]:
    events, older = search.page(wanted.among(scope.events()), before)
    names = scope.named(events)
    tenants = scope.tenants if len(scope.tenants) > 1 else {}
    rows = [(event, wording.tell(event, names), tenants.get(event.tenant_id or 0, "")) for event in events]
    return {"rows": rows, "older": older, "filtered": bool(wanted.as_detail()), "more": before is not None}


def _record(reader: User, action: str, scope: Scope, wanted: Wanted) -> None:
    detail = wanted.as_detail()
    if scope.tenant_id is None and not scope.everything:
        detail["tenants"] = list(scope.tenants)
    log.append(actor=reader, action=action, subject="audit:log", tenant_id=scope.tenant_id, detail=detail)


def _query(request: HttpRequest) -> str:
    query = request.GET.copy()
    query.pop("before", None)
    return query.urlencode()


def _before(request: HttpRequest) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.GET.get("before", ""))
    except ValueError:
        return None
