"""A group of failures becomes a category of the draft, with the words of two cases as examples to start from."""

from collections.abc import Sequence

from django.db import transaction

from codebook.models import Category
from codebook.rubric import authoring
from codebook.rubric.content import LONGEST
from hitl.models import User
from reviews import coding
from reviews.given import Invalid
from reviews.models import FailureMode, OpenCode

EXAMPLES = 2


@transaction.atomic
def promote(*, mode: FailureMode, codes: Sequence[OpenCode], by: User) -> Category:
    """A category in the draft, which is started if there is none; the group stays, and remembers it. Raises Invalid.

    `codes`: those that may be quoted, since whoever reads the codebook will read them.
    """
    mode = FailureMode.objects.select_for_update(of=("self",)).select_related("codebook", "promoted_to").get(pk=mode.pk)
    if mode.promoted_to:
        raise Invalid(f"It is a category already: “{mode.promoted_to.title}”.")
    try:
        category = authoring.add_category(
            version=authoring.start_draft(codebook=mode.codebook, by=by),
            fields={
                "title": mode.title[: LONGEST["title"]],
                "definition": mode.note,
                "positive_example": "\n\n".join(code.text for code in codes[:EXAMPLES]),
            },
            by=by,
        )
    except authoring.Refused as refusal:
        raise Invalid(str(refusal)) from None
    mode.promoted_to = category
    mode.save(update_fields=["promoted_to"])
    coding.record(mode.codebook, by, "failure.promoted", {"group": mode.pk, "category": category.key})
    return category
