"""The trace of the public contract: one interaction of the product with a user, as it happened."""

from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from queues.intake.schema import (
    EVIDENCE_MOST,
    ID_LONGEST,
    METADATA_MOST,
    NAME_LONGEST,
    STRICT,
    TOOLS_MOST,
    TURNS_MOST,
    Evidence,
    Moment,
    Name,
    Number,
    Turn,
    name,
    optional_may_be_null,
)

TRACE_BYTES: Final = 1_000_000
SCORES_MOST: Final = 50
LATENCY_MOST: Final = 2**31 - 1

Text = Annotated[str, Field(max_length=TRACE_BYTES)]


class RecordedTrace(BaseModel):
    """One interaction: what was asked, what was answered, and what the answer was made of."""

    model_config = ConfigDict(**STRICT, json_schema_extra=optional_may_be_null)
    NOUN: ClassVar = "trace"

    trace_id: Annotated[str, name(ID_LONGEST, 1, "Your name for the interaction; sending it again is safe.")]
    at: Annotated[Moment, Field(description="When it began, with a zone.")]
    input: Annotated[Text, Field(description="What the user asked. May be empty.")]
    output: Annotated[Text, Field(description="What the user got. May be empty.")]
    conversation: Annotated[
        list[Turn],
        Field(default_factory=list, max_length=TURNS_MOST, description="What was said before the input."),
    ]
    documents: Annotated[
        list[Evidence],
        Field(default_factory=list, max_length=EVIDENCE_MOST, description="What was retrieved, best first."),
    ]
    tool_calls: Annotated[
        list[dict[str, Any]],
        Field(default_factory=list, max_length=TOOLS_MOST, description="Free-form objects, in their order."),
    ]
    scores: Annotated[
        dict[Annotated[str, name(NAME_LONGEST, 1)], Number],
        Field(default_factory=dict, max_length=SCORES_MOST, description="Numbers by name, such as groundedness."),
    ]
    prompt_version: Name = ""
    model: Name = ""
    release: Name = ""
    user_key: Annotated[str, name(80, about="A pseudonym of the user, never a name or an address.")] = ""
    session_id: Annotated[str, name(ID_LONGEST, about="What the interactions of one conversation share.")] = ""
    topic: Annotated[str, name(NAME_LONGEST, about="What the user was after.")] = ""
    domain: Annotated[str, name(80, about="The expertise it needs.")] = ""
    language: Annotated[
        str | None, Field(max_length=35, description="A BCP 47 tag such as de-AT; detected where it is not sent.")
    ] = None
    latency_ms: Annotated[int | None, Field(ge=0, le=LATENCY_MOST, description="How long the user waited.")] = None
    metadata: Annotated[
        dict[str, Any],
        Field(default_factory=dict, max_length=METADATA_MOST, description="Anything of your own."),
    ]
