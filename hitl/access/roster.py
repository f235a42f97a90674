"""Who may do what, as the people screens show it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from hitl.access.grants import Kind, held, kinds
from hitl.access.models import AuthorityGrant, User

SHORT = {"work": "works in it", "lead": "runs it", "review": "decides", "approve": "signs", "read": "reads it"}


@dataclass(frozen=True)
class Entry:
    """A person, the things they were granted by kind (with what they do there, in words), and what they may sign."""

    person: User
    things: list[tuple[Kind, list[tuple[str, str]]]]
    authorities: list[AuthorityGrant] = field(default_factory=list)


@dataclass(frozen=True)
class Choice:
    """A row of the permissions table of one person: a thing, and each permission with whether it is granted."""

    thing: Any
    permissions: list[tuple[str, str, bool]]


def entries(people: Sequence[User], now: datetime) -> list[Entry]:
    """The roster of these people: one statement per kind of thing, whatever their number."""
    granted = {kind.name: held(people, kind) for kind in kinds().values()}
    names = {name: _names(kinds()[name], by_person) for name, by_person in granted.items()}
    signs: dict[int, list[AuthorityGrant]] = {}
    lasting = Q(until=None) | Q(until__gt=now)
    for one in AuthorityGrant.objects.filter(lasting, user__in=people).select_related("tenant").order_by("authority"):
        signs.setdefault(one.user_id, []).append(one)
    return [
        Entry(
            person=person,
            things=[(kind, _things(names[kind.name], granted[kind.name][person.pk])) for kind in kinds().values()],
            authorities=signs.get(person.pk, []),
        )
        for person in people
    ]


def choices(person: User, kind: Kind) -> list[Choice]:
    """Everything of a kind there is, with what the person may do on it."""
    has = held([person], kind)[person.pk]
    return [
        Choice(thing, [(codename, words, codename in has.get(thing.pk, ())) for codename, words in kind.permissions])
        for thing in sorted(kind.model._default_manager.all(), key=lambda thing: str(thing).lower())
    ]


def _names(kind: Kind, by_person: dict[int, dict[int, set[str]]]) -> dict[int, str]:
    wanted = {pk for things in by_person.values() for pk in things}
    return {pk: str(thing) for pk, thing in kind.model._default_manager.in_bulk(wanted).items()}


def _things(names: dict[int, str], granted: dict[int, set[str]]) -> list[tuple[str, str]]:
    return sorted((names[pk], _words(codenames)) for pk, codenames in granted.items())


def _words(codenames: set[str]) -> str:
    return ", ".join(sorted({SHORT.get(codename.partition("_")[0], codename) for codename in codenames}))
