"""One trace as a lead sees it: what was asked and answered, on what ground, and what users and judges made of it."""

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from hitl.access import doors as access
from hitl.audit import log
from queues import doors, languages
from queues.views.traces import SendTracesForm
from reviews import reading
from reviews.traffic import trace as telling


@require_safe
@transaction.atomic
def page(request: HttpRequest, slug: str, pk: UUID) -> HttpResponse:
    """Looking at it is on record."""
    user = access.signed_in(request)
    trace = access.get(doors.traces(user).select_related("tenant").filter(tenant__slug=slug), pk=pk)
    tenant = trace.tenant
    log.append(actor=user, action="trace.seen", subject=f"trace:{trace.pk}", tenant_id=tenant.pk)
    _, documents = reading.lay_out(trace.output, trace.documents, anchor="doc-")
    became = telling.became(trace, user)
    context = {
        "tenant": tenant,
        "here": "traces",
        "trace": trace,
        "conversation": [(turn.get("role", ""), turn.get("content", "")) for turn in trace.conversation],
        "documents": documents,
        "tools": [reading.tool(result) for result in trace.tools],
        "language": languages.name(trace.language) if trace.language else "not known",
        # As pairs: a score may be called "items", which a template would take for the method.
        "scores": list(trace.scores.items()),
        "metadata": list(trace.metadata.items()),
        "signals": telling.signals(trace),
        "signals_in_all": trace.signals,
        "verdicts": telling.verdicts(trace, became, user),
        "became": became,
        "may_reveal": doors.traces_revealed(user).filter(pk=trace.pk).exists(),
        "send": SendTracesForm(user=user),
        "now": timezone.now(),
    }
    return render(request, "traces/trace.html", context)
