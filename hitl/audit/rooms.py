"""What the rooms above tell the screen of the record: names and pages of their things, and what more a person may read.

Nothing here imports upwards: the modules are named in settings.AUDIT_ROOMS.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import NamedTuple, Protocol, cast

from django.conf import settings
from django.db.models import Q

from hitl.access.models import User


class Named(NamedTuple):
    """What a subject is called, and the page that the reader may open of it, if there is one."""

    name: str
    url: str = ""


class Room(Protocol):
    def named(self, ids: Mapping[str, set[int]], reader: User) -> dict[str, Named]:
        """By `kind:id`, those of these things that the reader may know of."""
        ...

    def readable(self, reader: User) -> Q | None:
        """Events of no single tenant that the reader may read all the same."""
        ...

    def withheld(self, reader: User) -> Q | None:
        """Events that the reader may not read yet, although they are of a tenant that the reader runs."""
        ...

    def meant(self, typed: str, reader: User) -> list[str]:
        """Subjects, as `kind:id`, that the reader may know of under a name like this."""
        ...


@cache
def rooms() -> list[Room]:
    return [cast(Room, import_module(name)) for name in settings.AUDIT_ROOMS]
