"""Two neighbours and a stranger: the objects and people that the matrix of guarantee 6 is walked with.

`home` is whose things are asked for. `near` has people who work in the same queue for another tenant. `far` belongs to
nobody here but the administrator; everything written in it holds SECRET, which must reach nobody else's screen. What
is home's alone holds HEARTH. A rule of the stranger's queue that takes anybody's cases is named ANYBODYS.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from codebook.judges import measuring as judge_measuring
from codebook.judges import reports as judges
from codebook.judges.shown import Shown
from codebook.models import (
    AlignmentSession,
    Category,
    CategoryLink,
    Comment,
    Disagreement,
    Label,
    LabelBatch,
    LabelFile,
    QueueCodebook,
    Relabel,
    SpotCheck,
    Version,
)
from codebook.standing import standing
from hitl.access import tokens
from hitl.audit import log
from hitl.models import Endpoint, Job, Message
from queues import claims, terms
from queues.models import Case, IntakeSettings, Queue, Slot, Upload
from queues.routing import Facts, route
from reviews import deciding
from reviews.given import Given
from reviews.models import FailureMode
from tests.factories.agreement import reported
from tests.factories.codebook import CodebookFactory, published
from tests.factories.drift import report_on
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.queues import (
    CalendarFactory,
    CaseFactory,
    LaneFactory,
    QueueFactory,
    RoutingRuleFactory,
    SlotFactory,
    lead_of,
    reviewer_of,
)
from tests.factories.sampling import Sample
from tests.factories.traces import ComplaintFactory, SignalFactory, TraceFactory

SECRET, HEARTH, ANYBODYS = "Zyxomma", "Hearthside", "Quixotry"
NUMBERS = count(1)


@dataclass
class World:
    """`home`, `far`: things by name. `people`: who asks, by role; None is nobody who signed in."""

    home: dict[str, Any] = field(default_factory=dict)
    far: dict[str, Any] = field(default_factory=dict)
    people: dict[str, Any] = field(default_factory=dict)


def build() -> World:
    world = World()
    billing = QueueFactory(slug="billing", name="Billing", hand_up_to="finance.L1", calendar=CalendarFactory())
    home = LaneFactory(queue=billing, tenant=TenantFactory(slug="home", name="Home"))
    near = LaneFactory(queue=billing, tenant=TenantFactory(slug="near", name="Near"))
    other = LaneFactory(queue=QueueFactory(slug="claims", name="Claims"), tenant=home.tenant)
    far = LaneFactory(
        queue=QueueFactory(slug="far", name=f"Queue {SECRET}", calendar=CalendarFactory(name=f"Office {SECRET}")),
        tenant=TenantFactory(slug="far", name=f"Tenant {SECRET}"),
    )
    version = published(billing, codebook=CodebookFactory(slug="support", title="Support answers"))
    QueueCodebook.objects.create(queue=other.queue, codebook=version.codebook)
    # The codebook that everybody here works with is a stranger's queue's too.
    QueueCodebook.objects.create(queue=QueueFactory(name=f"Also {SECRET}"), codebook=version.codebook)
    published(far.queue, codebook=CodebookFactory(slug="far", title=f"Codebook {SECRET}", owner=_far_person()))
    world.people = _people(home, near, other, version.codebook)
    world.home = _things(home, world.people["lead"], version.codebook, HEARTH)
    world.far = _things(far, _far_person(lead_of, far), far.queue.codebook_use.codebook, SECRET)
    # The stranger's cases also wait in the queue that everybody here works in.
    shared = LaneFactory(queue=billing, tenant=far.tenant)
    world.far["shared"] = SlotFactory(lane=shared, case=_case(far, SECRET, queue=billing))
    RoutingRuleFactory(queue=far.queue, name=ANYBODYS, domains=["elsewhere"], topics=["any"], languages=["en"])
    tried = route(Facts("home", domain="domain-home"), terms.rules_in_force())
    assert ANYBODYS in str(tried.passed_over)
    Case.objects.filter(pk=world.home["slot"].case_id).update(routing=tried.to_json())
    _reports(world, version.codebook)
    world.home["decided"] = _decision(home, world.people["reviewer"], version)
    world.home["former"] = _decision(home, world.people["former reviewer"], version)
    _dismiss(world.people["former reviewer"], home)
    world.home["held"] = claims.hold(user=world.people["reviewer"])[0]
    _disagreed(world)
    _judged(world)
    _sampled(world)
    return world


def _people(home: Any, near: Any, other: Any, codebook: Any) -> dict[str, Any]:
    nobody = UserFactory(name="Without any grant")
    return {
        "anonymous": None,
        "nobody": nobody,
        "reviewer of another queue": reviewer_of(other),
        "reviewer for another tenant": reviewer_of(near),
        "former reviewer": reviewer_of(home),
        "reviewer": reviewer_of(home),
        "lead for another tenant": lead_of(near),
        "lead": lead_of(home),
        "codebook owner": codebook.owner,
        "approver": grant(grant(UserFactory(), "approve_queue", home.queue), "work_in_tenant", home.tenant),
        "administrator": UserFactory(is_superuser=True),
    }


def _far_person(make: Any = None, *lanes: Any) -> Any:
    fields = {"name": f"Person {SECRET}"}
    return make(*lanes, **fields) if make else UserFactory(**fields)


def _case(lane: Any, mark: str, **fields: Any) -> Any:
    return CaseFactory(
        tenant=lane.tenant, question=f"Question {mark}?", draft=f"Draft {mark}.", reason=f"Reason {mark}.",
        external_id=f"case-{mark}-{next(NUMBERS)}", policy=f"Policy {mark}", topic=f"topic {mark}",
        evidence=[{"document_id": f"doc-{mark}", "title": mark, "quote": mark, "score": 0.5}],
        **{"queue": lane.queue, **fields},
    )  # fmt: skip


def _things(lane: Any, lead: Any, codebook: Any, mark: str) -> dict[str, Any]:
    """One of everything that has an address, of this lane's queue and tenant."""
    # A queue's rules are the business of all who lead it, for whichever tenant.
    kind = SECRET if mark == SECRET else "home"
    rule = RoutingRuleFactory(queue=lane.queue, name=f"Rule {kind}", domains=[f"domain-{kind.lower()}"])
    rule.tenants.add(lane.tenant)
    token, secret = tokens.issue(tenant=lane.tenant, name=f"Token {mark}", scopes=["ingest"])
    log.append(
        actor=lead, action="case.seen", subject=f"case:{mark}", tenant_id=lane.tenant.pk, queue_id=lane.queue.pk,
        detail={"mark": mark},
    )  # fmt: skip
    endpoint = Endpoint.objects.create(tenant=lane.tenant, url=f"https://{mark.lower()}.example.org/hook")
    tool = Endpoint.objects.create(tenant=lane.tenant, url=f"https://{mark.lower()}.example.com", kind="langfuse")
    message = Message.objects.create(
        tenant=lane.tenant, endpoint=endpoint, channel="webhook", topic="case.decided", key=f"case:{mark}",
        url=endpoint.url, payload={"data": {"case_id": f"case-{mark}", "final_answer": mark}}, last_error=mark,
        state=Message.State.FAILING, next_attempt_at=timezone.now(),
    )  # fmt: skip
    return {
        "lane": lane,
        "queue": lane.queue,
        "calendar": lane.queue.calendar,
        "tenant": lane.tenant,
        "codebook": codebook,
        "slot": SlotFactory(lane=lane, case=_case(lane, mark)),
        "unrouted": _case(lane, f"{mark} unrouted", queue=None),
        "rule": rule,
        "token": token,
        "endpoint": endpoint,
        "tool": tool,
        "message": message,
        "upload": Upload.objects.create(
            tenant=lane.tenant,
            uploaded_by=lead,
            name=f"{mark}.csv",
            rows=b"",
            total=1,
            problems=[{"row": 1, "case_id": mark, "error": mark}],
            preview=[],
        ),
        "secret": secret,
        "trace": _traffic(lane.tenant, mark),
        "complaint": ComplaintFactory(tenant=lane.tenant, text=mark, user_key=f"user-{mark}", external_id=mark),
        "job": Job.objects.create(kind="upload", title=f"Job {mark}", tenant=lane.tenant, started_by=lead, total=1),
        "person": lead,
        **_lineage(lane, codebook, mark),
        **_draft(codebook, mark),
        "drifted": report_on(codebook, lead).reviewer,
        "failure": FailureMode.objects.create(
            codebook=codebook, title=f"Failure {kind}", created_by=lead, created_at=timezone.now()
        ),
    }


