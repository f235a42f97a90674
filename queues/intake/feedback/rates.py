"""How much feedback one address may send with one token in a minute, counted in the database for all web processes.

The minute slides: what came in the minute before counts by the part of it that still lies within sixty seconds. That
needs two counters a place, and no row per request.
"""

import hmac
import math
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

from django.conf import settings
from django.db import connection

from hitl.access.models import ApiToken
from queues.models.feedback import FeedbackMinute

MINUTE: Final = 60.0
KEPT: Final = timedelta(minutes=3)
# Whoever has one IPv6 address has all of its network's.
V6_NETWORK: Final = 64


class TooMuch(Exception):
    """The limit is reached; there is room again after `seconds`."""

    def __init__(self, seconds: int, most: int) -> None:
        super().__init__(
            f"More than {most:,} pieces of feedback came from this address within a minute. Nothing was kept of this; "
            f"send it again in {seconds} seconds."
        )
        self.seconds = seconds


# One statement, so that of two processes that count at once neither forgets the other's.
_SPEND: Final = """
with before as (
  select coalesce((select count from queues_feedbackminute where place = %(place)s and minute = %(minute)s - 1), 0)
    * (1 - %(passed)s::float8 / 60) as weighed
)
insert into queues_feedbackminute as here (place, minute, count)
select %(place)s, %(minute)s, %(cost)s from before where before.weighed < %(most)s
on conflict (place, minute) do update set count = here.count + excluded.count
where here.count + (select weighed from before) < %(most)s
"""


def spend(*, token: ApiToken, address: str | None, cost: int, most: int, now: datetime) -> None:
    """Count `cost` pieces of feedback from this address. Raises TooMuch, and then counts nothing.

    What comes at once is taken whole as long as there is any room, so that no batch is too large for ever; what it has
    gone over the limit is waited for afterwards.
    """
    place = place_of(token, address)
    minute, passed = divmod(now.timestamp(), MINUTE)
    with connection.cursor() as cursor:
        cursor.execute(_SPEND, {"place": place, "minute": int(minute), "passed": passed, "cost": cost, "most": most})
        if cursor.rowcount:
            return
    counted = dict(
        FeedbackMinute.objects.filter(place=place, minute__gte=int(minute) - 1).values_list("minute", "count")
    )
    before, here = counted.get(int(minute) - 1, 0), counted.get(int(minute), 0)
    raise TooMuch(math.floor(until_room(before, here, passed, most)) + 1, most)


def until_room(before: int, here: int, passed: float, most: int) -> float:
    """Seconds until `most` lies in the last minute and no more, `passed` seconds into the current one. At most two
    minutes, which is what a limit of nothing says.
    """
    if here < most:
        return max(0.0, MINUTE * (1 - (most - here) / before) - passed) if before else 0.0
    return MINUTE - passed + (MINUTE * (1 - most / here) if here else MINUTE)


def place_of(token: ApiToken, address: str | None) -> bytes:
    """The digest that counts go by: of the token, and of the address or, in IPv6, its network."""
    return hmac.digest(_key(settings.SECRET_KEY), f"{token.pk} {network(address)}".encode(), "sha256")[:16]


def network(address: str | None) -> str:
    try:
        read = ip_address(address or "")
    except ValueError:
        return ""
    if read.version == 6 and read.ipv4_mapped:
        return str(read.ipv4_mapped)
    return str(ip_network((read, V6_NETWORK), strict=False)) if read.version == 6 else str(read)


def forget(now: datetime) -> int:
    """Counters of minutes that no limit looks at any more."""
    over = int((now - KEPT).timestamp() // MINUTE)
    return FeedbackMinute.objects.filter(minute__lt=over).delete()[0]


@lru_cache(maxsize=8)
def _key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"feedback rates", "sha256")
