from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hitl.access import doors
from hitl.access.middleware import passive
from hitl.jobs.doors import jobs


@require_safe
def job(request: HttpRequest, pk: int) -> HttpResponse:
    return render(request, "jobs/job.html", {"job": doors.get(jobs(request.user), pk=pk)})


@passive
@require_safe
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The bar alone, which the page asks for every second until the job has ended."""
    return render(request, "jobs/_progress.html", {"job": doors.get(jobs(request.user), pk=pk)})
