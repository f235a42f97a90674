"""The versions of a codebook: all of them, one, how two differ, and one as a file."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from codebook.doors import codebooks
from codebook.models import Codebook, Version
from codebook.rubric import compare, files, lineage
from codebook.rubric.history import Told, versions_told
from hitl.access import doors as access


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    codebook = _codebook(request, slug)
    context = {"codebook": codebook, "here": "codebook_versions", "versions": versions_told(codebook)}
    return render(request, "codebook/versions.html", context)


@require_safe
def page(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """One version as it was published, with how each category came about."""
    codebook = _codebook(request, slug)
    version = _version(codebook, number)
    if version.state == Version.State.DRAFT:
        return redirect("codebook_draft", slug)
    told = Told.of(version, lineage.said(version))
    context = {"codebook": codebook, "here": "codebook_versions", "version": version, "told": told}
    return render(request, "codebook/version.html", context)


@require_safe
def difference(request: HttpRequest, slug: str) -> HttpResponse:
    """`from` and `to`: numbers; without them, the two newest."""
    codebook = _codebook(request, slug)
    versions = list(codebook.versions.order_by("-number"))
    picked = [_picked(versions, request.GET.get("from", ""), 1), _picked(versions, request.GET.get("to", ""), 0)]
    older, newer = sorted((one for one in picked if one), key=lambda one: one.number) if all(picked) else (None, None)
    context = {
        "codebook": codebook,
        "here": "codebook_versions",
        "versions": versions,
        "older": older,
        "newer": newer,
        "comparison": compare.between(older, newer) if older and newer and older != newer else None,
    }
    return render(request, "codebook/compare.html", context)


@require_safe
def file(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    codebook = _codebook(request, slug)
    version = _version(codebook, number)
    answer = HttpResponse(files.as_yaml(version), content_type="application/yaml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{codebook.slug}-{version.number}.yaml"'
    return answer


def _codebook(request: HttpRequest, slug: str) -> Codebook:
    return access.get(codebooks(access.signed_in(request)).select_related("owner"), slug=slug)


def _version(codebook: Codebook, number: int) -> Version:
    return access.get(codebook.versions.select_related("codebook", "published_by"), number=number)


def _picked(versions: list[Version], number: str, otherwise: int) -> Version | None:
    if number.isascii() and number.isdigit():
        return next((one for one in versions if one.number == int(number[:9])), None)
    return versions[otherwise] if otherwise < len(versions) else None
