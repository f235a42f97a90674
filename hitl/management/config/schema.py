"""What a configuration file may hold. A field that is left out is left as it is; a new thing gets its default."""

import zoneinfo
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr
from pydantic_core import PydanticCustomError

from codebook.rubric.lineage import HOW_MANY
from hitl.access import authorities, languages
from queues.json_values import shown
from queues.languages import UnknownLanguage, normalise
from queues.models import Lane as LaneModel
from queues.models import Queue as QueueModel
from queues.risk import Risk
from queues.steering import HEAVIEST
from queues.triggers import Trigger

T = TypeVar("T")
SMALL, LARGE = 32_767, 2_147_483_647
RISKS: Final = {risk.name.lower(): risk for risk in Risk}


def refusing(check: Callable[[T], T]) -> AfterValidator:
    """A check whose ValueError is the sentence to say."""

    def checked(value: T) -> T:
        try:
            return check(value)
        except ValueError as fault:
            raise PydanticCustomError("refused", "{sentence}", {"sentence": str(fault).removesuffix(".")}) from None

    return AfterValidator(checked)


def _line(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("holds a character that cannot be seen, or begins or ends with a space")
    return text


def _prose(text: str) -> str:
    if any(not sign.isprintable() and sign not in "\n\t" and not sign.isspace() and ord(sign) < 0xA0 for sign in text):
        raise ValueError("holds a character that cannot be stored")
    return text


def _short_name(slug: str) -> str:
    if slug == "new":
        raise ValueError("cannot be “new”: that is the address of a form")
    return slug


def _email(address: str) -> str:
    try:
        validate_email(address)
    except ValidationError:
        raise ValueError(f"{shown(address)} is not an e-mail address") from None
    return address.lower()


def _time_zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise ValueError(f"there is no time zone {shown(name)}; write it like Europe/Berlin")
    return name


def _authority(text: str) -> str:
    if text:
        authorities.parse(text)
    return text


def _rule_languages(tags: list[str]) -> list[str]:
    try:
        return _once([normalise(tag) for tag in tags])
    except UnknownLanguage as fault:
        raise ValueError(str(fault)) from None


def _lane_language(tag: str) -> str:
    return _rule_languages([tag])[0] if tag else ""


def _thousandths(share: float) -> float:
    if round(share, 3) != share:
        raise ValueError("has more than three digits behind the point")
    return share


def _until(text: str | None) -> str | None:
    if text is not None:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError("is not a time; write it like 2026-05-09T18:00:00Z") from None
        if moment.tzinfo is None:
            raise ValueError("has no time zone; end it with Z or an offset such as +02:00")
    return text


def _once(values: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(values))


def _as_authority(given: Any) -> Any:
    return {"authority": given} if isinstance(given, str) else given


Slug = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[a-z0-9_-]+$"), refusing(_short_name)]
Key = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9_-]+$")]
Email = Annotated[str, Field(max_length=254), refusing(_email)]
TimeZone = Annotated[str, refusing(_time_zone)]
Authority = Annotated[str, Field(max_length=80), refusing(_authority)]
Languages = Annotated[list[str], refusing(languages.tags)]
Prose = Annotated[str, Field(max_length=100_000), refusing(_prose)]
Written = Annotated[str, Field(min_length=1, max_length=100_000), refusing(_prose)]
Count = Annotated[int, Field(ge=0, le=LARGE)]
RiskName = Literal["low", "medium", "high", "critical"]


def words(longest: int, shortest: int = 1) -> Any:
    return Annotated[str, Field(min_length=shortest, max_length=longest), refusing(_line)]


def several(one: Any, most: int = 500) -> Any:
    return Annotated[list[one], Field(max_length=most), AfterValidator(_once)]


class Entry(BaseModel):
    """One thing of the file. `at("field")` is where it stands there, as a person looks it up."""

    model_config = ConfigDict(extra="forbid", strict=True)

    _place: tuple[str, str] = PrivateAttr(("", ""))

    def at(self, field: str = "") -> str:
        where, name = self._place
        return f"{where}{'.' if field else ''}{field} ({name})"

    def given(self, *fields: str) -> dict[str, Any]:
        """Those of the fields that the file names."""
        return {field: getattr(self, field) for field in fields if field in self.model_fields_set}


class Sampling(BaseModel):
    """A sampling plan; what is left out stays, or has its default. `queue` null: where the rules lead."""

    model_config = ConfigDict(extra="forbid", strict=True)

    is_active: bool = True
    budget: Count = 80
    mix: dict[str, float] = {}
    per_user: Count = 3
    judge: words(120, 0) = ""  # type: ignore[valid-type]
    threshold: float = 0.5
    width: float = 0.15
    hour: Count = 5
    look_back_days: Count = 7
    latency_days: Count = 9
    queue: Slug | None = None

    def given(self) -> dict[str, Any]:
        return {field: getattr(self, field) for field in self.model_fields_set}


class Tenant(Entry):
    slug: Slug
    name: words(120) = ""  # type: ignore[valid-type]
    scrubs: bool = True
    scrubs_names: Literal["none", "said", "known"] = "said"
    scrubs_addresses: bool = True
    regions: several(Annotated[str, Field(pattern="^[A-Z]{2}$")]) = []  # type: ignore[valid-type]
    assessment: dict[str, Any] = {}
    sampling: Sampling | None = None


