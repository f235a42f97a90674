"""Sweeping up after the house's own machinery; what is kept of people's work is a matter of retention rules."""

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.db.models.functions import Now
from django_q.models import Success

from hitl.models import Heartbeat

KEEP_RESULTS = timedelta(days=1)
KEEP_SILENT_NODES = timedelta(days=1)


def forget_results() -> int:
    """Results of tasks that went well. django-q2 would trim them at every task, which costs more than the task."""
    return Success.objects.filter(stopped__lt=Now() - KEEP_RESULTS).delete()[0]


def forget_nodes() -> int:
    """Heartbeats of nodes that are gone."""
    return Heartbeat.objects.filter(at__lt=Now() - KEEP_SILENT_NODES).delete()[0]


def forget_sessions() -> int:
    """Sessions that ended. Nobody can use one; they are only in the way."""
    return Session.objects.filter(expire_date__lt=Now()).delete()[0]
