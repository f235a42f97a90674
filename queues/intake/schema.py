"""The escalation object of the public contract: its fields, their limits, and what is said of rows that break them."""

import re
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, NotRequired, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails, PydanticCustomError
from typing_extensions import TypedDict

from hitl.outbox import addresses
from queues.json_values import kind

CASE_BYTES: Final = 1_000_000
TEXT_LONGEST: Final = 200_000
REASON_LONGEST: Final = 2_000
ID_LONGEST: Final = 200
NAME_LONGEST: Final = 120
URL_LONGEST: Final = 500
EVIDENCE_MOST: Final = 100
TURNS_MOST: Final = 200
TOOLS_MOST: Final = 100
JUDGES_MOST: Final = 20
JUDGED_CATEGORIES_MOST: Final = 50
FLAGS_MOST: Final = 50
METADATA_MOST: Final = 50
DEEPEST: Final = 20
FIRST_YEAR, LAST_YEAR = 2000, 2199

RISKS: Final = ("low", "medium", "high", "critical")
DEFAULT_DOMAIN: Final = "general"
FAULTS_SHOWN: Final = 5
# Ids and names stand in links, tables and log lines: nothing invisible, no line breaks, no tricks of direction.
PRINTABLE: Final = r"^(?:[^\p{Cc}\p{Cf}\p{Co}\p{Z}]+(?: +[^\p{Cc}\p{Cf}\p{Co}\p{Z}]+)*)?$"


