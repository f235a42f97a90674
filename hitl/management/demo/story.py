"""The demo story: two companies, four queues, a codebook, a week of decisions behind them and a morning's cases ahead.

Everything goes through the product's own doors: what the demo shows is what an installation does.
"""

import json
import random
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.core.management.base import OutputWrapper
from django.db import transaction
from django.utils import timezone
from guardian.shortcuts import assign_perm

from codebook.models import Codebook, QueueCodebook
from codebook.rubric import files
from hitl.access import people as accounts
from hitl.access.authorities import parse
from hitl.management.demo import decisions, traffic
from hitl.management.demo.people import LINES, PEOPLE, TENANTS, Role
from hitl.models import Tenant, User
from queues.intake import receive
from queues.models import Calendar, Queue, RoutingRule

HERE = Path(__file__).parent
LOGINS = "demo-logins.json"
WEEKDAYS = ("Friday", "Monday", "30 November", "Thursday", "Tuesday", "15 December")
# More than an installation would have, so that a few days' cases show what comes of it.
SECOND_SHARE = 0.5

Login = tuple[str, str, str]


def tell(stdout: OutputWrapper) -> list[Login]:
    """Tells it once; a second start finds it told. Returns role, e-mail and password of the people in it."""
    kept = settings.DATA_DIR / LOGINS
    if kept.exists():
        return [(row[0], row[1], row[2]) for row in json.loads(kept.read_text())]
    stdout.write("Telling the demo story ...")
    # Each installation has passwords of its own: a demo is on the network too.
    passwords = {role.email: f"{secrets.token_urlsafe(9)}-{secrets.randbelow(90) + 10}" for role in PEOPLE}
    now = timezone.now()
    with transaction.atomic():
        persons = _set_up(passwords, now)
    _bring_cases(now)
    decisions.make(persons)
    codebook = Codebook.objects.get()
    decisions.settle_one(codebook, now)
    decisions.start_next_version(codebook, persons[PEOPLE[1].email], now)
    traffic.tell(persons[PEOPLE[0].email], now)
    logins = [(role.title, role.email, passwords[role.email]) for role in PEOPLE]
    kept.touch(mode=0o600)
    kept.write_text(json.dumps(logins))
    return logins


def _set_up(passwords: dict[str, str], now: datetime) -> dict[str, User]:
    tenants = {
        slug: Tenant.objects.create(slug=slug, name=name, regions=regions) for slug, (name, regions) in TENANTS.items()
    }
    office = Calendar.objects.create(
        name="Office, Berlin",
        time_zone="Europe/Berlin",
        country="DE",
        subdivision="BE",
        hours={day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    )
    persons = {
        role.email: accounts.create(
            by=None, email=role.email, name=role.name, languages=role.languages, time_zone=role.time_zone,
            password=passwords[role.email], administrator=role.administrator, actor_name="demo",
        ).person
        for role in PEOPLE
    }  # fmt: skip
    queues = {}
    for line in LINES:
        queue = queues[line.slug] = Queue.objects.create(
            slug=line.slug, name=line.name, description=line.description, sla=line.sla, sla_amount=line.amount,
            calendar=office if line.sla.startswith("business") else None, hand_up_to=line.hand_up_to,
            second_share=SECOND_SHARE,
        )  # fmt: skip
        RoutingRule.objects.create(queue=queue, name=line.rule, domains=list(line.domains), authority=line.authority)
    for role in PEOPLE:
        _grant(role, persons[role.email], tenants, queues)
    owner = persons[PEOPLE[0].email]
    version = files.read_in(content=yaml.safe_load((HERE / "rubric.yaml").read_text()), owner=owner, now=now)
    for queue in queues.values():
        QueueCodebook.objects.create(queue=queue, codebook=version.codebook)
    return persons


def _grant(role: Role, person: User, tenants: dict[str, Tenant], queues: dict[str, Queue]) -> None:
    for slug in role.works_in:
        assign_perm("work_in_tenant", person, tenants[slug])
    for slug in role.leads:
        assign_perm("lead_tenant", person, tenants[slug])
    for slug in role.reviews:
        assign_perm("review_queue", person, queues[slug])
    for slug in role.runs:
        assign_perm("lead_queue", person, queues[slug])
    for authority in role.authorities:
        parse(authority)
        accounts.grant_authority(by=None, person=person, authority=authority, actor_name="demo")


def _bring_cases(now: datetime) -> None:
    chance = random.Random(8)  # noqa: S311 -- the same story for everyone
    rows: dict[str, list[dict[str, Any]]] = {slug: [] for slug in TENANTS}
    for template in yaml.safe_load((HERE / "cases.yaml").read_text()):
        for variant in range(template.pop("variants") if "variants" in template else 1):
            rows[template["tenant"]].append(_filled(template, variant, chance, now))
    for slug, cases in rows.items():
        chance.shuffle(cases)
        receive.cases(cases, tenant=Tenant.objects.get(slug=slug), now=now, source="demo")


def _filled(template: dict[str, Any], variant: int, chance: random.Random, now: datetime) -> dict[str, Any]:
    words = {
        "amount": f"{chance.randrange(40, 900)}.{chance.randrange(100):02}",
        "ref": f"88-{chance.randrange(1000, 9999)}",
        "n": str(chance.randrange(1000, 9999)),
        "day": chance.choice(WEEKDAYS),
    }

    def fill(value: Any) -> Any:
        if isinstance(value, str):
            for name, word in words.items():
                value = value.replace(f"{{{name}}}", word)
            return value
        if isinstance(value, dict):
            return {key: fill(one) for key, one in value.items()}
        return [fill(one) for one in value] if isinstance(value, list) else value

    row: dict[str, Any] = fill(
        {key: value for key, value in template.items() if key not in ("slug", "tenant", "signals")}
    )
    row = decisions.judged(row | template.get("signals", {}), chance)
    if minutes := row.pop("deadline_minutes", None):
        row["sla_deadline"] = (now + timedelta(minutes=minutes + 7 * variant)).isoformat()
    return row | {
        "case_id": f"{template['slug']}-{variant + 1}",
        "model": "support-7",
        "prompt_version": "31",
        "release": "2026.46",
    }
