"""One case as a lead sees it: as it was received, why it went where it went, and what became of it."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from hitl.access import doors as access
from hitl.audit import log
from queues import doors, languages, wording
from queues.confidence import Confidence
from queues.triggers import Assessment
from reviews import examples, reading
from reviews.figures.case import history


@require_safe
@transaction.atomic
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Looking at it is on record; so is that it was as a lead."""
    user = access.signed_in(request)
    case = access.get(doors.cases_led(user).select_related("tenant", "queue"), pk=pk)
    log.append(
        actor=user, action="case.seen", subject=f"case:{case.pk}", tenant_id=case.tenant_id, queue_id=case.queue_id,
        detail={"as": "lead"},
    )  # fmt: skip
    # Which claim leans on what is the reviewer's to weigh; here the passages alone are marked.
    _, evidence = reading.lay_out(case.draft, case.evidence, anchor=f"doc-{case.pk}-")
    assessed, found = case.assessment, history(case, user)
    context = {
        "case": case,
        "now": timezone.now(),
        "question_html": reading.rich(case.question),
        "draft_html": reading.rich(case.draft),
        "evidence": evidence,
        "conversation": [(turn.get("role", ""), reading.rich(turn.get("content", ""))) for turn in case.conversation],
        "tool_results": [reading.tool(result) for result in case.tool_results],
        "language": languages.name(case.language) if case.language else "not known",
        "confidence": Confidence.from_json(assessed.get("confidence", {})),
        "assessment": Assessment.from_json(assessed) if "outcome" in assessed else None,
        "why": wording.why(case.routing, wording.rule_names(user)),
        "history": found,
        "offer": examples.offer(user, case, final_answer=found.outcome.final_answer if found.outcome else ""),
        "may_reveal": doors.cases_revealed(user).filter(pk=case.pk).exists(),
        "runs_tenant": access.tenants(user, *access.LEADS).filter(pk=case.tenant_id).exists(),
    }
    return render(request, "reviews/case.html", context)
