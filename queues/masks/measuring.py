"""Measures the scrub, as a tenant has it, on a file of marked texts: kept are the counts, nothing of the texts."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Final

from django.db import transaction

from hitl.audit import log
from hitl.models import Tenant, User
from queues.models import ScrubMeasurement
from queues.scrub import REGIONS, scrub
from queues.scrub.measuring import Find, Marked, Measured, Span, Unusable, marked
from queues.scrub.measuring import measure as compared
from queues.scrubbing import left_by, scrubbed

BYTES: Final = 4 * 1024 * 1024
TEXTS: Final = 10_000
LONGEST: Final = 20_000
# Nothing hangs on it: what is measured is where something is masked, not by what.
_KEY: Final = b"measured"


class Refused(ValueError):
    """The file cannot be measured with; the text is the sentence to show."""


def read(lines: Iterable[str | bytes], *, most: int = TEXTS, longest: int = LONGEST) -> Iterator[Marked]:
    """The texts of a file, one JSON object a line. Raises Refused, naming the line."""
    count = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            one = marked(json.loads(line))
        except (ValueError, RecursionError) as fault:
            said = str(fault) if isinstance(fault, Unusable) else "It is no JSON object."
            raise Refused(f"Line {number:,} cannot be used: {said} Nothing was measured.") from None
        count += 1
        if len(one.text) > longest:
            raise Refused(f"The text in line {number:,} is longer than {longest:,} characters. Nothing was measured.")
        if count > most:
            raise Refused(f"The file has more than {most:,} texts. Split it. Nothing was measured.")
        yield one
    if not count:
        raise Refused("The file holds no text. It needs a JSON object a line, with text and spans.")


def figures(texts: Iterable[Marked], *, leave: frozenset[str], regions: Sequence[str] = ()) -> Measured:
    """What the scrub does on the texts without the recognisers in `leave`."""
    return compared(texts, finder(leave, tuple(regions) or REGIONS))


def finder(leave: frozenset[str], regions: tuple[str, ...]) -> Find:
    def find(text: str) -> Sequence[Span]:
        found = scrub(text, key=_KEY, regions=regions, leave=leave).found
        return [Span(one.kind, one.start, one.end) for one in found]

    return find


def bring(
    *, tenant: Tenant, name: str, content: bytes, by: User | None, now: datetime, actor_name: str = ""
) -> ScrubMeasurement:
    """A file that a lead brings, measured as the tenant's texts are scrubbed. Raises Refused."""
    if len(content) > BYTES:
        raise Refused(f"The file has {len(content):,} bytes; {BYTES:,} are taken. Split it. Nothing was measured.")
    try:
        lines = content.decode().splitlines()
    except UnicodeDecodeError:
        raise Refused("The file is no text in UTF-8. Nothing was measured.") from None
    return measure(tenant=tenant, name=name, texts=read(lines), by=by, now=now, actor_name=actor_name)


def measure(
    *,
    tenant: Tenant,
    name: str,
    texts: Iterable[Marked],
    by: User | None,
    now: datetime,
    actor_name: str = "",
    said: Callable[[Measured], object] | None = None,
) -> ScrubMeasurement:
    """The verb: measures, and keeps the counts. `said` is handed the figures as well."""
    measured = figures(texts, leave=left_by(tenant), regions=tenant.regions)
    if said:
        said(measured)
    with transaction.atomic():
        made = ScrubMeasurement.objects.create(
            tenant=tenant, name=scrubbed(PurePath(name).name, tenant).replace("\x00", "")[-200:] or "file",
            result=measured.to_json(), names=tenant.scrubs_names, addresses=tenant.scrubs_addresses, by=by, at=now,
        )  # fmt: skip
        log.append(
            actor=by, action="scrub.measured", subject=f"tenant:{tenant.pk}", tenant_id=tenant.pk,
            detail={"texts": measured.texts}, actor_name=actor_name,
        )  # fmt: skip
    return made