class Calendar(Entry):
    """Its hours, country and days off are checked as a whole, by `BusinessCalendar`."""

    FIELDS: ClassVar = ("time_zone", "hours", "country", "subdivision", "extra_holidays")

    name: words(80)  # type: ignore[valid-type]
    time_zone: str = "UTC"
    hours: dict[str, Any] = {}
    country: str = ""
    subdivision: str = ""
    extra_holidays: list[str] = []


class Signs(Entry):
    authority: Authority
    tenant: Slug | None = None
    until: Annotated[str | None, refusing(_until)] = None

    @property
    def ends(self) -> datetime | None:
        return datetime.fromisoformat(self.until) if self.until else None


class Person(Entry):
    PROFILE: ClassVar = ("name", "languages", "time_zone")

    email: Email
    name: words(120)  # type: ignore[valid-type]
    languages: Languages = []
    time_zone: TimeZone = "UTC"
    is_active: bool = True
    administrator: bool = False
    tenants: dict[str, list[Literal["work", "lead", "reveal"]]] = {}
    queues: dict[str, list[Literal["review", "lead", "approve"]]] = {}
    codebooks: dict[str, list[Literal["read"]]] = {}
    authorities: list[Annotated[Signs, BeforeValidator(_as_authority)]] = []


class From(Entry):
    """How a category came about, where it did not simply go on."""

    how: Literal[tuple(HOW_MANY)]  # type: ignore[valid-type]
    of: Annotated[list[Key], Field(max_length=500)] = []


class Category(Entry):
    key: Key
    title: words(80)  # type: ignore[valid-type]
    definition: Written
    positive_example: Written
    negative_example: Written
    edge_case: Written
    origin: Annotated[From | None, Field(alias="from")] = None


class Codebook(Entry):
    slug: Slug
    title: words(120)  # type: ignore[valid-type]
    owner: Email
    note: Prose = ""
    categories: Annotated[list[Category], Field(min_length=1, max_length=500)]


class Lane(Entry):
    stream: Literal[tuple(LaneModel.Stream.values)]  # type: ignore[valid-type]
    tenant: Slug
    language: Annotated[str, refusing(_lane_language)] = ""
    authority: Authority = ""
    weight: Annotated[int, Field(ge=1, le=HEAVIEST)]


class Queue(Entry):
    FIELDS: ClassVar = (
        "name", "description", "is_active", "sla", "sla_amount", "lease_minutes", "undo_seconds", "shows_judge",
        "second_share", "raters", "judge_first", "judge_sure", "judge_audit_share", "hand_up_to", "notify_emails",
    )  # fmt: skip

    slug: Slug
    name: words(80)  # type: ignore[valid-type]
    description: Prose = ""
    is_active: bool = True
    calendar: str | None = None
    sla: Literal[tuple(QueueModel.Sla.values)] = "none"  # type: ignore[valid-type]
    sla_amount: Count = 0
    lease_minutes: Annotated[int, Field(ge=1, le=SMALL)] = 10
    undo_seconds: Count = 300
    shows_judge: bool = False
    second_share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), refusing(_thousandths)] = 0.1
    raters: Annotated[int, Field(ge=2, le=5)] = 2
    judge_first: words(120, 0) = ""  # type: ignore[valid-type]
    judge_sure: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.9
    judge_audit_share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False), refusing(_thousandths)] = 0.05
    hand_up_to: Authority = ""
    notify_emails: several(Email) = []  # type: ignore[valid-type]
    codebook: Slug | None = None
    lanes: list[Lane] = []


class Rule(Entry):
    FIELDS: ClassVar = (
        "position", "is_active", "domains", "topics", "languages", "triggers", "min_risk", "max_risk",
        "due_within_minutes", "authority",
    )  # fmt: skip

    queue: Slug
    name: words(120)  # type: ignore[valid-type]
    position: Count = 100
    is_active: bool = True
    domains: several(words(80)) = []  # type: ignore[valid-type]
    topics: several(words(120)) = []  # type: ignore[valid-type]
    languages: Annotated[list[str], refusing(_rule_languages)] = []
    tenants: several(Slug) = []  # type: ignore[valid-type]
    triggers: several(Literal[tuple(Trigger.values)]) = []  # type: ignore[valid-type]
    min_risk: RiskName | None = None
    max_risk: RiskName | None = None
    due_within_minutes: Annotated[int, Field(ge=1, le=LARGE)] | None = None
    authority: Authority = ""


SECTIONS: Final[dict[str, type[Entry]]] = {
    "tenants": Tenant, "calendars": Calendar, "people": Person, "codebooks": Codebook, "queues": Queue, "rules": Rule,
}  # fmt: skip
NAMED_BY: Final = {
    "tenants": ("slug",), "calendars": ("name",), "people": ("email",), "codebooks": ("slug",), "queues": ("slug",),
    "rules": ("queue", "name"),
}  # fmt: skip
INSIDE: Final[dict[str, type[Entry]]] = {
    "authorities": Signs, "categories": Category, "from": From, "lanes": Lane,
}  # fmt: skip


class Config(BaseModel):
    """A whole file whose entries are each in order by themselves."""

    tenants: list[Tenant] = []
    calendars: list[Calendar] = []
    people: list[Person] = []
    codebooks: list[Codebook] = []
    queues: list[Queue] = []
    rules: list[Rule] = []
