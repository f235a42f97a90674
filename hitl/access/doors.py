"""The one door to objects: every row a person is shown is fetched through here.

A door takes a queryset and gives the part of it that the person was granted, in one statement over guardian's
direct permission tables. What was not granted does not exist: the answer is 404, never 403.
"""

from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest
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
    model: Any = queryset.model
    by_name = get_user_obj_perms_model(model).objects.filter(user=user, **wanted)  # type: ignore[attr-defined]
    by_group = get_group_obj_perms_model(model).objects.filter(group__user=user, **wanted)  # type: ignore[attr-defined]
    return queryset.filter(Q(pk__in=by_name.values("content_object")) | Q(pk__in=by_group.values("content_object")))


def tenants(user: User | AnonymousUser, *permissions: str) -> QuerySet[Tenant]:
    """The tenants a person works in; with LEADS, those they run."""
    return granted(Tenant.objects.all(), user, *(permissions or WORKS_IN))


def signed_in(request: HttpRequest) -> User:
    """The person whose request it is. Every page needs one, unless it says otherwise."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def people(user: User | AnonymousUser) -> QuerySet[User]:
    """Everybody, for an administrator; for anybody else there is no such page (404)."""
    if not (user.is_authenticated and user.is_active and user.is_superuser):
        raise Http404
    return User.objects.all()


def get(queryset: QuerySet[M], **lookup: object) -> M:
    """One row of what a door gave, or 404."""
    return get_object_or_404(queryset, **lookup)
