import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from hitl.management.config import importing
from hitl.management.config.reading import Faulty


class Command(BaseCommand):
    help = "Brings tenants, calendars, people, codebooks, queues and rules to what a file says. Deletes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="a YAML file as export_config writes it; - reads the standard input")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run: bool = options["dry_run"]
        try:
            report = importing.bring(text=self.text(options["file"]), now=timezone.now(), dry_run=dry_run)
        except Faulty as faulty:
            many = f"has {len(faulty.faults)} faults" if len(faulty.faults) > 1 else "has a fault"
            said = "\n".join(f"  {fault}" for fault in faulty.faults)
            raise CommandError(f"{options['file']} {many}; nothing was changed:\n{said}") from None
        for line in report.lines():
            self.stdout.write(line)
        counts = report.counts()
        so_many = f"{counts['created']} created, {counts['changed']} changed, {counts['unchanged']} unchanged."
        if not report.changed:
            self.stdout.write(f"Nothing changed. {so_many}")
        else:
            self.stdout.write(f"Nothing was saved (--dry-run); it would be: {so_many}" if dry_run else so_many)
        if report.links:
            self.stdout.write(
                "Hand each their link, good for three days: with it they set a password. Shown this once:"
            )
        for email, path in report.links.items():
            self.stdout.write(f"  {email}  {settings.HITL_URL}{path}")

    def text(self, name: str) -> str:
        try:
            content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
            return content.decode("utf-8-sig")
        except OSError as error:
            raise CommandError(f"{name} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise CommandError(f"{name} is not in UTF-8. Save it as UTF-8, and import it again.") from None
