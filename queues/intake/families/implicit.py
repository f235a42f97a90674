"""What users do: correlates of what they think, never their word."""

from typing import Annotated, Final, Literal

from pydantic import Field

from queues.intake.families.common import TEXT_LONGEST, Signal, Told, UserSignal

DWELL_LONGEST: Final = 30 * 86_400


class Done(UserSignal):
    """The answer was used as it is, another one was asked for, or the user left without using it."""

    type: Literal["implicit_accept", "implicit_regenerate", "implicit_abandon"]


class FollowUp(UserSignal):
    """The user asked again at once: "no, I meant …"."""

    type: Literal["implicit_followup"]
    text: Annotated[str, Field(max_length=TEXT_LONGEST, description="What they asked.")] = ""

    def told(self) -> Told:
        return Told(text=self.text)


class Copied(UserSignal):
    """The answer, or a part of it, was copied."""

    type: Literal["implicit_copy"]
    text: Annotated[str, Field(max_length=TEXT_LONGEST, description="What was copied, where it was a part.")] = ""

    def told(self) -> Told:
        return Told(text=self.text)


class CopiedAndEdited(UserSignal):
    """The answer was copied and changed; with the changed text, where the product sees it."""

    type: Literal["implicit_copy_edit"]
    edited_output: Annotated[
        str, Field(max_length=TEXT_LONGEST, description="The whole text as they left it, where it is known.")
    ] = ""

    def told(self) -> Told:
        return Told(text=self.edited_output)


class Dwell(UserSignal):
    """How long the user stayed on the answer."""

    type: Literal["implicit_dwell"]
    seconds: Annotated[float, Field(ge=0, le=DWELL_LONGEST, allow_inf_nan=False)]

    def told(self) -> Told:
        return Told(value=self.seconds)


TYPES: Final[dict[str, type[Signal]]] = {
    "implicit_accept": Done,
    "implicit_regenerate": Done,
    "implicit_followup": FollowUp,
    "implicit_abandon": Done,
    "implicit_copy": Copied,
    "implicit_copy_edit": CopiedAndEdited,
    "implicit_dwell": Dwell,
}
