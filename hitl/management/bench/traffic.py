"""Traces and signals measured from outside, over HTTP, beside a bare COPY of the same rows; and where the time goes."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final

from django.db import connections
from django.utils import timezone

from hitl.access import tokens
from hitl.management.bench import server
from hitl.management.bench.intake import DRAFT, QUESTION, QUOTES
from hitl.management.bench.stopwatch import Stopwatch
from hitl.models import Tenant

ROWS: Final = 10_000
SIGNAL_ROWS: Final = 20_000
SINGLES: Final = 200
ROUNDS: Final = 3
LARGE: Final = 50_000
TENANTS: Final = {"without_scrub": "bench-unscrubbed", "with_scrub": "bench-1"}
TOPICS: Final = ("refund", "invoice", "delivery", "contract")
SAID: Final = (
    "That is not what I meant: I asked when the second payment of order {n} comes back, not whether it was approved. "
    "Please tell me the day, and whether I have to do anything for it until then, thank you."
)
Row = dict[str, Any]


def trace(run: str, n: int, now: datetime) -> Row:
    """One trace of some 2 kB."""
    return {
        "trace_id": f"{run}-{n:06d}",
        "at": (now - timedelta(seconds=60 + n % 500_000)).isoformat(),
        "input": QUESTION.format(n=n),
        "output": DRAFT.format(n=n),
        "conversation": [
            {
                "role": "user",
                "content": "Hello, I have a question about my invoice of October: whom may I ask?",
            },
            {"role": "assistant", "content": "Gladly: just ask me. What would you like to know about the invoice?"},
        ],
        "documents": [
            {
                "document_id": f"doc-{place}",
                "title": "A document",
                "quote": quote.format(n=n),
                "score": 0.9 - place / 10,
            }
            for place, quote in enumerate(QUOTES)
        ],
        "tool_calls": [{"name": "ledger", "arguments": {"invoice": n}, "status": "ok", "output": {"charges": 2}}],
        "scores": {"groundedness": 0.61, "relevance": 0.8},
        "prompt_version": "support-7",
        "model": "chat-large",
        "release": "2026.11.2",
        "user_key": f"u-{n % 2_000}",
        "session_id": f"session-{n // 4}",
        "metadata": {
            "channel": "web",
            "shop": "north",
            "experiment": "answers-with-sources-first",
            "retries": 0,
            "device": "phone",
        },
        "topic": TOPICS[n % 4],
        "domain": "billing",
        "language": "en",
        "latency_ms": 1_840,
    }


def signal(run: str, n: int, about: str, now: datetime) -> Row:
    """One signal with some 0.2 kB of text; one in 25 is an edit."""
    text = SAID.format(n=n)
    said: tuple[Row, ...] = (
        {"type": "implicit_followup", "text": text},
        {"type": "user_reason", "reason": "missed_the_point", "comment": text},
        {"type": "implicit_copy", "text": text},
    )
    row = {
        "signal_id": f"{run}-{n:06d}",
        "trace_id": about,
        "at": (now - timedelta(seconds=n % 50)).isoformat(),
        "user_key": f"u-{n % 2_000}",
        "consent": {"evaluation": True, "training": False},
    }
    return row | ({"type": "user_edit", "edited_output": text} if n % 25 == 0 else said[n % 3])


def traces(port: int) -> Row:
    """Traces a second, with the scrub and without it; the share of each step; the memory of a large body."""

    def rows(run: str, count: int) -> list[Row]:
        now = timezone.now()
        return [trace(run, n, now) for n in range(count)]

    figures = _measured(port, "traces", "queues_trace", rows, ROWS)
    figures |= _memory(port, rows("large", LARGE))
    return figures


def signals(port: int) -> Row:
    """Signals a second on traces that are here, two a trace, in the same way; and how long one takes alone."""
    for slug in TENANTS.values():
        now = timezone.now()
        post(port, "traces", _secret(slug), [trace("about", n, now) for n in range(SIGNAL_ROWS // 2)])

    def rows(run: str, count: int) -> list[Row]:
        now = timezone.now()
        return [signal(run, n, f"about-{n % (SIGNAL_ROWS // 2):06d}", now) for n in range(count)]

    figures = _measured(port, "signals", "queues_signal", rows, SIGNAL_ROWS)
    for name, slug in TENANTS.items():
        secret = _secret(slug)
        alone = rows(f"{name}-alone", SINGLES)
        times = sorted(post(port, "signals", secret, [one]) for one in alone)
        figures[f"{name}_single_p50_ms"] = times[SINGLES // 2] * 1000
        figures[f"{name}_single_p95_ms"] = times[int(SINGLES * 0.95)] * 1000
    return figures


def _measured(port: int, noun: str, table: str, rows: Callable[[str, int], list[Row]], count: int) -> Row:
    figures: Row = {"rows": count, "row_bytes": len(json.dumps(rows("x", 1)[0]))}
    for name, slug in TENANTS.items():
        secret = _secret(slug)
        post(port, noun, secret, rows(f"{name}-warm", 1_000))
        times = [post(port, noun, secret, rows(f"{name}-{turn}", count)) for turn in range(ROUNDS)]
        figures[f"{name}_s"] = median(times)
        figures[f"{name}_rows_per_s"] = count / median(times)
        figures[f"{name}_steps"] = _steps(noun, Tenant.objects.get(slug=slug), rows(f"{name}-steps", count))
    figures["copy_s"] = bare_copy(table, count)
    return figures


def _secret(slug: str) -> str:
    return tokens.issue(tenant=Tenant.objects.get(slug=slug), name="bench", scopes=["ingest"])[1]


def post(port: int, noun: str, secret: str, rows: Sequence[Row]) -> float:
    """Seconds until all of the rows are acknowledged as taken in."""
    body = _lines(rows)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/x-ndjson"}
    began = time.perf_counter()
    connection.request("POST", f"/api/v1/{noun}", body, headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    took = time.perf_counter() - began
    connection.close()
    if response.status != 200 or answer["accepted"] != len(rows):
        raise RuntimeError(f"Intake answered {response.status}: {str(answer)[:500]}")
    return took


def _lines(rows: Sequence[Row]) -> bytes:
    return b"\n".join(json.dumps(one).encode() for one in rows)


def _steps(noun: str, tenant: Tenant, rows: Sequence[Row]) -> dict[str, float]:
    """The share of each step, one after the other in this process: over HTTP reading and checking go on beside."""
    watch = Stopwatch()
    watch.run(noun, _lines(rows), tenant, timezone.now())
    return watch.shares()


def bare_copy(table: str, count: int) -> float:
    """Seconds to COPY as many stored rows into an empty table with the same columns and indexes: the floor."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("drop table if exists bench_copy")
        cursor.execute(f"create table bench_copy (like {table} including all)")
        cursor.execute(f"create temp table bench_rows as select * from {table} limit %s", [count])  # noqa: S608
        with cursor.copy("copy bench_rows to stdout") as out:
            data = b"".join(bytes(part) for part in out)
        times = []
        for _ in range(ROUNDS):
            cursor.execute("truncate bench_copy")
            began = time.perf_counter()
            with cursor.copy("copy bench_copy from stdin") as into:
                into.write(data)
            times.append(time.perf_counter() - began)
        cursor.execute("drop table bench_copy")
        cursor.execute("drop table bench_rows")
    return median(times)


def _memory(port: int, rows: Sequence[Row]) -> Row:
    """The web processes' memory in MB before a large body, at most while it is read, and after it."""
    secret = _secret(TENANTS["without_scrub"])
    size = len(_lines(rows)) / 1e6
    with _peak() as seen:
        before = server.memory()["web"]
        post(port, "traces", secret, rows)
    return {
        "memory_mb": {
            "body": size,
            "before": before,
            "most": max(seen, default=before),
            "after": server.memory()["web"],
        }
    }


@contextmanager
def _peak() -> Iterator[list[float]]:
    seen: list[float] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.2):
            seen.append(server.memory()["web"])

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        done.set()
        looking.join()