def moment(value: Any) -> datetime:
    """An instant out of ISO 8601 text with a zone; a deadline without one would be hours off for somebody."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("moment_type", "must be a time as text, like 2026-05-09T18:00:00Z")
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("moment_form", "is not a time; write it like 2026-05-09T18:00:00Z") from None
    if read.tzinfo is None:
        raise PydanticCustomError("moment_zone", "has no time zone; end it with Z or an offset such as +02:00")
    if not FIRST_YEAR <= read.year <= LAST_YEAR:
        raise PydanticCustomError("moment_year", f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
    return read.astimezone(UTC)


def link(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable() and " " not in url
    except ValueError:
        good = False
    if not good:
        raise PydanticCustomError("link", "must be a web address that begins with https:// or http://")
    return url


def callback(url: str) -> str:
    """A link that hitl may call, as far as can be told without a look-up; sending looks again."""
    ordinary = _ORDINARY.fullmatch(url)
    if fault := _why_not_called(ordinary[1] if ordinary else url, settings.OUTBOX_ALLOW_PRIVATE):
        raise PydanticCustomError("callback", "{fault}", {"fault": fault})
    return url


# By host where the rest has nothing strange in it: a file of 100,000 rows calls a handful of them.
_ORDINARY: Final = re.compile(r"(https?://[^/?#\\]+)(?:[/?][A-Za-z0-9/%:@!$&'()*+,;=~._?-]*)?")


@lru_cache(maxsize=1024)
def _why_not_called(url: str, private_allowed: bool) -> str:
    """A sentence without its full stop; empty for an address that may be called."""
    try:
        addresses.parse(url)
    except addresses.Refused as refused:
        return str(refused).removesuffix(".")
    return ""


def as_number(value: Any) -> Any:
    """true and false are how most producers say whether the tools worked."""
    return float(value) if isinstance(value, bool) else value


def name(longest: int, shortest: int = 0, about: str | None = None) -> Any:
    """A field of printable characters. Published is a pattern that more validators know: it leaves out, besides, signs
    that no Unicode has yet.
    """
    published: dict[str, Any] = {"pattern": r"^(?:[^\p{C}\p{Z}]+(?: +[^\p{C}\p{Z}]+)*)?$"}
    return Field(
        min_length=shortest, max_length=longest, pattern=PRINTABLE, description=about, json_schema_extra=published
    )


Text = Annotated[str, Field(max_length=TEXT_LONGEST)]
Id = Annotated[str, name(ID_LONGEST, 1)]
Name = Annotated[str, name(NAME_LONGEST)]
Link = Annotated[
    str,
    Field(max_length=URL_LONGEST),
    AfterValidator(link),
    WithJsonSchema({"type": "string", "pattern": r"^https?://[^\s/?#@:]+", "maxLength": URL_LONGEST}),
]
Callback = Annotated[Link, AfterValidator(callback)]
NUMBER: Final = {"type": "number", "minimum": -1e6, "maximum": 1e6}
Number = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
MOMENT: Final = {"type": "string", "format": "date-time", "pattern": "^2[01][0-9]{2}-"}
Moment = Annotated[datetime, BeforeValidator(moment), WithJsonSchema(MOMENT)]

STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


def optional_may_be_null(schema: dict[str, Any]) -> None:
    """The published schema says what `read` does: a field that is null counts as not sent."""
    for field, details in schema["properties"].items():
        choices = details.get("anyOf", [])
        if field not in schema.get("required", []) and {"type": "null"} not in choices:
            about = {key: details.pop(key) for key in ("title", "description", "default") if key in details}
            schema["properties"][field] = {"anyOf": [details, {"type": "null"}], **about}


class Evidence(TypedDict):
    """A passage the draft leans on, copied in, so that the case can be judged when the document has changed."""

    __pydantic_config__ = STRICT  # type: ignore[misc]

    document_id: Annotated[str, name(URL_LONGEST, 1, "Your name for the document, or its address.")]
    quote: NotRequired[Annotated[str | None, Field(max_length=TEXT_LONGEST, description="The passage itself.")]]
    score: NotRequired[Annotated[Number | None, Field(description="How well it was found to fit.")]]
    title: NotRequired[Annotated[str | None, Field(max_length=500)]]
    url: NotRequired[Link | None]
    marker: NotRequired[Annotated[str | None, Field(max_length=40, description="How the draft cites it, as [1].")]]


class Turn(TypedDict):
    """One earlier message of the conversation."""

    __pydantic_config__ = STRICT  # type: ignore[misc]

    role: Annotated[str, name(40, 1, "Who said it, such as user or assistant.")]
    content: Text


class Judge(TypedDict):
    """What an automatic judge said. `score` runs from 0 (bad) to 1 (good). Of a judge that is named twice with the same
    version, prompt and position, the first counts.
    """

    __pydantic_config__ = STRICT  # type: ignore[misc]

    name: Annotated[str, name(NAME_LONGEST, 1)]
    version: NotRequired[Name | None]
    prompt: NotRequired[Annotated[Name | None, Field(description="The name or version of the prompt it was given.")]]
    verdict: NotRequired[
        Annotated[str | None, Field(max_length=500, description="accept or reject, pass or fail; or in its own words.")]
    ]
    score: NotRequired[Number | None]
    confidence: NotRequired[
        Annotated[float | None, Field(ge=0, le=1, allow_inf_nan=False, description="How sure it says it is, 0 to 1.")]
    ]
    categories: NotRequired[
        Annotated[
            list[Annotated[str, name(60, 1)]] | None,
            Field(max_length=JUDGED_CATEGORIES_MOST, description="Keys of the codebook that it sees."),
        ]
    ]
    position: NotRequired[
        Annotated[str | None, name(20, about="Where the answer stood among those compared: first, second, …")]
    ]


class Described(BaseModel):
    """What is known about one answer, whether it is sent to a person or only asked about."""

    model_config = ConfigDict(**STRICT, json_schema_extra=optional_may_be_null)

    tenant_id: Annotated[str | None, name(60, about="If given, it must be the tenant the token belongs to.")] = None
    evidence: Annotated[
        list[Evidence],
        Field(default_factory=list, max_length=EVIDENCE_MOST, description="What the draft leans on, best first."),
    ]
    tool_results: Annotated[
        list[dict[str, Any]],
        Field(
            default_factory=list,
            max_length=TOOLS_MOST,
            description="Free-form objects; `status` (ok, failed, unavailable) says whether the tool worked.",
        ),
    ]
    reason_for_escalation: Annotated[
        str, Field(max_length=REASON_LONGEST, description="Why a person is asked, in your words; reviewers see it.")
    ] = ""
    domain: Annotated[str, name(80, 1, "The expertise it needs.")] = DEFAULT_DOMAIN
    language: Annotated[
        str | None, Field(max_length=35, description="A BCP 47 tag such as de-AT; detected where it is not sent.")
    ] = None
    sla_deadline: Annotated[
        Moment | None, Field(description="With a zone. One in the past is taken, and is overdue at once.")
    ] = None
    conversation: Annotated[
        list[Turn],
        Field(default_factory=list, max_length=TURNS_MOST, description="What was said before the question."),
    ]
    policy: Annotated[str, Field(max_length=TEXT_LONGEST, description="The policy text that applies.")] = ""
    topic: Annotated[str, name(NAME_LONGEST, about="What the user was after.")] = ""
    trace_id: Annotated[str, name(ID_LONGEST, about="The interaction in your own records.")] = ""
    user_key: Annotated[str, name(80, about="A pseudonym of the user, never a name or an address.")] = ""
    callback_url: Annotated[
        Callback | None, Field(description="Gets this case's verdict, signed. A public address.")
    ] = None
    model: Name = ""
    prompt_version: Name = ""
    release: Name = ""
    retrieval_score: Number | None = None
    rerank_margin: Number | None = None
    groundedness: Number | None = None
    tool_success: Annotated[
        Number | None,
        BeforeValidator(as_number),
        WithJsonSchema({"anyOf": [NUMBER, {"type": "boolean"}, {"type": "null"}]}),
        Field(description="Share of tools that worked, or true/false."),
    ] = None
    policy_classifier_score: Number | None = None
    self_reported_confidence: Annotated[
        Number | None, Field(description="The model's own word on its confidence. It counts for little.")
    ] = None
    judges: Annotated[list[Judge], Field(default_factory=list, max_length=JUDGES_MOST)]
    user_requested_human: bool = False
    user_rating: Annotated[
        float | None, Field(ge=0, le=5, allow_inf_nan=False, description="1 to 5; a thumb down is 1, a thumb up 5.")
    ] = None
    policy_flags: Annotated[
        list[Annotated[str, name(NAME_LONGEST, 1)]],
        Field(default_factory=list, max_length=FLAGS_MOST, description="Policies that the request is near to."),
    ]
    tool: Annotated[str, name(NAME_LONGEST, about="The tool that the answer wants to use next, if any.")] = ""
    tool_risk: Annotated[
        Literal["low", "medium", "high", "critical"] | None,
        Field(description="What using that tool would put at risk; high for what cannot be taken back."),
    ] = None
    metadata: Annotated[
        dict[str, Any],
        Field(
            default_factory=dict,
            max_length=METADATA_MOST,
            description="Anything of your own; kept with the case, shown and returned.",
        ),
    ]


class EscalatedCase(Described):
    """An answer that needs a person: everything the person needs to see, in one object."""

    case_id: Annotated[Id, Field(description="Your name for the case; sending it again is safe.")]
    user_question: Annotated[Text, Field(description="May be empty where a draft answers no question.")]
    model_draft: Annotated[str, Field(min_length=1, max_length=TEXT_LONGEST)]
    risk_level: Literal["low", "medium", "high", "critical"]


class AssessedAnswer(Described):
    """The same object before it is sent: nothing is required, and nothing is stored."""

    case_id: Id | None = None
    user_question: Text = ""
    model_draft: Text = ""
    risk_level: Literal["low", "medium", "high", "critical"] | None = None


M = TypeVar("M", bound=BaseModel)


def read(model: type[M], row: object) -> M:
    """A row as a model. A field that is null counts as not sent. Raises pydantic's ValidationError: see `faults`."""
    if isinstance(row, dict) and None in row.values():
        row = {field: value for field, value in row.items() if value is not None}
    return model.model_validate(row)


