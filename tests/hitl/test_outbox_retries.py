from datetime import timedelta

from hitl.outbox import retries


def test_it_goes_on_for_five_days_and_then_gives_up():
    waits = []
    while (wait := retries.delay(len(waits) + 1, jitter=0.5)) is not None:
        waits.append(wait)
    assert waits[0] == timedelta(seconds=5)
    assert waits == sorted(waits)
    assert timedelta(days=5) <= sum(waits, timedelta()) <= timedelta(days=5, hours=6)
    assert max(waits) == timedelta(hours=12)


def test_what_failed_together_does_not_come_back_together():
    assert retries.delay(3, 0.0) == timedelta(seconds=36)
    assert retries.delay(3, 0.9999) < timedelta(seconds=54)
