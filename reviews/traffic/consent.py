"""What a tenant's users allow of what they gave, in numbers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection

from hitl.database.uuid7 import floor
from hitl.models import Tenant
from queues.models import Signal
from queues.traces.consent import FLAGS, Use

COUNTED: Final = 500_000


@dataclass(frozen=True, slots=True)
class Counted:
    """Signals of one kind: how many, and how many may be used for what."""

    words: str
    signals: int
    uses: tuple[int, ...]
    nothing: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class Figures:
    """`whole`: all signals of the period were counted, not just the first COUNTED."""

    rows: tuple[Counted, ...]
    total: Counted
    uses: tuple[str, ...]
    whole: bool


def figures(tenant: Tenant, since: datetime) -> Figures:
    """Of the signals given since then, by type; edits first, whose author's work they are."""
    flags = list(FLAGS.values())
    sums = ", ".join(f"count(*) filter (where {flag})" for flag in flags)
    with connection.cursor() as cursor:
        cursor.execute(
            f"select type, count(*), {sums}, count(*) filter (where not ({' or '.join(flags)})),"  # noqa: S608
            " count(withdrawn_at)"
            " from (select * from queues_signal where tenant_id = %s and id >= %s limit %s) as given group by type",
            [tenant.pk, floor(since), COUNTED],
        )
        found = {kind: row for kind, *row in cursor.fetchall()}
    edits = (Signal.Type.USER_EDIT, Signal.Type.COPY_EDIT)
    order = [*edits, *(kind for kind in Signal.Type if kind not in edits)]
    rows = tuple(_counted(str(kind.label), found[kind]) for kind in order if kind in found)
    total = _counted("All", [sum(column) for column in zip(*found.values(), strict=True)] or [0] * (3 + len(flags)))
    return Figures(rows, total, tuple(str(Use(use).label) for use in FLAGS), total.signals < COUNTED)


def _counted(words: str, row: list[int]) -> Counted:
    signals, *uses, nothing, withdrawn = row
    return Counted(words, signals, tuple(uses), nothing, withdrawn)
