"""The sampler over a week of traffic: beside the raw SQL scan of the same window, with the memory that it takes."""

import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final, TypeVar

from django.db import connections
from django.utils import timezone

from hitl.database.uuid7 import floor
from hitl.models import Tenant
from queues.models import SamplingPlan
from queues.sampling import plans, running

A_WEEK: Final = 84_000
DAYS: Final = 7
ROUNDS: Final = 3
# Texts that no compression makes smaller.
NOISE: Final = random.Random(1).randbytes(1_000_000)  # noqa: S311
T = TypeVar("T")

# Traces of 2 kB over a week: forty topics of which the commonest has a quarter, a judge's score on every third, one in
# twenty complained of, one in a hundred edited.
FILL: Final = """
insert into queues_trace (id, tenant_id, external_id, source, at, received_at, domain, topic, language, user_key,
  session, model, prompt_version, release, input, output, conversation, documents, tools, scores, metadata, signals,
  weight, is_negative, is_edited)
select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
    || substr(md5(n::text), 4, 15))::uuid,
  %(tenant)s, 'bench-' || n, 'bench', at, at, 'billing', 'topic ' || floor(40 * power((n * 7919 %% 1000) / 1000.0, 2)),
  'en', 'user-' || n * 31 %% 20000, '', 'large', 'support-7', '2026.11.2',
  encode(substring(%(noise)s::bytea from n::int %% 900000 + 1 for 300), 'hex'),
  encode(substring(%(noise)s::bytea from (n::int * 7) %% 900000 + 1 for 700), 'hex'), '[]', '[]', '[]',
  case n %% 3 when 0 then jsonb_build_object('groundedness', (n * 613 %% 1000) / 1000.0) else '{}' end, '{}',
  case when n %% 20 = 0 then 1 else 0 end, case when n %% 20 = 0 then -0.6 - (n %% 7) / 10.0 else 0 end, n %% 20 = 0,
  n %% 100 = 7
from (
  select n, %(until)s::timestamptz - interval '7 days' * (n::float / %(count)s) as at
  from generate_series(1, %(count)s::bigint) n
) one
"""
# What the window costs without any sampler: read once, grouped once.
SCAN: Final = """
select topic, count(*), count(*) filter (where is_negative), sum(weight) from queues_trace
where tenant_id = %s and id >= %s and id < %s group by topic
"""


def fill(count: int) -> SamplingPlan:
    """So many traces within the last week, and a plan for them; what was there before is gone."""
    until = timezone.now()
    tenant = Tenant.objects.get(slug="bench-1")
    with connections["owner"].cursor() as cursor:
        cursor.execute("truncate queues_sampled, queues_trace cascade")
        cursor.execute("delete from queues_samplingrun")
        cursor.execute("select traces_partitions(%s, %s)", [until - timedelta(days=DAYS + 1), until])
        cursor.execute(FILL, {"tenant": tenant.pk, "until": until, "count": count, "noise": NOISE})
        cursor.execute("analyze queues_trace")
    plan = plans.current(tenant)
    return plan or plans.save(tenant=tenant, change={}, because="The bench.", by=None, after=0, now=until)


def measure(plan: SamplingPlan) -> dict[str, float]:
    """Seconds of the raw scan, of a trial, and of a sample that is kept; megabytes at the most beside those before."""
    until = timezone.now()
    scans = [_timed(lambda: _scan(plan, until))[0] for _ in range(ROUNDS)]
    before = _memory("VmRSS")
    _forget_peak()
    trials = [_timed(lambda: running.sample(plan=plan, until=until, now=until))[0] for _ in range(ROUNDS)]
    peak = _memory("VmHWM")

    def kept() -> int:
        drawn = running.sample(plan=plan, until=until, now=until)
        return running.keep(sample=drawn, day=None, by=None, now=until).picked

    whole, picked = _timed(kept)
    return {
        "scan_s": median(scans),
        "trial_s": median(trials),
        "kept_s": whole,
        "picked": picked,
        "memory_mb": peak - before,
    }


def _scan(plan: SamplingPlan, until: datetime) -> None:
    with connections["default"].cursor() as cursor:
        bounds = floor(until - timedelta(days=DAYS)), floor(until + timedelta(hours=1))
        cursor.execute(SCAN, [plan.tenant_id, *bounds])
        cursor.fetchall()


def _timed(what: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    found = what()
    return time.perf_counter() - began, found


def _memory(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def _forget_peak() -> None:
    """The kernel's own way to begin a new high-water mark."""
    Path("/proc/self/clear_refs").write_text("5")
