"""Disagreements and the owner's last word on them: the list, the case with its decisions side by side, the next one."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from codebook.adjudication.adjudicating import NotSettled
from codebook.adjudication.disagreement import visible
from codebook.doors import owned
from codebook.labels.labelling import WrongVersion
from codebook.models import Adjudication, Codebook, Disagreement, Label
from codebook.rubric.authoring import Refused
from codebook.standing import Standing, standing
from codebook.versions import NoCodebook
from hitl.access import doors
from hitl.audit import log
from hitl.models import User
from queues.models import Case, Outcome, Queue
from reviews import examples, forms
from reviews.figures import decisions, disagreements
from reviews.given import Given, Invalid
from reviews.settling import settle, siding_with
from reviews.views.access import person

A_PAGE = 50
CHANGED = "The codebook has a newer version since this page was shown. Look at its categories, then decide once more."


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    """What is open, by what is confused, and whose."""
    user = person(request)
    codebook = doors.get(owned(user), slug=slug)
    filters = disagreements.Filters.read(request.GET)
    context: dict[str, Any] = {"codebook": codebook, "here": "codebook_disagreements", "filters": filters}
    try:
        stands = standing(codebook.pk)
    except NoCodebook:
        return render(request, "codebook/disagreements.html", context)
    rows, kinds = disagreements.rows(user, codebook, stands, filters)
    shown = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    disagreements.with_cases(shown)
    context |= {
        "kinds": kinds,
        "rows": shown,
        "pairs": disagreements.people(rows),
        "categories": stands.newest.categories,
        "queues": Queue.objects.filter(codebook_use__codebook=codebook).order_by("name"),
        "counts": disagreements.counts(user, codebook),
        "looked_into": disagreements.LOOKED_INTO,
    }
    return render(request, "codebook/disagreements.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def adjudicate(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One disagreement; the last word on it, and the next one follows at once."""
    user, codebook, found = _open(request, slug, pk)
    stands = standing(codebook.pk)
    filters = disagreements.Filters.read(request.GET)
    refusal = ""
    if request.method == "POST":
        rows, _ = disagreements.rows(user, codebook, stands, filters)
        try:
            say(user, codebook, found.case, found.round, stands, request.POST)
        except (NotSettled, Invalid) as problem:
            refusal = str(problem)
        except WrongVersion:
            refusal = CHANGED
        else:
            return _next(request, codebook, found, rows, filters)
    context = {"found": found, "filters": filters, "refusal": refusal}
    context |= look(user, codebook, found.case, found.round, stands, request.POST)
    context["here"] = "codebook_disagreements"
    return render(request, "codebook/adjudicate.html", context, status=409 if refusal else 200)


@require_POST
def edge_case(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The disagreement as an edge case of a category, in the draft of the codebook."""
    user, codebook, found = _open(request, slug, pk)
    filters = disagreements.Filters.read(request.GET)
    try:
        category = examples.take_in(
            codebook=codebook, key=request.POST.get("category", ""), field="edge_case",
            text=request.POST.get("text", "")[: forms.LONGEST], case=found.case, by=user,
        )  # fmt: skip
    except (Invalid, Refused) as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"It stands in the draft, as an edge case of “{category.title}”.")
    return redirect(f"{request.path.removesuffix('edge-case/')}{filters.query}")


def look(user: User, codebook: Codebook, case: Case, round: int, stands: Standing, post: QueryDict) -> dict[str, Any]:
    """The case and what was decided on it, as its owner looks at it: that is on record."""
    with transaction.atomic():
        log.append(
            actor=user, action="case.seen", subject=f"case:{case.pk}", tenant_id=case.tenant_id,
            queue_id=case.queue_id, detail={"as": "owner of the codebook"},
        )  # fmt: skip
    decided = decisions.decisions(case, round, codebook, stands)
    outcome = Outcome.objects.filter(case=case).first()
    word = Adjudication.objects.filter(case=case, round=round).select_related("label__review", "by").first()
    return {
        "codebook": codebook,
        "decisions": decided,
        "between": decisions.between(decided),
        "version": stands.newest,
        "version_id": str(stands.newest.id),
        "outcome": outcome,
        "word": word,
        "typed_categories": post.getlist("category"),
        "typed": post,
        "disputed": {title for one in decided for title in one.lacks},
        **decisions.as_received(case),
    }


def say(user: User, codebook: Codebook, case: Case, round: int, stands: Standing, post: QueryDict) -> Adjudication:
    """The last word in a form: siding with a decision, or another one. Raises NotSettled, Invalid, WrongVersion."""
    side = forms.whole(post, "side", 0)
    label = None
    if side:
        label = Label.objects.filter(pk=side, case=case, round=round, undone_at=None).first()
        if label is None:
            raise NotSettled("That decision was taken back meanwhile. Look at what is there now.")
        if forms.whole(post, "version") != stands.newest.id:
            raise WrongVersion
    given: Given = siding_with(label, stands) if label else forms.given(post)
    return settle(
        case=case,
        round=round,
        codebook=codebook,
        given=given,
        sided_with=label,
        note=post.get("note", "")[: forms.LONGEST].strip(),
        tell="tell" in post,
        by=user,
        now=timezone.now(),
        corrects=forms.whole(post, "corrects", 0) or None,
    )


def _open(request: HttpRequest, slug: str, pk: int) -> tuple[User, Codebook, Disagreement]:
    user = person(request)
    codebook = doors.get(owned(user), slug=slug)
    mine = visible(user, codebook).select_related("case__tenant", "case__queue", "queue")
    return user, codebook, doors.get(mine, pk=pk)


def _next(
    request: HttpRequest,
    codebook: Codebook,
    settled: Disagreement,
    rows: list[disagreements.Row],
    filters: disagreements.Filters,
) -> HttpResponse:
    """On to the one that stood behind it in the list, round to the first."""
    messages.success(request, f"{settled.case.external_id} is settled.")
    ids = [row.disagreement.pk for row in rows]
    at = ids.index(settled.pk) if settled.pk in ids else -1
    ahead = [pk for pk in [*ids[at + 1 :], *ids[: max(at, 0)]] if pk != settled.pk]
    if not ahead or filters.state:
        return redirect(f"{reverse('codebook_disagreements', args=[codebook.slug])}{filters.query}")
    return redirect(f"{reverse('codebook_adjudicate', args=[codebook.slug, ahead[0]])}{filters.query}")
