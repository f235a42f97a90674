"""Takes the outbox's messages to their receivers: at least once each, and in order among those of one key.

A message is claimed by moving its next attempt a lease ahead, in one short statement; it is sent with no transaction
open; then it is marked, if the lease is still its own. Whoever dies in between has it sent again when the lease is
over, under the same id. A later message to the same address waits as long as an earlier one of its key is unsettled.

Each receiver (a server, not an address) has a few at once, so that a slow one cannot take up all the room, and one
that does not answer is tried with a single message, ever less often, until it does.
"""

import json
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from typing import Any, Final

from django.db import connection, transaction

from hitl.outbox import endpoints, retries, sending
from hitl.outbox.models import Endpoint, Message
from hitl.outbox.sending import Parcel, Result

log = logging.getLogger(__name__)

AT_ONCE: Final = 16
EACH: Final = 4
LEASE: Final = timedelta(seconds=60)
ROUND: Final = 0.9
FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(minutes=5)


@dataclass(slots=True)
class Trouble:
    """A receiver that did not answer: how often in a row, and until when it is left alone."""

    failures: int
    until: datetime


class Courier:
    """What is on its way out of this process. The tick calls `round`, which does not wait for slow receivers."""

    def __init__(self) -> None:
        self.flying: dict[int, Parcel] = {}
        self.back: SimpleQueue[tuple[Parcel, Result]] = SimpleQueue()
        self.troubles: dict[str, Trouble] = {}

    def round(self, now: datetime, patience: float = ROUND) -> int:
        """Marks what came back, sends what is due, and again for `patience` seconds; returns how many were settled."""
        began, settled = time.monotonic(), 0
        while True:
            moment = now + timedelta(seconds=time.monotonic() - began)
            settled += self._settle(moment)
            self._launch(moment)
            left = patience - (time.monotonic() - began)
            if not self.flying or left <= 0:
                return settled
            with suppress(Empty):
                # Back into the queue: what came meanwhile is settled with it, in one transaction.
                self.back.put(self.back.get(timeout=left))

    def _launch(self, now: datetime) -> None:
        room = AT_ONCE - len(self.flying)
        if room <= 0:
            return
        for parcel in _claim(now, room, self._allowance(now)):
            self.flying[parcel.id] = parcel
            # A daemon: stopping does not wait for slow receivers, since the lease brings the message back.
            threading.Thread(target=self._fly, args=(parcel,), name="courier", daemon=True).start()

    def _fly(self, parcel: Parcel) -> None:
        self.back.put((parcel, sending.send(parcel)))

    def _allowance(self, now: datetime) -> dict[str, int]:
        """How many more each receiver may have; those not named may have EACH."""
        busy = Counter(parcel.destination for parcel in self.flying.values())
        most = {name: int(trouble.until <= now) for name, trouble in self.troubles.items()}
        return {name: most.get(name, EACH) - busy[name] for name in {*busy, *most}}

    def _settle(self, now: datetime) -> int:
        results: list[tuple[Parcel, Result]] = []
        with suppress(Empty):
            while True:
                results.append(self.back.get_nowait())
        for parcel, result in results:
            self.flying.pop(parcel.id, None)
            if not result.trouble:
                self.troubles.pop(parcel.destination, None)
                continue
            failures = self.troubles[parcel.destination].failures + 1 if parcel.destination in self.troubles else 1
            pause = min(FIRST_PAUSE * 2 ** min(failures - 1, 10), LONGEST_PAUSE)
            self.troubles[parcel.destination] = Trouble(failures, now + pause)
        mark(results, now)
        return len(results)


def deliver_due(now: datetime) -> int:
    """Sends all that is due, and waits for the answers; returns how many were settled."""
    return Courier().round(now, patience=2 * LEASE.total_seconds())


@transaction.atomic
def mark(results: Sequence[tuple[Parcel, Result]], now: datetime) -> None:
    """Writes down what came of these attempts. One whose lease is over changes nothing: another attempt has begun."""
    if not results:
        return
    with connection.cursor() as cursor:
        cursor.execute(_MARK, [json.dumps([_row(parcel, result, now) for parcel, result in results])])
        given_up = {pk for pk, state in cursor.fetchall() if state == Message.State.GIVEN_UP}
    for parcel, result in results:
        if parcel.id in given_up:
            log.warning("Gave up on message %s to %s", parcel.id, parcel.destination)
        if result.gone and parcel.endpoint_id:
            endpoints.switch_off_gone(endpoint_id=parcel.endpoint_id)


