"""The drift report of the public contract: a slice of the traffic that the team's monitoring found changed."""

from typing import Annotated, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from queues.intake.schema import ID_LONGEST, NAME_LONGEST, STRICT, Moment, Name, Number, name, optional_may_be_null

TRACES_MOST: Final = 5_000
WANTED_MOST: Final = 10_000
DETAIL_LONGEST: Final = 2_000
# What says which slice is meant: at least one of them.
SLICE: Final = ("topic", "language", "model", "prompt_version", "release", "trace_ids")


class ReportedDrift(BaseModel):
    """What changed: a slice by what its traces have in common, or a cluster by its traces. All that is named holds: a
    topic and a release mean that topic in that release.
    """

    model_config = ConfigDict(**STRICT, json_schema_extra=optional_may_be_null)
    NOUN: ClassVar = "report"

    report_id: Annotated[
        str, name(ID_LONGEST, about="Your name for it. Without one, the same content is the same report.")
    ] = ""
    topic: Annotated[str, name(NAME_LONGEST, about="As your traces name it.")] = ""
    language: Annotated[str | None, Field(max_length=35, description="A BCP 47 tag; de means de-AT as well.")] = None
    model: Name = ""
    prompt_version: Name = ""
    release: Name = ""
    trace_ids: Annotated[
        list[Annotated[str, name(ID_LONGEST, 1)]],
        Field(default_factory=list, max_length=TRACES_MOST, description="Of a cluster: your names of its traces."),
    ]
    detector: Annotated[str, name(NAME_LONGEST, about="What found it, such as embedding-drift.")] = ""
    score: Annotated[
        Number | None, Field(description="How strong it is; of several reports the strongest comes first.")
    ] = None
    detail: Annotated[str, Field(max_length=DETAIL_LONGEST, description="For whoever reads it here.")] = ""
    wanted: Annotated[int, Field(ge=1, le=WANTED_MOST, description="How many of its traces people should look at.")] = (
        20
    )
    at: Annotated[Moment | None, Field(description="When it was found, with a zone; now where it is not sent.")] = None
    until: Annotated[
        Moment | None, Field(description="Until when it holds, with a zone; a day where it is not sent.")
    ] = None
