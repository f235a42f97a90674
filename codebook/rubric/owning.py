"""A codebook as a thing that somebody owns: made, named, handed over."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from guardian.shortcuts import assign_perm

from codebook.doors import may_open
from codebook.models import Codebook, CodebookGroupPermission, CodebookUserPermission
from codebook.rubric import content
from codebook.rubric.authoring import Refused
from hitl.audit import log
from hitl.models import User
from queues.doors import REVIEWS
from queues.models import QueueGroupPermission, QueueUserPermission

LONGEST_TITLE = 120


def heirs(codebook: Codebook) -> QuerySet[User]:
    """Who may be handed the codebook: those who may read it already, and administrators."""
    works = {"content_object__codebook_use__codebook": codebook, "permission__codename__in": REVIEWS}
    reads = {"content_object": codebook, "permission__codename": "read_codebook"}
    may_read = (
        Q(is_superuser=True)
        | Q(pk__in=QueueUserPermission.objects.filter(**works).values("user"))
        | Q(groups__in=QueueGroupPermission.objects.filter(**works).values("group"))
        | Q(pk__in=CodebookUserPermission.objects.filter(**reads).values("user"))
        | Q(groups__in=CodebookGroupPermission.objects.filter(**reads).values("group"))
    )
    return User.objects.filter(may_read, is_active=True).exclude(pk=codebook.owner_id).distinct().order_by("name")


@transaction.atomic
def create_codebook(*, owner: User, slug: str, title: str) -> Codebook:
    """A codebook without a version, owned by whoever makes it. Raises Refused."""
    title = title.strip()
    if not may_open(owner):
        raise Refused("Codebooks are made by those who lead a queue, and by administrators.")
    if why := content.fault("key", slug) or _title_fault(title):
        raise Refused(why.replace("Key:", "Short name:"))
    try:
        with transaction.atomic():
            codebook = Codebook.objects.create(slug=slug, title=title, owner=owner)
    except IntegrityError:
        raise Refused(f"There is a codebook “{slug}” already. Choose another short name.") from None
    _record("codebook.created", codebook, owner, slug=slug)
    return codebook


@transaction.atomic
def change_codebook(*, codebook: Codebook, by: User, fields: Mapping[str, Any]) -> list[str]:
    """Changes what differs of title and batch_days; returns the names of the fields. Raises Refused."""
    locked = _locked(codebook, by)
    changed = [name for name in ("title", "batch_days") if name in fields and getattr(locked, name) != fields[name]]
    if "title" in changed and (why := _title_fault(fields["title"])):
        raise Refused(why)
    for name in changed:
        setattr(locked, name, fields[name])
    if changed:
        locked.save(update_fields=changed)
        _record("codebook.changed", locked, by, fields=changed)
    return changed


@transaction.atomic
def hand_over(*, codebook: Codebook, to: User, by: User) -> None:
    """Another person has the last word from now on; who had it may still read it. Raises Refused."""
    locked = _locked(codebook, by)
    before = locked.owner
    if to.pk == before.pk:
        raise Refused(f"{to.name} has the last word on it already.")
    if not heirs(locked).filter(pk=to.pk).exists():
        raise Refused(f"{to.name} cannot read this codebook, or has left. It stays with {before.name}.")
    locked.owner = to
    locked.save(update_fields=["owner"])
    assign_perm("read_codebook", before, locked)
    _record("codebook.handed_over", locked, by, before=before.pk, to=to.pk)


def _locked(codebook: Codebook, by: User) -> Codebook:
    locked = Codebook.objects.select_for_update(no_key=True, of=("self",)).select_related("owner").get(pk=codebook.pk)
    if not (by.is_superuser or locked.owner_id == by.pk):
        raise Refused(f"Only {locked.owner.name} and administrators change “{locked.title}”.")
    return locked


def _title_fault(title: str) -> str:
    if not title.strip() or len(title) > LONGEST_TITLE or not title.isprintable():
        return f"The title has between 1 and {LONGEST_TITLE} characters, on one line."
    return ""


def _record(action: str, codebook: Codebook, by: User, **detail: Any) -> None:
    log.append(actor=by, action=action, subject=f"codebook:{codebook.pk}", tenant_id=None, detail=detail)
