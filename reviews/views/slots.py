"""What a reviewer does with a case short of deciding it: keep it, save on it, put it aside, give it away."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from hitl import textdiff
from hitl.models import User
from queues import claims
from queues.claims import CannotHandUp, ClaimLost
from reviews import deciding, forms
from reviews.given import Invalid
from reviews.views.access import person, scope_of, slot_of

LOST = "This case is no longer yours, so nothing was changed."


@require_POST
def heartbeat(request: HttpRequest, pk: int) -> HttpResponse:
    """Keeps the lease while the reviewer works: 204, or 409 when the case is somebody else's by now."""
    user = person(request)
    slot_of(user, pk)
    try:
        token, on_deck = forms.whole(request.POST, "token"), forms.painted(request.POST)
        claims.heartbeat(user=user, slot_id=pk, token=token, on_deck=on_deck)
    except ClaimLost:
        return HttpResponse(LOST, status=409, content_type="text/plain")
    except Invalid as fault:
        return HttpResponse(str(fault), status=400, content_type="text/plain")
    return HttpResponse(status=204)


@require_POST
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    """Autosave: 204; 409 when the case is somebody else's by now (the text is kept all the same)."""
    user = person(request)
    slot_of(user, pk)
    try:
        content, token = forms.content(request.POST), forms.whole(request.POST, "token")
    except Invalid as fault:
        return HttpResponse(str(fault), status=400, content_type="text/plain")
    if not deciding.keep_draft(user=user, slot_id=pk, token=token, content=content):
        return HttpResponse(LOST, status=409, content_type="text/plain")
    return HttpResponse(status=204)


@require_POST
def diff(request: HttpRequest, pk: int) -> HttpResponse:
    """The difference between the draft and what the reviewer has made of it."""
    slot = slot_of(person(request), pk)
    edited = request.POST.get("final_answer", "")[: forms.LONGEST]
    return render(request, "reviews/_diff.html", {"diff": textdiff.to_html(textdiff.diff(slot.case.draft, edited))})


@require_POST
def defer(request: HttpRequest, pk: int) -> HttpResponse:
    """Puts the case aside until a time, with a reason."""
    user = person(request)
    form = forms.DeferForm(request.POST)

    def act(token: int, reason: str) -> str:
        until = form.until(timezone.now(), user.time_zone)
        claims.defer(user=user, slot_id=pk, token=token, until=until, reason=reason)
        return "Put aside. It comes back by itself."

    return _leave(request, user, pk, form, act)


@require_POST
def pass_on(request: HttpRequest, pk: int) -> HttpResponse:
    """Gives the case to a colleague, with a reason."""
    user = person(request)
    form = forms.ReasonForm(request.POST)

    def act(token: int, reason: str) -> str:
        colleague = get_object_or_404(User, pk=form.cleaned_data["colleague"] or 0)
        claims.pass_on(user=user, slot_id=pk, token=token, to=colleague, reason=reason)
        return f"Passed on to {colleague.name}."

    return _leave(request, user, pk, form, act)


@require_POST
def hand_up(request: HttpRequest, pk: int) -> HttpResponse:
    """Gives the case to a higher authority, with a reason."""
    user = person(request)

    def act(token: int, reason: str) -> str:
        slot = claims.hand_up(user=user, slot_id=pk, token=token, reason=reason)
        return f"Handed up to {slot.lane.authority}."

    return _leave(request, user, pk, forms.ReasonForm(request.POST), act)


@require_POST
def release(request: HttpRequest) -> HttpResponse:
    """Leaving: what the reviewer holds goes back to its queue."""
    user = person(request)
    back = claims.release(user=user, queue_id=scope_of(request, user)[1])
    if back:
        messages.success(request, "Your cases are back in the queue. What you had written on them is kept for you.")
    return redirect("home")


def _leave(
    request: HttpRequest,
    user: User,
    pk: int,
    form: forms.DeferForm | forms.ReasonForm,
    act: Callable[[int, str], str],
) -> HttpResponse:
    slug, _ = scope_of(request, user)
    slot_of(user, pk)
    try:
        if not form.is_valid():
            raise Invalid("Give a reason, so that whoever comes next knows why.")
        messages.success(request, act(forms.whole(request.POST, "token"), form.cleaned_data["reason"]))
    except ClaimLost:
        messages.error(request, LOST)
    except CannotHandUp:
        messages.error(request, "Nobody stands above you for this case. It is still yours.")
    except (Invalid, ValueError) as fault:
        messages.error(request, str(fault))
    return redirect("review_queue", slug) if slug else redirect("review")
