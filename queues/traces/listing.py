"""The list of a tenant's traces: ranked by what users' signals say of them, or by time; a page at a time, by keyset.

Filters that no index serves look at so many traces in the list's order and no further; how far they got is said, and
the next page goes on from there. So a page takes as long over a million traces as over a thousand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection

from hitl.database.uuid7 import floor, moment

PAGE: Final = 50
# How many traces a page's filters look at: small columns only, and where texts or signals must be read.
LOOKED: Final = 50_000
READ: Final = 20_000
COUNTED: Final = 200_000
WORDS_MOST: Final = 6
EXCERPT: Final = 240

BY_SIGNALS, BY_TIME = "signals", "time"
EQUAL: Final = ("topic", "release", "prompt_version", "model", "language")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which traces, and in which order. Empty fields filter nothing; `is_case` None takes both."""

    tenant_id: int
    since: datetime
    until: datetime
    order: str = BY_SIGNALS
    topic: str = ""
    release: str = ""
    prompt_version: str = ""
    model: str = ""
    language: str = ""
    user_key: str = ""
    signal: str = ""
    words: str = ""
    negative: bool = False
    edited: bool = False
    is_case: bool | None = None

    @property
    def looks_at_most(self) -> int:
        return READ if self.words or self.signal else LOOKED


_COLUMNS: Final = (
    "id, external_id, at, topic, language, model, prompt_version, release, user_key, signals, weight, is_negative,"
    f" is_edited, left(input, {EXCERPT}), left(output, {EXCERPT})"
)


class Row(NamedTuple):
    """A trace as the list shows it."""

    id: UUID
    external_id: str
    at: datetime
    topic: str
    language: str
    model: str
    prompt_version: str
    release: str
    user_key: str
    signals: int
    weight: float
    is_negative: bool
    is_edited: bool
    input: str
    output: str


@dataclass(frozen=True, slots=True)
class Page:
    """`after` leads to the next page, empty at the end. `looked_to`: the filters got no further than this time (or, by
    signals, this weight), though the page is not full.
    """

    rows: Sequence[Row] = ()
    after: str = ""
    looked_to: datetime | None = None
    looked_weight: float | None = None


class _Part(NamedTuple):
    """A stretch of the list with one order: `mark` names it in the cursor."""

    mark: str
    condition: str
    by_weight: bool

    @property
    def order(self) -> str:
        return "weight, id desc" if self.by_weight else "id desc"


_EDITED = _Part("e", "and is_edited", True)
_OTHERS = _Part("s", "and signals > 0 and not is_edited", True)
_TIME = _Part("t", "", False)


class _Cursor(NamedTuple):
    mark: str
    weight: float
    id: UUID

    def __str__(self) -> str:
        return f"{self.mark}:{self.weight!r}:{self.id}"


def page(wanted: Wanted, after: str = "") -> Page:
    """A page of the list, from the place `after` names; a place that cannot be read is the beginning."""
    parts = [_TIME] if wanted.order == BY_TIME else [_EDITED] if wanted.edited else [_EDITED, _OTHERS]
    cursor = _read(after)
    marks = [part.mark for part in parts]
    if cursor and cursor.mark in marks:
        parts = parts[marks.index(cursor.mark) :]
    else:
        cursor = None
    rows: list[Row] = []
    for part in parts:
        here = cursor if cursor and cursor.mark == part.mark else None
        found = _rows(wanted, part, here, PAGE + 1 - len(rows))
        rows += found
        if len(rows) > PAGE:
            last = rows[PAGE - 1]
            mark = _EDITED.mark if part is _OTHERS and len(rows) - len(found) > PAGE - 1 else part.mark
            return Page(rows[:PAGE], str(_Cursor(mark, last.weight, last.id)))
        if (cut := _cut(wanted, part, here)) is not None:
            at, weight = (None, cut.weight) if part.by_weight else (moment(cut.id), None)
            return Page(rows, str(cut), at, weight)
    return Page(rows)


def _read(after: str) -> _Cursor | None:
    mark, _, rest = after.partition(":")
    weight, _, id_ = rest.partition(":")
    try:
        return _Cursor(mark, float(weight), UUID(id_))
    except ValueError:
        return None


