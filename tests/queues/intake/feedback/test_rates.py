"""A limit per minute, token and address that all web processes hold together."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from hitl.access import tokens
from hitl.models import ApiToken
from queues.intake.feedback import rates
from queues.intake.feedback.rates import TooMuch, network, until_room
from queues.models import FeedbackMinute
from tests.factories.hitl import TenantFactory

NOW = datetime(2026, 11, 20, 9, 0, 30, tzinfo=UTC)


@pytest.fixture
def token(db):
    return issue("acme")


def issue(slug) -> ApiToken:
    return tokens.issue(tenant=TenantFactory(slug=slug), name="page", scopes=["feedback"])[0]


def spend(token, address="192.0.2.1", *, cost=1, most=3, now=NOW):
    rates.spend(token=token, address=address, cost=cost, most=most, now=now)


def refused(token, address="192.0.2.1", **change) -> int:
    with pytest.raises(TooMuch) as caught:
        spend(token, address, **change)
    return caught.value.seconds


@pytest.mark.django_db
class TestTheLimit:
    def test_is_reached_by_what_was_sent_within_a_minute(self, token):
        for _ in range(3):
            spend(token)
        assert refused(token) > 0

    def test_is_each_addresses_and_each_tokens_own(self, token):
        spend(token, cost=3)
        spend(token, "192.0.2.2")
        spend(issue("other"))
        assert refused(token)

    def test_slides_so_that_the_turn_of_a_minute_opens_little(self, token):
        spend(token, cost=60, most=60, now=NOW.replace(second=59))
        after = NOW.replace(second=59) + timedelta(seconds=2)
        spend(token, most=60, now=after)
        assert refused(token, most=60, now=after)

    def test_opens_again_when_it_said(self, token):
        spend(token, cost=3)
        seconds = refused(token)
        assert refused(token, now=NOW + timedelta(seconds=seconds - 2))
        spend(token, now=NOW + timedelta(seconds=seconds))

    def test_what_is_refused_does_not_count(self, token):
        spend(token, cost=3)
        seconds = refused(token)
        for _ in range(20):
            refused(token, cost=50)
        spend(token, now=NOW + timedelta(seconds=seconds))

    def test_takes_what_comes_at_once_whole_and_waits_longer_for_it(self, token):
        spend(token, cost=30)
        assert refused(token) > refused_after(token, cost=3)

    def test_of_nothing_takes_nothing(self, token):
        assert refused(token, most=0) > 0


def refused_after(token, cost) -> int:
    spend(token, "198.51.100.7", cost=cost)
    return refused(token, "198.51.100.7")


@pytest.mark.django_db
def test_counters_are_swept_when_nobody_asks_for_them_and_hold_no_address(token):
    spend(token)
    assert b"192.0.2.1" not in bytes(FeedbackMinute.objects.get().place)
    assert rates.forget(NOW + timedelta(minutes=1)) == 0
    assert rates.forget(NOW + timedelta(minutes=5)) == 1


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        (None, ""),
        ("nonsense", ""),
    ],
)
def test_an_ipv6_address_counts_as_its_network(address, counted_as):
    assert network(address) == counted_as


@pytest.mark.parametrize("most", [1, 7, 60])
@pytest.mark.parametrize("passed", [0.0, 12.5, 59.9])
@pytest.mark.parametrize(("before", "here"), [(0, 60), (200, 0), (200, 60), (61, 59), (0, 1000)])
def test_the_wait_that_is_named_is_long_enough(before, here, passed, most):
    seconds = until_room(before, here, passed, most)
    at = passed + seconds
    lies_in = before * max(0, 1 - at / 60) + here if at < 60 else here * max(0, 1 - (at - 60) / 60)
    assert lies_in <= most + 1e-6
    assert 0 <= seconds <= 120


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_two_processes_hold_the_limit_together():
    """Each has a connection of its own, as each web process has; all begin at once."""
    token, taken, start = issue("acme"), [], threading.Barrier(8)

    def web() -> None:
        try:
            start.wait()
            for _ in range(5):
                try:
                    spend(token, most=10)
                    taken.append(1)
                except TooMuch:
                    pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=web) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 10
