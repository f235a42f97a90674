"""Puts messages into the outbox, in the transaction of what they tell about: both happen, or neither."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models.functions import Now
from django.db.transaction import TransactionManagementError

from hitl.outbox.models import Endpoint, Message

# Standard Webhooks asks for less than 20 kB; receivers refuse more.
LONGEST_BODY: Final = 20_000
EMAIL: Final = "email"
_SUBJECT: Final = 200


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a tenant's thing. `key` orders it among its like; `extra_urls` are told too, once each.
    `to_tools_alone`: nobody waits for it, but a tool that holds the trace of it may want to know.
    """

    tenant_id: int
    key: str
    payload: dict[str, Any]
    not_before: datetime
    extra_urls: Sequence[str] = ()
    to_tools_alone: bool = False


def post(
    *,
    tenant_id: int,
    topic: str,
    key: str,
    payload: dict[str, Any],
    not_before: datetime,
    extra_urls: Sequence[str] = (),
    to_tools_alone: bool = False,
) -> list[Message]:
    """Step: one message to each of the tenant's endpoints that wants the topic, and to each extra address. A tool hears
    only of what has a trace: `data.trace_id`.
    """
    return post_all(topic=topic, events=[Event(tenant_id, key, payload, not_before, extra_urls, to_tools_alone)])


def post_all(*, topic: str, events: Sequence[Event]) -> list[Message]:
    """Step: `post` for many events, in one statement."""
    _in_a_transaction()
    rows = [
        {
            "tenant_id": event.tenant_id,
            "key": event.key,
            "payload": event.payload,
            "not_before": event.not_before.isoformat(),
            "urls": list(dict.fromkeys(event.extra_urls)),
            "to_tools_alone": event.to_tools_alone,
        }
        for event in events
    ]
    if not rows:
        return []
    return list(Message.objects.raw(_POST, {"topic": topic, "events": json.dumps(rows, cls=DjangoJSONEncoder)}))


def post_to(*, endpoint: Endpoint, topic: str, key: str, payload: dict[str, Any]) -> Message:
    """Step: a message to this endpoint alone, now."""
    _in_a_transaction()
    return Message.objects.create(
        tenant_id=endpoint.tenant_id,
        endpoint=endpoint,
        channel=Message.Channel.WEBHOOK,
        topic=topic,
        key=key,
        url=endpoint.url,
        payload=payload,
        next_attempt_at=Now(),
    )


def cancel(*, key: str, topic: str) -> int:
    """Step: withdraws what nobody has tried to send yet; returns how many."""
    _in_a_transaction()
    waiting = Message.objects.filter(key=key, topic=topic, state=Message.State.WAITING, attempts=0)
    return waiting.update(state=Message.State.CANCELLED)


def email(*, to: Sequence[str], subject: str, body: str, key: str, tenant_id: int | None) -> list[Message]:
    """Step: an e-mail to each of these people, one by one, so that a bad address holds up nobody else's."""
    _in_a_transaction()
    return Message.objects.bulk_create(
        Message(
            tenant_id=tenant_id,
            channel=Message.Channel.EMAIL,
            topic=EMAIL,
            key=key,
            url=f"mailto:{person}",
            payload={"to": person, "subject": " ".join(subject.split())[:_SUBJECT], "body": body},
            next_attempt_at=Now(),
        )
        for person in dict.fromkeys(to)
    )


def body_of(payload: dict[str, Any]) -> bytes:
    """The payload as it is signed and sent: the same bytes at each attempt."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def _in_a_transaction() -> None:
    if not connection.in_atomic_block:
        raise TransactionManagementError("A message is put into the outbox in the transaction of what it tells about.")


_POST: Final = """
insert into hitl_message (tenant_id, endpoint_id, channel, topic, key, url, payload, state, created_at,
                          next_attempt_at, attempts, last_error)
select event.tenant_id, target.endpoint_id, target.channel, %(topic)s, event.key, target.url, event.payload, 'waiting',
       clock_timestamp(), event.not_before, 0, ''
from jsonb_to_recordset(%(events)s)
  as event (tenant_id bigint, key text, payload jsonb, not_before timestamptz, urls jsonb, to_tools_alone boolean)
cross join lateral (
  with wanted as (
    select id, url, kind from hitl_endpoint
    where tenant_id = event.tenant_id and is_active and (topics = '[]' or topics ? %(topic)s)
      and case kind when 'webhook' then not event.to_tools_alone else event.payload -> 'data' ? 'trace_id' end)
  select id as endpoint_id, url, case kind when 'webhook' then 'webhook' else 'tool' end as channel from wanted
  union all
  select null, extra, 'webhook' from jsonb_array_elements_text(event.urls) extra
  where extra <> '' and extra not in (select url from wanted where kind = 'webhook')
) target
returning *
"""