def _row(parcel: Parcel, result: Result, now: datetime) -> dict[str, Any]:
    state, next_attempt = Message.State.SENT, now
    if result.error:
        wait = None if result.gone or result.hopeless else retries.delay(parcel.attempts, random.random())  # noqa: S311
        state = Message.State.FAILING if wait else Message.State.GIVEN_UP
        next_attempt = now + (wait or timedelta())
    return {
        "id": parcel.id,
        "lease": parcel.lease.isoformat(),
        "state": state,
        "next_attempt": next_attempt.isoformat(),
        "error": result.error,
        "sent_at": now.isoformat() if state == Message.State.SENT else None,
    }


def _claim(now: datetime, room: int, allowance: dict[str, int]) -> list[Parcel]:
    most = {"room": room, "each": EACH, "allowance": json.dumps(allowance)}
    rows = list(Message.objects.raw(_CLAIM, {"now": now, "lease": now + LEASE, **most}))
    signed = {(row.tenant_id, row.endpoint_id) for row in rows if row.channel == Message.Channel.WEBHOOK}
    opened = {(row.tenant_id, row.endpoint_id) for row in rows if row.channel == Message.Channel.TOOL}
    keys = endpoints.signing_keys(signed, now) | endpoints.secrets_of(opened, now)
    tools = Endpoint.objects.in_bulk({pk for _, pk in opened if pk})
    return [
        Parcel(
            id=row.pk,
            uid=row.uid.hex,
            channel=row.channel,
            topic=row.topic,
            url=row.url,
            destination=row.destination,
            payload=row.payload,
            attempts=row.attempts,
            lease=row.next_attempt_at,
            tenant_id=row.tenant_id,
            endpoint_id=row.endpoint_id,
            secrets=keys.get((row.tenant_id, row.endpoint_id), ()),
            tool=tools[row.endpoint_id].kind if row.endpoint_id in tools else "",
            project=tools[row.endpoint_id].project if row.endpoint_id in tools else "",
        )
        for row in rows
    ]


_CLAIM: Final = """
with recursive receivers (name) as (
  (select destination from hitl_message where state in ('waiting', 'failing') order by destination limit 1)
  union all
  select (
    select further.destination from hitl_message further
    where further.state in ('waiting', 'failing') and further.destination > receivers.name
    order by further.destination limit 1)
  from receivers where receivers.name is not null
), due as (
  select picked.id
  from (
    select name, coalesce((%(allowance)s::jsonb ->> name)::int, %(each)s) as room
    from receivers where name is not null order by random()
  ) receiver
  cross join lateral (
    select message.id from hitl_message message
    where message.state in ('waiting', 'failing') and message.destination = receiver.name
      and message.next_attempt_at <= %(now)s
      and (message.endpoint_id is null or exists (
        select from hitl_endpoint endpoint where endpoint.id = message.endpoint_id and endpoint.is_active))
      and not exists (
        select from hitl_message earlier
        where earlier.key = message.key and earlier.url = message.url and earlier.id < message.id
          and earlier.state in ('waiting', 'failing'))
    order by message.next_attempt_at, message.id
    limit greatest(receiver.room, 0) for no key update skip locked
  ) picked
  limit %(room)s
)
update hitl_message message
set next_attempt_at = %(lease)s, last_attempt_at = %(now)s, attempts = message.attempts + 1
from due where message.id = due.id
returning message.*
"""

_MARK: Final = """
update hitl_message message
set state = result.state, next_attempt_at = result.next_attempt, last_error = result.error, sent_at = result.sent_at
from jsonb_to_recordset(%s) as result (
  id bigint, lease timestamptz, state text, next_attempt timestamptz, error text, sent_at timestamptz)
where message.id = result.id and message.next_attempt_at = result.lease and message.state in ('waiting', 'failing')
returning message.id, message.state
"""
