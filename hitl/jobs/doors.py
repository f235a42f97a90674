"""The door to jobs: whoever started one sees it, and so do those who run its tenant."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from hitl.access import doors
from hitl.access.models import User
from hitl.jobs.models import Job


def jobs(user: User | AnonymousUser) -> QuerySet[Job]:
    if not user.is_authenticated or not user.is_active:
        return Job.objects.none()
    if user.is_superuser:
        return Job.objects.all()
    return Job.objects.filter(Q(started_by=user) | Q(tenant__in=doors.tenants(user, *doors.LEADS)))
