"""Intake measured from outside, over HTTP, beside a bare COPY of the same rows into a table like the one for cases."""

import http.client
import json
import secrets
import time
from statistics import median
from typing import Any

from django.db import connections

from hitl.access import tokens
from hitl.models import Tenant
from queues import scrub

ROWS = 10_000
SINGLES = 200
ROUNDS = 3
QUESTION = "I was charged twice in October (order {n}). Is it right that I get the second payment back this week?"
DRAFT = (
    "I am sorry about the double charge. I can see two payments of 142.60 on 3 and 4 October, and the second one was "
    "booked in error. Because the amount is above 100, our billing team confirms the error in the ledger first. Your "
    "refund is already approved and arrives within three working days. If it does not, reply here; case {n}. "
)
QUOTES = (
    "03 Oct: direct debit 142.60, invoice 7731. 04 Oct: direct debit 142.60, invoice 7731 (duplicate, batch rerun). "
    "Status: flagged, not yet reversed. Account 88-{n}.",
    "Refunds above 100 are released after Billing confirms the error in the ledger. Until then the customer may hear "
    "that the case is being checked, not that a refund is approved.",
    "Agents may grant a goodwill credit of up to 25 per customer and calendar year. Whoever grants one says why, "
    "and the customer's next invoice shows it as a line of its own.",
)


def row(run: str, n: int) -> dict[str, object]:
    """One case of some 1.5 kB."""
    return {
        "case_id": f"{run}-{n}",
        "user_question": QUESTION.format(n=n),
        "model_draft": DRAFT.format(n=n),
        "evidence": [
            {
                "document_id": f"doc-{place}",
                "title": "A document",
                "quote": quote.format(n=n),
                "score": 0.9 - place / 10,
            }
            for place, quote in enumerate(QUOTES)
        ],
        "risk_level": ("low", "medium", "high", "critical")[n % 4],
        "reason_for_escalation": "Money is promised, and one of the claims is not in the evidence.",
        "domain": "billing",
        "language": "en",
        "groundedness": 0.61,
    }


def measure(port: int) -> dict[str, float]:
    """Rows a second: one a request, ten thousand a request with and without the scrub, and by bare COPY."""
    figures: dict[str, float] = {}
    for slug, name in (("bench-unscrubbed", "without_scrub"), ("bench-1", "with_scrub")):
        _, secret = tokens.issue(tenant=Tenant.objects.get(slug=slug), name="bench", scopes=["ingest"])
        post(port, secret, [row(f"{name}-warm", n) for n in range(500)])
        times = []
        for turn in range(ROUNDS):
            rows = [row(f"{name}-{turn}", n) for n in range(ROWS)]
            times.append(post(port, secret, rows))
        figures[f"{name}_s"] = median(times)
        figures[f"{name}_rows_per_s"] = ROWS / median(times)
        began = time.perf_counter()
        singles = sorted(post(port, secret, [row(f"{name}-one", n)]) for n in range(SINGLES))
        figures[f"{name}_single_rows_per_s"] = SINGLES / (time.perf_counter() - began)
        figures[f"{name}_single_p95_ms"] = singles[int(SINGLES * 0.95)] * 1000
    figures["copy_s"] = bare_copy()
    figures["row_bytes"] = len(json.dumps(row("x", 1)))
    return figures


def post(port: int, secret: str, rows: list[dict[str, object]]) -> float:
    """Seconds until all of the rows are acknowledged as taken in."""
    body = "\n".join(json.dumps(one) for one in rows).encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/x-ndjson"}
    began = time.perf_counter()
    connection.request("POST", "/api/v1/cases", body, headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    took = time.perf_counter() - began
    connection.close()
    if response.status != 200 or answer["accepted"] != len(rows):
        raise RuntimeError(f"Intake answered {response.status}: {str(answer)[:500]}")
    return took


def bare_copy() -> float:
    """Seconds to COPY as many stored cases into an empty table with the same columns and indexes: the floor."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("drop table if exists bench_copy")
        cursor.execute("create table bench_copy (like queues_case including all)")
        cursor.execute("create temp table bench_rows as select * from queues_case order by id desc limit %s", [ROWS])
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


def scrub_speed() -> dict[str, float]:
    """Cases of this size a second through the scrub alone, on one core: clean ones, whose passages come again as those
    of a knowledge base do; clean ones of which nothing was seen before; and such with three findings in each.
    """
    key = b"bench"
    planted = " Write to anna.maier@example.com or call +49 30 901820; card 4111 1111 1111 1111."
    figures = {}
    for name, more in (("clean", ""), ("all_new", ""), ("three_findings", planted)):
        first = secrets.randbelow(10**6)
        cases = [{**row("s", n), "user_question": f"{QUESTION.format(n=n)}{more}"} for n in range(first, first + 400)]
        if name != "clean":
            cases = [_all_new(case, _word(n)) for n, case in enumerate(cases, first)]
        began = time.process_time()
        for case in cases:
            scrub.scrub_tree(case, key=key)
        figures[f"{name}_cases_per_s"] = len(cases) / (time.process_time() - began)
    return figures


def _word(n: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in str(n))


def _all_new(case: Any, word: str) -> Any:
    """The case with a word of its own in every text that is more than a word."""
    if isinstance(case, dict):
        return {key: _all_new(value, word) for key, value in case.items()}
    if isinstance(case, list):
        return [_all_new(value, word) for value in case]
    return f"{case} {word}" if isinstance(case, str) and " " in case else case
