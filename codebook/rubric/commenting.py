"""What readers say of a draft, and its owner settles."""

from datetime import datetime

from django.db import transaction

from codebook.doors import codebooks
from codebook.models import Category, Comment, Version
from codebook.rubric.authoring import Refused, locked_draft
from hitl.audit import log
from hitl.models import User

LONGEST = 5_000


@transaction.atomic
def comment(*, version: Version, category: Category | None, text: str, by: User, now: datetime) -> Comment:
    """Says something of a draft, or of one of its categories; whoever may read the codebook may. Raises Refused."""
    draft = locked_draft(version.pk)
    if not codebooks(by).filter(pk=draft.codebook_id).exists():
        raise Refused("This codebook is not yours to read.")
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not text:
        raise Refused("There is nothing in it yet. Write what you think, then send it.")
    if len(text) > LONGEST:
        raise Refused(f"That is {len(text):,} characters; a comment has at most {LONGEST:,}. It was not sent.")
    if category is not None and not draft.categories.filter(pk=category.pk).exists():
        raise Refused("That category was removed from the draft meanwhile. Your comment was not sent.")
    made = Comment.objects.create(version=draft, category=category, author=by, text=text, created_at=now)
    _record("codebook.commented", made, by)
    return made


@transaction.atomic
def resolve_comment(*, comment: Comment, by: User, now: datetime) -> None:
    """The owner has dealt with it. Settled twice is settled once."""
    draft = locked_draft(comment.version_id)
    if draft.codebook.owner_id != by.pk:
        raise Refused(f"Only {draft.codebook.owner.name} settles what is said of the draft.")
    if Comment.objects.filter(pk=comment.pk, resolved_at=None).update(resolved_at=now):
        _record("codebook.comment_resolved", comment, by)


def _record(action: str, comment: Comment, by: User) -> None:
    log.append(
        actor=by, action=action, subject=f"codebook:{comment.version.codebook_id}", tenant_id=None,
        detail={"version": comment.version.number, "category": comment.category.key if comment.category else None},
    )  # fmt: skip
