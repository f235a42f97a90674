"""What a decision leaves: the label, the review with its findings, the outcome. Steps, in an open transaction."""

from datetime import datetime, timedelta

from django.db import connection

from codebook.labels import labelling
from codebook.models import Label
from codebook.versions import NEWEST, Rubric
from hitl.database.rows import Columns
from hitl.models import Tenant, User
from hitl.textdiff import edit_ratio
from queues import cases
from queues.masks import vault
from queues.models import Case, Outcome, Queue, Slot
from queues.scrubbing import scrubbed
from reviews.given import Given, Invalid
from reviews.models import Finding, OpenCode


def lock_case(case_id: int) -> tuple[Case, int | None]:
    """The case with what a decision needs of it, its tenant and its queue; and the newest version it is labelled with.

    In plain SQL: every decision comes by here, and the ORM takes longer to write this than the database to do it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCKED, [case_id])
        row = cursor.fetchone()
    if row is None:
        raise Case.DoesNotExist
    tenant_at, queue_at = len(_CASE), len(_CASE) + len(_TENANT)
    case = _CASE.read(row[:tenant_at])
    case.tenant, case.queue = _TENANT.read(row[tenant_at:queue_at]), _QUEUE.read(row[queue_at:-1])
    return case, row[-1]


_CASE = Columns(Case, "told", only=["id", "tenant_id", "queue_id", "external_id", "origin", "draft"])
_TENANT = Columns(Tenant, "tenant", only=["id", "scrubs", "regions", "scrub_key"])
_QUEUE = Columns(Queue, "queue", only=["id", "undo_seconds", "second_share", "raters"])
_LOCKED = f"""
select {_CASE.sql}, {_TENANT.sql}, {_QUEUE.sql}, {NEWEST}
from queues_case told
join hitl_tenant tenant on tenant.id = told.tenant_id
join queues_queue queue on queue.id = told.queue_id
where told.id = %s
for no key update of told
"""  # noqa: S608 -- names of columns


def record(
    *,
    user: User,
    slot: Slot,
    case: Case,
    token: int,
    given: Given,
    stamp: Rubric,
    now: datetime,
    amends: Label | None = None,
) -> Label:
    assert case.queue
    answer = answer_of(given, case)
    before = amends or _undone(slot)
    label = labelling.give(
        slot=slot,
        queue_id=case.queue.pk,
        origin=case.origin,
        user=user,
        stamp=stamp,
        verdict=given.verdict,
        category_ids=given.category_ids,
        now=now,
        follows=before,
        is_amendment=amends is not None,
    )
    seen_at = slot.seen_at or slot.claimed_at or now
    review_id = _keep_review(
        slot=slot,
        label=label,
        token=token,
        answer=answer,
        edit_ratio=edit_ratio(case.draft, answer) if given.verdict == Label.Verdict.EDIT else None,
        seen_at=seen_at,
        # The browser counts from painting, and knows when nobody looked; it cannot have looked longer than it had it.
        handling_ms=min(max(given.handling_ms, 0), int((now - seen_at) / timedelta(milliseconds=1))),
        now=now,
        user=user,
    )
    found = Finding.objects.bulk_create(
        Finding(
            review_id=review_id,
            kind=one.kind,
            text=scrubbed(one.text, case.tenant),
            document_id=one.document_id,
            indexed=one.indexed,
        )
        for one in given.findings
    )
    vault.keep(tenant=case.tenant, stored=[answer, *(one.text for one in found)], now=now)
    OpenCode.objects.bulk_create(
        OpenCode(codebook_id=stamp.codebook_id, case=case, finding=one, text=one.text, author=user, created_at=now)
        for one in found
        if one.kind == Finding.Kind.NEW_FAILURE_MODE and one.text
    )
    if slot.purpose == Slot.Purpose.FIRST:
        cases.record_outcome(
            case=case,
            verdict=Outcome.Verdict(given.verdict),
            final_answer=answer,
            categories=stamp.keys(given.category_ids),
            codebook=stamp.slug,
            codebook_version=stamp.number,
            now=now,
            undo_seconds=0 if amends else case.queue.undo_seconds,
            amend=amends is not None,
        )
    return label


def _keep_review(
    *,
    user: User,
    slot: Slot,
    label: Label,
    token: int,
    answer: str,
    edit_ratio: float | None,
    seen_at: datetime,
    handling_ms: int,
    now: datetime,
) -> int:
    """The review, and away with what was saved of it on the way, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            with written as (delete from reviews_saveddraft where slot_id = %s and user_id = %s)
            insert into reviews_review (label_id, slot_id, lease_token, final_answer, edit_ratio, seen_at, handling_ms,
                                        created_at)
            values (%s, %s, %s, %s, %s, %s, %s, %s) returning id
            """,
            [slot.pk, user.pk, label.pk, slot.pk, token, answer, edit_ratio, seen_at, handling_ms, now],
        )
        return int(cursor.fetchone()[0])


def answer_of(given: Given, case: Case) -> str:
    match given.verdict:
        case Label.Verdict.ACCEPT:
            return case.draft
        case Label.Verdict.EDIT:
            answer = scrubbed(given.final_answer, case.tenant).replace("\r\n", "\n")
            if not answer.strip():
                raise Invalid("The edited answer is empty. Write it, or reject the draft.")
            if answer == case.draft.replace("\r\n", "\n"):
                raise Invalid("The text is as it was drafted. Change it, or accept it.")
            return answer
    return ""


def _undone(slot: Slot) -> Label | None:
    # A slot that is held for the first time has no label yet to follow.
    if slot.lease_token == 1:
        return None
    return slot.labels.exclude(undone_at=None).order_by("-pk").first()
