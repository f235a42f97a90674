"""The decision: one transaction from the reviewer's keystroke to the label, the outcome and the next case.

The order of the steps is that of their locks: the slot (fenced by the lease token), then the case, then what is new.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from codebook.adjudication import disagreement
from codebook.labels import labelling
from codebook.models import Adjudication, Label
from codebook.versions import Rubric, in_use, rubric
from hitl.audit import log
from hitl.clock import midnight
from hitl.database.rows import Columns
from hitl.models import User
from queues import cases, claims, seconds
from queues.claims import Claim, ClaimLost
from queues.models import Case, Slot
from queues.scrubbing import scrubbed
from reviews import recording
from reviews.given import Found, Given
from reviews.models import Finding, Review, SavedDraft

UNDO_LAST = 10
OVER = "The time for taking it back is over, so the decision stands. You may amend it."


class TooLate(Exception):
    """The decision can no longer be undone; the message says why and what can be done instead."""


@dataclass(frozen=True, slots=True)
class Next:
    """What the reviewer has in front of them after a decision: the case on the screen, and the one on deck."""

    current: Claim | None = None
    on_deck: Claim | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """`as_painted`: the case that the browser showed at once, on trust, is indeed theirs. `case` is the one decided,
    `today` how many the person decided since their midnight; both are None where a retry was answered.
    """

    next: Next
    as_painted: bool = True
    case: Case | None = None
    today: int | None = None

    @property
    def repeated(self) -> bool:
        return self.case is None


@transaction.atomic
def decide(
    *, user: User, slot_id: int, token: int, given: Given, painted: tuple[int, int] | None, queue_id: int | None = None
) -> Decided:
    """Decides a held slot and claims the next. `painted` is the (slot, token) that the browser shows by now.

    A retry with the same token gets the answer of the first try. Raises ClaimLost, Invalid, labelling.WrongVersion.
    """
    slot, today = _fence(user, slot_id, token)
    if slot is None:
        if not Review.objects.filter(slot=slot_id, lease_token=token, label__user=user).exists():
            raise ClaimLost
        ahead, as_painted = _advance(user, painted, queue_id)
        return Decided(next=ahead, as_painted=as_painted)
    case, newest = recording.lock_case(slot.case_id)
    assert slot.decided_at
    stamp = labelling.version_for(
        newest=in_use(newest), version_id=given.version_id, claimed_at=slot.claimed_at or slot.decided_at
    )
    recording.record(user=user, slot=slot, case=case, token=token, given=given, stamp=stamp, now=slot.decided_at)
    _ask_another(slot, case, stamp, slot.decided_at)
    ahead, as_painted = _advance(user, painted, queue_id, also=[_entry(user, case, "case.decided", given, stamp)])
    return Decided(next=ahead, as_painted=as_painted, case=case, today=today)


@transaction.atomic
def undo(*, user: User, slot_id: int) -> Claim:
    """Takes back one of the person's last decisions, before anyone acted on it; its label stays on record.

    The case is theirs again, as they left it. Raises TooLate.
    """
    slot = Slot.objects.select_for_update().filter(pk=slot_id, decided_by=user, state=Slot.State.DECIDED).first()
    last = decided_by(user).values_list("pk", flat=True)[:UNDO_LAST]
    if slot is None or slot.pk not in set(last):
        raise TooLate(f"Only your last {UNDO_LAST} decisions can be taken back.")
    case, _ = recording.lock_case(slot.case_id)
    now = timezone.now()
    if not seconds.take_back_seat(slot=slot):
        raise TooLate("A colleague is already looking at this case, so the decision stands. You may amend it.")
    if Adjudication.objects.filter(case=case, round=slot.round).exists():
        raise TooLate("The owner of the codebook has had the last word on this case, so the decision stands.")
    label = slot.labels.select_related("review").get(undone_at=None, is_amendment=False)
    if label.followers.exists():
        raise TooLate("This decision was amended, so it stands. You may amend it again.")
    if slot.purpose == Slot.Purpose.FIRST:
        try:
            cases.withdraw_outcome(case=case)
        except cases.Released:
            raise TooLate(OVER) from None
    # Nobody waits for the others; that they can be taken back for longer would tell them apart.
    elif case.queue and slot.decided_at and now > slot.decided_at + timedelta(seconds=case.queue.undo_seconds):
        raise TooLate(OVER)
    label.undone_at = now
    label.save(update_fields=["undone_at"])
    _compare(slot, case, rubric(label.version_id).codebook_id, now)
    _keep_draft(user, slot, _as_given(label).to_draft(), now)
    claim = _take_back(user, slot)
    log.append(
        actor=user,
        action="case.undone",
        subject=f"case:{case.pk}",
        tenant_id=case.tenant_id,
        queue_id=case.queue_id,
        detail={"slot": slot.pk, "label": label.pk},
    )
    return claim


@transaction.atomic
def amend(*, user: User, slot_id: int, given: Given) -> Label:
    """Corrects one's own decision after it went out: a label that follows the first, and stays outside agreement.

    The producer is told again, with the next revision. Raises TooLate, Invalid, labelling.WrongVersion.
    """
    slot = Slot.objects.select_for_update().filter(pk=slot_id, decided_by=user, state=Slot.State.DECIDED).first()
    if slot is None:
        raise TooLate("This is not a decision of yours.")
    case, _ = recording.lock_case(slot.case_id)
    before = slot.labels.filter(undone_at=None).latest("pk")
    stamp = rubric(before.version_id)
    if given.version_id != stamp.id:
        raise labelling.WrongVersion
    now = timezone.now()
    label = recording.record(
        user=user, slot=slot, case=case, token=-before.pk, given=given, stamp=stamp, now=now, amends=before
    )
    log.append_all([_entry(user, case, "case.amended", given, stamp)])
    return label


def keep_draft(*, user: User, slot_id: int, content: dict[str, Any], token: int | None = None) -> bool:
    """Keeps what a reviewer has half written, for them alone. False if the slot is gone: kept all the same."""
    slot = Slot.objects.select_related("lane__tenant").get(pk=slot_id)
    with transaction.atomic():
        _keep_draft(user, slot, scrubbed(content, slot.lane.tenant), timezone.now())
    return slot.holder_id == user.pk and (token is None or slot.lease_token == token)


def decided_by(user: User) -> Any:
    """The person's decided slots, latest first; a last word of theirs is not among them, it is given elsewhere."""
    return Slot.objects.filter(decided_by=user).exclude(purpose=Slot.Purpose.ADJUDICATION).order_by("-decided_at")


