"""gunicorn's settings; `up` adds the address. https://docs.gunicorn.org/en/stable/settings.html"""

import gc
import os
import socket
import time
from typing import Any

from django.db import connections
from django.urls import get_resolver
from gunicorn.workers.gthread import ThreadWorker


class Worker(ThreadWorker):
    """gunicorn's threaded worker, which leaves a new connection to a sibling that has fewer.

    A browser keeps its connection, so what one process takes at first it serves all day: without this, half of the
    reviewers wait for one processor while the other has nothing to do.
    """

    def accept(self, listener: socket.socket) -> None:
        time.sleep(min(self.nr_conns, 20) * 0.0001)
        super().accept(listener)


wsgi_app = "hitl.wsgi"
worker_class = Worker
workers = int(os.environ.get("HITL_WEB_PROCESSES") or 2)
threads = int(os.environ.get("HITL_WEB_THREADS") or 3)
# Loaded once and shared by all processes: half the memory, and a start that fails says so at once.
preload_app = True
timeout = 120
graceful_timeout = 10
keepalive = 75
loglevel = "warning"
control_socket_disable = True
# A sign of life written to a slow disk would stop the process.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")


def pre_fork(server: Any, worker: Any) -> None:
    # Every view is loaded by now, not at the first request: shared, and a broken one stops the start.
    len(get_resolver().url_patterns)
    connections.close_all()
    gc.collect()
    gc.freeze()
