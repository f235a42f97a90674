"""Examples out of cases: which texts of a case the owner of a codebook may use, and taking one into the draft."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from codebook.doors import cases, owned
from codebook.models import Category, Codebook
from codebook.rubric import authoring
from codebook.rubric.content import EXAMPLES, WORDS
from hitl.models import User
from queues.models import Case
from queues.scrubbing import scrubbed
from reviews.given import Invalid


@dataclass(frozen=True, slots=True)
class Offer:
    """A codebook that the person owns, and what of a case may go into its draft: (what it is, its text)."""

    codebook: Codebook
    case: Case
    categories: Sequence[Category]
    texts: Sequence[tuple[str, str]]
    fields: Sequence[tuple[str, str]] = tuple((field, WORDS[field]) for field in EXAMPLES)


def offer(user: User, case: Case, *, final_answer: str = "") -> Offer | None:
    """None for whoever does not own the codebook of the case's queue, or may not see the case as its owner.

    `final_answer` where the person may see it.
    """
    codebook = owned(user).filter(queue_uses__queue=case.queue_id).first() if case.queue_id else None
    if codebook is None or not cases(user, codebook).filter(pk=case.pk).exists():
        return None
    words = authoring.draft_of(codebook) or authoring.newest_of(codebook)
    texts = [("question", case.question), ("draft", case.draft)]
    if final_answer and final_answer != case.draft:
        texts.append(("final answer", final_answer))
    found = list(words.categories.all()) if words else []
    return Offer(codebook, case, found, [one for one in texts if one[1]]) if found else None


@transaction.atomic
def take_in(*, codebook: Codebook, key: str, field: str, text: str, case: Case, by: User) -> Category:
    """The text, scrubbed as the case is, goes to the category of that key in the draft, which is started if need be.

    Raises Invalid and authoring.Refused.
    """
    draft = authoring.start_draft(codebook=codebook, by=by)
    category = draft.categories.filter(key=key).first()
    if category is None:
        raise Invalid("The draft has no such category. Reload the page and choose again.")
    passage = scrubbed(text.replace("\x00", ""), case.tenant)
    return authoring.append_example(category=category, field=field, text=passage, by=by)
