"""What judges said, stored: with the case, or alone; what came before its case waits, and is joined to it later."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import connection
from pydantic_core import to_json

from hitl.models import Tenant
from queues.judging import ACCEPT, REJECT, Said, verdict_of

COLUMNS: Final = (
    "id", "tenant_id", "case_id", "external_case_id", "trace_id", "judge", "judge_version", "prompt", "verdict",
    "score", "confidence", "categories", "position", "given_at", "received_at",
)  # fmt: skip
VERDICTS: Final = {"accept": ACCEPT, "pass": ACCEPT, "reject": REJECT, "fail": REJECT}


class Waiting(NamedTuple):
    """A verdict that came before its case."""

    id: int
    said: Said


class Target(NamedTuple):
    """What a verdict is about: a case that is here, or one that may come, by its id or its trace."""

    case_id: int | None
    external_case_id: str = ""
    trace_id: str = ""


class Spoken(NamedTuple):
    id: int
    about: Target
    said: Said
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Clash:
    """A verdict that was not stored, since the judge has spoken of that answer; `same`: it said the same."""

    id: int
    same: bool


def of_case(judges: Sequence[Mapping[str, Any]]) -> list[Said]:
    """The verdicts of a case's own list, each judge once: the first counts."""
    found: dict[tuple[str, ...], Said] = {}
    for judge in judges:
        said = Said(
            judge=judge["name"],
            version=judge.get("version") or "",
            prompt=judge.get("prompt") or "",
            position=judge.get("position") or "",
            verdict=verdict_of(judge.get("verdict")),
            score=judge.get("score"),
            confidence=judge.get("confidence"),
            categories=tuple(judge.get("categories") or ()),
        )
        found.setdefault(speaker(said), said)
    return list(found.values())


def waiting_for(tenant: Tenant, cases: Mapping[str, int], traces: Mapping[str, int]) -> dict[int, list[Waiting]]:
    """What waits for these cases (by the producer's id, and by trace), by case; each judge once, the first counts."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"tenant": tenant.pk, "cases": list(cases), "traces": list(traces)})
        rows = cursor.fetchall()
    found: dict[int, list[Waiting]] = defaultdict(list)
    for pk, case, trace, *said in rows:
        number = cases[case] if case else traces[trace]
        waiting = Waiting(pk, _said(said))
        if all(speaker(one.said) != speaker(waiting.said) for one in found[number]):
            found[number].append(waiting)
    return found


def numbers(count: int) -> list[int]:
    """Ids for so many verdicts."""
    with connection.cursor() as cursor:
        cursor.execute("select nextval('queues_judgeverdict_id_seq') from generate_series(1, %s)", [count])
        return [pk for (pk,) in cursor.fetchall()]


def keep(rows: Iterable[Spoken], *, tenant: Tenant, now: datetime) -> None:
    """A step: these verdicts, none of which can be there already: their cases are new."""
    with (
        connection.cursor() as cursor,
        cursor.copy(f"copy queues_judgeverdict ({', '.join(COLUMNS)}) from stdin") as copy,
    ):
        for row in rows:
            said = row.said
            copy.write_row((
                row.id, tenant.pk, row.about.case_id, row.about.external_case_id, row.about.trace_id, said.judge,
                said.version, said.prompt, said.verdict, said.score, said.confidence, list(said.categories),
                said.position, row.given_at, now,
            ))  # fmt: skip


def join(pairs: Iterable[tuple[int, int]]) -> None:
    """A step: verdicts that waited belong to these cases: (verdict, case)."""
    verdicts, cases = zip(*pairs, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "update queues_judgeverdict waiting set case_id = found.case_id"
            " from unnest(%s::bigint[], %s::bigint[]) as found (id, case_id)"
            " where waiting.id = found.id and waiting.case_id is null",
            [list(verdicts), list(cases)],
        )


def targets(tenant: Tenant, about: Sequence[tuple[str, str]]) -> list[Target]:
    """Where verdicts on (case id, trace id) belong; the first case of a trace, where it has several."""
    with connection.cursor() as cursor:
        cursor.execute(
            _TARGETS,
            {
                "tenant": tenant.pk,
                "cases": [case for case, _ in about if case],
                "traces": [trace for case, trace in about if not case],
            },
        )
        found = {(case, trace): pk for case, trace, pk in cursor.fetchall()}
    return [Target(found.get((case, "") if case else ("", trace)), case, trace) for case, trace in about]


def add(rows: Sequence[Spoken], *, tenant: Tenant, now: datetime) -> list[Clash]:
    """A step: these verdicts, but those of judges who have spoken of that answer already."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD, {"rows": _as_json(rows), "tenant": tenant.pk, "now": now})
        added = {pk for (pk,) in cursor.fetchall()}
    if not (late := [row for row in rows if row.id not in added]):
        return []
    with connection.cursor() as cursor:
        cursor.execute(_THERE, {"rows": _as_json(late), "tenant": tenant.pk})
        there = {pk: _said(said) for pk, *said in cursor.fetchall()}
    return [Clash(row.id, there.get(row.id) == row.said) for row in late]


