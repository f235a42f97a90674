"""The tick: one leader, chores when they are due, none in the way of another."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from hitl import heartbeats, tick
from hitl.management.commands.tick import CHORES
from hitl.models import Heartbeat
from hitl.tick import Chore, Leadership, Tick


def nothing() -> None:
    pass


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
class TestLeadership:
    def test_only_one_leads_and_the_next_takes_over_when_its_connection_is_gone(self) -> None:
        first, second = Leadership(), Leadership()
        assert first.check()
        assert first.check(), "it stays the leader"
        assert not second.check()
        first.connection.close()
        assert second.check()
        second.give_up()

    def test_a_leader_whose_connection_the_server_ends_knows_that_it_leads_no_more(self) -> None:
        first, second = Leadership(), Leadership()
        assert first.check()
        with first.connection.cursor() as cursor:
            cursor.execute("select pg_backend_pid()")
            [pid] = cursor.fetchone()
        with connections["owner"].cursor() as cursor:
            cursor.execute("select pg_terminate_backend(%s, 5000)", [pid])
        assert second.check()
        assert not first.check()
        assert not first.check(), "and may ask again on a new connection"
        second.give_up()
        assert first.check()
        first.give_up()


class TestWhatIsDue:
    @pytest.fixture
    def pool(self):
        with ThreadPoolExecutor(2) as found:
            yield found

    def settle(self, ticking: Tick) -> None:
        for progress in ticking.progress.values():
            if progress.running:
                progress.running.result(5)

    @pytest.fixture(autouse=True)
    def no_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tick, "close_old_connections", nothing)

    def test_a_chore_starts_at_once_and_again_when_its_time_has_passed(self, pool) -> None:
        ran: list[str] = []
        ticking = Tick(
            [Chore("often", 1, lambda: ran.append("often")), Chore("rarely", 60, lambda: ran.append("rarely"))]
        )
        for now in (100.0, 100.5, 101.0, 102.0, 160.0):
            ticking.start_due(pool, now)
            self.settle(ticking)
        assert ran.count("often") == 4
        assert ran.count("rarely") == 2

    def test_a_chore_that_runs_still_is_not_started_again_and_stops_nobody(self, pool) -> None:
        go_on = threading.Event()
        ticking = Tick([Chore("slow", 1, lambda: go_on.wait(10)), Chore("quick", 1, nothing)])
        assert ticking.start_due(pool, 100.0) == ["slow", "quick"]
        ticking.progress["quick"].running.result(5)
        assert ticking.start_due(pool, 105.0) == ["quick"]
        go_on.set()
        self.settle(ticking)
        assert ticking.start_due(pool, 110.0) == ["slow", "quick"]

    def test_one_that_fails_is_named_and_comes_again(self, pool, caplog: pytest.LogCaptureFixture) -> None:
        ticking = Tick([Chore("breaks", 1, lambda: 1 / 0), Chore("works", 1, nothing)])
        ticking.start_due(pool, 100.0)
        self.settle(ticking)
        assert ticking.progress["breaks"].last["failed"] == "ZeroDivisionError"
        assert "failed" not in ticking.progress["works"].last
        assert "The chore breaks failed" in caplog.text
        assert ticking.start_due(pool, 102.0) == ["breaks", "works"]

    def test_one_that_hangs_is_found(self, pool) -> None:
        go_on = threading.Event()
        ticking = Tick([Chore("stuck", 1, lambda: go_on.wait(10))])
        ticking.start_due(pool, 100.0)
        assert ticking.hanging(100.0 + tick.HANGS_AFTER) is None
        assert ticking.hanging(101.0 + tick.HANGS_AFTER) == "stuck"
        go_on.set()


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_it_runs_its_chores_says_that_it_lives_and_stops() -> None:
    seen = threading.Event()
    ticking = Tick([Chore("greets", 60, seen.set)])
    thread = threading.Thread(target=lambda: (ticking.run(), connections.close_all()))
    thread.start()
    assert seen.wait(10)
    ticking.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert Heartbeat.objects.filter(name="tick").exists()
    assert heartbeats.pulse().tick < 60


def test_every_chore_has_a_name_of_its_own() -> None:
    assert len({chore.name for chore in CHORES}) == len(CHORES)
