"""A codebook as a file, so that it can be kept in git: read it in, published or as a draft, and write it out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from codebook.models import Category, Codebook, Version
from codebook.rubric import lineage
from codebook.rubric.authoring import MOST_CATEGORIES, draft_of, empty_draft, newest_of
from codebook.rubric.content import CONTENT, content_hash, fault
from codebook.rubric.lineage import Origin
from codebook.rubric.publishing import publish
from hitl import yaml_text
from hitl.audit import log
from hitl.models import User

LONGEST_FILE: Final = 2_000_000
HEAD: Final = (
    "# A codebook of hitl. `from` stands where a category did not simply go on: {how: split, of: [the key of then]}.\n"
)


class Unreadable(ValueError):
    """The file is no codebook, or not one that can follow; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a codebook file says."""

    slug: str
    title: str
    note: str
    categories: Sequence[Category]
    origins: Mapping[str, Origin]


@transaction.atomic
def read_in(*, content: Mapping[str, Any], owner: User, now: datetime) -> Version:
    """Makes the codebook if it is new, and publishes what the file says as its next version; the same changes nothing.

    Raises Unreadable or NotPublishable, and leaves everything as it was.
    """
    told = _understood(content)
    codebook = _codebook(told, owner)
    newest = newest_of(codebook)
    if newest and newest.content_hash == content_hash(told.categories):
        return newest
    version = _drafted(told, codebook, newest, codebook.owner)
    return publish(version=version, by=codebook.owner, now=now)


@transaction.atomic
def read_in_as_draft(*, content: Mapping[str, Any], by: User, codebook: Codebook | None = None) -> Version:
    """Makes what the file says the codebook's draft, complete or not; a new codebook is then `by`'s.

    Raises Unreadable, and leaves everything as it was: also where a draft with categories is there already, where the
    codebook is another's, and where the file is of another than `codebook`.
    """
    told = _understood(content)
    if codebook and told.slug != codebook.slug:
        raise Unreadable(f"The file is of the codebook “{told.slug}”; this one is “{codebook.slug}”.")
    codebook = _codebook(told, by)
    if codebook.owner_id != by.pk:
        raise Unreadable(f"Only {codebook.owner.name} writes “{codebook.title}”.")
    if (empty := draft_of(codebook)) and not empty.categories.exists():
        empty.comments.all().delete()
        empty.delete()
    version = _drafted(told, codebook, newest_of(codebook), by)
    log.append(
        actor=by, action="codebook.draft_read_in", subject=f"codebook:{codebook.pk}", tenant_id=None,
        detail={"version": version.number, "categories": len(told.categories)},
    )  # fmt: skip
    return version


def written_out(version: Version) -> dict[str, Any]:
    """What `read_in` takes. How a category came about is said where its key and words do not say it."""
    earlier = version.codebook.versions.filter(state=Version.State.PUBLISHED, number__lt=version.number)
    before = earlier.order_by("-number").first()
    categories = list(version.categories.all())
    proposed = lineage.propose(list(before.categories.all()) if before else [], categories).origins
    said = lineage.said(version)
    return {
        "slug": version.codebook.slug,
        "title": version.codebook.title,
        "categories": [
            {part: getattr(category, part) for part in CONTENT} | _from(said.get(category.key), proposed[category.key])
            for category in categories
        ],
    }


def as_yaml(version: Version) -> str:
    content = written_out(version)
    categories = content.pop("categories")
    return HEAD + yaml_text.written(
        content | ({"note": version.note} if version.note else {}) | {"categories": categories}
    )


def from_yaml(raw: bytes) -> Mapping[str, Any]:
    """What a file holds. Raises Unreadable."""
    if len(raw) > LONGEST_FILE:
        raise Unreadable(f"The file has {len(raw):,} bytes; a codebook has at most {LONGEST_FILE:,}.")
    try:
        content = yaml_text.read(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Unreadable("The file is no text in UTF-8.") from None
    except yaml_text.NotYaml as why:
        raise Unreadable(str(why)) from None
    if not isinstance(content, Mapping):
        raise Unreadable("A codebook file has a slug, a title and a list of categories.")
    return content


def _from(said: Origin | None, proposed: Origin) -> dict[str, Any]:
    if said is None or said == proposed:
        return {}
    return {"from": {"how": str(said.kind)} | ({"of": list(said.ancestors)} if said.ancestors else {})}


def _codebook(told: Content, owner: User) -> Codebook:
    """The codebook, locked; made if it is new."""
    codebook, is_new = Codebook.objects.get_or_create(slug=told.slug, defaults={"title": told.title, "owner": owner})
    if is_new:
        log.append(
            actor=owner, action="codebook.created", subject=f"codebook:{codebook.pk}", tenant_id=None,
            detail={"slug": codebook.slug},
        )  # fmt: skip
    return Codebook.objects.select_for_update(no_key=True, of=("self",)).select_related("owner").get(pk=codebook.pk)


def _drafted(told: Content, codebook: Codebook, newest: Version | None, by: User) -> Version:
    """The file's categories as a draft, with what it says of how they came about.

    Where nothing was published here before, they cannot have come from anything: what the file says of it is of the
    place that it was written in.
    """
    if draft_of(codebook):
        raise Unreadable(f"“{codebook.title}” has a draft that is being written. Publish or drop it first.")
    before = list(newest.categories.all()) if newest else []
    if newest:
        complete = lineage.complete(before, told.categories, told.origins)
        if wrong := lineage.faults(before, told.categories, complete, newest.number):
            raise Unreadable(" ".join(wrong))
    version = empty_draft(codebook=codebook, note=told.note)
    for category in told.categories:
        category.version = version
    Category.objects.bulk_create(told.categories)
    if newest:
        lineage.put_on_record(version, told.categories, before, told.origins, by)
    return version


def _understood(content: Mapping[str, Any]) -> Content:
    slug, title, rows = content.get("slug"), content.get("title"), content.get("categories")
    if not isinstance(slug, str) or not isinstance(title, str) or not isinstance(rows, list):
        raise Unreadable("A codebook file has a slug, a title and a list of categories.")
    if why := fault("key", slug):
        raise Unreadable(f"The slug “{slug[:80]}” cannot be: {why.partition(': ')[2]}")
    if not title.strip() or len(title) > 120 or "\x00" in title:
        raise Unreadable("The title has between 1 and 120 characters.")
    if len(rows) > MOST_CATEGORIES:
        raise Unreadable(f"These are {len(rows)} categories; a codebook has at most {MOST_CATEGORIES}.")
    categories = [_category(row, position) for position, row in enumerate(rows, 1)]
    for key, times in Counter(category.key.casefold() for category in categories).items():
        if times > 1:
            raise Unreadable(f"{times} categories have the key “{key}”. Each needs its own.")
    origins = {
        category.key: _origin(row["from"], category)
        for row, category in zip(rows, categories, strict=True)
        if row.get("from") is not None
    }
    if circle := lineage.circle_of(origins):
        named = " from ".join(f"“{key}”" for key in circle)
        raise Unreadable(f"These are split in a circle: {named}. What is split off is a part; say which came first.")
    note = content.get("note") or ""
    if not isinstance(note, str) or "\x00" in note:
        raise Unreadable("The note is no text.")
    return Content(slug, title, note, categories, origins)


def _category(row: object, position: int) -> Category:
    if not isinstance(row, Mapping):
        raise Unreadable(f"Category {position} is no object with {', '.join(CONTENT)}.")
    if unknown := set(row) - set(CONTENT) - {"from"}:
        raise Unreadable(f"Category {position} has “{sorted(map(str, unknown))[0]}”, which no category has.")
    parts = {part: "" if row.get(part) is None else row[part] for part in CONTENT}
    for part, text in parts.items():
        if isinstance(text, bool) or not isinstance(text, str | int | float):
            raise Unreadable(f"Category {position}: {part} is no text.")
        if why := fault(part, str(text)):
            raise Unreadable(f"Category {position}: {why}")
    return Category(position=position, **{part: str(text) for part, text in parts.items()})


def _origin(given: object, category: Category) -> Origin:
    of = given.get("of", []) if isinstance(given, Mapping) else None
    how = given.get("how") if isinstance(given, Mapping) else None
    if not (
        isinstance(given, Mapping) and set(given) <= {"how", "of"} and isinstance(how, str)
        and how in lineage.HOW_MANY and isinstance(of, list) and all(isinstance(key, str) for key in of)
    ):  # fmt: skip
        known = ", ".join(lineage.HOW_MANY)
        raise Unreadable(f"“{category.key}”: from is to be written {{how: split, of: [key]}}; how is one of {known}.")
    return Origin(how, tuple(dict.fromkeys(of)))
