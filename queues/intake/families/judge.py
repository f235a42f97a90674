"""What automatic judges say."""

from typing import Annotated, Final, Literal

from pydantic import Field

from queues.intake.families.common import Signal
from queues.intake.schema import ID_LONGEST, JUDGED_CATEGORIES_MOST, NAME_LONGEST, Name, name

CATEGORY_LONGEST: Final = 60
POSITION_LONGEST: Final = 20


class JudgeSignal(Signal):
    """What an automatic judge said of an answer: a prior, never a person's label."""

    type: Literal["judge_verdict"]
    case_id: Annotated[str, name(ID_LONGEST, about="The case it is about; it may come later.")] = ""
    trace_id: Annotated[str, name(ID_LONGEST, about="Or the interaction it is about. One of the two is needed.")] = ""
    judge: Annotated[str, name(NAME_LONGEST, 1, "The judge's name.")]
    version: Annotated[Name, Field(description="Of the judge, so that each version is measured on its own.")] = ""
    prompt: Annotated[Name, Field(description="The name or version of the prompt it was given.")] = ""
    verdict: Annotated[
        Literal["accept", "reject", "pass", "fail"] | None, Field(description="pass is accept, fail is reject.")
    ] = None
    score: Annotated[
        float | None, Field(ge=-1e6, le=1e6, allow_inf_nan=False, description="From 0 (bad) to 1 (good).")
    ] = None
    confidence: Annotated[
        float | None, Field(ge=0, le=1, allow_inf_nan=False, description="How sure it says it is, 0 to 1.")
    ] = None
    categories: Annotated[
        list[Annotated[str, name(CATEGORY_LONGEST, 1)]],
        Field(
            default_factory=list, max_length=JUDGED_CATEGORIES_MOST, description="Keys of the codebook that it sees."
        ),
    ]
    position: Annotated[
        str,
        name(POSITION_LONGEST, about="Where the answer stood among those compared: first, second, …"),
    ] = ""


TYPES: Final[dict[str, type[Signal]]] = {"judge_verdict": JudgeSignal}
