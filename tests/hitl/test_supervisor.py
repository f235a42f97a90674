"""`manage.py up`, as a person meets it: one command, whose parts come back when they die, and clear refusals."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from hitl.database.keeper import socket_folder
from hitl.supervisor import PROJECT

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def environment(**more: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("HITL_", "DATABASE_"))}
    return own | more


def manage(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def until(condition: Callable[[], object], seconds: float = 40) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(stat.parent.name))
        except (OSError, IndexError):
            continue
    return sorted(found)


class House:
    """A running `up`."""

    def __init__(self, data: Path, log: Path) -> None:
        self.data, self.log, self.port = data, log, free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "manage.py", "up", "--port", str(self.port), "--data-dir", str(data)]
        with open(log, "w") as out:
            self.process = subprocess.Popen(
                command, cwd=PROJECT, env=environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )

    def said(self) -> str:
        return self.log.read_text()

    def health(self) -> tuple[int, dict]:
        try:
            with urllib.request.urlopen(f"{self.address}/healthz", timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except OSError:
            return 0, {}

    def well(self) -> bool:
        assert self.process.poll() is None, self.said()
        return self.health()[0] == 200

    def part(self, *words: str) -> int | None:
        """The first process of a part: the child of `up` whose command line has these words."""
        for pid in children(self.process.pid):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            if all(word in command for word in words):
                return pid
        return None

    def ask(self, query: str) -> tuple:
        host = str(socket_folder(self.data / "postgres"))
        with psycopg.connect(host=host, user="postgres", dbname="hitl") as connection:
            return connection.execute(query).fetchone()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("up") / "data"


@pytest.fixture(scope="module")
def house(data: Path) -> Iterator[House]:
    running = House(data, data.with_name("log"))
    assert until(running.well), running.said()
    yield running
    running.stop()


def test_the_first_start_prints_the_address_and_one_password(house: House) -> None:
    assert until(lambda: "Ctrl-C" in house.said())
    assert f"hitl is at {house.address}/" in house.said()
    assert re.search(r"Sign in as admin@localhost with the password \S{20}", house.said())
    assert "SET ROLE" in house.said(), "it says what the role option does not hold"


@pytest.mark.parametrize(("words", "name"), [(["gunicorn"], "web server"), (["worker"], "worker"), (["tick"], "tick")])
def test_a_part_that_is_killed_comes_back_and_this_is_said(house: House, words: list[str], name: str) -> None:
    before = house.part(*words)
    os.kill(before, signal.SIGKILL)
    assert until(lambda: f"The {name} was killed by SIGKILL; it is started again" in house.said())
    assert until(lambda: house.part(*words) not in (None, before) and house.well()), house.said()


def test_a_worker_process_killed_while_it_waits_does_not_stall_the_rest(house: House) -> None:

    def cluster() -> list[int]:
        """Two workers, the monitor and the pusher."""
        return [pid for sentinel in children(house.part("worker")) for pid in children(sentinel)]

    # Right after a start a worker may not wait yet, and one that dies then stalls nobody.
    assert until(lambda: len(cluster()) == 4 and house.well()), house.said()
    os.kill(cluster()[0], signal.SIGKILL)
    assert until(lambda: "The worker ended with exit code 5; it is started again" in house.said()), house.said()
    restarted = house.ask("select clock_timestamp()")[0]
    lives = f"select count(*) from hitl_heartbeat where name like 'worker %' and at > '{restarted}'"
    assert until(lambda: house.ask(lives) == (1,))


def test_a_part_that_hangs_is_ended_and_comes_back(house: House) -> None:
    names = {"worker": "worker", "tick": "tick", "web server": "gunicorn"}
    for word in names.values():
        os.killpg(house.part(word), signal.SIGSTOP)
    assert until(lambda: house.health()[0] == 0)
    for name in names:
        assert until(lambda name=name: f"The {name} has given no sign of life for" in house.said(), 90), house.said()
    assert until(house.well), house.said()


def test_a_database_that_is_killed_comes_back_and_this_is_said(house: House) -> None:
    house.ask("select 1")
    os.kill(int((house.data / "postgres/postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    assert until(lambda: "The database had stopped; it was started again" in house.said()), house.said()
    assert until(house.well), house.said()


def test_health_names_what_is_missing(house: House) -> None:
    pid = house.part("tick")
    os.killpg(pid, signal.SIGSTOP)
    try:
        assert until(lambda: house.health()[0] == 503)
        answer = house.health()[1]
        assert answer["tick"] == "down"
        assert answer["web"] == answer["database"] == answer["worker"] == "up"
        assert re.fullmatch(r"The tick was last heard of \d+ seconds ago\.", answer["reasons"][0])
    finally:
        os.killpg(pid, signal.SIGCONT)
    assert until(house.well)


def test_a_second_start_on_the_same_data_is_refused(house: House) -> None:
    second = manage("up", "--port", str(free_port()), "--data-dir", str(house.data))
    assert second.returncode == 1
    assert f"hitl already runs on the data folder {house.data}" in second.stderr
    assert house.address in second.stderr
    assert "Traceback" not in second.stderr


def test_a_port_in_use_is_refused(house: House, tmp_path: Path) -> None:
    other = manage("up", "--port", str(house.port), "--data-dir", str(tmp_path / "other"))
    assert other.returncode == 1
    sentence = f"Port {house.port} is in use by another program. Stop that, or choose another: --port {house.port + 1}."
    assert other.stderr.strip() == sentence


def test_other_commands_use_the_running_database(house: House) -> None:
    shown = manage("showmigrations", "--plan", "--database", "owner", "--data-dir", str(house.data))
    assert "[X]  hitl.0001_roles" in shown.stdout


def test_ctrl_c_stops_everything_and_the_next_start_finds_its_data(tmp_path: Path) -> None:
    data = tmp_path / "data"
    first = House(data, tmp_path / "first")
    assert until(lambda: first.well() and "Ctrl-C" in first.said()), first.said()
    pids = [*children(first.process.pid), int((data / "postgres/postmaster.pid").read_text().split()[0])]
    first.ask("select 1")
    assert first.stop() == 0
    assert first.said().rstrip().endswith("Stopped.")
    assert until(lambda: not [pid for pid in pids if Path(f"/proc/{pid}").exists()], 3)
    assert "Traceback" not in first.said()
    second = House(data, tmp_path / "second")
    assert until(lambda: second.well() and "Ctrl-C" in second.said()), second.said()
    assert second.ask("select count(*) from hitl_user") == (1,)
    assert "password" not in second.said()
    assert second.stop() == 0


def test_a_password_that_is_shown_once_is_shown_even_when_stopped_at_once(tmp_path: Path) -> None:
    house = House(tmp_path / "data", tmp_path / "log")
    command = Path(f"/proc/{house.process.pid}/cmdline")
    assert until(lambda: b"hitl.node" in command.read_bytes())
    assert house.stop() == 0
    assert "Sign in as admin@localhost with the password" in house.said()
    assert "Traceback" not in house.said()


def test_data_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres/PG_VERSION").write_text("11\n")
    refused = manage("up", "--data-dir", str(tmp_path), "--port", str(free_port()))
    assert refused.returncode == 1
    assert "was made by PostgreSQL 11" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_database_that_refuses_is_named_in_a_sentence(tmp_path: Path) -> None:
    url = f"postgres://hitl:wrong@127.0.0.1:{free_port()}/hitl"
    for command in (["up", "--port", str(free_port())], ["prepare"], ["migrate"]):
        refused = manage(*command, "--data-dir", str(tmp_path), DATABASE_URL=url)
        assert refused.returncode == 1
        assert "cannot be reached; nothing was changed. Start it, or correct DATABASE_URL" in refused.stderr
        assert "Traceback" not in refused.stderr
        assert "wrong" not in refused.stderr, "no password in what is printed"


def test_a_data_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = manage("up", "--data-dir", str(tmp_path / "file" / "data"))
    assert refused.returncode == 1
    assert "cannot be" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_data_dir_without_a_folder_is_refused() -> None:
    refused = manage("up", "--data-dir")
    assert refused.returncode == 1
    assert refused.stderr.strip() == "--data-dir needs the name of a folder."


def test_settings_that_must_not_start_are_refused_once(tmp_path: Path) -> None:
    refused = manage("up", "--data-dir", str(tmp_path), HITL_SECRET_KEY="secret")
    assert refused.returncode == 1
    assert refused.stderr.startswith("HITL_SECRET_KEY is too weak")


def test_one_part_of_several_nodes_waits_for_a_prepared_database(tmp_path: Path) -> None:
    refused = manage("up", "--only", "worker", "--data-dir", str(tmp_path))
    assert refused.returncode == 1
    assert re.match(r"The database is \d+ steps behind this version: run `manage.py prepare` once", refused.stderr)
