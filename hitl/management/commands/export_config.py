import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from hitl.management.config import writing


class Command(BaseCommand):
    help = "Writes tenants, calendars, people, codebooks, queues and rules as a file for import_config. No secrets."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, metavar="FILE", help="write there instead of to the standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            text, left_out = writing.written()
        for sentence in left_out:
            self.stderr.write(sentence)
        out: Path | None = options["out"]
        if out is None:
            self.stdout.write(text, ending="")
            return
        new = out.with_name(f"{out.name}.{os.getpid()}")
        try:
            new.write_text(text, encoding="utf-8")
            new.replace(out)
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}.") from None
        self.stdout.write(f"{out} holds the configuration now.")
