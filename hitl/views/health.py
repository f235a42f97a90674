from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from hitl import heartbeats


def silence(who: str, age: float | None, allowed: float) -> str | None:
    """What is wrong with a process that was last heard of so many seconds ago."""
    if age is None:
        return f"The {who} has not been heard of yet."
    return None if age <= allowed else f"The {who} was last heard of {age:.0f} seconds ago."


@never_cache
@require_safe
@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when web, database, worker and tick are up, else 503 with the reasons in words."""
    try:
        pulse = heartbeats.pulse()
    except DatabaseError:
        reasons = ["The database does not answer, or is not set up."]
        return JsonResponse({"status": "down", "web": "up", "database": "down", "reasons": reasons}, status=503)
    # A worker whose hands are full beats again when a task ends, or is stopped at the limit.
    patience = settings.Q_CLUSTER["timeout"] + heartbeats.FRESH if pulse.busy else heartbeats.FRESH
    found = {
        "worker": silence("worker", pulse.worker, patience),
        "tick": silence("tick", pulse.tick, heartbeats.FRESH),
    }
    reasons = [reason for reason in found.values() if reason]
    parts = {name: "down" if reason else "up" for name, reason in found.items()}
    answer = {"status": "down" if reasons else "up", "web": "up", "database": "up", **parts}
    return JsonResponse({**answer, "reasons": reasons} if reasons else answer, status=503 if reasons else 200)
