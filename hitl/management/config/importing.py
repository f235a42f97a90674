"""Brings an installation to what a file says, in one transaction. Nothing is ever deleted."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction

from codebook import using
from codebook.models import Codebook, QueueCodebook, Version
from codebook.rubric import files
from codebook.rubric.publishing import NotPublishable
from hitl.access import tenants as tenancy
from hitl.access.models import Tenant, User
from hitl.access.people import Refused
from hitl.audit import log
from hitl.management.config import checking, persons, reading, schema
from hitl.management.config.reading import Faulty
from hitl.management.config.report import Report, change
from hitl.management.config.schema import RISKS
from queues import lanes, rules, steering, thresholds
from queues.models import Calendar, Lane, Queue, RoutingRule
from queues.risk import Risk
from queues.sampling import plans
from queues.triggers import AssessmentSettings

ACTOR: Final = "import_config"
DEFAULT_WEIGHT: Final[int] = Lane._meta.get_field("weight").default


@transaction.atomic
def bring(*, text: str, now: datetime, dry_run: bool = False) -> Report:
    """What changed, or with `dry_run` what would. Raises Faulty with every fault, and changes nothing then."""
    config, faults, names = reading.read(text)
    with connection.cursor() as cursor:
        # Nodes that start together import together: one after the other, each sees what the one before it did.
        cursor.execute("select pg_advisory_xact_lock(hashtext('import_config'))")
    faults += checking.faults(config, names)
    if faults:
        raise Faulty(faults)
    report, administrators = Report(), persons.administrators()
    steps: list[tuple[Iterable[Any], Callable[[Any, Report, datetime], None]]] = [
        (config.tenants, _tenant),
        (config.calendars, _calendar),
        # Administrators first: the last one may go when the next one is there.
        (sorted(config.people, key=lambda person: not (person.administrator and person.is_active)), persons.bring),
        (config.codebooks, _codebook),
        (config.queues, _queue),
        (config.rules, _rule),
        (config.people, persons.allow),
        # Last, since a plan may name a queue.
        (config.tenants, _sample),
    ]
    for entries, step in steps:
        for entry in entries:
            with _placed(entry):
                step(entry, report, now)
    if administrators and not persons.administrators():
        raise Faulty(["people: nobody would be an administrator any more. Leave one, or make another."])
    _leave_alone(config, names, report)
    if report.changed:
        log.append(
            actor=None, actor_name=ACTOR, action="config.imported", subject="config", tenant_id=None,
            detail=report.counts(),
        )  # fmt: skip
    if dry_run:
        transaction.set_rollback(True)
        report.links.clear()
    return report


@contextmanager
def _placed(entry: schema.Entry) -> Iterator[None]:
    """What a verb refuses is said with its place in the file."""
    try:
        yield
    except (Refused, plans.Refused, files.Unreadable, NotPublishable) as refused:
        raise Faulty([f"{entry.at()}: {refused}"]) from None


def _tenant(entry: schema.Tenant, report: Report, now: datetime) -> None:
    said = report.of("tenant", entry.slug)
    tenant = Tenant.objects.select_for_update().filter(slug=entry.slug).first()
    new = tenant is None
    if tenant is None:
        tenant = tenancy.create(by=None, slug=entry.slug, name=entry.name, actor_name=ACTOR)
        said.append("created")
    given = entry.given("name", "scrubs", "scrubs_names", "scrubs_addresses", "regions")
    fields = [name for name, value in given.items() if getattr(tenant, name) != value]
    for name in fields:
        if not new:
            said.append(change(name, getattr(tenant, name), given[name]))
        setattr(tenant, name, given[name])
    if fields:
        tenant.save(update_fields=fields)
        log.append(
            actor=None, actor_name=ACTOR, action="tenant.changed", subject=f"tenant:{tenant.pk}", tenant_id=tenant.pk,
            detail={"fields": fields},
        )  # fmt: skip
    _measure(entry, tenant, said, report)


def _measure(entry: schema.Tenant, tenant: Tenant, said: list[str], report: Report) -> None:
    number, settings = thresholds.current(tenant)
    if "assessment" not in entry.model_fields_set:
        if number:
            report.left.append(f"tenant {entry.slug}: assessment (revision {number})")
        return
    wanted = AssessmentSettings.from_json(entry.assessment)
    before, after = settings.to_json(), wanted.to_json()
    if changed := [name for name in after if before[name] != after[name]]:
        said += [change(f"assessment.{name}", before[name], after[name]) for name in changed]
        thresholds.save(
            tenant=tenant, settings=wanted, note="From a configuration file", by=None, after=number, actor_name=ACTOR
        )


def _sample(entry: schema.Tenant, report: Report, now: datetime) -> None:
    tenant = Tenant.objects.get(slug=entry.slug)
    plan = plans.current(tenant)
    if entry.sampling is None:
        if plan:
            report.left.append(f"tenant {entry.slug}: sampling (revision {plan.revision})")
        return
    wanted = entry.sampling.given()
    if "queue" in wanted:
        wanted["queue"] = Queue.objects.get(slug=wanted["queue"]) if wanted["queue"] else None
    before = plans.fields_of(plan)
    changed = [name for name, value in wanted.items() if value != before[name]]
    if plan is None or changed:
        said = report.of("tenant", entry.slug)
        said += [change(f"sampling.{name}", before[name], wanted[name]) for name in changed] or ["sampling: begun"]
        plans.save(
            tenant=tenant, change=wanted, because="From a configuration file", by=None,
            after=plan.revision if plan else 0, now=now, actor_name=ACTOR,
        )  # fmt: skip


def _calendar(entry: schema.Calendar, report: Report, now: datetime) -> None:
    said = report.of("calendar", entry.name)
    stored = Calendar.objects.filter(name=entry.name).first()
    values = checking.calendar_values(entry, stored)
    values["extra_holidays"] = [date.fromisoformat(day) for day in values["extra_holidays"]]
    if stored is None:
        steering.create_calendar(by=None, fields=values, actor_name=ACTOR)
        said.append("created")
        return
    # Stored hours may be spelt otherwise: only what means something else is a change.
    same = checking.calendar_values(schema.Calendar(name=entry.name), stored)
    same["extra_holidays"] = [date.fromisoformat(day) for day in same["extra_holidays"]]
    changed = {name: value for name, value in values.items() if same[name] != value}
    steering.change_calendar(calendar=stored, by=None, fields=changed, actor_name=ACTOR)
    said += [change(name, same[name], value) for name, value in changed.items()]


def _codebook(entry: schema.Codebook, report: Report, now: datetime) -> None:
    said = report.of("codebook", entry.slug)
    owner = User.objects.get(email=entry.owner)
    stored = Codebook.objects.select_for_update().select_related("owner").filter(slug=entry.slug).first()
    if stored:
        fields = []
        for name, after in {"title": entry.title, "owner": owner}.items():
            if (before := getattr(stored, name)) != after:
                said.append(change(name, before, after))
                setattr(stored, name, after)
                fields.append(name)
        if fields:
            stored.save(update_fields=fields)
            log.append(
                actor=None, actor_name=ACTOR, action="codebook.changed", subject=f"codebook:{stored.pk}",
                tenant_id=None, detail={"fields": fields},
            )  # fmt: skip
    published = Version.objects.filter(codebook=stored, state=Version.State.PUBLISHED).order_by("-number").first()
    version = files.read_in(content=entry.model_dump(by_alias=True), owner=owner, now=now)
    if stored is None:
        said.append("created")
    elif version != published:
        said.append(f"version {version.number} published")


def _queue(entry: schema.Queue, report: Report, now: datetime) -> None:
    said = report.of("queue", entry.slug)
    queue = Queue.objects.select_related("calendar").filter(slug=entry.slug).first()
    fields = entry.given(*entry.FIELDS)
    for share in {"second_share", "judge_audit_share"} & fields.keys():
        fields[share] = Decimal(str(fields[share]))
    if "calendar" in entry.model_fields_set:
        fields["calendar"] = Calendar.objects.get(name=entry.calendar) if entry.calendar else None
    if queue is None:
        queue = steering.create_queue(by=None, fields={"slug": entry.slug, **fields}, actor_name=ACTOR)
        said.append("created")
    else:
        before = {name: getattr(queue, name) for name in fields}
        changed = steering.change_queue(queue=queue, by=None, fields=fields, actor_name=ACTOR)
        said += [change(name, before[name], fields[name]) for name in changed]
    _use_codebook(entry, queue, said, report)
    _weigh(entry, queue, said, report)


def _use_codebook(entry: schema.Queue, queue: Queue, said: list[str], report: Report) -> None:
    use = QueueCodebook.objects.select_related("codebook").filter(queue=queue).first()
    if entry.codebook is None:
        if use:
            report.left.append(f"queue {entry.slug}: codebook {use.codebook.slug}")
        return
    codebook = Codebook.objects.get(slug=entry.codebook)
    if using.choose(queue=queue, codebook=codebook, by=None, actor_name=ACTOR) and said[:1] != ["created"]:
        said.append(change("codebook", use and use.codebook.slug, codebook.slug))


def _weigh(entry: schema.Queue, queue: Queue, said: list[str], report: Report) -> None:
    tenant_ids = dict(Tenant.objects.values_list("slug", "pk"))
    wanted = {
        lanes.LaneKey(queue.pk, lane.stream, tenant_ids[lane.tenant], lane.language, lane.authority): lane
        for lane in entry.lanes
    }
    weights = {pk: wanted[key].weight for key, pk in lanes.find_or_make(wanted).items()}
    stored = list(Lane.objects.filter(queue=queue).select_related("tenant").order_by("pk"))
    for one in stored:
        name = " / ".join(filter(None, (one.stream, one.tenant.slug, one.language, one.authority)))
        if one.pk in weights and one.weight != weights[one.pk] and said[:1] != ["created"]:
            said.append(change(f"lane {name}: weight", one.weight, weights[one.pk]))
        elif one.pk not in weights and one.weight != DEFAULT_WEIGHT:
            report.left.append(f"queue {entry.slug}: lane {name} (weight {one.weight})")
    steering.weigh_lanes(queue=queue, by=None, weights=weights, actor_name=ACTOR)


def _rule(entry: schema.Rule, report: Report, now: datetime) -> None:
    said = report.of("rule", f"{entry.queue} / {entry.name}")
    rule = RoutingRule.objects.filter(queue__slug=entry.queue, name=entry.name).first()
    fields = entry.given(*entry.FIELDS)
    for name in {"min_risk", "max_risk"} & fields.keys():
        fields[name] = RISKS[fields[name]] if fields[name] else None
    tenants = list(Tenant.objects.filter(slug__in=entry.tenants).order_by("slug"))
    if rule is None:
        fields |= {"queue": Queue.objects.get(slug=entry.queue), "name": entry.name}
        said.append("created")
    else:
        for name, value in fields.items():
            before = getattr(rule, name)
            before = Risk(before) if before and name.endswith("_risk") else before
            if before != value:
                said.append(change(name, before, value))
        stored = list(rule.tenants.order_by("slug"))
        if "tenants" not in entry.model_fields_set:
            tenants = stored
        elif stored != tenants:
            said.append(change("tenants", [one.slug for one in stored], [one.slug for one in tenants]))
    if said:
        rules.save(by=None, rule=rule, fields=fields, tenants=tenants, actor_name=ACTOR)


def _leave_alone(config: schema.Config, names: dict[str, set[Any]], report: Report) -> None:
    there: dict[str, Iterable[Any]] = {
        "tenants": Tenant.objects.order_by("slug").values_list("slug", flat=True),
        "calendars": Calendar.objects.order_by("name").values_list("name", flat=True),
        "people": User.objects.filter(is_active=True).order_by("email").values_list("email", flat=True),
        "codebooks": Codebook.objects.order_by("slug").values_list("slug", flat=True),
        "queues": Queue.objects.order_by("slug").values_list("slug", flat=True),
        "rules": RoutingRule.objects.order_by("queue__slug", "name").values_list("queue__slug", "name").distinct(),
    }
    for section, found in there.items():
        kind = "person" if section == "people" else section.removesuffix("s")
        report.left += [
            f"{kind} {name if isinstance(name, str) else ' / '.join(name)}"
            for name in found
            if name not in names[section]
        ]
