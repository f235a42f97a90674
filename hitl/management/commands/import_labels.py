import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from codebook.labels import importing, label_files
from codebook.models import Codebook
from hitl.models import Tenant


class Command(BaseCommand):
    help = """Takes in labels that a team gave before, from a file (JSONL, JSON or CSV) with the fields item, rater,
verdict, categories and at. In CSV several categories stand in one cell, with | between them. Good rows are kept; a row
sent again is a duplicate. The labels are stamped with an imported version of the codebook, named by --version-title."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--tenant", required=True, help="the tenant's short name")
        parser.add_argument("--codebook", required=True, help="the codebook's short name")
        parser.add_argument("--version-title", default=importing.TITLE, help="what these labels are called together")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        tenant, codebook = self.named(Tenant, options["tenant"]), self.named(Codebook, options["codebook"])
        try:
            kind = label_files.kind_of(path.name)
            with open(path, "rb") as file:
                rows = label_files.rows_of(file, kind)
        except label_files.Refused as refused:
            raise CommandError(f"{refused} Nothing was taken in.") from None
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
        title = options["version_title"].strip() or importing.TITLE
        into = importing.Import(tenant, codebook, title, source="import_labels")
        with tqdm(total=len(rows), unit=" rows", desc=path.name, file=self.stderr) as bar:
            received = importing.receive(
                rows, into=into, now=timezone.now(), progress=lambda so_far: bar.update(so_far.rows - bar.n)
            )
        for one in received.rejected:
            self.stderr.write(f"row {one.index + 1} ({one.name or '?'}): {one.error}")
        self.stdout.write(label_files.sentence(received))
        if received.rejected:
            sys.exit(1)

    def named(self, model: Any, slug: str) -> Any:
        found = model.objects.filter(slug=slug).first()
        if found is None:
            there = ", ".join(model.objects.values_list("slug", flat=True).order_by("slug")[:20]) or "none yet"
            raise CommandError(f"There is no {model._meta.verbose_name} {slug}. There are: {there}.")
        return found
