"""What counts today, what is in quarantine, and what the owner does about it."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from codebook.doors import codebooks, owned
from codebook.labels import carrying, quarantine, relabelling
from codebook.models import CategoryLink, Codebook, Relabel
from codebook.standing import Standing, standing, words
from codebook.versions import NoCodebook
from hitl.access import doors as access

HERE = "codebook_standing"
ORDERS = 20


class CarryForm(forms.Form):
    because = forms.CharField(
        label="Why the labels still mean the same",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="On record for good, and shown to everybody who reads this codebook.",
    )


class RelabelForm(forms.Form):
    percent = forms.DecimalField(
        label="Share of the cases, in percent",
        min_value=Decimal("0.1"),
        max_value=100,
        decimal_places=1,
        initial=100,
        help_text="Less than all is a sample: the same cases every time, and more of them with a larger share.",
    )
    reason = forms.CharField(max_length=1000, widget=forms.Textarea(attrs={"rows": 3}), help_text="On record for good.")


@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    user = access.signed_in(request)
    codebook = access.get(codebooks(user).select_related("owner"), slug=slug)
    context: dict[str, Any] = {"codebook": codebook, "here": HERE, "is_owner": codebook.owner_id == user.pk}
    try:
        found = standing(codebook.pk)
    except NoCodebook:
        return render(request, "codebook/standing.html", context)
    counted = quarantine.totals(codebook.pk)
    orders = Relabel.objects.filter(codebook=codebook).select_related("category__version", "ordered_by", "counts")
    context |= {
        "found": found,
        "words": words(found),
        "rows": quarantine.rows(found, counted),
        "counted_at": counted.at,
        "orders": orders.order_by("-pk")[:ORDERS],
    }
    return render(request, "codebook/standing.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def carry(request: HttpRequest, slug: str, category: int, ancestor: int) -> HttpResponse:
    codebook, link = _link(request, slug, category, ancestor)
    form = CarryForm(request.POST or None)
    if form.is_valid():
        try:
            carrying.carry_over(
                link=link, by=access.signed_in(request), because=form.cleaned_data["because"], now=timezone.now()
            )
        except carrying.CannotCarry as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"Labels of “{link.ancestor}” count for “{link.category}” from now on.")
            return redirect(HERE, slug=slug)
    context = {"codebook": codebook, "here": HERE, "form": form, "link": link}
    return render(request, "codebook/carry.html", context, status=422 if form.is_bound else 200)


@require_POST
def carry_back(request: HttpRequest, slug: str, category: int, ancestor: int) -> HttpResponse:
    _, link = _link(request, slug, category, ancestor)
    try:
        carrying.take_back_carry(link=link, by=access.signed_in(request))
    except carrying.CannotCarry as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"Labels of “{link.ancestor}” are in quarantine again.")
    return redirect(HERE, slug=slug)


@require_http_methods(["GET", "HEAD", "POST"])
def relabel(request: HttpRequest, slug: str, category: int) -> HttpResponse:
    user = access.signed_in(request)
    codebook = access.get(owned(user), slug=slug)
    found = _standing(codebook)
    row = next((r for r in quarantine.rows(found, quarantine.totals(codebook.pk)) if r.category.pk == category), None)
    if row is None:
        raise Http404
    form = RelabelForm(request.POST or None)
    if form.is_valid():
        share, reason = form.cleaned_data["percent"] / 100, form.cleaned_data["reason"]
        try:
            _, job = relabelling.order(
                codebook=codebook, category=row.category, share=share, reason=reason, by=user, now=timezone.now()
            )
        except relabelling.CannotRelabel as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("job", pk=job.pk)
    context = {"codebook": codebook, "here": HERE, "form": form, "row": row}
    return render(request, "codebook/relabel.html", context, status=422 if form.is_bound else 200)


@require_POST
def cancel(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    user = access.signed_in(request)
    codebook = access.get(owned(user), slug=slug)
    order = access.get(Relabel.objects.filter(codebook=codebook).select_related("codebook"), pk=pk)
    try:
        job = relabelling.cancel(order=order, by=user, now=timezone.now())
    except relabelling.CannotRelabel as refused:
        messages.error(request, str(refused))
        return redirect(HERE, slug=slug)
    return redirect("job", pk=job.pk)


def _standing(codebook: Codebook) -> Standing:
    try:
        return standing(codebook.pk)
    except NoCodebook:
        raise Http404 from None


def _link(request: HttpRequest, slug: str, category: int, ancestor: int) -> tuple[Codebook, CategoryLink]:
    """The link between two categories of a codebook of the person's own, on record or not."""
    codebook = access.get(owned(access.signed_in(request)), slug=slug)
    for link in _standing(codebook).links:
        if (link.category_id, link.ancestor_id) == (category, ancestor):
            rows = CategoryLink.objects.select_related("version", "category", "ancestor__version")
            wanted = {"version_id": link.version_id, "category_id": category, "ancestor_id": ancestor}
            return codebook, rows.filter(**wanted).first() or CategoryLink(kind=link.kind, **wanted)
    raise Http404
