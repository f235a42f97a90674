"""Decisions as annotations of Phoenix. A Phoenix that asks for no key needs none."""

from typing import Any

from hitl.outbox.tools import Call
from reviews.pushing import verdict


def told(payload: dict[str, Any], *, key: str, project: str) -> Call:
    """An annotation of the trace. Phoenix replaces one of the same name and identifier; asked to do it at once, it says
    when it does not know the trace.
    """
    data = payload["data"]
    annotation = {
        "trace_id": data["trace_id"],
        "name": verdict.NAME,
        "annotator_kind": "HUMAN" if data["decided_by"] == "person" else "LLM",
        "result": {
            "label": data["verdict"],
            "score": verdict.score(data),
            "explanation": verdict.comment(data),
        },
        "metadata": verdict.metadata(data),
        "identifier": f"hitl:{verdict.identity('phoenix', data)}",
    }
    return Call("POST", "/v1/trace_annotations?sync=true", _opened(key), {"data": [annotation]})


def greeting(*, key: str, project: str) -> Call:
    """The first project that the key may see."""
    return Call("GET", "/v1/projects?limit=1", _opened(key))


def _opened(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}
