"""django-q2's cluster, which ends when it can no longer be trusted, so that it is started again whole.

A worker that is killed while it waits for work takes the queue's lock with it: the others wait for ever, and so does a
polite stop. The monitor holds the lock of the results in the same way, the pusher that of the tasks.
"""

import gc
import os
import time
from multiprocessing import Event
from typing import Any

from django_q import cluster
from django_q.conf import logger

BROKEN = 5
IDLE = -1


class Sentinel(cluster.Sentinel):
    def reincarnate(self, process: Any) -> None:
        killed = (process.exitcode or 0) < 0
        # One that dies at work holds no lock: django-q2 replaces it, and its task comes again.
        if killed and (process not in self.pool or process.timer.value == IDLE):
            logger.critical("%s was killed while it may have held a lock: ending the cluster", process.name)
            for part in (*self.pool, self.monitor, self.pusher):
                part.kill()
            os._exit(BROKEN)
        super().reincarnate(process)


class Cluster(cluster.Cluster):
    def start(self) -> int:
        """As in django-q2, with our sentinel."""
        self.stop_event, self.start_event = Event(), Event()
        arguments = (self.stop_event, self.start_event, self.cluster_id, self.broker, self.timeout)
        self.sentinel = cluster.get_mp_context().Process(target=Sentinel, name="sentinel", args=arguments)
        gc.collect()
        gc.freeze()  # what is loaded now is shared by all its processes, as long as nobody counts it again
        self.sentinel.start()
        while self.start_event and not self.start_event.is_set() and self.sentinel.is_alive():
            time.sleep(0.05)
        return int(self.pid)

    def wait(self) -> int:
        """Until it is stopped (0), or has failed (anything else)."""
        self.sentinel.join()
        return int(self.sentinel.exitcode or 0)
