"""What users say: a rating, or what went wrong."""

from typing import Annotated, Final, Literal

from pydantic import Field

from queues.intake.families.common import TEXT_LONGEST, Signal, SignalRefused, Told, UserSignal

THUMBS: Final = {"up": 5.0, "down": 1.0}


class UserRating(UserSignal):
    """A rating, or a thumb: down is 1, up is 5."""

    type: Literal["user_rating"]
    rating: Annotated[float | None, Field(ge=1, le=5, allow_inf_nan=False, description="1 (bad) to 5 (good).")] = None
    thumbs: Annotated[Literal["up", "down"] | None, Field(description="Instead of a rating.")] = None

    def told(self) -> Told:
        if (self.rating is None) == (self.thumbs is None):
            raise SignalRefused("rating, thumbs: one of the two is needed, and only one.")
        return Told(value=self.rating if self.thumbs is None else THUMBS[self.thumbs])


class UserReason(UserSignal):
    """What went wrong, as the user sees it."""

    type: Literal["user_reason"]
    reason: Literal["hallucination", "refused", "too_long", "missed_the_point", "formatting", "other"]
    comment: Annotated[str, Field(max_length=TEXT_LONGEST, description="In the user's own words.")] = ""

    def told(self) -> Told:
        return Told(reason=self.reason, text=self.comment)


TYPES: Final[dict[str, type[Signal]]] = {"user_rating": UserRating, "user_reason": UserReason}
