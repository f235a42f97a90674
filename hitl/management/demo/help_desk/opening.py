"""The demo's help desk, before it opens: its port, its tokens, and that hitl takes feedback from its origin."""

import json
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.utils import timezone

from hitl.access import tokens
from hitl.management.demo.help_desk.answers import Desk
from hitl.management.starting import Refused
from hitl.models import ApiToken, Tenant
from hitl.node import Beside
from queues.intake import changing
from queues.intake.traces import traces
from queues.models import IntakeSettings

FILE: Final = "demo-help-desk.json"
TENANT: Final = "northlight"
# What stands on the page when it is opened: the questions are the story's, by topic, and how each was answered.
BEFORE: Final = (("meter", True), ("moving", False), ("refund", False))
PORTS_TRIED: Final = 50


def open_desk(*, folder: Path, host: str, port: int, hitl: str) -> tuple[Beside, str]:
    """The process to run beside hitl, and a sentence with its address. What it needs is written to the folder."""
    tenant, now = Tenant.objects.get(slug=TENANT), timezone.now()
    own_port = free_port(host, port + 1)
    name = urlsplit(hitl).hostname or host
    origin = f"http://{f'[{name}]' if ':' in name else name}:{own_port}"
    file = folder / FILE
    kept: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    _allow(tenant, origin, kept.get("origin"))
    desk = {
        "hitl": hitl,
        "host": host,
        "port": own_port,
        "origin": origin,
        "by": tenant.name,
        "days": IntakeSettings.of(tenant).trace_days,
        "page_token": _secret(tenant, kept.get("page_token"), ApiToken.Scope.FEEDBACK, now),
        "own_token": _secret(tenant, kept.get("own_token"), ApiToken.Scope.INGEST, now),
        "before": _answered(tenant, now),
    }
    file.touch(mode=0o600)
    file.write_text(json.dumps(desk))
    command = [sys.executable, "-m", "hitl.management.demo.help_desk.server", str(file)]
    news = f"A help desk with the feedback widget is at {origin}/; what is said there comes in for {tenant.name}."
    return Beside("help desk", command), news


def free_port(host: str, first: int) -> int:
    """The next port on which nothing listens."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in range(first, min(first + PORTS_TRIED, 65_536)):
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise Refused(f"No port from {first} on is free for the demo's help desk. Choose another --port.")


def _allow(tenant: Tenant, origin: str, before: str | None) -> None:
    """The page's origin, in place of the one that it had at the last start. What a lead added stays."""
    others = [one for one in IntakeSettings.of(tenant).origins if one not in (origin, before)]
    changing.change(tenant=tenant, by=None, fields={"origins": [*others, origin]}, actor_name="demo")


def _secret(tenant: Tenant, kept: str | None, scope: str, now: datetime) -> str:
    """The token that was kept, as long as it is good for another day; else a new one."""
    if kept and ApiToken.objects.usable(now + timedelta(days=1)).filter(digest=ApiToken.digest_of(kept)).exists():
        return kept
    return tokens.issue(tenant=tenant, name=f"Help desk ({scope})", scopes=[scope], actor_name="demo")[1]


def _answered(tenant: Tenant, now: datetime) -> list[dict[str, str]]:
    """Today's answers that stand there already, with their traces in hitl."""
    desk = Desk()
    rows = [
        desk.answer(topic, good=good) | {"trace_id": f"desk-{now:%Y%m%d}-{number}"}
        for number, (topic, good) in enumerate(BEFORE, 1)
    ]
    # The same at every start of the day, so that they are taken in once.
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    traces([{**row, "at": midnight.isoformat()} for row in rows], tenant=tenant, now=now, source="demo")
    return [{"trace": row["trace_id"], "question": row["input"], "answer": row["output"]} for row in rows]
