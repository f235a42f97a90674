import sys
from typing import Any

from django.core.management.base import BaseCommand

from hitl.management import starting
from hitl.node import say


class Command(BaseCommand):
    help = "Brings the database to this version, as its owner, and makes the first administrator; then it ends."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            starting.check_settings()
            starting.prepare_database(say)
            for line in starting.first_administrator():
                say(line)
        except starting.Refused as refusal:
            self.stderr.write(str(refusal))
            sys.exit(1)
        say("The database is ready.")
