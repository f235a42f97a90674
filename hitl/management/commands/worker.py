import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from hitl import broker
from hitl.worker import Cluster


class Command(BaseCommand):
    help = "Runs the worker of this node: heavy and scheduled work. `up` starts one, and starts it again when it fails."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--alone", action="store_true", help="no other node has a worker: take up what one left")

    def handle(self, *, alone: bool, **options: Any) -> None:
        if alone and (count := broker.free_all()):
            self.stdout.write(f"{count} tasks that a stopped worker had taken come again.")
        connections.close_all()
        cluster = Cluster()
        cluster.start()
        sys.exit(cluster.wait())
