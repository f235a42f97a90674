"""What was decided in the story: by reviewers, twice by some, by a judge; and what the owner makes of it."""

import random
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from codebook.adjudication import adjudicating
from codebook.models import Codebook, Disagreement, Label
from codebook.rubric import authoring, commenting
from codebook.versions import current
from hitl.management.demo.people import PEOPLE
from hitl.models import User
from queues import claims
from queues.claims import Claim
from queues.models import Slot
from reviews import deciding
from reviews.given import Found, Given
from reviews.models import Finding

DECISIONS_EACH = 6
# How often a person decides as most would: what is left is disagreement.
USUAL = 0.75
FAILURES = ("Promises something for another team", "Says it is done before it is", "Promises what another team decides")

JUDGE = "groundedness-judge"
REWORDED = "Invents a fact, a figure or a rule that is in none of the documents, the policy or the tools' results."
COMMENT = "Half of what I reject is a promise for another team. Is that made up, or a kind of its own?"
NOTE = "What counts is whether a source says it, not whether it sounds right. Look at the definition once more, please."


def judged(row: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A case with a judge's verdict, which is right rather more often than not."""
    doubtful = row.get("groundedness", 0.9) < 0.7
    rejects = doubtful if chance.random() < 0.8 else not doubtful
    score = round(chance.uniform(0.1, 0.45) if rejects else chance.uniform(0.6, 0.95), 2)
    verdict = {"name": JUDGE, "version": "2026-10", "verdict": "reject" if rejects else "accept", "score": score}
    return row | {"judges": [verdict | {"confidence": round(chance.uniform(0.55, 0.97), 2)}]}


def make(persons: Mapping[str, User]) -> None:
    """A few decisions of each reviewer; then those that others have to make on the same cases."""
    chance = random.Random(21)  # noqa: S311 -- the same story for everyone
    for role in PEOPLE[1:5]:
        _work(persons[role.email], DECISIONS_EACH, chance)
    Slot.objects.filter(purpose=Slot.Purpose.SECOND, state=Slot.State.OPEN).update(priority=0)
    for role in PEOPLE[:3]:
        _work(persons[role.email], Slot.objects.filter(priority=0, state=Slot.State.OPEN).count() // 2, chance)


def _work(person: User, wanted: int, chance: random.Random) -> None:
    for _ in range(wanted):
        held = claims.hold(user=person, wanted=1)
        if not held:
            break
        deciding.decide(
            user=person,
            slot_id=held[0].slot_id,
            token=held[0].token,
            given=_opinion(held[0], chance),
            painted=None,
        )
    claims.release(user=person)


def _opinion(claim: Claim, chance: random.Random) -> Given:
    """As most would decide the case, or as this person does today."""
    version = current(claim.queue_id)
    mind = random.Random(claim.case_id) if chance.random() < USUAL else chance  # noqa: S311
    verdict = mind.choice([Label.Verdict.ACCEPT, Label.Verdict.REJECT, Label.Verdict.REJECT])
    found = mind.sample(version.categories[:4], k=1) if verdict == Label.Verdict.REJECT else []
    named = [Found(Finding.Kind.NEW_FAILURE_MODE, text=chance.choice(FAILURES))] if found else []
    return Given(
        verdict=verdict,
        version_id=version.id,
        category_ids=frozenset(category.pk for category in found),
        findings=tuple(named) if chance.random() < 0.4 else (),
        handling_ms=chance.randrange(9_000, 70_000),
    )


def settle_one(codebook: Codebook, now: datetime) -> None:
    """The owner's last word on one of the cases that two people decided differently; the others wait for it."""
    one = Disagreement.objects.filter(codebook=codebook, settled_at=None).select_related("case").first()
    if one is None:
        return
    sided_with = Label.objects.filter(case=one.case, round=one.round, undone_at=None).latest("pk")
    adjudicating.adjudicate(
        case=one.case,
        round=one.round,
        codebook=codebook,
        version_id=sided_with.version_id,
        verdict=sided_with.verdict,
        category_ids=list(sided_with.given.values_list("category", flat=True)),
        sided_with=sided_with,
        note=NOTE,
        by=codebook.owner,
        now=now,
    )


def start_next_version(codebook: Codebook, reader: User, now: datetime) -> None:
    """A draft in which one category is reworded, with a reader's comment."""
    draft = authoring.start_draft(codebook=codebook, by=codebook.owner)
    category = draft.categories.earliest("position")
    authoring.save_category(category=category, fields={"definition": REWORDED}, by=codebook.owner)
    commenting.comment(version=draft, category=category, text=COMMENT, by=reader, now=now)