def _ask_another(slot: Slot, case: Case, stamp: Rubric, now: datetime) -> None:
    """What a decision means for the others on the same case: another is asked, or their labels are compared."""
    assert case.queue
    seconds.open_next_seat(slot=slot, case=case, share=case.queue.second_share, raters=case.queue.raters, now=now)
    _compare(slot, case, stamp.codebook_id, now)


def _compare(slot: Slot, case: Case, codebook_id: int, now: datetime) -> None:
    if slot.seat > 1 and case.queue_id:
        disagreement.compare(
            case_id=case.pk, round=slot.round, codebook_id=codebook_id, queue_id=case.queue_id, now=now
        )


def _fence(user: User, slot_id: int, token: int) -> tuple[Slot | None, int]:
    """The slot, if it is still theirs to decide: it is decided now; and how many that makes today."""
    since = midnight(user.time_zone, timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(_FENCE, {"user": user.pk, "slot": slot_id, "token": token, "since": since})
        row = cursor.fetchone()
    return (_SLOT.read(row[:-1]), row[-1]) if row else (None, 0)


_SLOT = Columns(Slot, "slot")
# What was decided in this statement is not there yet for those who count in it.
_FENCE = f"""
select {_SLOT.sql}, 1 + (
  select count(*) from queues_slot before where before.decided_by_id = %(user)s and before.decided_at >= %(since)s)
from decide_slot(%(user)s, %(slot)s, %(token)s) slot
"""  # noqa: S608 -- names of columns


def _advance(
    user: User, painted: tuple[int, int] | None, queue_id: int | None, also: Sequence[log.Entry] = ()
) -> tuple[Next, bool]:
    """Confirms the case that is on the screen by now, or finds another, and claims the one on deck."""
    confirmed = claims.confirm(user=user, slot_id=painted[0], token=painted[1]) if painted else None
    as_painted = confirmed is not None
    if confirmed is None and (first := _next(user, queue_id)):
        confirmed = claims.confirm(user=user, slot_id=first.slot_id, token=first.token)
    current = confirmed.claim if confirmed else None
    on_deck = None
    if confirmed:
        on_deck = (
            _next(user, queue_id, besides=current) if confirmed.others else claims.take(user=user, queue_id=queue_id)
        )
    log.append_all([*also, *([seen(user, current)] if current else [])])
    return Next(current=current, on_deck=on_deck), as_painted


def _next(user: User, queue_id: int | None, besides: Claim | None = None) -> Claim | None:
    """What the person holds already, before anything new."""
    waiting = [one for one in claims.held(user=user, queue_id=queue_id) if one != besides]
    return waiting[0] if waiting else claims.take(user=user, queue_id=queue_id)


def seen(user: User, claim: Claim) -> log.Entry:
    """That this person was shown this case: who saw what is on record too."""
    return log.Entry(
        actor=user,
        action="case.seen",
        subject=f"case:{claim.case_id}",
        tenant_id=claim.tenant_id,
        queue_id=claim.queue_id,
        detail={"slot": claim.slot_id, "token": claim.token},
    )


def _entry(user: User, case: Case, action: str, given: Given, stamp: Rubric) -> log.Entry:
    return log.Entry(
        actor=user,
        action=action,
        subject=f"case:{case.pk}",
        tenant_id=case.tenant_id,
        queue_id=case.queue_id,
        detail={
            "verdict": str(given.verdict),
            "categories": stamp.keys(given.category_ids),
            "codebook": stamp.slug,
            "version": stamp.number,
        },
    )


def _as_given(label: Label) -> Given:
    review = label.review
    return Given(
        verdict=Label.Verdict(label.verdict),
        version_id=label.version_id,
        category_ids=frozenset(label.given.values_list("category", flat=True)),
        final_answer=review.final_answer if label.verdict == Label.Verdict.EDIT else "",
        findings=tuple(
            Found(Finding.Kind(one.kind), one.text, one.document_id, one.indexed) for one in review.findings.all()
        ),
    )


def _keep_draft(user: User, slot: Slot, content: dict[str, Any], now: datetime) -> None:
    SavedDraft.objects.update_or_create(slot=slot, user=user, defaults={"content": content, "saved_at": now})


def _take_back(user: User, slot: Slot) -> Claim:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            update queues_slot slot
            set state = 'held', holder_id = %s, lease_token = lease_token + 1, decided_by_id = null, decided_at = null,
                claimed_at = clock_timestamp(), seen_at = clock_timestamp(),
                lease_until = clock_timestamp() + make_interval(mins => queue.lease_minutes)
            from queues_lane lane join queues_queue queue on queue.id = lane.queue_id
            where lane.id = slot.lane_id and slot.id = %s
            returning slot.id, slot.case_id, slot.lease_token, lane.tenant_id, lane.queue_id
            """,
            [user.pk, slot.pk],
        )
        return Claim(*cursor.fetchone())
