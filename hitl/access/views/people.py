"""Who may do what: the administrator's screens."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hitl.access import doors, grants, people, roster
from hitl.access.forms import AuthorityForm, NewPersonForm, ProfileForm
from hitl.access.models import AuthorityGrant, User

A_PAGE = 50


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    wanted = request.GET.get("q", "").strip()
    found = doors.people(request.user).order_by("-is_active", "name", "pk")
    if wanted:
        found = found.filter(Q(name__icontains=wanted) | Q(email__icontains=wanted))
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "entries": roster.entries(list(page), timezone.now()), "wanted": wanted}
    return render(request, "access/people.html", {**context, "kinds": grants.kinds().values()})


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    doors.people(request.user)
    form = NewPersonForm(request.POST or None)
    if not form.is_valid():
        return render(request, "access/person_new.html", {"form": form}, status=422 if form.is_bound else 200)
    try:
        invited = people.create(by=doors.signed_in(request), **form.cleaned_data)
    except people.Refused as refused:
        form.add_error(None, str(refused))
        return render(request, "access/person_new.html", {"form": form}, status=422)
    return _link_shown(request, invited)


@require_safe
def person(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, doors.get(doors.people(request.user), pk=pk))


@require_POST
def profile(request: HttpRequest, pk: int) -> HttpResponse:
    whom = doors.get(doors.people(request.user), pk=pk)
    form = ProfileForm(request.POST, instance=doors.get(doors.people(request.user), pk=pk))
    if not form.is_valid():
        return _page(request, whom, status=422, profile=form)
    people.set_profile(by=doors.signed_in(request), person=whom, **form.cleaned_data)
    messages.success(request, "Saved.")
    return redirect("person", pk=pk)


@require_POST
def permissions(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    whom = doors.get(doors.people(request.user), pk=pk)
    if kind not in grants.kinds():
        raise Http404
    chosen = grants.kinds()[kind]
    wanted: dict[int, set[str]] = {}
    for codename, _ in chosen.permissions:
        for thing in request.POST.getlist(codename):
            wanted.setdefault(int(thing) if thing.isascii() and thing.isdecimal() else 0, set()).add(codename)
    try:
        given, taken = grants.set_all(by=doors.signed_in(request), person=whom, kind=chosen, wanted=wanted)
    except people.Refused as refused:
        messages.error(request, str(refused))
        return redirect("person", pk=pk)
    said = f"Saved: {given} given, {taken} taken back." if given or taken else "Nothing was changed."
    messages.success(request, said)
    return redirect("person", pk=pk)


@require_POST
def authority_new(request: HttpRequest, pk: int) -> HttpResponse:
    whom = doors.get(doors.people(request.user), pk=pk)
    form = AuthorityForm(request.POST)
    if form.is_valid():
        try:
            people.grant_authority(by=doors.signed_in(request), person=whom, **form.cleaned_data)
        except people.Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{whom} may now sign {form.cleaned_data['authority']}.")
            return redirect("person", pk=pk)
    return _page(request, whom, status=422, authority=form)


@require_POST
def authority_revoke(request: HttpRequest, pk: int, held: int) -> HttpResponse:
    whom = doors.get(doors.people(request.user), pk=pk)
    one = doors.get(AuthorityGrant.objects.filter(user=whom), pk=held)
    return _done(request, whom, f"{whom} may no longer sign {one}.", people.revoke_authority, held=one)


@require_POST
def administrator(request: HttpRequest, pk: int) -> HttpResponse:
    whom = doors.get(doors.people(request.user), pk=pk)
    becomes = request.POST.get("administrator") == "yes"
    said = f"{whom} is now an administrator." if becomes else f"{whom} is no longer an administrator."
    return _done(request, whom, said, people.set_administrator, person=whom, administrator=becomes)


@require_POST
def deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    whom = doors.get(doors.people(request.user), pk=pk)
    return _done(request, whom, f"{whom} is signed out everywhere and cannot sign in.", people.deactivate, person=whom)


@require_POST
def reactivate(request: HttpRequest, pk: int) -> HttpResponse:
    whom = doors.get(doors.people(request.user), pk=pk)
    return _link_shown(request, people.reactivate(by=doors.signed_in(request), person=whom))


@require_POST
def link(request: HttpRequest, pk: int) -> HttpResponse:
    whom = doors.get(doors.people(request.user), pk=pk)
    try:
        return _link_shown(request, people.invite(by=doors.signed_in(request), person=whom))
    except people.Refused as refused:
        messages.error(request, str(refused))
        return redirect("person", pk=pk)


def _done(request: HttpRequest, whom: User, said: str, verb: Any, **wanted: Any) -> HttpResponse:
    try:
        verb(by=doors.signed_in(request), **wanted)
    except people.Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, said)
    return redirect("person", pk=whom.pk)


def _link_shown(request: HttpRequest, invited: people.Invited) -> HttpResponse:
    context = {"person": invited.person, "link": request.build_absolute_uri(invited.path)}
    return render(request, "access/link.html", context)


def _page(request: HttpRequest, whom: User, status: int = 200, **forms: Any) -> HttpResponse:
    context = {
        "person": whom,
        "is_self": whom.pk == request.user.pk,
        "profile": forms.get("profile") or ProfileForm(instance=whom),
        "authority": forms.get("authority") or AuthorityForm(),
        "authorities": whom.authorities.select_related("tenant", "granted_by").order_by("authority"),
        "tables": [(kind, roster.choices(whom, kind)) for kind in grants.kinds().values()],
        "now": timezone.now(),
    }
    return render(request, "access/person.html", context, status=status)
