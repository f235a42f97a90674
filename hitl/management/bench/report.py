"""Runs the parts of the bench in order and says each figure as it comes."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connections

from codebook.models import Label, Version
from hitl.management.bench import floor, intake, labels, reviewers, sampler, server, story, traffic
from hitl.models import User

Say = Callable[[str], None]
WARM_UP = 60
CREWS = {1: 400, 8: 1600, 32: 3200}
OPEN = 10_000
FLOOR_DECISIONS = 1_000
SETTLE = 8
SCALE_DECISIONS = 300
# These grow up to the largest that is asked for.
SIZED = ("scale", "labels", "sampler")


def run(*, port: int, parts: Sequence[str], largest: int, say: Say) -> dict[str, Any]:
    """All the figures asked for, by part."""
    figures: dict[str, Any] = {}
    say("Starting a server and a database of their own ...")
    with server.running(port) as first_start:
        pass
    with server.running(port) as seconds:
        figures["start"] = {"first_ever_s": first_start, "warm_s": seconds}
        say(f"start to first page   first ever {first_start:.2f} s, warm {seconds:.2f} s")
        bench = Bench(port, say)
        if "memory" in parts:
            time.sleep(SETTLE)
            figures["memory_idle"] = bench.memory("idle")
        story.people_and_lanes()
        for part in parts:
            figures[part] = getattr(bench, part)(largest) if part in SIZED else getattr(bench, part)()
    return figures


class Bench:
    """One running server, and the sessions of its reviewers."""

    def __init__(self, port: int, say: Say) -> None:
        self.port, self.say, self.round = port, say, 0
        self.sessions: list[reviewers.Session] = []

    def signed_in(self, wanted: int) -> list[reviewers.Session]:
        while len(self.sessions) < wanted:
            session = reviewers.Session(f"bench-{len(self.sessions)}@example.org", self.port)
            session.sign_in()
            self.sessions.append(session)
        return self.sessions[:wanted]

    def refill(self, cases: int) -> None:
        self.round += 1
        story.refill(cases, self.round)

    def review(self) -> list[dict[str, Any]]:
        """(a) Decide and have the next case in hand, for one reviewer and for many."""
        self.refill(OPEN)
        self.signed_in(max(CREWS))
        reviewers.work(self.signed_in(8), WARM_UP)
        rows = []
        for crew, decisions in CREWS.items():
            self.refill(OPEN)
            done = reviewers.work(self.signed_in(crew), decisions)
            kept = set(Label.objects.values_list("slot", flat=True))
            row = {
                "reviewers": crew,
                "decisions": done.decisions,
                "p50_ms": done.p50,
                "p95_ms": done.p95,
                "p99_ms": done.p99,
                "per_second": done.rate,
                "handed_out_twice": done.handed_out_twice,
                "lost": len(done.acknowledged - kept),
            }
            rows.append(row)
            self.say(
                f"decide and next       {crew:>2} reviewers: "
                f"p50 {done.p50:.1f}, p95 {done.p95:.1f}, p99 {done.p99:.1f} ms, "
                f"{done.rate:.0f}/s, {row['handed_out_twice']} handed out twice, {row['lost']} lost of {done.decisions}"
            )
        self.reviewed = rows
        return rows

    def floor(self) -> dict[str, float]:
        """(b) The same statements in raw SQL, on one connection."""
        self.refill(OPEN)
        user = User.objects.get(email="bench-0@example.org")
        bare = floor.decisions(user.pk, Version.objects.get().pk, FLOOR_DECISIONS)
        one = getattr(self, "reviewed", None)
        ratio = f"; a whole request takes {one[0]['p50_ms'] / bare['p50']:.1f} times as long" if one else ""
        self.say(f"raw SQL floor         p50 {bare['p50']:.2f}, p95 {bare['p95']:.2f} ms, {bare['rate']:.0f}/s{ratio}")
        return bare | ({"ratio": one[0]["p50_ms"] / bare["p50"]} if one else {})

    def scale(self, largest: int) -> list[dict[str, float]]:
        """(c) The same with one reviewer, as the queue grows."""
        rows = []
        for cases in (size for size in (1_000, 10_000, 100_000, 1_000_000) if size <= largest):
            self.refill(cases)
            (session,) = self.signed_in(1)
            reviewers.work([session], WARM_UP)
            done = reviewers.work([session], SCALE_DECISIONS)
            with connections["default"].cursor() as cursor:
                cursor.execute("select pg_size_pretty(pg_database_size(current_database()))")
                size = cursor.fetchone()[0]
            rows.append({"open_cases": cases, "p50_ms": done.p50, "p95_ms": done.p95})
            times = done.p50 / rows[0]["p50_ms"]
            self.say(
                f"next case             {cases:>9,} open: p50 {done.p50:.1f}, p95 {done.p95:.1f} ms, "
                f"{times:.2f} times that at 1,000 ({size})"
            )
        return rows

    def intake(self) -> dict[str, float]:
        """(d) Rows a second, one and ten thousand a request, beside a bare COPY of the same rows."""
        self.refill(1_000)
        row = intake.measure(self.port)
        for name in ("without_scrub", "with_scrub"):
            seconds = row[f"{name}_s"]
            self.say(
                f"intake                {name.replace('_', ' ')}: {intake.ROWS:,} rows of "
                f"{row['row_bytes'] / 1000:.1f} kB in {seconds:.2f} s ({row[f'{name}_rows_per_s']:,.0f}/s, "
                f"{seconds / row['copy_s']:.1f} times a bare COPY of {row['copy_s']:.2f} s); "
                f"one a request {row[f'{name}_single_rows_per_s']:.0f}/s, p95 {row[f'{name}_single_p95_ms']:.1f} ms"
            )
        return row

    def traces(self) -> dict[str, Any]:
        """(h) Traces a second, the share of each step, a bare COPY beside it, and the memory of a large body."""
        row = traffic.traces(self.port)
        self._say_rows("traces", row)
        memory = row["memory_mb"]
        self.say(
            f"traces                a body of {memory['body']:.0f} MB: web {memory['before']:.0f} MB before, at most "
            f"{memory['most']:.0f} MB during, {memory['after']:.0f} MB after it"
        )
        return row

    def signals(self) -> dict[str, Any]:
        """(i) Signals a second in the same way, and one alone."""
        row = traffic.signals(self.port)
        self._say_rows("signals", row)
        for name in traffic.TENANTS:
            self.say(
                f"signals               {name.replace('_', ' ')}, one a request: "
                f"p50 {row[f'{name}_single_p50_ms']:.1f}, p95 {row[f'{name}_single_p95_ms']:.1f} ms"
            )
        return row

    def _say_rows(self, noun: str, row: dict[str, Any]) -> None:
        for name in traffic.TENANTS:
            seconds = row[f"{name}_s"]
            steps = ", ".join(f"{step} {share:.0%}" for step, share in row[f"{name}_steps"].items())
            self.say(
                f"{noun:<22}{name.replace('_', ' ')}: {row['rows']:,} rows of {row['row_bytes'] / 1000:.1f} kB in "
                f"{seconds:.2f} s ({row[f'{name}_rows_per_s']:,.0f}/s, {seconds / row['copy_s']:.1f} times a bare COPY "
                f"of {row['copy_s']:.2f} s); {steps}"
            )

    def scrub(self) -> dict[str, float]:
        """The scrub's own speed on one core."""
        row = intake.scrub_speed()
        self.say(
            f"scrub                 {row['clean_cases_per_s']:,.0f} clean cases/s, {row['all_new_cases_per_s']:,.0f} "
            f"all new, {row['three_findings_cases_per_s']:,.0f} with three findings each, on one core"
        )
        return row

    def bytes(self) -> dict[str, float]:
        """(e) Requests and bytes of a case, and of the first page with its styles and scripts."""
        self.refill(1_000)
        (session,) = self.signed_in(1)
        session.open()
        requests, received = session.requests, session.received
        for _ in range(50):
            session.decide()
        row = {
            "requests_per_case": (session.requests - requests) / 50,
            "bytes_per_case": (session.received - received) / 50,
        }
        first = session.first_page()
        self.say(
            f"bytes                 {row['requests_per_case']:.0f} request and "
            f"{row['bytes_per_case'] / 1000:.1f} kB a case; "
            f"first page {first['html'] / 1000:.1f} kB of HTML, "
            f"{first['styles_and_scripts'] / 1000:.1f} kB of styles and "
            f"scripts, compressed, in {first['files']} files"
        )
        return row | first

    def labels(self, largest: int) -> dict[str, Any]:
        """(g) Agreement over a hundred thousand labels, and the codebook's pages beside a million."""
        codebook = labels.fill(min(labels.FOR_AGREEMENT, largest))
        seconds, compared = labels.measure(codebook)
        self.say(
            f"agreement             {compared:,} labels by {labels.RATERS} reviewers, all figures: {seconds:.1f} s"
        )
        codebook = labels.fill(largest)
        labels.measure(codebook)
        labels.catch_up()
        (session,) = self.signed_in(1)
        times = labels.pages(session, codebook)
        for words, one in times.items():
            self.say(f"codebook, {largest:,} labels  {words}: p50 {one['p50_ms']:.0f}, p95 {one['p95_ms']:.0f} ms")
        return {"agreement_s": seconds, "agreement_labels": compared, "pages": times}

    def sampler(self, largest: int) -> list[dict[str, float]]:
        """(h) A day's sample out of a week of traces: 12,000 a day, and a million."""
        rows = []
        for count in dict.fromkeys((min(sampler.A_WEEK, largest), largest)):
            row = sampler.measure(sampler.fill(count))
            rows.append({"traces": count, **row})
            self.say(
                f"sampler               {count:>9,} traces: trial {row['trial_s']:.2f} s, with {row['picked']} cases "
                f"made {row['kept_s']:.2f} s, raw SQL scan {row['scan_s']:.2f} s, {row['memory_mb']:.0f} MB more memory"
            )
        return rows

    def memory(self, when: str = "after") -> dict[str, float]:
        """(f) Memory of all processes, shared pages counted once: idle, and after the work."""
        sizes = server.memory()
        self.say(f"memory {when:<14} {sizes.pop('all'):.0f} MB: " + ", ".join(f"{k} {v:.0f}" for k, v in sizes.items()))
        return sizes
