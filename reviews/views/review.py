"""The review screen: the case to decide, the one on deck, and the one request that decides."""

from collections.abc import Sequence

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from codebook.labels.labelling import WrongVersion
from codebook.versions import NoCodebook
from hitl.access import doors
from hitl.audit import log
from hitl.models import User
from queues import claims
from queues.claims import Claim, ClaimLost
from queues.doors import queues
from reviews import deciding, forms
from reviews.deciding import Decided, TooLate
from reviews.figures import today
from reviews.figures.today import Recent
from reviews.given import Invalid
from reviews.screen import Screen, prepare
from reviews.views.access import person, scope_of, slot_of

REASONS: dict[type[Exception], str] = {
    ClaimLost: "This case is no longer yours: a colleague has it, it went back to the queue, or your access changed. "
    "Your decision does not count, but what you wrote is kept under “My decisions”.",
    WrongVersion: "The codebook has changed since this case was put before you. Look at its categories again and "
    "decide once more; what you wrote is still here.",
    NoCodebook: "This queue has no published codebook, so nothing in it can be decided. Its lead has to choose one.",
}


@require_GET
def page(request: HttpRequest, slug: str = "") -> HttpResponse:
    """What the reviewer holds already, or the next case, with the one on deck behind it."""
    user = person(request)
    scope = doors.get(queues(user), slug=slug) if slug else None
    with transaction.atomic():
        held = claims.hold(user=user, queue_id=scope.pk if scope else None)
        if held:
            claims.confirm(user=user, slot_id=held[0].slot_id, token=held[0].token)
            log.append_all([deciding.seen(user, held[0])])
    screen, on_deck = _screens(user, held, slug)
    if held and screen is None:
        return render(request, "reviews/no_codebook.html", {"scope": scope}, status=409)
    context = {
        "scope": scope,
        "queues": queues(user, "review_queue"),
        "screen": screen,
        "on_deck": on_deck,
        "next_due": None if held else today.next_due(user),
        **today.status(user, timezone.now()),
    }
    return render(request, "reviews/review.html", context)


@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """The decision and the next case, in one request."""
    user = person(request)
    slug, queue_id = scope_of(request, user)
    try:
        decided = deciding.decide(
            user=user,
            slot_id=pk,
            token=forms.whole(request.POST, "token"),
            given=forms.given(request.POST),
            painted=forms.painted(request.POST),
            queue_id=queue_id,
        )
    except (ClaimLost, Invalid, WrongVersion, NoCodebook) as refusal:
        return _refused(request, user, pk, refusal)
    if not _by_script(request):
        return _back(slug)
    # What the browser painted on trust needs no second painting.
    ahead = [None if decided.as_painted else decided.next.current, decided.next.on_deck]
    replace, on_deck = _screens(user, ahead, slug)
    last = _made(decided, pk, request.POST)
    return _decided(request, user, last=last, count=decided.today, replace=replace, on_deck=on_deck)


@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a decision back: its case is on the screen again, and the one that was there is on deck."""
    user = person(request)
    slug, queue_id = scope_of(request, user)
    slot_of(user, pk)
    try:
        claim = deciding.undo(user=user, slot_id=pk)
    except TooLate as refusal:
        if not _by_script(request):
            messages.error(request, str(refusal))
            return _back(slug)
        return _decided(request, user, refused=str(refusal))
    if not _by_script(request):
        return _back(slug)
    behind = [one for one in claims.held(user=user, queue_id=queue_id) if one.slot_id != claim.slot_id]
    replace, on_deck = _screens(user, [claim, *behind], slug)
    return _decided(request, user, replace=replace, on_deck=on_deck)


def _refused(request: HttpRequest, user: User, pk: int, refusal: Exception) -> HttpResponse:
    """Nothing is lost: what was written is kept, and where the case is still theirs it is on the screen again."""
    slug, queue_id = scope_of(request, user)
    slot_of(user, pk)
    reason = REASONS.get(type(refusal)) or str(refusal)
    deciding.keep_draft(user=user, slot_id=pk, content=_written(request.POST))
    if not _by_script(request):
        messages.error(request, reason)
        return _back(slug)
    held = sorted(claims.held(user=user, queue_id=queue_id), key=lambda claim: claim.slot_id != pk)
    replace, on_deck = _screens(user, held, slug)
    return _decided(request, user, refused=reason, replace=replace, on_deck=on_deck)


def _written(post: QueryDict) -> dict[str, object]:
    try:
        return forms.content(post)
    except Invalid:
        return {"final_answer": post.get("final_answer", "")[: forms.LONGEST], "categories": [], "findings": []}


def _screens(user: User, ahead: Sequence[Claim | None], slug: str) -> tuple[Screen | None, Screen | None]:
    first, second, *_ = [*(_screen(user, claim, slug) for claim in ahead[:2]), None, None]
    return first, second


def _screen(user: User, claim: Claim | None, slug: str) -> Screen | None:
    """None where there is no case, or its queue lost its codebook since: the page says what to do about that."""
    try:
        return prepare(claim=claim, user=user, now=timezone.now(), scope=slug) if claim else None
    except NoCodebook:
        return None


def _made(decided: Decided, pk: int, post: QueryDict) -> Recent | None:
    """The decision just made, as it is offered for undoing: known without asking."""
    if decided.case is None or decided.case.queue is None:
        return None
    return Recent(pk, decided.case.external_id, post.get("verdict", ""), decided.case.queue.undo_seconds)


def _decided(
    request: HttpRequest, user: User, last: Recent | None = None, count: int | None = None, **context: object
) -> HttpResponse:
    slug = request.GET.get("scope", "")
    scope = {"slug": slug} if slug else None
    status = today.status(user, timezone.now(), last, count)
    return render(request, "reviews/_decided.html", {"scope": scope, **status, **context})


def _by_script(request: HttpRequest) -> bool:
    return "X-Review" in request.headers


def _back(slug: str) -> HttpResponse:
    return redirect("review_queue", slug) if slug else redirect("review")
