"""The one door to objects: every row a person is shown is fetched through here.

A door takes a queryset and gives the part of it that the person was granted, in one statement over guardian's
direct permission tables. What was not granted does not exist: the answer is 404, never 403.
"""

from typing import TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet
from django.shortcuts import get_object_or_404
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from hitl.access.models import Tenant, User

M = TypeVar("M", bound=Model)

WORKS_IN = ("work_in_tenant", "lead_tenant")
LEADS = ("lead_tenant",)


def granted(queryset: QuerySet[M], user: User | AnonymousUser, *permissions: str) -> QuerySet[M]:
    """The rows on which the person holds any of the permissions, by name or through a group."""
    if not user.is_authenticated or not user.is_active:
        return queryset.none()
    if user.is_superuser:
        return queryset
    wanted = {"permission__codename__in": permissions}
    by_name = get_user_obj_perms_model(queryset.model).objects.filter(user=user, **wanted)
    by_group = get_group_obj_perms_model(queryset.model).objects.filter(group__user=user, **wanted)
    return queryset.filter(Q(pk__in=by_name.values("content_object")) | Q(pk__in=by_group.values("content_object")))


def tenants(user: User | AnonymousUser, *permissions: str) -> QuerySet[Tenant]:
    """The tenants a person works in; with LEADS, those they run."""
    return granted(Tenant.objects.all(), user, *(permissions or WORKS_IN))


def get(queryset: QuerySet[M], **lookup: object) -> M:
    """One row of what a door gave, or 404."""
    return get_object_or_404(queryset, **lookup)
