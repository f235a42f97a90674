"""What a person does with a complaint: links it to the trace that it is about, dismisses it, or takes that back."""

from datetime import datetime
from typing import Final

from django.db import transaction

from hitl.audit import log
from hitl.models import User
from queues.intake import receipts
from queues.intake import signals as door
from queues.models import Case, Complaint, Signal, Trace
from queues.traces import aggregates

SOURCE: Final = "complaint"
State = Complaint.State


class Refused(Exception):
    """What cannot be done with the complaint any more; the message says why."""


@transaction.atomic
def link(*, complaint: Complaint, trace: Trace, reason: Signal.Reason, by: User, now: datetime) -> None:
    """The complaint is about this trace: it counts there as a reason that a user gave, which is negative feedback.

    What the user wrote allows no use beyond that: a ticket asks for help, not for consent. Raises Refused.
    """
    locked = _open(complaint)
    if trace.tenant_id != locked.tenant_id:
        raise Refused("That trace is another tenant's.")
    row = {
        "type": Signal.Type.USER_REASON.value,
        "trace_id": trace.external_id,
        "signal_id": signal_id(locked),
        "reason": reason.value,
        "comment": locked.text,
        "at": max(locked.at, trace.at).isoformat(),
        **({"user_key": locked.user_key} if locked.user_key else {}),
    }
    received = door.signals([row], tenant=locked.tenant, now=now, source=SOURCE)
    if received.accepted != 1:
        why = received.rejected[0].error if received.rejected else "Its signal is there already."
        raise Refused(f"It could not be linked. {why}")
    _settle(locked, State.LINKED, by, now, trace=trace)
    _record("complaint.linked", locked, by, {"trace": str(trace.pk), "as": reason.value})


@transaction.atomic
def dismiss(*, complaint: Complaint, because: str, by: User, now: datetime) -> None:
    """It is about no trace that is here, or no complaint. Raises Refused, also without a reason."""
    if not because.strip():
        raise Refused("Say why it is dismissed: whoever reads it later wants to know.")
    locked = _open(complaint)
    _settle(locked, State.DISMISSED, by, now, because=because.strip())
    _record("complaint.dismissed", locked, by, {})


@transaction.atomic
def reopen(*, complaint: Complaint, by: User) -> None:
    """Takes back what was done with it. A link stays once its trace is a case: people may have decided on it since.

    Raises Refused.
    """
    locked = Complaint.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=complaint.pk)
    if locked.state == State.OPEN:
        raise Refused("It is open already.")
    if locked.state == State.LINKED:
        if is_a_case(locked):
            raise Refused("Its trace is a case by now, and what people decide there may rest on it: the link stays.")
        _forget_signal(locked)
    detail = {"trace": str(locked.trace_id)} if locked.trace_id else {}
    locked.state, locked.settled_by, locked.settled_at = State.OPEN, None, None
    locked.trace_ref, locked.trace_id, locked.because = "", None, ""
    locked.save()
    _record("complaint.reopened", locked, by, detail)


def signal_id(complaint: Complaint) -> str:
    return f"complaint:{complaint.pk}"


def is_a_case(complaint: Complaint) -> bool:
    return Case.objects.filter(tenant=complaint.tenant_id, trace_id=complaint.trace_ref).exists()


def _open(complaint: Complaint) -> Complaint:
    locked = Complaint.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=complaint.pk)
    if locked.state != State.OPEN:
        raise Refused("Somebody settled it in the meantime. Nothing was changed; open it again first.")
    return locked


def _settle(
    complaint: Complaint, state: State, by: User, now: datetime, *, trace: Trace | None = None, because: str = ""
) -> None:
    complaint.state, complaint.settled_by, complaint.settled_at = state, by, now
    complaint.because = because[:500]
    if trace is not None:
        complaint.trace_ref, complaint.trace_id = trace.external_id, trace.pk
    complaint.save()


def _forget_signal(complaint: Complaint) -> None:
    """A step: the signal is gone, and its trace counts as if it had never been."""
    assert complaint.trace_id is not None
    name = signal_id(complaint)
    Signal.objects.filter(tenant=complaint.tenant, trace_id=complaint.trace_id, external_id=name).delete()
    receipts.forget([name], kind=door.KIND, tenant=complaint.tenant)
    aggregates.recompute([complaint.trace_id])


def _record(action: str, complaint: Complaint, by: User, detail: dict[str, str]) -> None:
    subject = f"complaint:{complaint.pk}"
    log.append(actor=by, action=action, subject=subject, tenant_id=complaint.tenant_id, detail=dict(detail))
