import sys
from typing import Any

from django.core.management.base import BaseCommand

from hitl.worker import Cluster


class Command(BaseCommand):
    help = "Runs the worker of this node: heavy and scheduled work. `up` starts one, and starts it again when it fails."

    def handle(self, *args: Any, **options: Any) -> None:
        cluster = Cluster()
        cluster.start()
        sys.exit(cluster.wait())
