import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from hitl.management.bench import pii, report, server
from queues.masks import measuring

INSIDE = "HITL_BENCH"
PARTS = ("review", "floor", "scale", "intake", "traces", "signals", "scrub", "bytes", "labels", "sampler", "memory")


class Command(BaseCommand):
    help = "Measures hitl on this machine: a server and a database of its own, real sessions, raw SQL beside it."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only", nargs="+", choices=(*PARTS, "pii"), default=PARTS)
        parser.add_argument("--pii", nargs="+", type=Path, default=[], help="JSONL files of texts with marked values")
        parser.add_argument(
            "--largest", type=int, default=1_000_000, help="open cases, labels or traces in the largest"
        )
        parser.add_argument("--json", type=Path, help="write the figures to this file too")

    def handle(self, *, only: list[str], largest: int, json: Path | None, pii: list[Path], **options: Any) -> None:
        if "pii" in only or (pii and not os.environ.get(INSIDE)):
            self.find(pii, json if only == ["pii"] else None)
            if only == ["pii"]:
                return
            only = [part for part in only if part != "pii"]
        if os.environ.get(INSIDE):
            self.measure(only, largest, json)
            return
        folder = tempfile.mkdtemp(prefix="hitl-bench-")
        try:
            # Settings are read once, so what is measured runs in a process that was told its own data folder.
            inside = subprocess.run(  # noqa: S603 -- ourselves
                [sys.executable, str(settings.BASE_DIR / "manage.py"), *sys.argv[1:]],
                env={**os.environ, "HITL_DATA_DIR": folder, INSIDE: "1", "DATABASE_URL": "", "HITL_URL": ""},
                check=False,
            )
            if inside.returncode:
                self.say((Path(folder) / "bench.log").read_text()[-3000:])
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        sys.exit(inside.returncode)

    def measure(self, only: list[str], largest: int, file: Path | None) -> None:
        port = server.free_port()
        figures = report.run(port=port, parts=only, largest=largest, say=self.say)
        if file:
            file.write_text(json.dumps(figures, indent=2))
            self.say(f"Written to {file}.")

    def find(self, files: list[Path], into: Path | None) -> None:
        """What the scrub finds in labelled texts; no server is needed for it."""
        if not files:
            raise CommandError("Say which files: --pii FILE ...")
        try:
            figures = pii.by_both(files, self.say)
        except (OSError, UnicodeDecodeError, measuring.Refused) as refused:
            raise CommandError(str(refused)) from None
        if into:
            into.write_text(json.dumps(figures, indent=2))

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
