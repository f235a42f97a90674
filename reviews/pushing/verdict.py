"""What is told of a decision to the tools that hold its trace: the verdict, the categories, and the rubric they are by.

Who decided is not told, nor what the answer was changed to: that stays with the case. Pure.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID, uuid5

NAME: Final = "hitl_verdict"
_IDS: Final = UUID("5b1f3a52-6a0e-5c6d-9a51-0d3c8f1e7a44")
# The share that was accepted as it was is what a chart of these shows.
_SCORES: Final = {"accept": 1.0, "edit": 0.0, "reject": 0.0}


def identity(tool: str, data: Mapping[str, Any]) -> UUID:
    """The same for every word on this case in this tool, so that a later one takes the place of the earlier."""
    return uuid5(_IDS, f"{tool}\n{data['tenant']}\n{data['case_id']}")


def score(data: Mapping[str, Any]) -> float:
    """1 where the answer was accepted as it was, else 0."""
    return _SCORES[data["verdict"]]


def comment(data: Mapping[str, Any]) -> str:
    """The categories and the rubric in a line."""
    by = f"{data['codebook']} version {data['codebook_version']}" if data["codebook"] else "no codebook"
    found = ", ".join(data["categories"])
    return f"{found} (by {by})" if found else f"By {by}"


def metadata(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a program reads beside the verdict."""
    return {
        "codebook": data["codebook"],
        "codebook_version": data["codebook_version"],
        "categories": list(data["categories"]),
        "case_id": data["case_id"],
        "revision": data["revision"],
        "decided_at": data["decided_at"],
        "decided_by": data["decided_by"],
        "url": data["url"],
    }
