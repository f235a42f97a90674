"""Guarantee 2: an acknowledged decision survives kill -9 of web, worker and database.

A real `manage.py up`, reviewers who decide over HTTP as a browser would, and a SIGKILL to each part in turn while they
do. Whoever gets no answer asks again with the same lease token, as the review screen does.
"""

import http.client
import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from hitl.management.bench.reviewers import Session
from tests.hitl.test_supervisor import House, children, manage, until

pytestmark = pytest.mark.slow

REVIEWERS = 4
SEED = "from hitl.management.bench import story; story.people_and_lanes(); story.refill(12_000, 1)"
NO_ANSWER = (OSError, http.client.HTTPException, RuntimeError)
# How many decisions must come through before the next kill, and after the last.
PROGRESS = 20


class Reviewer(threading.Thread):
    """Decides until told to stop, and never leaves a decision without its answer."""

    def __init__(self, email: str, port: int) -> None:
        super().__init__(daemon=True)
        self.session = Session(email, port)
        self.session.sign_in()
        self.session.open()
        self.acknowledged: list[int] = []
        self.unanswered = 0
        self.fault = ""
        self.enough = threading.Event()

    def run(self) -> None:
        while not self.enough.is_set() and not self.fault:
            if self.session.current is None:
                self.fault = f"{self.session.email} has no case on the screen."
                return
            slot = self.session.current.slot
            if self.decided():
                self.acknowledged.append(slot)
            # Nobody reads faster, and the kills are spread over more than a few decisions.
            time.sleep(0.03)

    def decided(self) -> bool:
        for _ in range(600):
            try:
                self.session.decide()
                return True
            except NO_ANSWER as error:
                if "was refused" in str(error):
                    self.fault = str(error)
                    return False
                self.unanswered += 1
                self.session.connection.close()
                time.sleep(0.1)
        self.fault = f"{self.session.email} got no answer for a minute."
        return False


class Crew:
    def __init__(self, house: House) -> None:
        self.house = house
        self.reviewers = [Reviewer(f"bench-{n}@example.org", house.port) for n in range(REVIEWERS)]

    @property
    def acknowledged(self) -> list[int]:
        return [slot for reviewer in self.reviewers for slot in reviewer.acknowledged]

    def goes_on(self) -> None:
        """Each of them gets further."""
        wanted = {reviewer: len(reviewer.acknowledged) + PROGRESS // REVIEWERS for reviewer in self.reviewers}

        def further() -> bool:
            assert not self.faults, self.faults
            return all(len(reviewer.acknowledged) >= wanted[reviewer] for reviewer in self.reviewers)

        assert until(further, 90), self.house.said()

    @property
    def faults(self) -> list[str]:
        return [reviewer.fault for reviewer in self.reviewers if reviewer.fault]

    def stop(self) -> None:
        for reviewer in self.reviewers:
            reviewer.enough.set()
        for reviewer in self.reviewers:
            reviewer.join(90)
        assert not self.faults


def victims(house: House) -> dict[str, int]:
    return {
        "web process": children(house.part("gunicorn"))[0],
        "web server": house.part("gunicorn"),
        "worker": house.part("worker"),
        "tick": house.part("tick"),
        "database": int((house.data / "postgres/postmaster.pid").read_text().split()[0]),
    }


KILLS = ("web process", "database", "worker", "web server", "database", "tick", "web process", "database")


@pytest.fixture
def house(tmp_path: Path):
    running = House(tmp_path / "data", tmp_path / "log")
    try:
        assert until(running.well, 90), running.said()
        seeded = manage("shell", "-c", SEED, "--data-dir", str(running.data))
        assert seeded.returncode == 0, seeded.stderr
        yield running
    finally:
        running.stop()


def test_what_was_acknowledged_is_there_once_whatever_was_killed(house: House) -> None:
    crew = Crew(house)
    for reviewer in crew.reviewers:
        reviewer.start()
    for name in KILLS:
        crew.goes_on()
        assert until(lambda name=name: victims(house)[name])
        os.kill(victims(house)[name], signal.SIGKILL)
    crew.goes_on()
    crew.stop()
    assert sum(reviewer.unanswered for reviewer in crew.reviewers) > 0, "no kill was felt"

    told = {slot: reviewer.session.email for reviewer in crew.reviewers for slot in reviewer.acknowledged}
    assert Counter(crew.acknowledged).most_common(1)[0][1] == 1, "a slot was acknowledged twice"

    assert rows(house, LABELS) == sorted((slot, email, verdict(slot)) for slot, email in told.items())
    assert house.ask("select count(*) from codebook_label") == (len(told),)
    assert house.ask("select count(*) from reviews_review") == (len(told),)
    assert house.ask("select count(*) from queues_slot where state = 'decided'") == (len(told),)
    assert house.ask(OUTCOMES) == (len(told), len(told), 0)
    assert house.ask(ON_RECORD) == (len(told), len(told), 0)
    assert until(
        lambda: house.ask("select count(*) from audit_event")[0] == house.ask("select size from audit_tree")[0]
    )
    proof = manage("audit", "verify", "--data-dir", str(house.data))
    assert proof.returncode == 0, proof.stderr
    assert "The log holds" in proof.stdout


def verdict(slot: int) -> str:
    """As the bench's reviewers give it."""
    return "reject" if slot % 5 == 0 else "accept"


def rows(house: House, query: str) -> list[tuple]:
    found = house.ask(f"select json_agg(json_build_array(slot, email, verdict) order by slot) from ({query}) found")[0]
    return [tuple(row) for row in found]


LABELS = """
select label.slot_id slot, person.email, label.verdict from codebook_label label
join hitl_user person on person.id = label.user_id
join queues_slot slot on slot.id = label.slot_id and slot.decided_by_id = person.id
"""
# Outcomes; of cases that are decided; decided cases without one.
OUTCOMES = """
select (select count(*) from queues_outcome),
  (select count(*) from queues_outcome outcome join queues_case on queues_case.id = case_id where state = 'decided'),
  (select count(*) from queues_case where state = 'decided' and id not in (select case_id from queues_outcome))
"""
# Decisions on record; cases they are about; labels whose case has none.
ON_RECORD = """
with record as (select subject from audit_event where action = 'case.decided')
select (select count(*) from record), (select count(distinct subject) from record),
  (select count(*) from codebook_label label join queues_slot slot on slot.id = label.slot_id
   where 'case:' || slot.case_id not in (select subject from record))
"""
