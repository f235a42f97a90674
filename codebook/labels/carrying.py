"""The owner carries a category over: what was said of it in other words counts for it all the same. Never by itself."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from codebook.models import CategoryLink, Codebook, Version
from hitl.audit import log
from hitl.models import User

Kind = CategoryLink.Kind


class CannotCarry(ValueError):
    """Nothing was changed; the text says why, and what can be done instead."""


@transaction.atomic
def carry_over(*, link: CategoryLink, by: User, because: str, now: datetime) -> CategoryLink:
    """From now on labels of the link's ancestor count for its category. Raises CannotCarry.

    `link` may be one that is not on record yet, where nothing was said of how the category came about.
    """
    link = _locked(link, by)
    because = because.strip()
    assert link.category
    title = link.category.title
    if link.version.state == Version.State.DRAFT:
        raise CannotCarry(f"Version {link.version.number} is not published yet. Publish it, then carry “{title}” over.")
    if link.kind == Kind.SPLIT:
        raise CannotCarry(
            f"“{title}” is one part of a split, and what was said of the whole may have been meant for another part. "
            "Its labels stay in quarantine; order a relabel instead."
        )
    if link.kind not in (Kind.REWORDED, Kind.MERGED):
        raise CannotCarry(f"There is nothing to carry over to “{title}”: {_why_not(link)}")
    if link.carried_at:
        raise CannotCarry(f"“{title}” was carried over on {link.carried_at:%-d %B %Y} already.")
    if not because:
        raise CannotCarry("Say why the labels still mean the same. The reason goes on record.")
    if other := _counts_elsewhere(link):
        raise CannotCarry(
            f"These labels count for “{other}” already, and a label counts for one category. Take that back first."
        )
    link.carried_at, link.carried_by, link.carried_because = now, by, because
    link.save()
    _record(link, by, "category.carried", because)
    return link


@transaction.atomic
def take_back_carry(*, link: CategoryLink, by: User) -> CategoryLink:
    """The labels are in quarantine again. Raises CannotCarry."""
    link = _locked(link, by)
    assert link.category
    if not link.carried_at:
        raise CannotCarry(f"“{link.category.title}” is not carried over, so there is nothing to take back.")
    because, link.carried_because = link.carried_because, ""
    link.carried_at = link.carried_by = None
    link.save()
    _record(link, by, "category.carry_taken_back", because)
    return link


def _locked(link: CategoryLink, by: User) -> CategoryLink:
    # One at a time in a codebook, so that two links of one ancestor are not carried over side by side.
    codebook = Codebook.objects.select_for_update(of=("self",)).select_related("owner").get(pk=link.version.codebook_id)
    if codebook.owner_id != by.pk:
        raise CannotCarry(f"Only {codebook.owner.name} says what still counts in “{codebook.title}”.")
    rows = CategoryLink.objects.select_related("version", "category", "ancestor__version")
    found = rows.filter(version=link.version_id, category=link.category_id, ancestor=link.ancestor_id).first()
    return found or link


def _counts_elsewhere(link: CategoryLink) -> str | None:
    others = CategoryLink.objects.filter(version=link.version_id, ancestor=link.ancestor_id, category__isnull=False)
    counting = others.exclude(category=link.category_id).filter(Q(kind=Kind.SAME) | Q(carried_at__isnull=False))
    return counting.values_list("category__title", flat=True).first()


def _why_not(link: CategoryLink) -> str:
    return "its labels count by themselves." if link.kind == Kind.SAME else "nothing before it means the same."


def _record(link: CategoryLink, by: User, action: str, because: str) -> None:
    assert link.category
    assert link.ancestor
    log.append(
        actor=by,
        action=action,
        subject=f"codebook:{link.version.codebook_id}",
        tenant_id=None,
        detail={
            "category": link.category.key,
            "version": link.version.number,
            "from": link.ancestor.key,
            "from_version": link.ancestor.version.number,
            "because": because,
        },
    )
