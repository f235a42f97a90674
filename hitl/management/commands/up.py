import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, connections
from django_q.conf import Conf

from hitl.management import starting
from hitl.node import PARTS, Beside, Plan, say


class Command(BaseCommand):
    help = "Starts hitl: database, web server, worker and tick; prints the address; Ctrl-C stops all of it."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine alone)")
        parser.add_argument("--workers", type=int, default=Conf.WORKERS, help="worker processes")
        # Taken by manage.py, before there are settings; here for --help.
        parser.add_argument("--data-dir", help=f"where everything is kept (default: {settings.DATA_DIR})")
        parser.add_argument(
            "--only",
            nargs="+",
            choices=PARTS,
            default=PARTS,
            help="parts to run on this node, where several share one database prepared by `manage.py prepare`",
        )

    def handle(self, *, host: str, port: int, workers: int, only: list[str], **options: Any) -> None:
        where = f"[{host}]" if ":" in host else host
        local = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else where}:{port}"  # noqa: S104 -- not bound here
        address = settings.HITL_URL if "HITL_URL" in os.environ else local
        os.environ |= {"HITL_DATA_DIR": str(settings.DATA_DIR), "HITL_URL": address, "HITL_WORKERS": str(workers)}
        try:
            starting.check_settings()
            starting.lock_parts(only, f"process {os.getpid()}, {address}")
            if "web" in only:
                starting.check_port(host, port)
            logins: list[str] = []
            beside: list[tuple[Beside, str]] = []
            if set(only) == set(PARTS):
                starting.prepare_database(say)
                logins = self.logins()
                beside = self.beside(host=host, port=port, address=address)
            else:
                starting.check_prepared()
            if "web" in only:
                starting.collect_static()
            guarantees = starting.guarantees()
        except starting.Refused as refusal:
            self.stderr.write(str(refusal))
            sys.exit(1)
        database = {
            name: value for name, value in connection.get_connection_params().items() if isinstance(value, str | int)
        }
        connections.close_all()
        news = [
            f"hitl is at {address}/", *(sentence for _, sentence in beside), *logins, guarantees,
            f"Data: {settings.DATA_DIR}. Ctrl-C stops everything.",
        ]  # fmt: skip
        Plan(
            parts=only,
            bind=f"{where}:{port}",
            local=local,
            address=address,
            database=database,
            embedded=str(settings.DATA_DIR / "postgres") if settings.EMBEDDED else None,
            longest_task=Conf.TIMEOUT,
            news=news,
            beside=[process for process, _ in beside],
        ).run()

    def logins(self) -> list[str]:
        """Lines about who can sign in."""
        return starting.first_administrator()

    def beside(self, *, host: str, port: int, address: str) -> list[tuple[Beside, str]]:
        """Processes to run beside hitl, each with a sentence about it."""
        return []
