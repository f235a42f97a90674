"""The owner's last word with all that goes with it: the answer as it should have gone out, and who is told."""

from datetime import datetime

from django.db import transaction

from codebook.adjudication.adjudicating import NotSettled, adjudicate, newest
from codebook.models import Adjudication, Codebook, Label
from codebook.standing import Standing
from hitl.models import User
from hitl.textdiff import edit_ratio
from queues import cases
from queues.models import Case, Outcome
from reviews import recording
from reviews.given import Given
from reviews.models import Review


def siding_with(label: Label, stands: Standing) -> Given:
    """What a decision says in the words of the newest version. Raises NotSettled if that has not all of its words."""
    given = list(label.given.select_related("category"))
    lost = [one.category.title for one in given if one.category_id not in stands.counts_as]
    if lost:
        raise NotSettled(
            f"That decision was made under version {stands.numbers[label.version_id]}, and “{lost[0]}” means something "
            f"else in version {stands.newest.number}. Give the categories yourself."
        )
    review = Review.objects.filter(label=label).first()
    return Given(
        verdict=Label.Verdict(label.verdict),
        version_id=stands.newest.id,
        category_ids=frozenset(stands.counts_as[one.category_id] for one in given),
        final_answer=review.final_answer if review and label.verdict == Label.Verdict.EDIT else "",
    )


@transaction.atomic
def settle(
    *,
    case: Case,
    round: int,
    codebook: Codebook,
    given: Given,
    sided_with: Label | None,
    note: str,
    tell: bool,
    by: User,
    now: datetime,
    corrects: int | None = None,
) -> Adjudication:
    """Adjudicates, keeps the final answer with the label, and where `tell` says so gives the producer the new outcome.

    Raises what adjudicate does, and Invalid where verdict and text do not fit together.
    """
    answer = recording.answer_of(given, case)
    outcome = Outcome.objects.filter(case=case).first() if tell else None
    told = outcome is not None and (outcome.verdict, outcome.final_answer) != (given.verdict, answer)
    word = adjudicate(
        case=case,
        round=round,
        codebook=codebook,
        version_id=given.version_id,
        verdict=given.verdict,
        category_ids=given.category_ids,
        sided_with=sided_with,
        note=note,
        by=by,
        now=now,
        corrects=corrects,
        told=told,
    )
    assert word.label.slot_id
    Review.objects.create(
        label=word.label,
        slot_id=word.label.slot_id,
        lease_token=-word.label_id,
        final_answer=answer,
        edit_ratio=edit_ratio(case.draft, answer) if given.verdict == Label.Verdict.EDIT else None,
        seen_at=now,
        handling_ms=0,
        created_at=now,
    )
    if told:
        stamp = newest(codebook)
        cases.record_outcome(
            case=case,
            verdict=Outcome.Verdict(given.verdict),
            final_answer=answer,
            categories=stamp.keys(given.category_ids),
            codebook=stamp.slug,
            codebook_version=stamp.number,
            now=now,
            undo_seconds=0,
            amend=True,
        )
    return word
