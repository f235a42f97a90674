"""Error analysis: the owner reads cases and says in their own words what went wrong; the words are grouped."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from codebook.models import Codebook
from hitl.audit import log
from hitl.models import User
from queues.masks import vault
from queues.models import Case, Lane
from queues.scrubbing import scrubbed
from reviews.given import Invalid
from reviews.models import CaseRead, FailureMode, OpenCode

LONGEST = 2_000


@transaction.atomic
def write_code(*, codebook: Codebook, case: Case, text: str, by: User, now: datetime) -> OpenCode:
    """What went wrong in a case, in the words of its reader. Raises Invalid."""
    said = scrubbed(text.replace("\x00", "").strip(), case.tenant)
    if not said:
        raise Invalid("Write what went wrong, or press “Nothing went wrong”.")
    if len(said) > LONGEST:
        raise Invalid(f"A note has at most {LONGEST:,} characters; this one has {len(said):,}.")
    code = OpenCode.objects.create(codebook=codebook, case=case, text=said, author=by, created_at=now)
    vault.keep(tenant=case.tenant, stored=[said], now=now)
    _read(codebook, case, by, now)
    _record_case(case, by, "case.coded", {"codebook": codebook.slug})
    return code


@transaction.atomic
def nothing_wrong(*, codebook: Codebook, case: Case, by: User, now: datetime) -> None:
    """A case that was read and is as it should be: it counts among those read, and has no code."""
    _read(codebook, case, by, now)
    _record_case(case, by, "case.found_in_order", {"codebook": codebook.slug})


@transaction.atomic
def group(*, codebook: Codebook, codes: Sequence[int], title: str, by: User, now: datetime) -> FailureMode:
    """Puts codes (ids) into the group of that title, which is made if there is none. Raises Invalid."""
    if not codes:
        raise Invalid("Tick the notes that say the same.")
    mode = _named(codebook, title, by, now)
    moved = _codes(codebook, codes).update(mode=mode)
    record(codebook, by, "failure.grouped", {"group": mode.pk, "notes": moved})
    return mode


@transaction.atomic
def rename(*, mode: FailureMode, title: str, note: str, by: User) -> FailureMode:
    """Raises Invalid where another group has the title: that is a merge, and asked for as one."""
    wanted = _title(title)
    if FailureMode.objects.filter(codebook=mode.codebook_id, title__iexact=wanted).exclude(pk=mode.pk).exists():
        raise Invalid(f"There is a group “{wanted}” already. Merge the two, or choose another name.")
    mode.title, mode.note = wanted, note.replace("\x00", "").strip()[:LONGEST]
    mode.save(update_fields=["title", "note"])
    record(mode.codebook, by, "failure.renamed", {"group": mode.pk})
    return mode


@transaction.atomic
def merge(*, mode: FailureMode, into: FailureMode, by: User) -> FailureMode:
    """All codes of one group go into another of the same codebook, and the first is no more. Raises Invalid."""
    if mode.pk == into.pk or mode.codebook_id != into.codebook_id:
        raise Invalid("Choose another group to merge this one into.")
    moved = mode.codes.update(mode=into)
    if into.promoted_to_id is None and mode.promoted_to_id:
        into.promoted_to_id = mode.promoted_to_id
        into.save(update_fields=["promoted_to"])
    record(mode.codebook, by, "failure.merged", {"group": mode.pk, "into": into.pk, "notes": moved})
    mode.delete()
    return into


@transaction.atomic
def split(*, mode: FailureMode, codes: Sequence[int], title: str, by: User, now: datetime) -> FailureMode:
    """Some codes of a group become one of their own. Raises Invalid."""
    moving = mode.codes.filter(pk__in=codes)
    if not moving.exists():
        raise Invalid("Tick the notes that are of another kind.")
    other = _named(mode.codebook, title, by, now)
    if other.pk == mode.pk:
        raise Invalid("Give the part that you split off a name of its own.")
    moved = moving.update(mode=other)
    record(mode.codebook, by, "failure.split", {"group": mode.pk, "into": other.pk, "notes": moved})
    return other


@transaction.atomic
def dissolve(*, mode: FailureMode, by: User) -> int:
    """The group is no more; its codes wait to be grouped again. Returns how many."""
    loose = mode.codes.update(mode=None)
    record(mode.codebook, by, "failure.dissolved", {"group": mode.pk, "notes": loose})
    mode.delete()
    return loose


def in_random_sample(case: Case) -> bool:
    """Whether it was drawn at random, so that shares among such cases speak for all traffic."""
    return case.slots.filter(lane__stream=Lane.Stream.RANDOM).exists()


def _read(codebook: Codebook, case: Case, by: User, now: datetime) -> None:
    CaseRead.objects.get_or_create(
        codebook=codebook,
        case=case,
        defaults={"reader": by, "read_at": now, "in_random_sample": in_random_sample(case)},
    )


def _codes(codebook: Codebook, ids: Sequence[int]) -> QuerySet[OpenCode]:
    found = OpenCode.objects.filter(codebook=codebook, pk__in=ids)
    if found.count() != len(set(ids)):
        raise Invalid("One of the notes is not of this codebook, or is gone. Reload the page.")
    return found


def _named(codebook: Codebook, title: str, by: User, now: datetime) -> FailureMode:
    wanted = _title(title)
    known = FailureMode.objects.filter(codebook=codebook, title__iexact=wanted).first()
    return (
        known
        or FailureMode.objects.get_or_create(
            codebook=codebook, title=wanted, defaults={"created_by": by, "created_at": now}
        )[0]
    )


def _title(title: str) -> str:
    wanted = " ".join(title.replace("\x00", "").split())
    longest = FailureMode._meta.get_field("title").max_length or 0
    if not wanted:
        raise Invalid("Give the group a name.")
    if len(wanted) > longest:
        raise Invalid(f"A name has at most {longest} characters; this one has {len(wanted)}.")
    return wanted


def record(codebook: Codebook, by: User, action: str, detail: dict[str, object]) -> None:
    log.append(actor=by, action=action, subject=f"codebook:{codebook.pk}", tenant_id=None, detail=detail)


def _record_case(case: Case, by: User, action: str, detail: dict[str, object]) -> None:
    log.append(
        actor=by, action=action, subject=f"case:{case.pk}", tenant_id=case.tenant_id, queue_id=case.queue_id,
        detail=detail,
    )  # fmt: skip
