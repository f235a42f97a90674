"""The complaint of the public contract: feedback from a ticket or a chat, which names no trace."""

from typing import Annotated, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from queues.intake.schema import ID_LONGEST, STRICT, Moment, name, optional_may_be_null

TEXT_LONGEST: Final = 50_000
TAGS_MOST: Final = 20


class PublicComplaint(BaseModel):
    """What a user said, where, and as far as it is known who they are and when the interaction was."""

    model_config = ConfigDict(**STRICT, json_schema_extra=optional_may_be_null)
    NOUN: ClassVar = "complaint"

    text: Annotated[
        str,
        Field(min_length=1, max_length=TEXT_LONGEST, pattern=r"\S", description="The ticket or the thread, as text."),
    ]
    complaint_id: Annotated[
        str, name(ID_LONGEST, about="Your name for it. Without one, the same content is the same complaint.")
    ] = ""
    channel: Annotated[str, name(40, about="Where it was said: ticket, slack, phone …")] = ""
    user_key: Annotated[str, name(80, about="The user's pseudonym, as in your traces; the surest clue there is.")] = ""
    about: Annotated[
        Moment | None, Field(description="About when the interaction was, where the user said so; with a zone.")
    ] = None
    at: Annotated[Moment | None, Field(description="When it was said, with a zone; now where it is not sent.")] = None
    tags: Annotated[
        list[Annotated[str, name(60, 1)]], Field(default_factory=list, max_length=TAGS_MOST, description="Of yours.")
    ]
