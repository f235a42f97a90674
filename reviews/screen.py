"""What the reviewer has in front of them for one claim, made ready in one go: nothing is loaded while they read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from codebook.models import Category
from codebook.versions import NEWEST, Rubric, in_use
from hitl.database.rows import Columns
from hitl.models import Tenant, User
from queues import claims, languages, sla
from queues.claims import Claim
from queues.confidence import Confidence
from queues.models import Case, Lane, Queue, Slot
from queues.triggers import Trigger
from reviews import reading
from reviews.models import SavedDraft

COLLEAGUES_SECONDS = 60
SOON = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Due:
    words: str
    of: str
    alarm: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A category on the screen, with the digit that toggles it."""

    id: str
    digit: str
    category: Category
    chosen: bool

    def __getattr__(self, name: str) -> Any:
        return getattr(self.category, name)


@dataclass(frozen=True, slots=True)
class Screen:
    slot: Slot
    token: str
    case: Case
    queue: Queue
    version: Rubric
    scope: str
    categories: Sequence[Choice]
    confidence: Confidence
    reason: str
    triggers: Sequence[tuple[str, str]]
    facts: Sequence[tuple[str, str]]
    conversation: Sequence[tuple[str, SafeString]]
    question_html: SafeString
    draft_html: SafeString
    evidence: Sequence[reading.Document]
    tool_results: Sequence[Mapping[str, str]]
    due: Due | None
    saved: Mapping[str, Any] | None
    judge: Mapping[str, Any] | None
    hand_up_to: str | None
    colleagues: SafeString

    @property
    def slot_id(self) -> str:
        # As text: a template would write each of some hundred numbers in the form of a language.
        return str(self.slot.pk)

    @property
    def tenant(self) -> str:
        return self.case.tenant.name

    @property
    def draft_text(self) -> str:
        return self.case.draft

    @property
    def policy(self) -> str:
        return self.case.policy

    @property
    def may_hand_up(self) -> bool:
        return self.hand_up_to is not None

    def __getattr__(self, name: str) -> str:
        """`url_decide`, `url_draft`, … of this slot, within the queue that the reviewer is working through."""
        if not name.startswith("url_"):
            raise AttributeError(name)
        url = _path(name.removeprefix("url_")).replace("/0/", f"/{self.slot.pk}/")
        return f"{url}?scope={self.scope}" if self.scope else url


@lru_cache
def _path(name: str) -> str:
    """An address of slot 0: the others differ in the number alone, and every screen needs eight of them."""
    return reverse(f"slot_{name}", args=[0])


def prepare(*, claim: Claim, user: User, now: datetime, scope: str = "") -> Screen:
    """Loads and lays out one claimed case. Raises codebook.versions.NoCodebook."""
    slot, newest = _load(claim.slot_id)
    case, queue = slot.case, slot.lane.queue
    saved = _saved(slot, user)
    chosen = set((saved or {}).get("categories", ()))
    version = in_use(newest)
    anchor = f"doc-{slot.pk}-"
    draft_html, evidence = reading.lay_out(case.draft, case.evidence, anchor=anchor, incorrect=_incorrect(saved))
    assessment = case.assessment
    # Whoever is asked whether a judge was right does not see what it said, even where the queue shows it.
    shows_judge = queue.shows_judge and slot.purpose != Slot.Purpose.JUDGE_AUDIT
    hides_judge = _judge(assessment) is not None and not shows_judge
    return Screen(
        slot=slot,
        token=str(claim.token),
        case=case,
        queue=queue,
        version=version,
        scope=scope,
        categories=[
            Choice(str(category.pk), str(place) if place < 10 else "", category, category.pk in chosen)
            for place, category in enumerate(version.categories, 1)
        ],
        confidence=Confidence.from_json(assessment.get("confidence", {})),
        reason=case.reason or ("" if hides_judge else assessment.get("reason", "")),
        triggers=_fired(assessment, hides_judge=hides_judge),
        facts=_facts(case),
        conversation=[(turn.get("role", ""), reading.rich(turn.get("content", ""))) for turn in case.conversation],
        question_html=reading.rich(case.question),
        draft_html=draft_html,
        evidence=evidence,
        tool_results=[reading.tool(result) for result in case.tool_results],
        due=_due(slot, now),
        saved=saved,
        judge=_judge(assessment) if shows_judge else None,
        hand_up_to=claims.higher(slot),
        colleagues=_colleagues(slot, user),
    )


