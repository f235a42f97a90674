"""The door to the audit record: what of it a person may read, and what may be named to them."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import Http404
from django.urls import reverse

from hitl.access import doors
from hitl.access.models import Tenant, User
from hitl.audit.models import AuditEvent
from hitl.audit.rooms import Named, rooms


@dataclass(frozen=True)
class Scope:
    """That of the tenants the person runs, and of what they run besides; for an administrator, all."""

    reader: User
    tenants: dict[int, str]
    also: Q

    @property
    def everything(self) -> bool:
        return self.reader.is_superuser

    @property
    def tenant_id(self) -> int | None:
        """The tenant, if it is one."""
        return next(iter(self.tenants)) if len(self.tenants) == 1 and not self.everything else None

    def events(self) -> QuerySet[AuditEvent]:
        if self.everything:
            return AuditEvent.objects.all()
        mine = AuditEvent.objects.filter(Q(tenant_id__in=self.tenants) | (self.also & Q(tenant_id=None)))
        for later in filter(None, (room.withheld(self.reader) for room in rooms())):
            mine = mine.exclude(later)
        return mine

    def people(self) -> QuerySet[User]:
        """Whom one may ask for: those who work in the tenants, or all."""
        if self.everything:
            return User.objects.order_by("name")
        run = Tenant.objects.filter(pk__in=self.tenants)
        named = Q(pk__in=run.values("tenantuserpermission__user"))
        in_group = Q(groups__in=run.values("tenantgrouppermission__group"))
        return User.objects.filter(named | in_group | Q(pk=self.reader.pk)).distinct().order_by("name")

    def named(self, events: Iterable[AuditEvent]) -> dict[str, Named]:
        """What the subjects of these events are called, where that is the reader's to know."""
        ids: dict[str, set[int]] = {}
        for event in events:
            kind, _, key = event.subject.partition(":")
            if key.isascii() and key.isdecimal():
                ids.setdefault(kind, set()).add(int(key))
        found = {f"tenant:{pk}": Named(self.tenants[pk]) for pk in ids.get("tenant", set()) & self.tenants.keys()}
        if of_people := ids.get("person"):
            for pk, name in self.people().filter(pk__in=of_people).values_list("pk", "name"):
                found[f"person:{pk}"] = Named(name, reverse("person", args=[pk]) if self.everything else "")
        for room in rooms():
            found |= room.named(ids, self.reader)
        return found

    def meant(self, typed: str) -> list[str]:
        """The subjects that were meant: `kind:id` itself, a case's number, or what a room knows by that name."""
        plain = [f"case:{int(typed)}"] if typed.isascii() and typed.isdecimal() else []
        return plain + [
            subject for room in rooms() for subject in room.meant(typed, self.reader) if subject not in plain
        ]


def of(reader: User) -> Scope:
    """404 for whoever runs nothing: to them there is no such page."""
    tenants = dict(doors.tenants(reader, *doors.LEADS).order_by("name").values_list("pk", "name"))
    more = [room.readable(reader) for room in rooms()]
    also = Q(pk__in=[])
    for one in more:
        also |= one or Q(pk__in=[])
    if not (tenants or reader.is_superuser or any(one is not None for one in more)):
        raise Http404
    return Scope(reader, tenants, also)