def _traffic(tenant: Any, mark: str) -> Any:
    """A trace with a signal on it, one that waits, and whose words they are."""
    words = {"external_id": f"trace-{mark}", "topic": mark, "user_key": f"user-{mark}", "release": mark}
    trace = TraceFactory(tenant=tenant, input=mark, output=mark, signals=1, weight=-1, is_negative=True, **words)
    SignalFactory(trace=trace, type="user_reason", reason="other", text=mark)
    SignalFactory(tenant=tenant, trace_ref=f"to come {mark}")
    IntakeSettings.objects.create(tenant=tenant, takes_complaints=True)
    return trace


def _lineage(lane: Any, codebook: Any, mark: str) -> dict[str, Any]:
    """Earlier labels' own category in other words, an order to decide its cases again, and a batch."""
    newest = codebook.versions.get(state=Version.State.PUBLISHED)
    category, owner, now = newest.categories.first(), codebook.owner, timezone.now()
    imported = Version.objects.create(
        codebook=codebook, number=9, state=Version.State.IMPORTED, published_at=now, published_by=owner
    )
    # Every reader of a codebook reads its words.
    title = SECRET if mark == SECRET else "Earlier"
    earlier = Category.objects.create(version=imported, key="earlier", title=title, position=1)
    origin = Case.Origin.ESCALATION
    return {
        "link": CategoryLink.objects.create(version=imported, category=earlier, ancestor=category, kind="reworded"),
        "relabel": Relabel.objects.create(
            codebook=codebook, category=category, share=1, affected=1, reason=title, ordered_by=owner, ordered_at=now
        ),
        "batch": LabelBatch.objects.create(
            version=newest, queue=lane.queue, origin=origin, purpose="adjudication", opened_at=now
        ),
    }


