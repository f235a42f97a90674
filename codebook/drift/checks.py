"""Reviewer drift: each reviewer is asked again, without being told, about a few cases they decided long ago.

This chooses and asks; `drift_measuring` compares then and now in the worker. What they said then stays as it was.
"""

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, ProtectedError, Q

from codebook.models import Adjudication, Codebook, DriftCheck, Label, SpotCheck
from codebook.standing import Standing, standing
from codebook.versions import NoCodebook
from hitl.audit import log
from queues.asking import Again, ask_again
from queues.models import Lane, LaneTaker, Slot

A_WEEK: Final = 3
OLD: Final = timedelta(days=28)
# Spread over the working days, so that what was asked over a weekend does not come in a row on Monday.
WORKING_HOURS: Final = 5 * 24
# Of a reviewer's decisions that are old enough, the latest are looked at.
LOOKED_AT: Final = 2_000
AT_A_TIME: Final = 50
# "drif": with a codebook's id it makes the lock that keeps two clocks from asking twice.
LOCK: Final = 0x64726966


def run(now: datetime) -> int:
    """The chore, for once an hour: takes back what nobody will answer, and asks what is due; returns how many."""
    forget_unanswerable()
    in_use = Codebook.objects.filter(queue_uses__isnull=False).distinct().order_by("pk")
    return sum(ask(codebook=codebook, now=now) for codebook in in_use)


def due_by(codebook_id: int, reviewer_id: int, now: datetime) -> int:
    """How many of a week's questions to a reviewer have had their hour. A fixed hash sets the hours, one in each part
    of the working week, so that they neither come together nor at a time that anybody could learn. Weeks are UTC's.
    """
    moment = now.astimezone(UTC)
    hour = moment.weekday() * 24 + moment.hour
    stretch = WORKING_HOURS // A_WEEK
    return sum(
        place * stretch + _hash(codebook_id, reviewer_id, *moment.isocalendar()[:2], place) % stretch <= hour
        for place in range(A_WEEK)
    )


@transaction.atomic
def ask(*, codebook: Codebook, now: datetime) -> int:
    """Opens what is due: at most one question a reviewer at a time, and none while another waits. Returns how many."""
    if not _is_alone(codebook.pk):
        return 0
    try:
        stands = standing(codebook.pk)
    except NoCodebook:
        return 0
    chosen: dict[int, Label] = {}
    for reviewer in _due(codebook, now):
        taken = [label.case_id for label in chosen.values()]
        if label := _choose(codebook, reviewer, stands, now, besides=taken):
            chosen[reviewer] = label
    if not chosen:
        return 0
    slots = ask_again(
        wanted=[Again(label.case_id, reserved_for=reviewer) for reviewer, label in chosen.items()],
        purpose=Slot.Purpose.DRIFT,
        now=now,
    )
    checks = [
        DriftCheck(slot_id=slots[label.case_id], codebook=codebook, reviewer_id=reviewer, earlier=label, opened_at=now)
        for reviewer, label in chosen.items()
        if label.case_id in slots
    ]
    DriftCheck.objects.bulk_create(checks)
    # Neither whom nor about what: the record is read by people who are asked.
    log.append(
        actor=None, actor_name="clock", action="drift.asked", subject=f"codebook:{codebook.pk}", tenant_id=None,
        detail={"cases": len(checks)},
    )  # fmt: skip
    return len(checks)


def forget_unanswerable() -> int:
    """Takes back questions to people who can no longer take them: who left, lost a grant, or handed the case up.

    What was passed on to a colleague is left to them; it measures nobody.
    """
    takes = LaneTaker.objects.filter(user=OuterRef("reviewer"), lane=OuterRef("slot__lane"))
    waiting = DriftCheck.objects.filter(slot__state__in=[Slot.State.OPEN, Slot.State.DEFERRED])
    theirs = Q(slot__reserved_for=F("reviewer"))
    lost = waiting.filter((theirs & ~Exists(takes)) | Q(slot__reserved_for=None))
    return sum(_forget(pk) for pk in lost.values_list("pk", flat=True))


