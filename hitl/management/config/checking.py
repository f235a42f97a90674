"""What only shows when entries are seen together, or beside what is in the database: names that lead nowhere, and
fields that contradict each other. It writes nothing."""

from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from codebook.models import Codebook
from hitl.access.models import Tenant, User
from hitl.management.config import schema
from hitl.management.config.schema import RISKS, Config
from queues import terms
from queues.calendars import BusinessCalendar
from queues.json_values import Refused, shown
from queues.models import Calendar, Queue, RoutingRule
from queues.sampling import plans
from queues.triggers import AssessmentSettings

Names = Mapping[str, set[Any]]


def faults(config: Config, names: Names) -> list[str]:
    """A sentence for each fault. `names` are those of all entries of the file, also of faulty ones."""
    known = {
        "tenants": names["tenants"] | set(Tenant.objects.values_list("slug", flat=True)),
        "calendars": names["calendars"] | set(Calendar.objects.values_list("name", flat=True)),
        "people": names["people"] | set(User.objects.values_list("email", flat=True)),
        "codebooks": names["codebooks"] | set(Codebook.objects.values_list("slug", flat=True)),
        "queues": names["queues"] | set(Queue.objects.values_list("slug", flat=True)),
    }
    return [
        *_tenants(config.tenants),
        *_samples(config.tenants, known),
        *_calendars(config.calendars),
        *_people(config.people, known),
        *_codebooks(config.codebooks, known),
        *_queues(config.queues, known),
        *_rules(config.rules, known),
    ]


def calendar_values(entry: schema.Calendar, stored: Calendar | None) -> dict[str, Any]:
    """The whole calendar as it will be, in its usual spelling. Raises Refused."""
    before = terms.calendar(stored).to_json() if stored else {}
    values = before | {"name": entry.name} | entry.given(*entry.FIELDS)
    return BusinessCalendar.from_json(values).to_json()


def _tenants(entries: list[schema.Tenant]) -> Iterable[str]:
    for entry in entries:
        try:
            AssessmentSettings.from_json(entry.assessment)
        except Refused as refused:
            yield from (_placed(entry, error, "assessment.") for error in refused.errors)


def _samples(entries: list[schema.Tenant], known: Names) -> Iterable[str]:
    stored = {plan.tenant.slug: plan for plan in plans.all_current()}
    for entry in entries:
        if entry.sampling is None:
            continue
        yield from _missing(entry.at("sampling.queue"), "queues", entry.sampling.queue, known)
        try:
            # Whether its queue is open is asked when it is there.
            plans.check(plans.fields_of(stored.get(entry.slug)) | entry.sampling.given() | {"queue": None})
        except plans.Refused as refused:
            yield f"{entry.at(f'sampling.{refused.field}')}: {refused}"


def _calendars(entries: list[schema.Calendar]) -> Iterable[str]:
    stored = {calendar.name: calendar for calendar in Calendar.objects.all()}
    for entry in entries:
        try:
            calendar_values(entry, stored.get(entry.name))
        except Refused as refused:
            yield from (_placed(entry, error) for error in refused.errors)


def _people(entries: list[schema.Person], known: Names) -> Iterable[str]:
    for entry in entries:
        for section in ("tenants", "queues", "codebooks"):
            for name in getattr(entry, section):
                yield from _missing(entry.at(f"{section}.{name}"), section, name, known)
        for position, signs in enumerate(entry.authorities):
            yield from _missing(entry.at(f"authorities[{position}].tenant"), "tenants", signs.tenant, known)
            if not signs.authority:
                yield f"{entry.at(f'authorities[{position}]')}: is empty."


def _codebooks(entries: list[schema.Codebook], known: Names) -> Iterable[str]:
    for entry in entries:
        yield from _missing(entry.at("owner"), "people", entry.owner, known)
        for field in ("key", "title"):
            counted = Counter(getattr(category, field).casefold() for category in entry.categories)
            for value, times in counted.items():
                if times > 1:
                    yield f"{entry.at('categories')}: {times} of them have the {field} {shown(value)}."


def _queues(entries: list[schema.Queue], known: Names) -> Iterable[str]:
    stored = {queue.slug: queue for queue in Queue.objects.select_related("calendar")}
    for entry in entries:
        yield from _missing(entry.at("calendar"), "calendars", entry.calendar, known)
        yield from _missing(entry.at("codebook"), "codebooks", entry.codebook, known)
        for position, lane in enumerate(entry.lanes):
            yield from _missing(entry.at(f"lanes[{position}].tenant"), "tenants", lane.tenant, known)
        values = _merged(entry, stored.get(entry.slug), "sla", "sla_amount")
        calendar = _merged(entry, stored.get(entry.slug), "calendar")["calendar"]
        if values["sla"] != "none" and not values["sla_amount"]:
            yield f"{entry.at('sla_amount')}: is 0; a deadline needs at least 1."
        if values["sla"].startswith("business") and calendar is None:
            yield f"{entry.at('calendar')}: is missing; {values['sla']} are counted in the hours of a calendar."


def _rules(entries: list[schema.Rule], known: Names) -> Iterable[str]:
    stored: dict[tuple[str, str], list[RoutingRule]] = {}
    for rule in RoutingRule.objects.select_related("queue"):
        stored.setdefault((rule.queue.slug, rule.name), []).append(rule)
    for entry in entries:
        yield from _missing(entry.at("queue"), "queues", entry.queue, known)
        for tenant in entry.tenants:
            yield from _missing(entry.at("tenants"), "tenants", tenant, known)
        namesakes = stored.get((entry.queue, entry.name), [])
        if len(namesakes) > 1:
            yield f"{entry.at('name')}: {len(namesakes)} rules of this queue have it; give all but one another name."
        before = namesakes[0] if namesakes else None
        values = _merged(entry, before, "min_risk", "max_risk")
        lowest, highest = (RISKS.get(value, value) for value in values.values())
        if lowest is not None and highest is not None and lowest > highest:
            yield f"{entry.at('max_risk')}: the highest risk is below the lowest."


def _placed(entry: schema.Entry, error: str, inside: str = "") -> str:
    field, colon, sentence = error.partition(": ")
    return f"{entry.at(inside + field)}: {sentence}" if colon else f"{entry.at(inside.removesuffix('.'))}: {error}"


def _merged(entry: schema.Entry, stored: Any, *fields: str) -> dict[str, Any]:
    """The fields as they will be: the file's, else the stored ones, else the defaults."""
    before = {field: getattr(stored, field) if stored else getattr(entry, field) for field in fields}
    return before | entry.given(*fields)


def _missing(place: str, section: str, name: str | None, known: Names) -> Iterable[str]:
    if name is not None and name not in known[section]:
        near = get_close_matches(name, known[section], 1)
        what = {"people": "nobody"}.get(section, f"no {section.removesuffix('s')}")
        yield f"{place}: there is {what} {shown(name)}{f'; did you mean {near[0]}?' if near else '.'}"
