"""Long work that somebody waits for: handed to the worker, with a row that says how far it is and how it ended."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.tasks import async_task

from hitl.access.models import Tenant, User
from hitl.jobs.models import Job

log = logging.getLogger(__name__)

RUN: Final = "hitl.jobs.progress.run"
UNFINISHED: Final = (Job.State.WAITING, Job.State.RUNNING)
# A job whose worker died is run again by the queue; one that is silent for this long is not waited for.
LOST_AFTER: Final = timedelta(hours=6)
UNEXPECTED: Final = (
    "It failed here, and the log says why. What was done until then is kept; start it again when the cause is gone."
)


class JobFailed(Exception):
    """The work cannot be done; the message is the sentence for whoever started it."""


@transaction.atomic
def start(
    *, kind: str, title: str, tenant: Tenant | None, user: User | None, task: str, args: Sequence[Any] = ()
) -> Job:
    """A step: the job's row, and the task for the worker, there together or not at all. The verb around it is what
    goes on the audit record.

    `task` is the dotted name of a function of the job's id and `args`, which are ids. It may run twice.
    """
    job = Job.objects.create(kind=kind, title=title[:200], tenant=tenant, started_by=user)
    if settings.Q_CLUSTER.get("orm"):
        async_task(RUN, job.pk, task, *args)
    else:
        transaction.on_commit(lambda: async_task(RUN, job.pk, task, *args))
    return job


@transaction.atomic
def start_once(*, kind: str, title: str, user: User | None, task: str, args: Sequence[Any] = ()) -> tuple[Job, bool]:
    """A step: the one job of this kind, and whether it is new. Two who ask at the same moment get the same."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"job:{kind}"])
    if job := running(kind):
        return job, False
    return start(kind=kind, title=title, tenant=None, user=user, task=task, args=args), True


def running(kind: str) -> Job | None:
    """The job of this kind that waits or runs now."""
    since = timezone.now() - LOST_AFTER
    return Job.objects.filter(kind=kind, state__in=UNFINISHED, created_at__gt=since).order_by("-pk").first()


def run(job_id: int, task: str, *args: Any) -> None:
    """What the worker runs: the task, with its end put on the job's row. A job that has ended is not run again."""
    if not _unfinished(job_id).update(state=Job.State.RUNNING):
        return
    try:
        import_string(task)(job_id, *args)
    except JobFailed as failed:
        fail(job_id, str(failed))
    except Exception:
        log.exception("The job %s (%s) failed", job_id, task)
        fail(job_id, UNEXPECTED)
    else:
        finish(job_id, {})


def advance(job_id: int, done: int, total: int | None = None) -> None:
    """How far it is, for the bar."""
    fields = {"done": done} if total is None else {"done": done, "total": total}
    _unfinished(job_id).update(**fields)


def finish(job_id: int, result: dict[str, Any]) -> None:
    """It is done. `result` may hold `sentence` (what came of it), and `url` with `link` (where to see it)."""
    _unfinished(job_id).update(state=Job.State.DONE, result=result, finished_at=timezone.now())


def fail(job_id: int, sentence: str) -> None:
    """It ended without being done, for this reason."""
    _unfinished(job_id).update(state=Job.State.FAILED, error=sentence, finished_at=timezone.now())


def _unfinished(job_id: int) -> Any:
    return Job.objects.filter(pk=job_id, state__in=UNFINISHED)