def speaker(said: Said) -> tuple[str, ...]:
    """Who speaks, and where: each says one thing of a case."""
    return said.judge, said.version, said.prompt, said.position


def _said(row: Sequence[Any]) -> Said:
    *said, categories = row
    return Said(*(*said, tuple(categories)))


def _as_json(rows: Sequence[Spoken]) -> str:
    return to_json(
        [
            {"id": row.id, "given_at": row.given_at, **row.about._asdict(), **asdict(row.said)}
            | {"judge_version": row.said.version}
            for row in rows
        ]
    ).decode()


_SAID: Final = "judge, judge_version, prompt, position, verdict, score, confidence, categories"

_WAITING: Final = f"""
select id, external_case_id, trace_id, {_SAID} from (
  select * from queues_judgeverdict
  where tenant_id = %(tenant)s and case_id is null and external_case_id = any(%(cases)s)
  union all
  select * from queues_judgeverdict
  where tenant_id = %(tenant)s and case_id is null and external_case_id = '' and trace_id = any(%(traces)s)
) waiting order by id
"""  # noqa: S608 -- names of columns

_TARGETS: Final = """
select external_id, '', id from queues_case where tenant_id = %(tenant)s and external_id = any(%(cases)s)
union all
select '', trace_id, min(id) from queues_case
where tenant_id = %(tenant)s and trace_id <> '' and trace_id = any(%(traces)s) group by trace_id
"""

_ROWS: Final = """
jsonb_to_recordset(%(rows)s::jsonb) as given (id bigint, case_id bigint, external_case_id text, trace_id text,
  judge text, judge_version text, prompt text, verdict text, score float8, confidence float8, categories text[],
  position text, given_at timestamptz)
"""

_SAME: Final = """
there.judge = given.judge and there.judge_version = given.judge_version and there.prompt = given.prompt
and there.position = given.position
"""

_HERE: Final = f"""
there.tenant_id = %(tenant)s and there.case_id is null and there.external_case_id = given.external_case_id
and there.trace_id = given.trace_id and {_SAME}
"""

_ADD: Final = f"""
insert into queues_judgeverdict as added (id, tenant_id, case_id, external_case_id, trace_id, judge, judge_version,
  prompt, verdict, score, confidence, categories, position, given_at, received_at)
select given.id, %(tenant)s, case_id, external_case_id, trace_id, judge, judge_version, prompt, verdict, score,
  confidence, categories, position, given_at, %(now)s
from {_ROWS}
where given.case_id is not null or not exists (select from queues_judgeverdict there where {_HERE})
order by case_id, judge, judge_version, prompt, position, id
on conflict on constraint judge_speaks_once_of_a_case do nothing
returning added.id
"""  # noqa: S608 -- names of columns

_THERE: Final = f"""
select given.id, {", ".join(f"there.{name}" for name in _SAID.split(", "))}
from {_ROWS} join queues_judgeverdict there on there.case_id = given.case_id and {_SAME}
where given.case_id is not null
union all
select given.id, {", ".join(f"there.{name}" for name in _SAID.split(", "))}
from {_ROWS} join queues_judgeverdict there on {_HERE}
where given.case_id is null
"""  # noqa: S608 -- names of columns
