from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_q.conf import Conf

from hitl import heartbeats
from hitl.pulse import FRESH


def reason(who: str, silence: float | None) -> str | None:
    """What is wrong with a process that has been silent for so many seconds."""
    if silence is None or silence == float("inf"):
        return f"The {who} has not been heard of yet."
    return None if silence <= FRESH else f"The {who} was last heard of {silence:.0f} seconds ago."


@never_cache
@require_safe
@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when web, database, worker and tick are up, else 503 with the reasons in words. `?of=web`: of web alone."""
    if request.GET.get("of") == "web":
        return JsonResponse({"status": "up", "web": "up"})
    try:
        pulse = heartbeats.pulse()
    except DatabaseError:
        reasons = ["The database does not answer, or is not set up."]
        return JsonResponse({"status": "down", "web": "up", "database": "down", "reasons": reasons}, status=503)
    found = {
        "worker": reason("worker", pulse.worker_silence(longest_task=Conf.TIMEOUT + FRESH)),
        "tick": reason("tick", pulse.tick),
    }
    parts = {"web": "up", "database": "up"} | {name: "down" if wrong else "up" for name, wrong in found.items()}
    if reasons := [wrong for wrong in found.values() if wrong]:
        return JsonResponse({"status": "down", **parts, "reasons": reasons}, status=503)
    return JsonResponse({"status": "up", **parts})