def _forget(slot_id: int) -> int:
    """One of them, if nobody took it meanwhile."""
    with transaction.atomic():
        untouched = Slot.objects.select_for_update(skip_locked=True).filter(
            pk=slot_id, state__in=[Slot.State.OPEN, Slot.State.DEFERRED]
        )
        slot = untouched.first()
        if slot is None:
            return 0
        try:
            with transaction.atomic():
                DriftCheck.objects.filter(slot=slot).delete()
                slot.delete()
        except ProtectedError:
            # Somebody has written on it, and that is kept: whoever takes it now answers it, and it measures nobody.
            if slot.reserved_for_id is None:
                return 0
            slot.reserved_for = None
            slot.save(update_fields=["reserved_for"])
        return 1


def _due(codebook: Codebook, now: datetime) -> list[int]:
    """The reviewers with a question due, none that waits, and fewer this week than had their hour."""
    lanes = Lane.objects.filter(queue__codebook_use__codebook=codebook).values("pk")
    reviewers = LaneTaker.objects.filter(lane__in=lanes).values_list("user", flat=True).distinct()
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    checks = DriftCheck.objects.filter(codebook=codebook)
    asked = dict(
        checks.filter(opened_at__gte=monday)
        .values_list("reviewer")
        .annotate(n=Count("pk"))
        .values_list("reviewer", "n")
    )
    waiting = set(checks.exclude(slot__state=Slot.State.DECIDED).values_list("reviewer", flat=True))
    return [pk for pk in sorted(set(reviewers) - waiting) if asked.get(pk, 0) < due_by(codebook.pk, pk, now)]


def _choose(
    codebook: Codebook, reviewer: int, stands: Standing, now: datetime, *, besides: Collection[int]
) -> Label | None:
    """One of the reviewer's own old decisions that still counts, by a fixed hash; none they were told the end of."""
    judged = frozenset[int]().union(*stands.judged_under.values())
    old = Label.objects.filter(
        user=reviewer, rater=Label.Rater.PERSON, version__in=judged, undone_at=None, is_amendment=False,
        created_at__lt=now - OLD,
    ).order_by("-pk").values_list("pk", flat=True)[:LOOKED_AT]  # fmt: skip
    drawn = sorted(old, key=lambda pk: _hash(reviewer, pk, *now.isocalendar()[:2]))
    # A few at a time: asked about two thousand at once, the database reads every label there is.
    for start in range(0, len(drawn), AT_A_TIME):
        some = drawn[start : start + AT_A_TIME]
        fit = {label.pk: label for label in _fit(codebook, reviewer, some, now) if label.case_id not in besides}
        if found := next((pk for pk in some if pk in fit), None):
            return fit[found]
    return None


def _fit(codebook: Codebook, reviewer: int, labels: Collection[int], now: datetime) -> list[Label]:
    """Of these, the decisions on cases that may be asked about again."""
    own = Label.objects.filter(
        pk__in=labels,
        slot__purpose__in=[Slot.Purpose.FIRST, Slot.Purpose.SECOND],
        case__queue__codebook_use__codebook=codebook,
        slot__lane__queue=F("case__queue"),
        slot__lane__authority=F("case__authority"),
        slot__lane__in=list(LaneTaker.objects.filter(user=reviewer).values_list("lane", flat=True)),
    )
    found = list(own)
    cases = [label.case_id for label in found]
    # In small questions about known cases: as one, the database would read every label there is.
    again = Label.objects.filter(Q(created_at__gte=now - OLD) | Q(is_amendment=True), user=reviewer, case__in=cases)
    barred = {
        *DriftCheck.objects.filter(reviewer=reviewer, earlier__case__in=cases).values_list("earlier__case", flat=True),
        *Slot.objects.filter(case__in=cases).exclude(state=Slot.State.DECIDED).values_list("case", flat=True),
        *again.values_list("case", flat=True),
        *Adjudication.objects.filter(case__in=cases).values_list("case", flat=True),
        *SpotCheck.objects.filter(label__in=found, checked_at__isnull=False).values_list("label__case", flat=True),
    }
    return [label for label in found if label.case_id not in barred]


def _is_alone(codebook_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s, %s)", [LOCK, codebook_id % 2**31])
        return bool(cursor.fetchone()[0])


def _hash(*parts: int) -> int:
    return int.from_bytes(hashlib.sha256(":".join(map(str, ("drift", *parts))).encode()).digest()[:8])
