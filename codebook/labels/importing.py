"""Takes in labels that a team gave before, elsewhere. They are stamped with a version of their own, never with ours:
nobody here can say that their words meant what ours mean, until the owner does.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Max, QuerySet

from codebook.labels.import_schema import TITLE_LONGEST, Declared, NotTaken, Row, item_of, read
from codebook.models import Category, CategoryLink, Codebook, Label, LabelBatch, LabelCategory, Version
from codebook.rubric.publishing import content_hash
from hitl.audit import log
from hitl.models import Tenant, User
from queues.intake import received as rows_received
from queues.intake.cleaning import clean_name
from queues.intake.received import Rejection
from queues.intake.schema import NAME_LONGEST
from queues.models import Case
from queues.scrubbing import scrubbed

PART_ROWS: Final = 2_500
TITLE: Final = "Earlier labels"


@dataclass(slots=True)
class Received(rows_received.Received):
    """What became of the rows; those that were not taken are called by their item."""

    version: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """A label of this rater on this case, as it stands in the version or earlier in the same rows."""

    verdict: str
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Import:
    """Whose labels, for which codebook, and in which of its imported versions."""

    tenant: Tenant
    codebook: Codebook
    version_title: str = TITLE
    by: User | None = None
    source: str = ""
    # Where a person brings them: the cases that they may see.
    cases: QuerySet[Case] | None = None

    def found(self, items: Iterable[str]) -> dict[str, Case]:
        """The cases of the tenant that wait or waited in a queue of this codebook, by the id they were sent with."""
        mine = Case.objects.all() if self.cases is None else self.cases
        used = self.codebook.queue_uses.values("queue")
        there = mine.filter(tenant=self.tenant, external_id__in=set(items), queue__in=used)
        return {case.external_id: case for case in there.only("external_id", "queue_id", "origin")}

    def version(self) -> Version | None:
        named = self.codebook.versions.filter(state=Version.State.IMPORTED, note=self.version_title)
        return named.order_by("-number").first()


def receive(
    rows: Sequence[object],
    *,
    into: Import,
    now: datetime,
    progress: Callable[[Received], object] = lambda received: None,
) -> Received:
    """Take rows in: what JSON gives, or `Unreadable`. Good rows are kept whatever the others are.

    The first import under a title declares the categories of its version: those that its rows name. Later rows may use
    these alone; others need a title of their own. Rows are taken in parts, each its own transaction with its own audit
    record, so sending everything again is safe: a label that is there already is a duplicate, and one that says
    something else of the same case by the same rater is refused.
    """
    received = Received()
    good = list(_checked(rows, into, now, received))
    declared = _declared(good)
    for part in _parts(good):
        _take(part, declared, into, now, received)
        progress(received)
    received.rejected.sort(key=lambda one: one.index)
    return received


def look(rows: Sequence[object], *, into: Import, now: datetime) -> Received:
    """What `receive` would do with these rows, of which nothing is stored."""
    received = Received()
    good = list(_checked(rows, into, now, received))
    version, seen = into.version(), dict[tuple[int, str], Known]()
    keys = _keys_of(version, _declared(good))
    for part in _parts(good):
        _sorted_out(part, keys, into, version, received, seen)
    received.rejected.sort(key=lambda one: one.index)
    return received


def _checked(rows: Iterable[object], into: Import, now: datetime, received: Received) -> Iterator[Row]:
    for index, sent in enumerate(rows):
        try:
            row = read(index, sent, now)
        except NotTaken as fault:
            received.rejected.append(Rejection(index, item_of(sent), str(fault)))
            continue
        yield _cleaned(row, into.tenant) if into.tenant.scrubs else row


def _cleaned(row: Row, tenant: Tenant) -> Row:
    """People are named by their address in many a table, and words of a rubric may quote a case."""
    categories = tuple(
        one.model_copy(
            update={
                "title": clean_name(one.title, tenant)[:TITLE_LONGEST] if one.title else one.title,
                "definition": scrubbed(one.definition, tenant) if one.definition else one.definition,
            }
        )
        for one in row.categories
    )
    return replace(row, rater=clean_name(row.rater, tenant)[:NAME_LONGEST], categories=categories)


def _declared(rows: Iterable[Row]) -> dict[str, Declared]:
    """The categories that rows name, in the order in which they come; words beat a bare key."""
    found: dict[str, Declared] = {}
    for row in rows:
        for one in row.categories:
            if one.key not in found or (one.definition and not found[one.key].definition):
                found[one.key] = one
    return found


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    return (rows[start : start + PART_ROWS] for start in range(0, len(rows), PART_ROWS))


@transaction.atomic
def _take(part: Sequence[Row], declared: dict[str, Declared], into: Import, now: datetime, received: Received) -> None:
    """One part: stored and on record. The codebook is locked, so that two imports do not both declare a version."""
    Codebook.objects.select_for_update(no_key=True).get(pk=into.codebook.pk)
    version = into.version()
    before = (received.accepted, received.duplicates, len(received.rejected))
    ready = _sorted_out(part, _keys_of(version, declared), into, version, received, {})
    if ready:
        version = version or _declare(declared.values(), into, now)
        received.version = version.number
        _store(ready, version, now)
    after = (received.accepted, received.duplicates, len(received.rejected))
    counts = dict(
        zip(("accepted", "duplicates", "rejected"), (b - a for a, b in zip(before, after, strict=True)), strict=True)
    )
    log.append(
        actor=into.by,
        action="labels.imported",
        subject=f"codebook:{into.codebook.pk}",
        tenant_id=into.tenant.pk,
        detail={**counts, "version": version.number if version else None, "source": into.source},
        actor_name="" if into.by else into.source,
    )


def _keys_of(version: Version | None, declared: dict[str, Declared]) -> frozenset[str]:
    return frozenset(version.categories.values_list("key", flat=True)) if version else frozenset(declared)


def _sorted_out(
    part: Sequence[Row],
    keys: frozenset[str],
    into: Import,
    version: Version | None,
    received: Received,
    seen: dict[tuple[int, str], Known],
) -> list[tuple[Row, Case]]:
    """The rows that are new, with their cases; the others are counted."""
    cases = into.found(row.item for row in part)
    known = _known(version, cases.values()) if version else {}
    ready = []
    for row in part:
        case = cases.get(row.item)
        if case is None:
            said = f"there is no such case of {into.tenant.slug} in a queue that uses {into.codebook.slug}"
            received.rejected.append(Rejection(row.index, row.item, f"item: {said}. Send the case first."))
        elif unknown := sorted(row.keys - keys):
            said = f"{', '.join(unknown[:3])}: nobody declared it when “{into.version_title}” began"
            received.rejected.append(
                Rejection(row.index, row.item, f"categories: {said}. Send labels with new ones under another title.")
            )
        elif (same := (case.pk, row.rater)) in known or same in seen:
            _again(row, known.get(same) or seen[same], received)
        else:
            seen[same] = Known(row.verdict, row.keys)
            received.accepted += 1
            ready.append((row, case))
    return ready


def _again(row: Row, known: Known, received: Received) -> None:
    if known == Known(row.verdict, row.keys):
        received.duplicates += 1
        return
    said = "conflict: this rater said something else of this case already. Labels are never changed; that one counts."
    received.rejected.append(Rejection(row.index, row.item, said))


def _known(version: Version, cases: Iterable[Case]) -> dict[tuple[int, str], Known]:
    there = Label.objects.filter(
        version=version, case__in=[case.pk for case in cases], rater=Label.Rater.IMPORTED, undone_at=None
    )
    return {
        (label.case_id, label.rater_name): Known(
            label.verdict, frozenset(one.category.key for one in label.given.all())
        )
        for label in there.prefetch_related("given__category")
    }


def _declare(declared: Iterable[Declared], into: Import, now: datetime) -> Version:
    """The version that says what the team's words were; frozen at once. Its own words are linked to ours by key, for
    the owner to carry over or not.
    """
    highest = into.codebook.versions.aggregate(highest=Max("number"))["highest"] or 0
    version = Version.objects.create(
        codebook=into.codebook,
        number=highest + 1,
        state=Version.State.IMPORTED,
        note=into.version_title,
        published_at=now,
        published_by=into.by or into.codebook.owner,
    )
    categories = Category.objects.bulk_create(
        Category(
            version=version, key=one.key, title=(one.title or one.key)[:TITLE_LONGEST], position=position,
            definition=one.definition or "",
        )
        for position, one in enumerate(declared, 1)
    )  # fmt: skip
    newest = into.codebook.versions.filter(state=Version.State.PUBLISHED).order_by("-number").first()
    ours = {category.key: category for category in newest.categories.all()} if newest else {}
    CategoryLink.objects.bulk_create(
        CategoryLink(version=version, category=one, ancestor=ours[one.key], kind=CategoryLink.Kind.REWORDED)
        for one in categories
        if one.key in ours
    )
    version.content_hash = content_hash(list(version.categories.all()))
    version.save(update_fields=["content_hash"])
    return version


def _store(ready: Sequence[tuple[Row, Case]], version: Version, now: datetime) -> None:
    batches: dict[tuple[int, str], LabelBatch] = {}
    for queue, origin in {(case.queue_id, case.origin) for _, case in ready}:
        assert queue
        batches[queue, origin], _ = LabelBatch.objects.get_or_create(
            queue_id=queue, origin=origin, version=version, purpose=LabelBatch.Purpose.IMPORTED, closed_at=None,
            defaults={"opened_at": now},
        )  # fmt: skip
    labels = Label.objects.bulk_create(
        Label(
            case=case, batch=batches[case.queue_id or 0, case.origin], version=version, rater=Label.Rater.IMPORTED,
            rater_name=row.rater, verdict=row.verdict, created_at=row.at,
        )
        for row, case in ready
    )  # fmt: skip
    ids = dict(version.categories.values_list("key", "pk"))
    LabelCategory.objects.bulk_create(
        LabelCategory(label=label, category_id=ids[key], version_id=version.pk)
        for label, (row, _) in zip(labels, ready, strict=True)
        for key in sorted(row.keys)
    )