_SLOT = Columns(Slot, "slot")
_CASE = Columns(Case, "told", leave_out=["routing"])
_TENANT = Columns(Tenant, "tenant", only=["id", "name"])
_LANE = Columns(Lane, "lane")
_QUEUE = Columns(Queue, "queue")
_PARTS: tuple[Columns[Any], ...] = (_SLOT, _CASE, _TENANT, _LANE, _QUEUE)
_SQL = f"""
select {", ".join(part.sql for part in _PARTS)},
  {NEWEST}
from queues_slot slot
join queues_case told on told.id = slot.case_id
join hitl_tenant tenant on tenant.id = told.tenant_id
join queues_lane lane on lane.id = slot.lane_id
join queues_queue queue on queue.id = lane.queue_id
where slot.id = %s
"""  # noqa: S608 -- names of columns


def _load(slot_id: int) -> tuple[Slot, int | None]:
    """The slot with all that is shown of it, and the version its queue is labelled with now."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [slot_id])
        row = cursor.fetchone()
    starts = [0, *accumulate(map(len, _PARTS))]
    slot, case, tenant, lane, queue = (
        part.read(row[start : start + len(part)]) for part, start in zip(_PARTS, starts, strict=False)
    )
    slot.case, case.tenant, slot.lane, lane.queue = case, tenant, lane, queue
    return slot, row[-1]


def _saved(slot: Slot, user: User) -> Mapping[str, Any] | None:
    # On deck for the first time, nobody can have written on it yet.
    if slot.lease_token == 1 and slot.seen_at is None:
        return None
    return SavedDraft.objects.filter(slot=slot, user=user).values_list("content", flat=True).first()


def _facts(case: Case) -> list[tuple[str, str]]:
    made_by = ", ".join(filter(None, [case.model, case.prompt_version and f"prompt {case.prompt_version}"]))
    language = languages.name(case.language) if case.language else "Not known"
    facts = [
        ("Risk", case.get_risk_display()),
        ("Tenant", case.tenant.name),
        ("Domain", case.domain),
        ("Language", f"{language} (detected)" if case.language_detected else language),
        ("Topic", case.topic),
        ("Model", made_by),
        ("Release", case.release),
        ("Case", case.external_id),
    ]
    return [(label, value) for label, value in facts if value]


def _fired(assessment: Mapping[str, Any], *, hides_judge: bool) -> list[tuple[str, str]]:
    """What fired, and why; where the queue hides the judge, not in words that quote it."""
    return [
        (
            str(Trigger(one["key"]).label),
            "" if hides_judge and one["key"] == Trigger.QUALITY_FAILURE else one["because"],
        )
        for one in assessment.get("triggers", ())
    ]


def _judge(assessment: Mapping[str, Any]) -> Mapping[str, Any] | None:
    judges = assessment.get("sent", {}).get("judges") or [None]
    return judges[0]


def _due(slot: Slot, now: datetime) -> Due | None:
    since, due_at = slot.case.received_at, slot.due_at
    if slot.purpose != Slot.Purpose.FIRST:
        # Whatever is asked once more looks as it did the first time, as long as it may take and how much is left.
        since = slot.created_at
        due_at = due_at or (slot.case.due_at and since + (slot.case.due_at - slot.case.received_at))
    if due_at is None:
        return None
    of = sla.duration_words(due_at - since) if due_at > since else ""
    return Due(words=sla.time_left_words(due_at, now), of=of, alarm=due_at - now < SOON)


def _incorrect(saved: Mapping[str, Any] | None) -> frozenset[str]:
    found = (saved or {}).get("findings", ())
    return frozenset(one["document_id"] for one in found if one["kind"] == "incorrect_evidence")


def _colleagues(slot: Slot, user: User) -> SafeString:
    """The choice of whom to pass the case to. Kept for a minute: the same for every case of a lane, on every screen.

    Who is missing from it would tell that they have decided this case already: they are refused when they are chosen.
    """
    key = f"colleagues:{slot.lane_id}"
    everyone = cache.get_or_set(key, lambda: _options(claims.takers(slot.lane_id)), COLLEAGUES_SECONDS)
    return SafeString("".join(option for pk, option in everyone or () if pk != user.pk))


def _options(people: Iterable[User]) -> list[tuple[int, str]]:
    return [(one.pk, format_html('<option value="{}">{}</option>', one.pk, one.name)) for one in people]
