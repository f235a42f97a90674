"""The worker, without its processes."""

from django_q.models import OrmQ

from hitl.jobs import progress


def work_off():
    """Run the tasks that were handed to the worker, in their order."""
    for queued in OrmQ.objects.order_by("id"):
        task = queued.task
        queued.delete()
        assert task["func"] == progress.RUN
        progress.run(*task["args"])
