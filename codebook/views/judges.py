"""Judges against people: all that spoke of a codebook's cases, and one of them."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from codebook.agreement import page as agreement_page
from codebook.doors import codebooks
from codebook.judges import page as judge_page
from codebook.judges import reports as judges
from codebook.models import JudgeReport
from hitl.access import doors as access


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    user = access.signed_in(request)
    codebook = access.get(codebooks(user).select_related("owner"), slug=slug)
    rows = [judge_page.row(report) for report in judges.latest(codebook)]
    job = judges.running(codebook)
    context = {
        "codebook": codebook,
        "here": "codebook_judges",
        "rows": rows,
        "report": rows[0].report if rows else None,
        "window": judges.WINDOW.days,
        "enough": judges.ENOUGH_CASES,
        "waiting": judges.waiting(codebook),
        "who": agreement_page.reader(user, codebook),
        "running": job,
        "job": job if job and (job.started_by_id == user.pk or user.is_superuser) else None,
    }
    return render(request, "codebook/judges.html", context)


@require_safe
def judge(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    user = access.signed_in(request)
    codebook = access.get(codebooks(user).select_related("owner"), slug=slug)
    report = access.get(JudgeReport.objects.filter(codebook=codebook), pk=pk)
    line, past = judge_page.over_time(report)
    context = {
        "codebook": codebook,
        "here": "codebook_judges",
        "report": report,
        "newer": past[0][-1] if past[0][-1].pk != report.pk else None,
        "line": line,
        "past": past,
        "differences": judge_page.differences(report, user, codebook),
        **judge_page.parts(report),
    }
    return render(request, "codebook/judge.html", context)


@require_POST
def measure(request: HttpRequest, slug: str) -> HttpResponse:
    user = access.signed_in(request)
    codebook = access.get(codebooks(user), slug=slug)
    if not agreement_page.reader(user, codebook).may_measure:
        raise Http404
    judges.measure_now(codebook=codebook, by=user)
    return redirect("codebook_judges", slug=slug)
