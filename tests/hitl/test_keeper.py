"""The embedded PostgreSQL: one keeper per data folder, there as long as somebody uses it, and back after a crash."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from hitl.database import keeper

pytestmark = pytest.mark.slow

USER = """
import sys
from pathlib import Path
from hitl.database import keeper
print(keeper.attach(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


class User:
    """A process that uses the server of a data folder until it is dismissed."""

    def __init__(self, data: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(data)],
            cwd=keeper.PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.socket = self.process.stdout.readline().strip()

    def dismiss(self) -> str:
        return self.process.communicate("")[1]


def until(condition: Callable[[], object], seconds: float = 40) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def connect(socket: str) -> psycopg.Connection:
    return psycopg.connect(host=socket, user="postgres", dbname="postgres", autocommit=True)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "postgres"


@pytest.fixture
def user(data: Path) -> Iterator[User]:
    found = User(data)
    yield found
    found.process.kill()
    found.process.communicate()
    assert until(lambda: keeper.postmaster_pid(data) is None)


def test_the_server_is_there_while_used_and_gone_after_its_last_user(data: Path) -> None:
    first, second = User(data), User(data)
    assert first.socket == second.socket == str(data)
    first.dismiss()
    time.sleep(4 * keeper.POLL + 1)
    assert connect(second.socket).execute("select 1").fetchone() == (1,)
    second.process.kill()  # goes without a word: the kernel lets go of its lock
    second.process.communicate()
    assert until(lambda: keeper.postmaster_pid(data) is None)
    assert not keeper.answers(data)


def test_data_is_found_again_by_the_next_who_comes(data: Path) -> None:
    first = User(data)
    connect(first.socket).execute("create table kept as select 7 as n")
    first.dismiss()
    assert until(lambda: keeper.postmaster_pid(data) is None)
    again = User(data)
    assert connect(again.socket).execute("select n from kept").fetchone() == (7,)
    again.dismiss()


def test_whoever_comes_while_it_stops_gets_a_server(data: Path) -> None:
    User(data).dismiss()
    for pause in (1.4, 1.6, 1.8, 2.0):
        time.sleep(pause)
        late = User(data)
        assert connect(late.socket).execute("select 1").fetchone() == (1,), late.dismiss()
        late.dismiss()


def test_many_at_once_share_one_server(data: Path) -> None:
    users = [User(data) for _ in range(6)]
    assert {user.socket for user in users} == {str(data)}
    pids = {connect(user.socket).execute("select pg_postmaster_start_time()").fetchone() for user in users}
    assert len(pids) == 1
    for user in users:
        user.dismiss()


def test_a_killed_server_is_started_again_with_what_was_committed(user: User, data: Path) -> None:
    connect(user.socket).execute("create table kept as select 7 as n")
    before = keeper.postmaster_pid(data)
    os.kill(before, signal.SIGKILL)
    assert until(lambda: keeper.postmaster_pid(data) not in (None, before) and keeper.answers(data))
    assert connect(user.socket).execute("select n from kept").fetchone() == (7,)


def test_after_the_keeper_is_killed_the_next_who_attaches_starts_another(user: User, data: Path) -> None:
    pid = keeper.postmaster_pid(data)
    parent = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    os.kill(parent, signal.SIGKILL)
    assert until(lambda: not keeper.answers(data))  # the kernel tells the server to stop: nobody would look after it
    second = User(data)
    assert connect(second.socket).execute("select 1").fetchone() == (1,)
    second.dismiss()


def test_a_stale_pid_file_whose_number_is_another_programs_does_not_stop_it(data: Path) -> None:
    User(data).dismiss()
    assert until(lambda: keeper.postmaster_pid(data) is None)
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        lines = [str(stranger.pid), str(data), "1700000000", "5432", str(data), "", "ready"]
        (data / "postmaster.pid").write_text("\n".join(lines) + "\n")
        user = User(data)
        assert connect(user.socket).execute("select 1").fetchone() == (1,)
        user.dismiss()
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("name", ["with spaces and 'quotes', too", "long-" + "x" * 120])
def test_any_path_will_do(tmp_path: Path, name: str) -> None:
    data = tmp_path / name / "postgres"
    user = User(data)
    assert connect(user.socket).execute("show data_directory").fetchone() == (str(data),)
    assert len(user.socket) < 100
    assert Path(user.socket).stat().st_mode & 0o077 == 0, "only the owner may come near the socket"
    user.dismiss()
    assert until(lambda: keeper.postmaster_pid(data) is None)


def test_a_folder_of_another_version_is_refused_in_a_sentence_and_left_alone(data: Path) -> None:
    data.mkdir()
    (data / "PG_VERSION").write_text("9\n")
    with pytest.raises(keeper.KeeperError, match=r"made by PostgreSQL 9; here is PostgreSQL .*Nothing was touched"):
        keeper.attach(data)
    assert sorted(path.name for path in data.iterdir()) == ["PG_VERSION"]


def test_half_an_initialisation_is_never_taken_for_a_database(data: Path) -> None:
    half = data.with_name("postgres.new")
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    user = User(data)
    assert connect(user.socket).execute("select 1").fetchone() == (1,)
    user.dismiss()


def test_a_folder_that_cannot_be_written_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(keeper.KeeperError, match="cannot be written"):
        keeper.attach(tmp_path / "file" / "postgres")


def test_what_the_server_says_is_shown_when_it_cannot_start(data: Path) -> None:
    User(data).dismiss()
    assert until(lambda: keeper.postmaster_pid(data) is None)
    (data / "global" / "pg_control").unlink()
    with pytest.raises(keeper.KeeperError, match="pg_control"):
        keeper.attach(data)
