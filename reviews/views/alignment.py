"""Alignment sessions: the list, opening one, and one with its agenda, to be gone through together."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from codebook.adjudication import alignment
from codebook.adjudication.alignment import NotOpened
from codebook.adjudication.disagreement import visible
from codebook.agreement import reading_figures
from codebook.doors import codebooks, owned
from codebook.models import Adjudication, AlignmentSession, Codebook
from codebook.standing import Standing, standing
from hitl.access import doors
from hitl.audit import log
from hitl.models import User
from reviews import forms, reading
from reviews.figures import decisions, disagreements
from reviews.views.access import person

A_PAGE = 10
AS = "alignment"


@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest, slug: str) -> HttpResponse:
    """The sessions there were; the owner opens the next with one click."""
    user = person(request)
    if request.method == "POST":
        codebook = doors.get(owned(user), slug=slug)
        try:
            session = alignment.open_session(codebook=codebook, by=user, now=timezone.now())
        except NotOpened as refusal:
            messages.error(request, str(refusal))
            return redirect("codebook_alignments", slug)
        return redirect("codebook_alignment", slug, session.pk)
    codebook = doors.get(codebooks(user), slug=slug)
    context = {
        "codebook": codebook,
        "here": "codebook_alignments",
        "is_owner": codebook.owner_id == user.pk,
        "sessions": [(one, _around(one)[:1]) for one in codebook.alignments.order_by("-pk")],
        "since": alignment.period(codebook, timezone.now()),
    }
    return render(request, "codebook/alignments.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The agenda, for all who read the codebook, as far as they may see the cases; no names of who decided what."""
    user = person(request)
    if request.method == "POST":
        session = doors.get(AlignmentSession.objects.filter(codebook__in=owned(user), codebook__slug=slug), pk=pk)
        _change(request, session, user, request.POST)
        return redirect("codebook_alignment", slug, pk)
    codebook = doors.get(codebooks(user).select_related("owner"), slug=slug)
    session = doors.get(codebook.alignments.all(), pk=pk)
    stands = standing(codebook.pk)
    context = {
        "codebook": codebook,
        "here": "codebook_alignments",
        "is_owner": codebook.owner_id == user.pk,
        "session": session,
        "around": _around(session),
        "job": alignment.running(session),
        **_agenda(user, codebook, session, stands, request.GET.get("page", "")),
    }
    return render(request, "codebook/alignment.html", context)


def _change(request: HttpRequest, session: AlignmentSession, user: User, post: QueryDict) -> None:
    try:
        alignment.write(session=session, note=post.get("note", "")[: forms.LONGEST].strip(), by=user)
        if "close" in post:
            alignment.close(session=session, by=user, now=timezone.now())
    except NotOpened as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, "Closed. Agreement after it is measured as labels come in." if "close" in post else "Saved."
        )


def _agenda(user: User, codebook: Codebook, session: AlignmentSession, stands: Standing, page: str) -> dict[str, Any]:
    """A page of the agenda, in its order. That these cases were shown is on record."""
    found = {
        one.pk: one for one in visible(user, codebook).filter(pk__in=session.agenda).select_related("case__tenant")
    }
    ordered = [found[pk] for pk in session.agenda if pk in found]
    shown = Paginator(ordered, A_PAGE).get_page(page)
    with transaction.atomic():
        log.append_all([
            log.Entry("case.seen", f"case:{item.case_id}", user, item.case.tenant_id, item.queue_id, {"as": AS})
            for item in shown
        ])  # fmt: skip
    rows = {row.disagreement.pk: row for row in disagreements.agenda(list(shown), stands)}
    items = [_item(rows[item.pk], codebook, stands) for item in shown]
    return {"items": items, "shown": shown, "of": len(session.agenda), "elsewhere": len(session.agenda) - len(ordered)}


def _item(row: disagreements.Row, codebook: Codebook, stands: Standing) -> dict[str, Any]:
    found = row.disagreement
    word = Adjudication.objects.filter(case=found.case, round=found.round).select_related("label").first()
    return {
        "row": row,
        "case": found.case,
        "question_html": reading.rich(found.case.question),
        "draft_html": reading.rich(found.case.draft),
        "decisions": decisions.decisions(found.case, found.round, codebook, stands),
        "categories": [one for one in stands.newest.categories if one.pk in row.dispute.categories],
        "word": word,
    }


def _around(session: AlignmentSession) -> list[dict[str, Any]]:
    """Each figure before and after; after is None until labels came."""
    before, after = session.before or {}, session.after or {}
    later = {one["of"]: reading_figures.shown(one) for one in after.get("figures", ())}
    return [
        {"of": one["of"], "before": reading_figures.shown(one), "after": later.get(one["of"])}
        for one in before.get("figures", ())
    ]
