"""The owner writes a draft: its categories and their parts. What was typed is kept at once, complete or not.

Writing a part leaves no audit record of its own: what was published does, with the hash over all of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Max

from codebook.models import Category, Codebook, Version
from codebook.rubric import content
from codebook.rubric.content import CONTENT, EXAMPLES
from hitl.audit import log
from hitl.models import User

MOST_CATEGORIES = 500


class Refused(ValueError):
    """It cannot be done; the text says why, and what was kept."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A category as it stands now, and by part why what was typed there was not taken.

    `has_new_key`: its key followed the title.
    """

    category: Category
    refused: Mapping[str, str] = field(default_factory=dict)
    has_new_key: bool = False


def draft_of(codebook: Codebook) -> Version | None:
    return codebook.versions.filter(state=Version.State.DRAFT).first()


def newest_of(codebook: Codebook) -> Version | None:
    """The newest published version."""
    return codebook.versions.filter(state=Version.State.PUBLISHED).order_by("-number").first()


@transaction.atomic
def start_draft(*, codebook: Codebook, by: User) -> Version:
    """A draft that says what the newest published version says; the one there is, if it was started already."""
    codebook = Codebook.objects.select_for_update(no_key=True).select_related("owner").get(pk=codebook.pk)
    _check_owner(codebook, by)
    if draft := draft_of(codebook):
        return draft
    draft = empty_draft(codebook=codebook)
    if newest := newest_of(codebook):
        Category.objects.bulk_create(
            Category(version=draft, position=position, **{part: getattr(category, part) for part in CONTENT})
            for position, category in enumerate(newest.categories.all(), 1)
        )
    _record("codebook.draft_started", draft, by)
    return draft


def empty_draft(*, codebook: Codebook, note: str = "") -> Version:
    """Step, the codebook being locked: a draft with the next number."""
    last = codebook.versions.aggregate(last=Max("number"))["last"] or 0
    return Version.objects.create(codebook=codebook, number=last + 1, note=note)


@transaction.atomic
def drop_draft(*, version: Version, by: User) -> None:
    """Takes the draft away with its comments. What is published stays."""
    version = _draft(version.pk, by)
    version.comments.all().delete()
    version.links.all().delete()
    version.categories.all().delete()
    _record("codebook.draft_dropped", version, by)
    version.delete()


@transaction.atomic
def save_category(*, category: Category, fields: Mapping[str, str], by: User) -> Saved:
    """Stores the parts given, the last word on each standing; a key that was proposed follows the title.

    A part that cannot be stored is left as it was, with the reason; the others are taken. Raises Refused, and stores
    nothing, if the version is published by now or the category is gone.
    """
    _draft(category.version_id, by)
    stored = Category.objects.filter(pk=category.pk).first()
    if stored is None:
        raise Refused("This category was removed from the draft meanwhile. What you typed was not saved.")
    others = dict(stored.version.categories.exclude(pk=stored.pk).values_list("key", "title"))
    given = {part: text.replace("\r\n", "\n") for part, text in fields.items() if part in CONTENT}
    given |= {part: given[part].strip() for part in ("key", "title") if part in given}
    refused = {part: why for part, text in given.items() if (why := content.fault(part, text))}
    if "key" in given and "key" not in refused and (twin := _twin(given["key"], others)):
        refused["key"] = f"Key: “{twin}” is the key of “{others[twin]}”. This one keeps “{stored.key}”."
    if "title" in given and "key" not in given and "title" not in refused and _may_rename(stored):
        given["key"] = content.free_key(given["title"], others)
    changed = [part for part, text in given.items() if part not in refused and getattr(stored, part) != text]
    for part in changed:
        setattr(stored, part, given[part])
    if changed:
        stored.save(update_fields=changed)
    return Saved(stored, refused, "key" in changed and "key" not in fields)


@transaction.atomic
def add_category(*, version: Version, by: User, fields: Mapping[str, str] | None = None) -> Category:
    """A category at the end of the draft, with what is given of its parts; without a key it gets one of its title."""
    version = _draft(version.pk, by)
    keys = list(version.categories.values_list("key", flat=True))
    if len(keys) >= MOST_CATEGORIES:
        raise Refused(f"A codebook has at most {MOST_CATEGORIES} categories. Nothing was added.")
    given = {part: text for part, text in (fields or {}).items() if part in CONTENT}
    given["title"] = given.get("title", "").strip()
    given["key"] = given.get("key") or content.free_key(given["title"], keys)
    if twin := _twin(given["key"], dict.fromkeys(keys, "")):
        raise Refused(f"“{twin}” is the key of another category of this draft. Nothing was added.")
    if why := next((why for part, text in given.items() if (why := content.fault(part, text))), ""):
        raise Refused(f"{why} Nothing was added.")
    last = version.categories.aggregate(last=Max("position"))["last"] or 0
    category = Category.objects.create(version=version, position=last + 1, **given)
    _record("codebook.category_added", version, by, category=category.key)
    return category


@transaction.atomic
def remove_category(*, category: Category, by: User) -> None:
    """Takes a category out of the draft, with what was said of it there."""
    version = _draft(category.version_id, by)
    if version.categories.filter(pk=category.pk).exists():
        category.delete()
        _record("codebook.category_removed", version, by, category=category.key)


@transaction.atomic
def move_category(*, category: Category, by: User, steps: int) -> None:
    """Moves a category up (-1) or down (1) in the order in which reviewers see them."""
    version = _draft(category.version_id, by)
    order = list(version.categories.all())
    here = next((index for index, one in enumerate(order) if one.pk == category.pk), None)
    if here is None:
        raise Refused("This category was removed from the draft meanwhile.")
    order.insert(max(0, min(len(order) - 1, here + steps)), order.pop(here))
    for position, one in enumerate(order, 1):
        one.position = position
    Category.objects.bulk_update(order, ["position"])


@transaction.atomic
def append_example(*, category: Category, field: str, text: str, by: User) -> Category:
    """Adds a passage to an example or the edge case of a category in a draft, below what stands there already.

    `field` is one of content.EXAMPLES. Raises Refused, and changes nothing, where it cannot be stored.
    """
    if field not in EXAMPLES:
        raise ValueError(field)
    version = _draft(category.version_id, by)
    stored = Category.objects.filter(pk=category.pk).first()
    if stored is None:
        raise Refused("This category was removed from the draft meanwhile. Nothing was added to it.")
    passage = text.replace("\r\n", "\n").strip()
    if not passage:
        raise Refused("There is no text to add.")
    before = getattr(stored, field).rstrip()
    if passage in before.split("\n\n"):
        return stored
    after = f"{before}\n\n{passage}" if before else passage
    if why := content.fault(field, after):
        raise Refused(f"{why} Nothing was added.")
    setattr(stored, field, after)
    stored.save(update_fields=[field])
    _record("codebook.example_added", version, by, category=stored.key, part=content.WORDS[field])
    return stored


def locked_draft(version_id: int) -> Version:
    """Step: the draft, so that it is not published while it is being changed. Raises Refused if it is no draft."""
    version = (
        Version.objects.select_for_update(no_key=True, of=("self",))
        .select_related("codebook__owner")
        .filter(pk=version_id)
        .first()
    )
    if version is None:
        raise Refused("This draft was dropped meanwhile. What you typed was not saved.")
    if version.state != Version.State.DRAFT:
        raise Refused(
            f"Version {version.number} was published meanwhile and cannot be changed. What you typed was not saved: "
            "copy it, start the next draft, and put it there."
        )
    return version


def _draft(version_id: int, by: User) -> Version:
    version = locked_draft(version_id)
    _check_owner(version.codebook, by)
    return version


def _check_owner(codebook: Codebook, by: User) -> None:
    if codebook.owner_id != by.pk:
        raise Refused(f"Only {codebook.owner.name} writes “{codebook.title}”.")


def _twin(key: str, others: Mapping[str, str]) -> str:
    return next((other for other in others if other.casefold() == key.casefold()), "")


def _may_rename(category: Category) -> bool:
    """A key that labels were given under stays: it is how two versions' categories find each other."""
    if not content.follows_title(category.key, category.title):
        return False
    published = Category.objects.filter(version__codebook=category.version.codebook_id, key=category.key)
    return not published.exclude(version=category.version_id).exists()


def _record(action: str, version: Version, by: User, **detail: str) -> None:
    log.append(
        actor=by,
        action=action,
        subject=f"codebook:{version.codebook_id}",
        tenant_id=None,
        detail={"version": version.number, **detail},
    )
