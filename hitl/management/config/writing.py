"""Writes an installation out as the file that `importing` takes: all but secrets, and what waits in its queues."""

from typing import Any, Final

from django.db.models import Q
from django.utils import timezone

from codebook.models import Codebook, QueueCodebook, Version
from codebook.rubric import files
from hitl import yaml_text
from hitl.access import grants
from hitl.access.models import AuthorityGrant, Tenant, User
from hitl.management.config import schema
from hitl.management.config.persons import KINDS
from queues import terms, thresholds
from queues.models import Calendar, Lane, Queue, RoutingRule, SamplingPlan
from queues.risk import Risk
from queues.sampling import plans
from queues.triggers import DEFAULTS

HEAD: Final = """\
# The configuration of hitl: change it, keep it in git, and bring it back with manage.py import_config.
# Passwords, tokens, webhook addresses and their secrets are not in it. What is left out is left as it is.

"""


def written() -> tuple[str, list[str]]:
    """The file's text, and a sentence for whatever could not be put into it."""
    content = {
        "tenants": [_tenant(tenant) for tenant in Tenant.objects.order_by("slug")],
        "calendars": [_calendar(calendar) for calendar in Calendar.objects.order_by("name")],
        "people": _people(),
        "codebooks": _codebooks(),
        "queues": _queues(),
        "rules": [
            _rule(rule)
            for rule in RoutingRule.objects.select_related("queue").prefetch_related("tenants").order_by("id")
        ],
    }
    return HEAD + yaml_text.written(content), _left_out(content)


def _tenant(tenant: Tenant) -> dict[str, Any]:
    settings, default = thresholds.current(tenant)[1].to_json(), DEFAULTS.to_json()
    return {
        "slug": tenant.slug,
        "name": tenant.name,
        "scrubs": tenant.scrubs,
        "scrubs_names": tenant.scrubs_names,
        "scrubs_addresses": tenant.scrubs_addresses,
        "regions": tenant.regions,
        "assessment": {name: value for name, value in settings.items() if value != default[name]},
        **({"sampling": _sampling(plan)} if (plan := plans.current(tenant)) else {}),
    }


def _sampling(plan: SamplingPlan) -> dict[str, Any]:
    return plans.fields_of(plan) | {"queue": plan.queue.slug if plan.queue else None}


def _calendar(calendar: Calendar) -> dict[str, Any]:
    return terms.calendar(calendar).to_json()


def _people() -> list[dict[str, Any]]:
    people = list(User.objects.order_by("email"))
    kinds = {section: grants.kinds()[kind] for section, kind in KINDS.items()}
    held = {section: grants.held(people, kind) for section, kind in kinds.items()}
    slugs: dict[str, dict[int, str]] = {
        section: dict(kind.model._default_manager.order_by("slug").values_list("pk", "slug"))
        for section, kind in kinds.items()
    }
    signs: dict[int, list[str | dict[str, str]]] = {}
    lasting = AuthorityGrant.objects.filter(Q(until=None) | Q(until__gt=timezone.now()))
    for grant in lasting.select_related("tenant").order_by("authority", "tenant__slug"):
        signs.setdefault(grant.user_id, []).append(_signs(grant))
    return [
        {
            "email": person.email,
            "name": person.name,
            "languages": person.languages,
            "time_zone": person.time_zone,
            "is_active": person.is_active,
            "administrator": person.is_superuser,
            **{
                section: {
                    slug: sorted(permission.partition("_")[0] for permission in held[section][person.pk][pk])
                    for pk, slug in slugs[section].items()
                    if held[section][person.pk].get(pk)
                }
                for section in KINDS
            },
            "authorities": signs.get(person.pk, []),
        }
        for person in people
    ]


def _signs(grant: AuthorityGrant) -> str | dict[str, str]:
    """Most are for all tenants and for good: those are a word."""
    if grant.tenant is None and grant.until is None:
        return grant.authority
    more = {"tenant": grant.tenant.slug} if grant.tenant else {}
    return {"authority": grant.authority, **more} | ({"until": grant.until.isoformat()} if grant.until else {})


def _codebooks() -> list[dict[str, Any]]:
    newest = (
        Version.objects.filter(state=Version.State.PUBLISHED)
        .select_related("codebook__owner")
        .order_by("codebook__slug", "-number")
        .distinct("codebook__slug")
    )
    found = []
    for version in newest:
        content = files.written_out(version)
        head = {"slug": content.pop("slug"), "title": content.pop("title"), "owner": version.codebook.owner.email}
        found.append(head | ({"note": version.note} if version.note else {}) | content)
    return found


def _queues() -> list[dict[str, Any]]:
    weighed = Lane.objects.exclude(weight=Lane._meta.get_field("weight").default).select_related("tenant")
    lanes: dict[int, list[dict[str, Any]]] = {}
    for lane in weighed.order_by("stream", "tenant__slug", "language", "authority"):
        lanes.setdefault(lane.queue_id, []).append(
            {
                "stream": lane.stream,
                "tenant": lane.tenant.slug,
                "language": lane.language,
                "authority": lane.authority,
                "weight": lane.weight,
            }
        )
    published = dict(
        QueueCodebook.objects.filter(codebook__versions__state=Version.State.PUBLISHED)
        .distinct()
        .values_list("queue", "codebook__slug")
    )
    return [
        {"slug": queue.slug}
        | {name: getattr(queue, name) for name in schema.Queue.FIELDS}
        | {
            "second_share": float(queue.second_share),
            "judge_audit_share": float(queue.judge_audit_share),
            "calendar": queue.calendar.name if queue.calendar else None,
            "codebook": published.get(queue.pk),
            "lanes": lanes.get(queue.pk, []),
        }
        for queue in Queue.objects.select_related("calendar").order_by("slug")
    ]


def _rule(rule: RoutingRule) -> dict[str, Any]:
    return (
        {"queue": rule.queue.slug, "name": rule.name}
        | {name: getattr(rule, name) for name in schema.Rule.FIELDS}
        | {
            "tenants": sorted(tenant.slug for tenant in rule.tenants.all()),
            "min_risk": Risk(rule.min_risk).name.lower() if rule.min_risk else None,
            "max_risk": Risk(rule.max_risk).name.lower() if rule.max_risk else None,
        }
    )


def _left_out(content: dict[str, list[dict[str, Any]]]) -> list[str]:
    there = {codebook["slug"] for codebook in content["codebooks"]}
    names = [(rule["queue"], rule["name"]) for rule in content["rules"]]
    return [
        f"The codebook {slug} is not in the file: no version of it is published."
        for slug in Codebook.objects.exclude(slug__in=there).order_by("slug").values_list("slug", flat=True)
    ] + [
        f"The queue {queue} has {names.count((queue, name))} rules called “{name}”: give all but one another name, "
        "or the file cannot be imported."
        for queue, name in dict.fromkeys(names)
        if names.count((queue, name)) > 1
    ]
