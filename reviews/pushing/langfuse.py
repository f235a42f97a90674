"""Decisions as scores of Langfuse. The key is `pk-…:sk-…`, as Basic authentication wants it."""

import base64
from typing import Any

from hitl.outbox.tools import Call
from reviews.pushing import verdict


def told(payload: dict[str, Any], *, key: str, project: str) -> Call:
    """A score of the trace. Langfuse replaces a score of the same id and time, so the time is the case's, not the
    decision's, which may come twice; that stands in the metadata.
    """
    data = payload["data"]
    body = {
        "id": str(verdict.identity("langfuse", data)),
        "traceId": data["trace_id"],
        "name": verdict.NAME,
        "value": data["verdict"],
        "dataType": "CATEGORICAL",
        "comment": verdict.comment(data),
        "metadata": verdict.metadata(data),
        "timestamp": data["received_at"],
    }
    return Call("POST", "/api/public/scores", _opened(key), body)


def greeting(*, key: str, project: str) -> Call:
    """Which project the key belongs to."""
    return Call("GET", "/api/public/projects", _opened(key))


def _opened(key: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(key.encode()).decode()}"}