def _reports(world: World, codebook: Any) -> None:
    """How far people agree, measured over the stranger's queue and reviewer too, with each codebook."""
    stranger = Queue.objects.get(name=f"Also {SECRET}")
    known = (world.people["reviewer"], [world.home["queue"]])
    reported(codebook, queues=[world.home["queue"], stranger], raters=[known, (_far_person(), [stranger])])
    reported(world.far["codebook"])
    for side in (world.home, world.far):
        owner, tenant = side["codebook"].owner, side["tenant"]
        side["category"], side["report_kind"] = side["link"].ancestor, "json"
        side["label_file"] = LabelFile.objects.create(
            codebook=side["codebook"], tenant=tenant, brought_by=owner, brought_at=timezone.now(), rows=b"",
            name=f"{tenant.name}.csv", version_title="Earlier",
        )  # fmt: skip


def _judged(world: World) -> None:
    """A judge's report with each codebook; home's tells of differences on its own case and on a stranger's."""
    cases = [world.home["slot"].case_id, world.home["decided"].case_id, world.far["shared"].case_id]
    for side, name in ((world.home, "Judge"), (world.far, f"Judge {SECRET}")):
        result = judge_measuring.report(iter(()), standing(side["codebook"].pk), Shown({}, {}))
        result |= {"newest": [0, 0], "audits": [], "differ": len(cases)}
        result["differences"] = [{"case": pk, "judge": True, "human": "accept"} for pk in cases]
        found = [judges.Measured(name, "1", "", result)]
        (side["judge_report"],) = judges.keep(codebook=side["codebook"], found=found, now=timezone.now())


def _sampled(world: World) -> None:
    """What labels say of each tenant's traffic: a case was drawn and rejected, on a topic that tells whose it is."""
    for things, mark in ((world.home, "home"), (world.far, SECRET)):
        sample = Sample(things["lane"], version=things["queue"].codebook_use.codebook.versions.get(state="published"))
        sample.drawn(
            "random", "reject", topic=f"topic {mark}", release=mark, signals=[("implicit_copy", {"value": None})]
        )
        things["traffic_report"] = sample.measure()["30d"]


def _draft(codebook: Any, mark: str) -> dict[str, Any]:
    """A draft with a category and a comment on it, which every reader of the codebook reads."""
    title = SECRET if mark == SECRET else "Drafted"
    draft = Version.objects.create(codebook=codebook, number=10)
    drafted = Category.objects.create(version=draft, key="drafted", title=title, position=1, definition=title)
    said = Comment.objects.create(
        version=draft, category=drafted, author=codebook.owner, text=title, created_at=timezone.now()
    )
    return {"drafted": drafted, "comment": said}


def _disagreed(world: World) -> None:
    """Disagreements, one also on a stranger's case in the queue that everybody here works in, on an agenda; a check."""
    of_shared = _disagreement(world.home["codebook"], world.far["shared"])
    for things, slot in ((world.home, world.home["decided"]), (world.far, world.far["slot"])):
        things["disagreement"] = _disagreement(things["codebook"], slot)
        things["alignment"] = AlignmentSession.objects.create(
            codebook=things["codebook"], since=timezone.now() - timedelta(days=1), until=timezone.now(),
            opened_by=things["codebook"].owner, opened_at=timezone.now(),
            agenda=[things["disagreement"].pk, of_shared.pk], note="" if things is world.home else SECRET,
        )  # fmt: skip
    world.home["spot"] = SpotCheck.objects.create(
        label=world.home["decided"].labels.get(), codebook=world.home["codebook"], reviewer=world.people["reviewer"],
        day=timezone.now().date(),
    )  # fmt: skip


def _disagreement(codebook: Any, slot: Slot) -> Disagreement:
    return Disagreement.objects.create(
        case=slot.case, round=1, codebook=codebook, queue=slot.lane.queue, opened_at=timezone.now()
    )


def _decision(lane: Any, reviewer: Any, version: Any) -> Slot:
    slot = SlotFactory(
        lane=lane,
        case=_case(lane, f"{HEARTH} decided"),
        reserved_for=reviewer,
        due_at=timezone.now() + timedelta(hours=1),
    )
    claim = next(claim for claim in claims.hold(user=reviewer) if claim.slot_id == slot.pk)
    given = Given(verdict=Label.Verdict.ACCEPT, version_id=version.pk)
    deciding.decide(user=reviewer, slot_id=slot.pk, token=claim.token, given=given, painted=None)
    claims.release(user=reviewer)
    return slot


def _dismiss(person: Any, lane: Any) -> None:
    for thing in (lane.queue, lane.tenant):
        table = {"queue": "queueuserpermission_set", "tenant": "tenantuserpermission_set"}[thing._meta.model_name]
        getattr(thing, table).filter(user=person).delete()
