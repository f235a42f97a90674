"""Takes a passage of a case into the draft of a codebook: one form beside each text that may serve as an example."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from codebook.doors import cases, owned
from codebook.models import Category
from codebook.rubric import authoring
from codebook.rubric.content import EXAMPLES, WORDS
from hitl.access import doors
from hitl.models import User
from queues.models import Case
from reviews import examples, forms
from reviews.given import Invalid


@require_POST
def add(request: HttpRequest, slug: str) -> HttpResponse:
    """The passage goes below what the category's example says already; a draft is started if there is none."""
    user = doors.signed_in(request)
    codebook = doors.get(owned(user), slug=slug)
    case = doors.get(cases(user, codebook).select_related("tenant"), pk=forms.pk_of(request.POST, "case"))
    field = request.POST.get("field", "")
    refusal, category = "", None
    try:
        if field not in EXAMPLES:
            raise Invalid("Choose what it is an example of.")
        category = examples.take_in(
            codebook=codebook,
            key=request.POST.get("category", ""),
            field=field,
            text=request.POST.get("text", ""),
            case=case,
            by=user,
        )
    except (Invalid, authoring.Refused) as problem:
        refusal = str(problem)
    return _answer(request, user, case, refusal, category, field)


def _answer(
    request: HttpRequest, user: User, case: Case, refusal: str, category: Category | None, field: str
) -> HttpResponse:
    said = refusal or (f"It is in the draft now: “{category.title}”, {WORDS[field].lower()}." if category else "")
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "codebook/_example_taken.html", {"said": said, "is_refused": bool(refusal)})
    (messages.error if refusal else messages.success)(request, said)
    back = request.POST.get("back", "")
    safe = back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if safe else "decisions")
