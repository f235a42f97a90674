import sys
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from hitl.models import Tenant
from queues.intake import receive, uploads
from queues.intake.reading import Broken


class Command(BaseCommand):
    help = "Takes cases in from a file (JSONL, JSON or CSV). Good rows are kept; a row sent again is a duplicate."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--tenant", required=True, help="the tenant's short name")
        parser.add_argument(
            "--format", choices=sorted(set(uploads.FORMATS.values())), help="by default told by the file's name"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            there = ", ".join(Tenant.objects.values_list("slug", flat=True).order_by("slug")[:20]) or "none yet"
            raise CommandError(f"There is no tenant {options['tenant']}. There are: {there}.")
        try:
            kind = options["format"] or uploads.check(path.name, 0)
            with open(path, "rb") as file:
                received = self.take_in(file, path, kind, tenant)
        except uploads.Refused as refused:
            raise CommandError(f"{refused} Or say it with --format.") from None
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
        self.stdout.write(uploads.sentence(received))
        if received.rejected:
            sys.exit(1)

    def take_in(self, file: BinaryIO, path: Path, kind: str, tenant: Tenant) -> receive.Received:
        """With a bar over the file's bytes, and each refused row told as it comes."""
        size = path.stat().st_size
        so_far, told = receive.Received(), 0
        with tqdm(total=size, unit="B", unit_scale=True, desc=path.name, file=self.stderr) as bar:

            def tell(received: receive.Received) -> None:
                nonlocal so_far, told
                bar.update(min(file.tell(), size) - bar.n)
                bar.set_postfix_str(f"{received.rows:,} rows")
                for one in received.rejected[told:]:
                    bar.write(f"row {one.index + 1} ({one.name or '?'}): {one.error}", file=self.stderr)
                so_far, told = received, len(received.rejected)

            try:
                return receive.cases(
                    uploads.rows_of(file, kind),
                    tenant=tenant,
                    now=timezone.now(),
                    source="import_cases",
                    most=None,
                    progress=tell,
                )
            except Broken as broken:
                kept = f" Until then: {uploads.sentence(so_far)}" if so_far.rows else ""
                raise CommandError(f"{broken}{kept}") from None
