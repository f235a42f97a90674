"""My decisions: what I decided, what I may still take back, what I may amend, and drafts of cases that I lost."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from codebook.drift import page as drift_page
from codebook.drift import reports as drift_reports
from codebook.labels.labelling import WrongVersion
from codebook.models import Label
from codebook.versions import rubric
from hitl.access import doors
from queues.models import Slot
from reviews import deciding, examples, forms, reading
from reviews.deciding import TooLate
from reviews.figures import today
from reviews.given import Invalid
from reviews.models import SavedDraft
from reviews.views.access import decided, person, within_reach

A_PAGE = 50


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """The person's decisions, latest first, and what they wrote on cases that were taken from them."""
    user = person(request)
    now = timezone.now()
    labels = Label.objects.filter(undone_at=None).prefetch_related("given__category").order_by("-pk")
    slots = (
        decided(user)
        .select_related("lane__queue", "case__outcome")
        .prefetch_related(Prefetch("labels", queryset=labels, to_attr="standing"))
    )
    reach = within_reach(Slot.objects.all(), user)
    lost = SavedDraft.objects.filter(user=user, slot__in=reach).exclude(slot__holder=user)
    lost = lost.select_related("slot__case", "slot__lane__queue")
    return render(
        request,
        "reviews/history.html",
        {
            "slots": Paginator(slots, A_PAGE).get_page(request.GET.get("page")),
            "undoable": {one.slot_id: one.seconds_left for one in today.recent(user, now)},
            "lost": lost.order_by("-saved_at")[:A_PAGE],
            "today": today.decided_today(user, now),
            "steady": drift_page.own(list(drift_reports.own(user))),
        },
    )


@require_GET
def recent(request: HttpRequest) -> HttpResponse:
    """The decisions that may still be taken back, for the review screen's list."""
    return render(request, "reviews/_recent.html", {"recent": today.recent(person(request), timezone.now())})


@require_http_methods(["GET", "POST"])
def amend(request: HttpRequest, pk: int) -> HttpResponse:
    """One decision of mine; a correction of it is a label that follows the first."""
    user = person(request)
    mine = decided(user).select_related("case__tenant", "lane__queue")
    slot = doors.get(mine, pk=pk)
    label = slot.labels.filter(undone_at=None).select_related("review").latest("pk")
    if request.method == "POST":
        try:
            deciding.amend(user=user, slot_id=pk, given=forms.given(request.POST))
        except (Invalid, TooLate) as refusal:
            messages.error(request, str(refusal))
        except WrongVersion:
            messages.error(request, "A category is not of the version that this decision was made under.")
        else:
            messages.success(request, "Amended. Whoever waits for the answer is told again.")
            return redirect("decisions")
    return render(
        request,
        "reviews/amend.html",
        {
            "slot": slot,
            "label": label,
            "chosen": set(label.given.values_list("category", flat=True)),
            "version": rubric(label.version_id),
            "draft_html": reading.rich(slot.case.draft),
            "question_html": reading.rich(slot.case.question),
            "offer": examples.offer(user, slot.case, final_answer=label.review.final_answer),
        },
    )
