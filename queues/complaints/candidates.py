"""The traces that a complaint may be about: a bounded number, found by user, by time and by words; then ranked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection

from hitl.database.uuid7 import floor
from queues.complaints import likeness
from queues.complaints.likeness import Candidate, Likeness, Said
from queues.models import Complaint

BEFORE: Final = timedelta(days=14)
AROUND: Final = timedelta(days=2)
AFTER: Final = timedelta(minutes=10)
OF_USER, NEAREST, WITH_WORDS = 300, 1_000, 700
# Of so many traces, the nearest in time, the words are read; and so many letters of each.
READ: Final = 12_000
LETTERS: Final = 1_500
ASKED: Final = 6
SHORTEST: Final = 5


@dataclass(frozen=True, slots=True)
class Proposed:
    """A trace as it is proposed, with what a person needs to see whether it is the one."""

    id: UUID
    external_id: str
    at: datetime
    user_key: str
    topic: str
    input: str
    output: str
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class Proposals:
    """`looked_at`: among how many candidates; `since`, `until`: in which time."""

    rows: Sequence[Proposed]
    looked_at: int
    since: datetime
    until: datetime


def propose(complaint: Complaint, *, most: int = 5) -> Proposals:
    said = Said(complaint.text, complaint.user_key, complaint.about, complaint.at)
    since, until = period(said)
    found = _candidates(complaint.tenant_id, said, since, until)
    ranked = likeness.rank(said, [_candidate(row) for row in found.values()], most=most)
    rows = [_proposed(found[one.id], one) for one in ranked]
    return Proposals(rows, len(found), since, until)


def period(said: Said) -> tuple[datetime, datetime]:
    """Around the time that was named, or the two weeks before the complaint."""
    if said.about is not None:
        return said.about - AROUND, said.about + AROUND
    return said.at - BEFORE, said.at + AFTER


_COLUMNS: Final = (
    f"id, external_id, at, user_key, topic, left(input, {LETTERS}) as input, left(output, {LETTERS}) as output,"
    " is_negative"
)
_TRACES: Final = f"select {_COLUMNS} from queues_trace where tenant_id = %s and id >= %s and id < %s"  # noqa: S608
_EARLIER: Final = f"{_TRACES} order by id desc limit %s"
_LATER: Final = f"{_TRACES} order by id limit %s"
_OF_USER: Final = f"{_TRACES} and user_key = %s and user_key <> '' order by id desc limit %s"
# In lower case once, not for each word; `offset 0`: counted once, not for each use.
_WITH_WORDS: Final = f"""
select * from (
  select near.*, (select count(*) from unnest(%s::text[]) as word where strpos(told, word) > 0) as words
  from (
    select {_COLUMNS}, lower(left(input, {LETTERS}) || ' ' || left(output, {LETTERS})) as told
    from queues_trace where tenant_id = %s and id >= %s and id < %s order by id {{direction}} limit %s
  ) as near offset 0
) as counted where words > 0 order by words desc, id {{direction}} limit %s
"""  # noqa: S608
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


def _candidates(tenant_id: int, said: Said, since: datetime, until: datetime) -> dict[UUID, tuple[Any, ...]]:
    """Rows by id. The user's own traces are looked for over the whole time that they are kept."""
    words = telling(said.text)
    with connection.cursor() as cursor:
        found: dict[UUID, tuple[Any, ...]] = {}

        def ask(sql: str, params: Sequence[Any]) -> None:
            cursor.execute(sql, params)
            found.update((row[0], row[:8]) for row in cursor.fetchall())

        def around(begin: datetime, end: datetime, *, later: bool, part: int) -> None:
            bounds = [tenant_id, floor(begin), floor(end)]
            ask(_LATER if later else _EARLIER, [*bounds, NEAREST // part])
            if words:
                sql = _WITH_WORDS.format(direction="asc" if later else "desc")
                ask(sql, [words, *bounds, READ // part, WITH_WORDS // part])

        if said.user_key:
            ask(_OF_USER, [tenant_id, floor(_EPOCH), floor(until), said.user_key, OF_USER])
        if said.about is None:
            around(since, until, later=False, part=1)
        else:
            around(since, said.about, later=False, part=2)
            around(said.about, until, later=True, part=2)
    return found


def telling(text: str) -> list[str]:
    """The longest words of a text: what a topic is called by is rarely short. Without what ilike would read."""
    words = {word for word in likeness.words(text) if len(word) >= SHORTEST}
    return sorted(words, key=lambda word: (-len(word), word))[:ASKED]


def _candidate(row: Sequence[Any]) -> Candidate:
    id, _, at, user_key, _, asked, answered, is_negative = row
    return Candidate(id, at, user_key, f"{asked}\n{answered}", is_negative)


def _proposed(row: Sequence[Any], likeness_: Likeness) -> Proposed:
    id, external_id, at, user_key, topic, asked, answered, _ = row
    return Proposed(id, external_id, at, user_key, topic, asked, answered, likeness_)
