"""What several people decided on one case, side by side, with their differences in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from django.utils.safestring import SafeString

from codebook.adjudication.adjudicating import NotSettled
from codebook.adjudication.disagreement import INDEPENDENT
from codebook.models import Category, Codebook, Label
from codebook.standing import Standing
from hitl import textdiff
from queues.models import Case
from reviews import reading
from reviews.settling import siding_with


@dataclass(frozen=True, slots=True)
class GivenCategory:
    """`differs`: another decision of the round does not give it. `version` is 0 where it is of the newest."""

    category: Category
    differs: bool
    version: int


@dataclass(frozen=True, slots=True)
class Decision:
    """One person's decision. `lacks`: categories that others gave; `why_not`: why nobody can side with it as it is."""

    number: int
    label: Label
    person: str
    categories: Sequence[GivenCategory]
    lacks: Sequence[str]
    answer: str
    changes: SafeString | str
    findings: Sequence[Any]
    amended: Label | None
    why_not: str

    @property
    def key(self) -> str:
        return str(self.number)

    @property
    def value(self) -> str:
        # As text: a template would write the number in the form of a language.
        return str(self.label.pk)


def decisions(case: Case, round: int, codebook: Codebook, stands: Standing) -> list[Decision]:
    """The standing decisions of a round, in the order of their seats."""
    labels = list(
        Label.objects.filter(
            case=case, round=round, undone_at=None, is_amendment=False, rater=Label.Rater.PERSON,
            batch__purpose__in=INDEPENDENT, version__codebook=codebook,
        )
        .select_related("user", "version", "review", "slot")
        .prefetch_related("given__category", "review__findings")
        .order_by("slot__seat", "pk")
    )  # fmt: skip
    amendments = Label.objects.filter(slot__in=[one.slot_id for one in labels], is_amendment=True, undone_at=None)
    amended = {one.slot_id: one for one in amendments.order_by("pk")}
    meant = [_meant(label, stands) for label in labels]
    some = frozenset[int]().union(*meant)
    every = some.intersection(*meant)
    titles = {category.pk: category.title for category in stands.newest.categories}
    return [
        Decision(
            number=number,
            label=label,
            person=label.user.name if label.user else label.rater_name,
            categories=[_category(one.category, label, stands, every) for one in label.given.all()],
            lacks=[titles[category] for category in sorted(some - own) if category in titles],
            answer=_answer(label),
            changes=textdiff.to_html(textdiff.diff(case.draft, answer)) if (answer := _answer(label)) else "",
            findings=_findings(label),
            amended=amended.get(label.slot_id),
            why_not=_why_not(label, stands),
        )
        for number, (label, own) in enumerate(zip(labels, meant, strict=True), 1)
    ]


def between(found: Sequence[Decision]) -> list[tuple[Decision, Decision, SafeString]]:
    """For each two decisions that wrote an answer of their own: the way from the one answer to the other."""
    wrote = [one for one in found if one.answer]
    return [
        (one, other, textdiff.to_html(textdiff.diff(one.answer, other.answer)))
        for one, other in combinations(wrote, 2)
        if one.answer != other.answer
    ]


def as_received(case: Case) -> Mapping[str, Any]:
    """What reviews/_received.html shows of a case."""
    draft_html, evidence = reading.lay_out(case.draft, case.evidence, anchor=f"doc-{case.pk}-")
    return {
        "case": case,
        "question_html": reading.rich(case.question),
        "draft_html": draft_html,
        "evidence": evidence,
        "conversation": [(turn.get("role", ""), reading.rich(turn.get("content", ""))) for turn in case.conversation],
        "tool_results": [reading.tool(result) for result in case.tool_results],
    }


def _meant(label: Label, stands: Standing) -> frozenset[int]:
    """Its categories as those of the newest version; one that has no counterpart there is itself."""
    return frozenset(stands.counts_as.get(one.category_id, one.category_id) for one in label.given.all())


def _category(category: Category, label: Label, stands: Standing, every: frozenset[int]) -> GivenCategory:
    is_older = label.version_id != stands.newest.id and category.pk not in stands.counts_as
    return GivenCategory(
        category=category,
        differs=stands.counts_as.get(category.pk, category.pk) not in every,
        version=stands.numbers[label.version_id] if is_older else 0,
    )


def _answer(label: Label) -> str:
    return label.review.final_answer if label.verdict == Label.Verdict.EDIT and hasattr(label, "review") else ""


def _findings(label: Label) -> list[Any]:
    return list(label.review.findings.all()) if hasattr(label, "review") else []


def _why_not(label: Label, stands: Standing) -> str:
    try:
        siding_with(label, stands)
    except NotSettled as refusal:
        return str(refusal)
    return ""