_SENTENCES: Final[dict[str, str]] = {
    "missing": "is missing",
    "string_unicode": "holds half a character (a lone surrogate); send whole ones",
    "bool_type": "must be true or false, not {kind}",
    "string_type": "must be text, not {kind}",
    "list_type": "must be a list, not {kind}",
    "dict_type": "must be an object, not {kind}",
    "model_type": "must be an object, not {kind}",
    "model_attributes_type": "must be an object, not {kind}",
    "float_type": "must be a number, not {kind}",
    "finite_number": "must be an ordinary number",
    "string_pattern_mismatch": "holds a character that cannot be seen, or begins or ends with a space",
    "string_too_short": "is empty",
    "string_too_long": "is longer than {max_length:,} characters",
    "too_long": "has more than {max_length:,} entries",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "literal_error": "must be one of {expected}",
}


def faults(error: ValidationError, model: type[BaseModel] = EscalatedCase) -> str:
    """All that is wrong with a row, field by field, in words. No value is quoted: it may be personal."""
    found = error.errors(include_url=False, include_context=True)
    said = [sentence(one, model) for one in found[:FAULTS_SHOWN]]
    if len(found) > FAULTS_SHOWN:
        said.append(f"And {len(found) - FAULTS_SHOWN} more.")
    return " ".join(said)


def sentence(error: ErrorDetails, model: type[BaseModel]) -> str:
    where = path(error["loc"])
    if error["type"] == "extra_forbidden":
        words = "is not a field here"
        name = error["loc"][-1]
        if len(error["loc"]) == 1 and (near := get_close_matches(str(name), model.model_fields, 1)):
            words += f"; did you mean {near[0]}?"
        else:
            words += "; put fields of your own into metadata" if "metadata" in model.model_fields else ""
    elif template := _SENTENCES.get(error["type"]):
        if error["type"] == "float_type" and isinstance(error["input"], int) and not isinstance(error["input"], bool):
            template = "is out of range"
        context = {**error.get("ctx", {}), "kind": kind(error["input"])}
        context["expected"] = context.get("expected", "").replace("'", "").replace(" or ", ", ")
        words = template.format(**context)
    else:
        words = error["msg"]
    noun = getattr(model, "NOUN", "case")
    return f"{where}: {words}{'' if words.endswith('?') else '.'}" if where else f"The {noun} {words}."


def path(location: tuple[int | str, ...]) -> str:
    """("evidence", 2, "quote") -> `evidence[2].quote`, as a person would look it up in their JSON."""
    said = ""
    for part in location:
        said += f"[{part}]" if isinstance(part, int) else f"{'.' if said else ''}{part[:60]}"
    return said
