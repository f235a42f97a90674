"""What people may do on tenants, queues and codebooks: guardian's permissions, granted per object.

The kinds of things are read from the models (whatever has permissions of its own beside guardian's tables), so that
this room need not know the rooms above it.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import Model
from guardian.models import UserObjectPermissionBase
from guardian.shortcuts import assign_perm, remove_perm

from hitl.access.models import User
from hitl.access.people import Refused, only_administrators
from hitl.audit import log


@dataclass(frozen=True)
class Kind:
    """A kind of thing that people are granted: its model, guardian's table, and its permissions with their words."""

    model: type[Model]
    table: Any
    permissions: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        return str(self.model._meta.model_name)

    @property
    def title(self) -> str:
        return str(self.model._meta.verbose_name_plural).capitalize()


@cache
def kinds() -> dict[str, Kind]:
    """The kinds by name, lowest room first."""
    tables: list[Any] = [model for model in apps.get_models() if issubclass(model, UserObjectPermissionBase)]
    found = [
        Kind(model=thing, table=table, permissions=tuple(thing._meta.permissions))
        for table in tables
        if (thing := table._meta.get_field("content_object").related_model) and thing._meta.permissions
    ]
    return {kind.name: kind for kind in found}


def held(people: Iterable[User], kind: Kind) -> dict[int, dict[int, set[str]]]:
    """Person -> thing -> the permissions granted to them by name, of one kind, in one statement."""
    rows = kind.table.objects.filter(user__in=people).values_list("user", "content_object", "permission__codename")
    found: dict[int, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for user, thing, permission in rows:
        found[user][thing].add(permission)
    return found


@transaction.atomic
def grant(*, by: User | None, person: User, permission: str, thing: Model, actor_name: str = "") -> None:
    """Lets the person do this with the thing: `review_queue` on a queue, `lead_tenant` on a tenant."""
    _check(by, permission, thing)
    assign_perm(permission, person, thing)
    _record(by, "grant.given", person, [(permission, thing)], actor_name)


@transaction.atomic
def revoke(*, by: User | None, person: User, permission: str, thing: Model, actor_name: str = "") -> None:
    """Takes one permission back. What the person holds at the moment comes free as its lease ends."""
    _check(by, permission, thing)
    remove_perm(permission, person, thing)
    _record(by, "grant.taken", person, [(permission, thing)], actor_name)


@transaction.atomic
def set_all(
    *, by: User | None, person: User, kind: Kind, wanted: dict[int, set[str]], actor_name: str = ""
) -> tuple[int, int]:
    """Makes the person's permissions on all things of a kind what is wanted; returns how many were given and taken."""
    only_administrators(by)
    User.objects.select_for_update().get(pk=person.pk)
    before = _pairs(held([person], kind)[person.pk])
    after = _pairs(wanted)
    things: dict[Any, Model] = kind.model._default_manager.in_bulk({pk for pk, _ in before ^ after})
    known = {codename for codename, _ in kind.permissions}
    if any(pk not in things or codename not in known for pk, codename in after - before):
        raise Refused("Something on the page is not there any more. Nothing was changed; look at it again.")
    for action, pairs, change in (("given", after - before, assign_perm), ("taken", before - after, remove_perm)):
        changed = [(codename, things[pk]) for pk, codename in sorted(pairs)]
        for codename, thing in changed:
            change(codename, person, thing)
        if changed:
            _record(by, f"grant.{action}", person, changed, actor_name)
    return len(after - before), len(before - after)


def _pairs(by_thing: dict[int, set[str]]) -> set[tuple[int, str]]:
    return {(pk, codename) for pk, codenames in by_thing.items() for codename in codenames}


def _check(by: User | None, permission: str, thing: Model) -> None:
    only_administrators(by)
    if not Permission.objects.filter(content_type__model=thing._meta.model_name, codename=permission).exists():
        raise Refused(f"There is no permission {permission} on a {thing._meta.verbose_name}.")


def _record(by: User | None, action: str, person: User, changed: list[tuple[str, Model]], actor_name: str) -> None:
    kinds_of = {thing._meta.model_name for _, thing in changed}
    one = changed[0][1] if len({(thing._meta.model_name, thing.pk) for _, thing in changed}) == 1 else None
    log.append(
        actor=by,
        action=action,
        subject=f"person:{person.pk}",
        tenant_id=one.pk if one is not None and kinds_of == {"tenant"} else None,
        queue_id=one.pk if one is not None and kinds_of == {"queue"} else None,
        detail={"permissions": [f"{codename} {thing._meta.model_name}:{thing.pk}" for codename, thing in changed]},
        actor_name=actor_name or ("" if by else "command line"),
    )
