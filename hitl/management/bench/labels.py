"""The codebook's pages beside a million labels, and agreement over a hundred thousand of them."""

import time
from collections.abc import Sequence
from datetime import timedelta
from statistics import quantiles
from typing import Final

from django.db import connections, transaction
from django.urls import reverse
from django.utils import timezone

from codebook.agreement import measured, measuring
from codebook.labels import counting
from codebook.models import Category, Codebook, Version
from codebook.templatetags.codebook_tabs import TABS
from hitl.management.bench.reviewers import Session
from hitl.management.bench.story import EMPTY

RATERS: Final = 5
# A tenth of the cases have two labels, so this many hold a hundred thousand that can be compared.
FOR_AGREEMENT: Final = 550_000
ASKED: Final = 20

# One decision on each case, a second on every tenth that mostly agrees, over half a year and three versions.
FILL: Final = """
create temporary table given on commit drop as
select n, case when n %% 10 = 0 then 2 else 1 end as seats, lane.id as lane_id, lane.queue_id, lane.tenant_id,
  now() - interval '180 days' * (1 - n::float / %(cases)s) as at,
  (%(versions)s::bigint[])[1 + least(n * 3 / %(cases)s, 2)] as version_id
from generate_series(1, %(cases)s::bigint) n
join (select *, row_number() over (order by id) - 1 as place from queues_lane) lane
  on lane.place = n %% (select count(*) from queues_lane);

insert into queues_case (id, tenant_id, external_id, origin, state, domain, language, language_detected, risk, topic,
  question, draft, conversation, evidence, tool_results, policy, reason, assessment, triggers, trace_id, user_key,
  model, prompt_version, release, callback_url, queue_id, authority, routing, received_at, due_because)
overriding system value
select n, tenant_id, 'labelled-' || n, 'escalation', 'decided', 'billing', 'en', false, 2, '', 'Where is my refund?',
  'It was sent on Tuesday. ' || md5(n::text), '[]', '[]', '[]', '', '', '{}', '{}', '', '', '', '', '', '', queue_id,
  '', '{}', at, '' from given;

create temporary table seat on commit drop as
select row_number() over () as id, given.*, seat.seat, users[1 + (n + seat.seat) %% %(raters)s] as user_id,
  case when (n / 10 * 7 + n + seat.seat * (n / 10 %% 4 / 3)) %% 5 = 0 then 'reject' else 'accept' end as verdict
from given
cross join lateral generate_series(1, seats) as seat (seat)
cross join (select array_agg(id order by id) as users from hitl_user) people;

insert into queues_slot (id, case_id, lane_id, purpose, round, seat, state, priority, overdue, barred, created_at,
  reason, lease_token, decided_by_id, decided_at)
overriding system value
select id, n, lane_id, case seat when 1 then 'first' else 'second' end, 1, seat, 'decided', 50, false, '{}', at, '', 1,
  user_id, at from seat;

insert into codebook_labelbatch (version_id, queue_id, origin, purpose, opened_at, closed_because)
select version_id, queue_id, 'escalation', case seat when 1 then 'first' else 'second' end, min(at), ''
from seat group by version_id, queue_id, seat;

insert into codebook_label (id, case_id, round, slot_id, batch_id, version_id, rater, user_id, rater_name, verdict,
  created_at, is_amendment)
overriding system value
select seat.id, n, 1, seat.id, batch.id, seat.version_id, 'person', user_id, '', verdict, at, false
from seat join codebook_labelbatch batch on batch.version_id = seat.version_id and batch.queue_id = seat.queue_id
  and batch.purpose = case seat when 1 then 'first' else 'second' end;

insert into codebook_labelcategory (label_id, category_id, version_id)
select seat.id, category.id, seat.version_id
from seat join codebook_category category on category.version_id = seat.version_id
  and category.position = 1 + (n / 10 + seat.seat * (n / 10 %% 6 / 5)) %% 8
where verdict = 'reject';

insert into reviews_review (label_id, slot_id, lease_token, final_answer, seen_at, handling_ms, created_at)
select id, id, 1, '', at, 4000, at from seat;

insert into codebook_disagreement (case_id, round, codebook_id, queue_id, opened_at)
select one.n, 1, %(codebook)s, one.queue_id, one.at
from seat one join seat other on other.n = one.n and one.seat = 1 and other.seat = 2
where one.verdict <> other.verdict;
"""
IN_STEP: Final = """
select setval(pg_get_serial_sequence(name, 'id'), %s) from unnest(%s::text[]) name
"""
FILLED: Final = (
    "queues_case", "queues_slot", "codebook_labelbatch", "codebook_label", "codebook_labelcategory", "reviews_review",
    "codebook_disagreement",
)  # fmt: skip


def fill(labels: int) -> Codebook:
    """This many labels under three versions of the bench's codebook, the last of which rewords one category."""
    codebook = Codebook.objects.get(slug="bench")
    for number in range(codebook.versions.count() + 1, 4):
        _reword(codebook, number)
    versions = codebook.versions.order_by("number")
    # As the server's superuser, with the triggers set aside: a fixture, not a way to write labels.
    with transaction.atomic("owner"), connections["owner"].cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(f"{EMPTY}; truncate codebook_labelbatch cascade")
        cursor.execute(
            FILL,
            {
                "cases": labels * 10 // 11,
                "raters": RATERS,
                "codebook": codebook.pk,
                "versions": [version.pk for version in versions],
            },
        )
        cursor.execute(IN_STEP, [labels * 2, list(FILLED)])
    with connections["owner"].cursor() as cursor:
        for table in FILLED:
            cursor.execute(f"vacuum (analyze) {table}")
    return codebook


def _reword(codebook: Codebook, number: int) -> None:
    before = codebook.versions.get(number=number - 1)
    version = Version.objects.create(codebook=codebook, number=number)
    for category in before.categories.all():
        definition = f"In version {number}." if category.position == number else category.definition
        Category.objects.create(
            version=version,
            key=category.key,
            title=category.title,
            position=category.position,
            definition=definition,
        )
    Version.objects.filter(pk=version.pk).update(
        state="published",
        published_at=timezone.now() - timedelta(days=120 - 40 * number),
        published_by=codebook.owner,
        content_hash=f"{number:064d}",
    )


def pages(session: Session, codebook: Codebook) -> dict[str, dict[str, float]]:
    """p50 and p95 in ms of each of the codebook's pages, as its owner opens them."""
    times = {}
    for words, name, _ in TABS:
        path = reverse(name, args=[codebook.slug])
        session.fetch("GET", path)
        cuts = quantiles(_asked(session, path), n=100, method="inclusive")
        times[words] = {"p50_ms": cuts[49], "p95_ms": cuts[94]}
    return times


def _asked(session: Session, path: str) -> Sequence[float]:
    taken = []
    for _ in range(ASKED):
        began = time.perf_counter()
        session.fetch("GET", path)
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def measure(codebook: Codebook) -> tuple[float, int]:
    """Seconds to measure agreement, with every figure and interval of its report, and how many labels are in it."""
    began = time.perf_counter()
    newest = measured.newest_label(codebook.pk)
    result = measuring.report(codebook.pk)
    measured.keep(codebook=codebook, newest_label=newest, result=result, now=timezone.now())
    return time.perf_counter() - began, result["labels"]


def catch_up() -> None:
    """What the tick would have done by the next morning."""
    counting.count(timezone.now())
