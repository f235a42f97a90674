"""Error analysis: reading cases and noting what went wrong in them, grouping the notes, one group of them."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from codebook.doors import owned
from codebook.models import Codebook
from hitl.access import doors
from hitl.audit import log
from hitl.models import User
from queues.models import Case
from reviews import coding, examples, forms, promoting, reading
from reviews.figures import failures
from reviews.given import Invalid
from reviews.models import FailureMode, OpenCode

SKIPPED_AT_MOST = 50


@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The next case to read, and what was found so far."""
    user, codebook = _owner(request, slug)
    skipped = _numbers(request.GET.get("not", ""))
    with transaction.atomic():
        context = _next(user, codebook, skipped)
    return render(request, "codebook/failures.html", context | _found(user, codebook))


@require_http_methods(["GET", "HEAD", "POST"])
def case(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One case: to read it, or to note what went wrong in it; then the next one comes."""
    user, codebook = _owner(request, slug)
    found = doors.get(failures.readable(user, codebook).select_related("tenant"), pk=pk)
    refusal, code = "", None
    if request.method == "POST":
        try:
            code = _note(user, codebook, found, request.POST)
        except Invalid as problem:
            refusal = str(problem)
        else:
            skipped = _numbers(request.POST.get("not", ""))
            if not request.htmx:  # type: ignore[attr-defined]
                query = {"not": _joined(skipped)} if skipped else None
                return redirect(reverse("codebook_failures", args=[slug], query=query))
            with transaction.atomic():
                context = _next(user, codebook, skipped) | {"written": code, "previous": found}
            return render(request, "codebook/_coded.html", context)
    with transaction.atomic():
        context = _reading(user, codebook, found) | {
            "waiting": failures.waiting(user, codebook),
            "put_off": request.POST.get("not", ""),
            "skipped": _joined([pk]),
            "refusal": refusal,
            "typed": request.POST.get("text", ""),
        }
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "codebook/_coding.html", context)
    return render(request, "codebook/failures.html", context | _found(user, codebook), status=422 if refusal else 200)


@require_POST
def group(request: HttpRequest, slug: str) -> HttpResponse:
    """Puts the ticked notes into a group."""
    user, codebook = _owner(request, slug)
    chosen = _chosen(user, codebook, request.POST)
    try:
        mode = coding.group(
            codebook=codebook, codes=chosen, title=request.POST.get("title", ""), by=user, now=timezone.now()
        )
    except Invalid as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{len(chosen)} note{'s' * (len(chosen) != 1)} went into “{mode.title}”.")
    return redirect("codebook_failures", slug)


@require_http_methods(["GET", "HEAD", "POST"])
def mode(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One group of notes: what is in it, how often it occurs, and what to make of it."""
    user, codebook = _owner(request, slug)
    one = doors.get(codebook.failure_modes.select_related("codebook", "promoted_to__version"), pk=pk)
    if request.method == "POST":
        try:
            return _change(request, user, one)
        except Invalid as refusal:
            messages.error(request, str(refusal))
            return redirect("codebook_failure", slug, pk)
    read = codebook.cases_read.filter(in_random_sample=True).count()
    (figure,) = failures.groups(codebook, read, only=one.pk)
    context = {
        "codebook": codebook,
        "here": "codebook_failures",
        "mode": one,
        "codes": failures.codes(user, codebook, mode=one),
        "figure": figure,
        "read_sampled": read,
        "others": codebook.failure_modes.exclude(pk=pk).order_by("title"),
    }
    return render(request, "codebook/failure.html", context)


def _owner(request: HttpRequest, slug: str) -> tuple[User, Codebook]:
    user = doors.signed_in(request)
    return user, doors.get(owned(user), slug=slug)


def _next(user: User, codebook: Codebook, skipped: list[int]) -> dict[str, Any]:
    waiting = failures.waiting(user, codebook, skipped=skipped)
    found = Case.objects.select_related("tenant").get(pk=waiting.first) if waiting.first else None
    put_off = {"put_off": _joined(skipped), "skipped": _joined([*skipped, *([found.pk] if found else [])])}
    return _reading(user, codebook, found) | {"waiting": waiting, **put_off}


def _reading(user: User, codebook: Codebook, case: Case | None) -> dict[str, Any]:
    """A case laid out for reading; that its owner read it is on record."""
    context: dict[str, Any] = {"codebook": codebook, "here": "codebook_failures", "case": case}
    context["latest"] = failures.LATEST
    if case is None:
        return context
    log.append(
        actor=user, action="case.seen", subject=f"case:{case.pk}", tenant_id=case.tenant_id, queue_id=case.queue_id,
        detail={"as": "owner of the codebook"},
    )  # fmt: skip
    label = failures.decision(case)
    answer = failures.answer(label)
    return context | {
        "label": label,
        "question_html": reading.rich(case.question),
        "draft_html": reading.rich(case.draft),
        "answer_html": reading.rich(answer),
        "offer": examples.offer(user, case, final_answer=answer),
        "is_sampled": coding.in_random_sample(case),
        "noted": failures.standing(codebook).filter(case=case).select_related("author").order_by("pk"),
    }


def _found(user: User, codebook: Codebook) -> dict[str, Any]:
    return {"analysis": failures.analysis(user, codebook)}


def _note(user: User, codebook: Codebook, case: Case, post: QueryDict) -> OpenCode | None:
    now = timezone.now()
    if "nothing" in post:
        if post.get("text", "").strip():
            raise Invalid("You wrote a note. Save it, or empty the field if nothing went wrong.")
        coding.nothing_wrong(codebook=codebook, case=case, by=user, now=now)
        return None
    return coding.write_code(codebook=codebook, case=case, text=post.get("text", ""), by=user, now=now)


def _change(request: HttpRequest, user: User, mode: FailureMode) -> HttpResponse:
    """What a button of a group's page asks for, and the page it leads to. Raises Invalid."""
    asked = {"rename": _rename, "merge": _merge, "split": _split, "dissolve": _dissolve, "promote": _promote}
    change: Callable[[HttpRequest, User, FailureMode], str] | None = asked.get(request.POST.get("do", ""))
    if change is None:
        raise Invalid("The form was not whole. Reload the page.")
    slug, pk = mode.codebook.slug, mode.pk
    messages.success(request, change(request, user, mode))
    stays = FailureMode.objects.filter(pk=pk).exists()
    return redirect("codebook_failure", slug, pk) if stays else redirect("codebook_failures", slug)


def _rename(request: HttpRequest, user: User, mode: FailureMode) -> str:
    coding.rename(mode=mode, title=request.POST.get("title", ""), note=request.POST.get("note", ""), by=user)
    return "Saved."


def _merge(request: HttpRequest, user: User, mode: FailureMode) -> str:
    into = mode.codebook.failure_modes.filter(pk=forms.pk_of(request.POST, "into")).first()
    if into is None:
        raise Invalid("Choose the group to merge this one into.")
    coding.merge(mode=mode, into=into, by=user)
    return f"Its notes are in “{into.title}” now."


def _split(request: HttpRequest, user: User, mode: FailureMode) -> str:
    chosen = _chosen(user, mode.codebook, request.POST)
    other = coding.split(
        mode=mode, codes=chosen, title=request.POST.get("split_title", ""), by=user, now=timezone.now()
    )
    return f"The ticked notes are in “{other.title}” now."


def _dissolve(request: HttpRequest, user: User, mode: FailureMode) -> str:
    loose = coding.dissolve(mode=mode, by=user)
    return f"The group is gone; its {loose} note{'s' * (loose != 1)} wait to be grouped again."


def _promote(request: HttpRequest, user: User, mode: FailureMode) -> str:
    codes = failures.codes(user, mode.codebook, mode=mode)
    category = promoting.promote(mode=mode, codes=codes, by=user)
    return f"“{category.title}” is in the draft, with two notes as a first example. Write its definition there."


def _chosen(user: User, codebook: Codebook, post: QueryDict) -> list[int]:
    """Of the notes that were ticked, those that the person may read."""
    ticked = [number for value in post.getlist("code") for number in _numbers(value)]
    return [code.pk for code in failures.codes(user, codebook, most=len(ticked), pk__in=ticked)]


def _joined(numbers: list[int]) -> str:
    return ",".join(map(str, numbers))


def _numbers(text: str) -> list[int]:
    parts = text.split(",")[-SKIPPED_AT_MOST:]
    return [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 19]
