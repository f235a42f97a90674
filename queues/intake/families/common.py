"""What signals of all families have in common."""

from typing import Annotated, ClassVar, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from queues.intake.schema import ID_LONGEST, STRICT, Moment, name, optional_may_be_null

TEXT_LONGEST: Final = 200_000


class SignalRefused(ValueError):
    """A signal that is not taken; the message says what is wrong, field by field."""


class Consent(TypedDict, total=False):
    """What the user allowed it to be used for. What is not named is not allowed."""

    __pydantic_config__ = STRICT  # type: ignore[misc]

    evaluation: Annotated[bool, Field(description="In evaluation sets.")]
    retrieval: Annotated[bool, Field(description="As examples for the retriever.")]
    training: Annotated[bool, Field(description="To train a model.")]


class Signal(BaseModel):
    """One piece of feedback on an answer."""

    model_config = ConfigDict(**STRICT, json_schema_extra=optional_may_be_null)
    NOUN: ClassVar = "signal"

    type: str
    signal_id: Annotated[
        str, name(ID_LONGEST, about="Your name for the signal. Without one, the same content is the same signal.")
    ] = ""
    trace_id: str = ""
    at: Annotated[Moment | None, Field(description="When it was given, with a zone; now where it is not sent.")] = None


class Told(NamedTuple):
    """What a signal of a user's says, in the columns that it is stored in. `edited` is the output as they left it."""

    value: float | None = None
    reason: str = ""
    text: str = ""


class UserSignal(Signal):
    """A signal that a user gave, knowingly or not."""

    trace_id: Annotated[str, name(ID_LONGEST, 1, "The interaction it is about; it may come later.")]
    user_key: Annotated[str, name(80, about="A pseudonym of the user, never a name or an address.")] = ""
    consent: Annotated[Consent, Field(default_factory=lambda: Consent())]

    def told(self) -> Told:
        """What it says, in columns."""
        return Told()
