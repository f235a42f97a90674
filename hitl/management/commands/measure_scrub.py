from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from hitl.management.bench import pii
from hitl.models import Tenant
from queues.masks import measuring
from queues.scrubbing import NAMES, left_by


class Command(BaseCommand):
    help = (
        "How well personal data is found: precision and recall by type on a JSONL file of texts whose values are "
        "marked (text, spans of start, end and type; perhaps checked_type). Nothing of the texts is kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--tenant", help="measure as this tenant has it, and keep the counts for its page")
        parser.add_argument("--names", choices=Tenant.Names.values, default=Tenant.Names.SAID, help="without --tenant")

    def handle(self, *, file: Path, tenant: str | None, names: str, **options: Any) -> None:
        try:
            if tenant:
                self.keep(file, tenant)
            else:
                pii.files([file], self.stdout.write, leave=NAMES[Tenant.Names(names)])
        except (OSError, UnicodeDecodeError, measuring.Refused) as refused:
            raise CommandError(str(refused)) from None

    def keep(self, file: Path, slug: str) -> None:
        found = Tenant.objects.filter(slug=slug).first()
        if not found:
            raise CommandError(f"There is no tenant {slug}.")
        self.stdout.write(f"{pii.RULE} Left alone: {', '.join(sorted(left_by(found))) or 'nothing'}.")
        with file.open(encoding="utf-8") as lines:
            measuring.measure(
                tenant=found, name=file.name, texts=measuring.read(lines, most=10**9, longest=10**9), by=None,
                now=timezone.now(), actor_name="manage.py measure_scrub",
                said=lambda measured: pii.tell(file.name, measured, self.stdout.write),
            )  # fmt: skip
        self.stdout.write(f"The counts are on the page Scrubbing of {found}.")
