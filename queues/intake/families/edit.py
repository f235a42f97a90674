"""What users wrote instead."""

from typing import Annotated, Final, Literal

from pydantic import Field

from queues.intake.families.common import TEXT_LONGEST, Signal, Told, UserSignal


class UserEdit(UserSignal):
    """The output as the user rewrote it. It is kept with its difference from the trace's output."""

    type: Literal["user_edit"]
    edited_output: Annotated[str, Field(max_length=TEXT_LONGEST, description="The whole text as they left it.")]

    def told(self) -> Told:
        return Told(text=self.edited_output)


TYPES: Final[dict[str, type[Signal]]] = {"user_edit": UserEdit}