def _rows(wanted: Wanted, part: _Part, cursor: _Cursor | None, most: int) -> list[Row]:
    base, params = _base(wanted, part, cursor)
    filters, more = _filters(wanted)
    inner = f"select * from queues_trace where {base} order by {part.order} limit %s"  # noqa: S608
    sql = f"select {_COLUMNS} from ({inner}) as trace where true {filters} order by {part.order} limit %s"  # noqa: S608
    with connection.cursor() as rows:
        rows.execute(sql, [*params, wanted.looks_at_most if filters else most, *more, most])
        return [Row(*row) for row in rows.fetchall()]


def _cut(wanted: Wanted, part: _Part, cursor: _Cursor | None) -> _Cursor | None:
    """The last trace that the filters looked at, if there are any beyond it."""
    filters, _ = _filters(wanted)
    if not filters:
        return None
    base, params = _base(wanted, part, cursor)
    sql = f"select weight, id from queues_trace where {base} order by {part.order} offset %s limit 2"  # noqa: S608
    with connection.cursor() as rows:
        rows.execute(sql, [*params, wanted.looks_at_most - 1])
        found = rows.fetchall()
    return _Cursor(part.mark, *found[0]) if len(found) == 2 else None


def _base(wanted: Wanted, part: _Part, cursor: _Cursor | None) -> tuple[str, list[Any]]:
    """What the indexes serve: the tenant, the period (and with it the partitions), the user, the place."""
    sql = f"tenant_id = %s and id >= %s and id < %s {part.condition}"
    params: list[Any] = [wanted.tenant_id, floor(wanted.since), floor(wanted.until)]
    if wanted.user_key:
        sql, params = f"{sql} and user_key = %s and user_key <> ''", [*params, wanted.user_key]
    if cursor is None:
        return sql, params
    if part.by_weight:
        return f"{sql} and weight >= %s and (weight > %s or id < %s)", [*params, cursor.weight, *cursor[1:]]
    return f"{sql} and id < %s", [*params, cursor.id]


def _filters(wanted: Wanted) -> tuple[str, list[Any]]:
    """What is looked at trace by trace."""
    sql: list[str] = []
    params: list[Any] = []
    for name in EQUAL:
        if value := getattr(wanted, name):
            sql.append(f"{name} = %s")
            params.append(value)
    if wanted.negative:
        sql.append("is_negative")
    if wanted.edited and wanted.order == BY_TIME:
        sql.append("is_edited")
    if wanted.signal:
        # A signal is hardly given before its trace: earlier weeks need not be opened.
        sql.append(
            "signals > 0 and exists (select from queues_signal as signal"
            " where signal.trace_id = trace.id and signal.type = %s and signal.id >= %s)"
        )
        params += [wanted.signal, floor(wanted.since)]
    if wanted.is_case is not None:
        known = (
            "exists (select from queues_case as told"
            " where told.tenant_id = trace.tenant_id and told.trace_id = trace.external_id)"
        )
        sql.append(known if wanted.is_case else f"not {known}")
    if words := wanted.words.split()[:WORDS_MOST]:
        sql.append("input || ' ' || output ilike all (%s)")
        params.append([f"%{_literal(word)}%" for word in words])
    return "".join(f" and {one}" for one in sql), params


def _literal(word: str) -> str:
    return word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


@dataclass(frozen=True, slots=True)
class Figures:
    """Of a period: how many traces, and of those with a signal how many say what. Counted up to COUNTED each."""

    traces: int = 0
    with_signals: int = 0
    negative: int = 0
    edited: int = 0
    at_most: int = field(default=COUNTED)

    @property
    def is_whole(self) -> bool:
        return self.traces <= self.at_most and self.with_signals <= self.at_most


def figures(tenant_id: int, since: datetime, until: datetime) -> Figures:
    bounds: list[Any] = [tenant_id, floor(since), floor(until)]
    with connection.cursor() as cursor:
        cursor.execute(
            "select (select count(*) from (select from queues_trace where tenant_id = %s and id >= %s and id < %s"
            " limit %s) as all_of_them), count(*), count(*) filter (where is_negative),"
            " count(*) filter (where is_edited)"
            " from (select is_negative, is_edited from queues_trace where tenant_id = %s and id >= %s and id < %s"
            " and signals > 0 limit %s) as told",
            [*bounds, COUNTED + 1, *bounds, COUNTED + 1],
        )
        return Figures(*cursor.fetchone())
