import getpass
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from django.utils import timezone
from tqdm import tqdm

from hitl.audit import copies, export, keys, log, notes, reading
from hitl.audit.verification import Report, verify

LATE = timedelta(minutes=1)


class Command(BaseCommand):
    help = "Proves the audit record, writes it to a file that proves itself, or prints the key to prove it with."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        steps = parser.add_subparsers(dest="step", required=True, metavar="verify | export | key")
        step = steps.add_parser("verify", help="prove the live log, or an export, and name the first bad row")
        step.add_argument("--export", type=Path, metavar="FILE", help="prove this export, without any database")
        step.add_argument(
            "--checkpoints", type=Path, metavar="FILE", help="the copy kept outside (default: the one this node writes)"
        )
        step.add_argument(
            "--public-key", type=Path, metavar="FILE", help="keys to trust, a line each (default: this node's own)"
        )
        step = steps.add_parser("export", help="write the whole log to a file (gzip, if it is named .gz)")
        step.add_argument("file", type=Path, metavar="FILE")
        steps.add_parser("key", help="print the public key: keep it somewhere else, and prove the log with it")

    def handle(self, *, step: str, **options: Any) -> None:
        if step == "verify":
            self.verify(options["export"], options["checkpoints"], options["public_key"])
        elif step == "export":
            self.export(options["file"])
        else:
            self.stdout.write(str(notes.PublicKey.of(keys.signing_key(), reading.Live().origin)))

    def verify(self, exported: Path | None, checkpoints: Path | None, public_key: Path | None) -> None:
        # How long the copy is is taken before how long the log is: both may be growing.
        file = checkpoints or (copies.path() if exported is None and copies.path().exists() else None)
        try:
            copied = copies.Copied(file) if file else None
            source = export.Export(exported) if exported else reading.Live()
            trusted = self.trusted(public_key, source.origin)
        except (OSError, export.NotAnExport, notes.BadNote) as error:
            raise CommandError(str(error)) from error
        with tqdm(total=source.size, unit=" events", disable=not sys.stderr.isatty()) as bar:
            report = verify(source, trusted, copied, bar.update)
        self.report(report, file)

    def trusted(self, file: Path | None, origin: str) -> list[notes.PublicKey]:
        if file:
            return [notes.PublicKey.read(line) for line in file.read_text().splitlines() if line.strip()]
        if own := keys.own_public_key(origin):
            return [own]
        raise CommandError(
            "There is no key here to prove the log with. Give --public-key FILE, with what `manage.py audit key` "
            "prints on the machine that seals."
        )

    def report(self, report: Report, file: Path | None) -> None:
        say = self.stdout.write
        say(f"{report.events:,} sealed events read, {report.checkpoints:,} signed checkpoints.")
        if file is None:
            say("No copy of the checkpoints was given: that the newest events were cut off would not be seen.")
        elif report.copied is not None:
            say(f"Held against {file}, which covers {report.copied:,} events.")
        if report.rest.count:
            say(f"{report.rest.count:,} newer events are not sealed yet, and not proved.")
        if report.rest.since and timezone.now() - report.rest.since > LATE:
            say("The oldest of them has waited for over a minute: see that the tick runs (/healthz), and what it logs.")
        if report.good:
            say(self.style.SUCCESS("The log holds: nothing was changed, removed, added or moved since it was sealed."))
            return
        first, *others = report.faults
        lines = [f"THE LOG DOES NOT HOLD. First: {first.sentence}", *(f"Also: {fault.sentence}" for fault in others)]
        if report.more:
            lines.append(f"And {report.more:,} more.")
        raise CommandError("\n".join(lines))

    def export(self, file: Path) -> None:
        source = reading.Live()
        with transaction.atomic():
            log.append(
                actor=None,
                actor_name=f"{getpass.getuser()} on the command line",
                action="audit.exported",
                subject="audit:all",
                tenant_id=None,
                detail={"events": source.size},
            )
        try:
            with tqdm(total=source.size, unit=" events", disable=not sys.stderr.isatty()) as bar:
                export.write(file, source, bar.update)
        except OSError as error:
            raise CommandError(
                f"{file} cannot be written ({error.strerror}). Nothing is lost; name another file."
            ) from error
        finally:
            connection.close()
        self.stdout.write(f"{source.size:,} sealed events in {file}. Prove it: manage.py audit verify --export {file}.")
