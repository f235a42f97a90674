"""A label that a team gave before, elsewhere: its fields, and what is said of rows that break them."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Final, Literal

from django.utils.text import slugify
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from codebook.models import Label
from queues.intake.rows import Unreadable
from queues.intake.schema import ID_LONGEST, NAME_LONGEST, STRICT, Moment, faults, name, optional_may_be_null

KEY_LONGEST: Final = 60
TITLE_LONGEST: Final = 80
DEFINITION_LONGEST: Final = 10_000
CATEGORIES_MOST: Final = 50
CLOCK_SKEW: Final = timedelta(minutes=5)
_SEPARATORS: Final = re.compile(r"[|;]")


class Declared(BaseModel):
    """A category as the team had it."""

    model_config = ConfigDict(**STRICT, json_schema_extra=optional_may_be_null)

    key: Annotated[str, name(KEY_LONGEST, 1, "A short name: letters, digits and hyphens.")]
    title: Annotated[str | None, name(TITLE_LONGEST)] = None
    definition: Annotated[str | None, Field(max_length=DEFINITION_LONGEST, pattern=r"^[^\x00]*$")] = None


def _by_key(sent: Any) -> Any:
    """A bare key is how most name a category; what it was called stays its title."""
    return {"key": sent[:KEY_LONGEST], "title": sent} if isinstance(sent, str) else sent


NAMED: Final = {
    "anyOf": [{"type": "string", "minLength": 1, "maxLength": KEY_LONGEST}, {"$ref": "#/components/schemas/Declared"}]
}
Named = Annotated[Declared, BeforeValidator(_by_key), WithJsonSchema(NAMED)]


class EarlierLabel(BaseModel):
    """What one rater said of one case, before the case came here or beside it."""

    model_config = ConfigDict(**STRICT, json_schema_extra=optional_may_be_null)
    NOUN: ClassVar[str] = "label"

    item: Annotated[str, name(ID_LONGEST, 1, "The case, by the case_id it was sent with.")]
    rater: Annotated[str, name(NAME_LONGEST, 1, "Who said it: a name or a pseudonym.")]
    verdict: Annotated[
        Literal["accept", "edit", "reject"] | None,
        Field(description="Without one, a label that names a category is a reject."),
    ] = None
    categories: Annotated[
        list[Named],
        Field(
            default_factory=list,
            max_length=CATEGORIES_MOST,
            description="Keys; or objects with key, title and definition, of which the first that comes counts.",
        ),
    ]
    at: Annotated[Moment | None, Field(description="When it was said, with a zone; now where it is not sent.")] = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row that may be taken, as far as can be told without the database."""

    index: int
    item: str
    rater: str
    verdict: str
    categories: tuple[Declared, ...]
    at: datetime

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(one.key for one in self.categories)


class NotTaken(ValueError):
    """What is wrong with a row, in words."""


def read(index: int, sent: object, now: datetime) -> Row:
    """Raises NotTaken."""
    if isinstance(sent, Unreadable):
        raise NotTaken(sent.error)
    if isinstance(sent, dict):
        sent = {field: value for field, value in sent.items() if value is not None}
    try:
        label = EarlierLabel.model_validate(sent)
    except ValidationError as error:
        raise NotTaken(faults(error, EarlierLabel)) from None
    categories = tuple(_declared(one) for one in label.categories)
    if label.verdict is None and not categories:
        raise NotTaken("verdict, categories: neither is there, so the label says nothing.")
    if label.at and label.at > now + CLOCK_SKEW:
        raise NotTaken("at: lies in the future. Check the clock and the time zone it was written with.")
    verdict = label.verdict or Label.Verdict.REJECT.value
    return Row(index, label.item, label.rater, verdict, categories, min(label.at or now, now))


def _declared(said: Declared) -> Declared:
    """A category by a key that addresses can hold."""
    key = slugify(said.key)[:KEY_LONGEST].strip("-")
    if not key:
        raise NotTaken("categories: a key needs letters a to z or digits; send {key, title} to keep its name.")
    return Declared(key=key, title=said.title or said.key, definition=said.definition)


def item_of(sent: object) -> str | None:
    """The item as far as it can be read, to name the row by."""
    found = sent.get("item") if isinstance(sent, dict) else None
    return found[:ID_LONGEST] if isinstance(found, str) else None


def from_table(cells: dict[str, Any]) -> dict[str, Any]:
    """A row of a table: several categories stand in one cell, with | or ; between them."""
    row = {field: cell.strip() for field, cell in cells.items() if isinstance(cell, str) and cell.strip()}
    named: dict[str, Any] = dict(row)
    if "categories" in row:
        named["categories"] = [part.strip() for part in _SEPARATORS.split(row["categories"]) if part.strip()]
    return named
