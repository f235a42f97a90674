"""A hitl of its own to measure: started by the same command as any other, on its own data, on a free port."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from hitl.database import keeper

PROJECT = Path(settings.BASE_DIR)
PATIENCE = 60


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(port: int) -> Iterator[float]:
    """`manage.py up` on this process's data folder; gives the seconds from start to first page."""
    address = f"http://127.0.0.1:{port}"
    began = time.perf_counter()
    with (settings.DATA_DIR / "bench.log").open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 -- our own command
            [sys.executable, str(PROJECT / "manage.py"), "up", "--port", str(port)],
            env={**os.environ, "HITL_URL": address},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield _first_page(address, process, began)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


def _first_page(address: str, process: "subprocess.Popen[bytes]", began: float) -> float:
    while time.perf_counter() - began < PATIENCE:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{address}/login/", timeout=5).close()  # noqa: S310 -- our own address
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
        else:
            return time.perf_counter() - began
    log = (settings.DATA_DIR / "bench.log").read_text()[-2000:]
    raise RuntimeError(f"The server to measure did not start:\n{log}")


def memory() -> dict[str, float]:
    """Proportional share of memory in MB, by part: pages that processes share are counted once in all."""
    parts = {"web": 0.0, "worker": 0.0, "tick": 0.0, "supervisor": 0.0, "database": 0.0}
    postmaster = keeper.postmaster_pid(settings.DATA_DIR / "postgres")
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            environment = (entry / "environ").read_bytes()
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            share = sum(
                int(line.split()[1])
                for line in (entry / "smaps_rollup").read_text().splitlines()
                if line.startswith("Pss:")
            )
        except (OSError, ValueError, IndexError):
            continue
        if postmaster in (int(entry.name), parent):
            parts["database"] += share / 1024
        elif f"HITL_DATA_DIR={settings.DATA_DIR}".encode() in environment and int(entry.name) != os.getpid():
            part = next((name for name in ("gunicorn", "worker", "tick", "hitl.node", "keeper") if name in command), "")
            named = {"gunicorn": "web", "hitl.node": "supervisor", "keeper": "database"}.get(part, part)
            if named in parts:
                parts[named] += share / 1024
    return {name: round(size, 1) for name, size in parts.items()} | {"all": round(sum(parts.values()), 1)}
