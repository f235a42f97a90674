"""Decisions as feedback of LangSmith."""

from typing import Any
from uuid import UUID

from hitl.outbox.tools import Call, Unsuitable
from reviews.pushing import verdict


def told(payload: dict[str, Any], *, key: str, project: str) -> Call:
    """Feedback on the trace's root run. Where LangSmith has it already, what may be changed of it is."""
    data = payload["data"]
    try:
        run = str(UUID(data["trace_id"]))
    except ValueError:
        raise Unsuitable("LangSmith knows its traces by a UUID, and this case's trace id is none.") from None
    feedback = str(verdict.identity("langsmith", data))
    said = {"score": verdict.score(data), "value": data["verdict"], "comment": verdict.comment(data)}
    body = {
        "id": feedback,
        "run_id": run,
        "trace_id": run,
        "key": verdict.NAME,
        **said,
        "feedback_source": {"type": "api", "metadata": verdict.metadata(data)},
        **({"session_id": project} if project else {}),
    }
    changed = Call("PATCH", f"/feedback/{feedback}", _opened(key), said)
    return Call("POST", "/feedback", _opened(key), body, if_known=changed)


def greeting(*, key: str, project: str) -> Call:
    """The first project that the key may see."""
    return Call("GET", "/sessions?limit=1", _opened(key))


def _opened(key: str) -> dict[str, str]:
    return {"x-api-key": key}
