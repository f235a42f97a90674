"""What a lead does about messages that went wrong: send them again, or call them off."""

from typing import Final

from django.db import connection, transaction
from django.db.models.functions import Now

from hitl.access.models import Tenant, User
from hitl.audit import log
from hitl.outbox.models import Message


class CannotSend(Exception):
    """This message must not go out again; the text says why."""


@transaction.atomic
def send_again(*, message: Message, by: User) -> None:
    """Sends one message anew, with all attempts before it, under the same id. Raises CannotSend."""
    message = Message.objects.select_for_update(of=("self",)).select_related("endpoint").get(pk=message.pk)
    if message.state in (Message.State.WAITING, Message.State.CANCELLED):
        raise CannotSend("It waits already." if message.state == Message.State.WAITING else "It was called off.")
    if message.endpoint and not message.endpoint.is_active:
        raise CannotSend("Its address is switched off. Switch that on first.")
    address = message.endpoint.url if message.endpoint else message.url
    later = Message.objects.filter(key=message.key, url=address, pk__gt=message.pk, state=Message.State.SENT)
    if later.exists():
        raise CannotSend("A later message on the same matter has arrived; the receiver would take this one for news.")
    Message.objects.filter(pk=message.pk).update(
        state=Message.State.WAITING, url=address, attempts=0, next_attempt_at=Now(), sent_at=None
    )
    log.append(actor=by, action="message.sent_again", subject=f"message:{message.pk}", tenant_id=message.tenant_id)


@transaction.atomic
def send_all_again(*, tenant: Tenant, by: User) -> int:
    """Sends anew all that is failing or was given up, but what was overtaken or is switched off; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_SEND_ALL, [tenant.pk])
        count: int = cursor.rowcount
    log.append(
        actor=by,
        action="message.all_sent_again",
        subject=f"tenant:{tenant.pk}",
        tenant_id=tenant.pk,
        detail={"count": count},
    )
    return count


@transaction.atomic
def call_off(*, message: Message, by: User) -> None:
    """Stops a message that waits or fails; it may be on its way at this moment. Raises CannotSend if it is settled."""
    waits = Message.objects.filter(pk=message.pk, state__in=[Message.State.WAITING, Message.State.FAILING])
    if not waits.update(state=Message.State.CANCELLED):
        raise CannotSend("It is settled already.")
    log.append(actor=by, action="message.called_off", subject=f"message:{message.pk}", tenant_id=message.tenant_id)


_SEND_ALL: Final = """
update hitl_message message
set state = 'waiting', attempts = 0, next_attempt_at = clock_timestamp(),
    url = coalesce((select now.url from hitl_endpoint now where now.id = message.endpoint_id), message.url)
where message.tenant_id = %s and message.state in ('failing', 'given_up')
  and (message.endpoint_id is null
    or exists (select from hitl_endpoint endpoint where endpoint.id = message.endpoint_id and endpoint.is_active))
  and not exists (
    select from hitl_message later
    where later.key = message.key and later.url = message.url and later.id > message.id and later.state = 'sent')
"""
