"""The random sample cannot be starved: whatever burns, it keeps its tenth of what is handed out."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from queues import claims
from queues.claims import RANDOM_FLOOR, Head
from queues.models import Lane, Slot
from tests.factories.queues import LaneFactory, SlotFactory, reviewer_of

ROLLS = [n / 1000 for n in range(1000)]
BURNING = st.lists(
    st.tuples(st.sampled_from(["escalation", "sampled", "quality", "approval"]), st.integers(1, 100), st.booleans()),
    min_size=1,
    max_size=40,
)


@given(burning=BURNING, weight=st.integers(1, 100), lanes=st.integers(1, 3))
def test_no_number_of_escalations_however_heavy_and_overdue_gets_more_than_nine_tenths(burning, weight, lanes):
    heads = [Head(n, stream, heavy, False, overdue) for n, (stream, heavy, overdue) in enumerate(burning)]
    heads += [Head(100 + n, "random", weight, False, False) for n in range(lanes)]
    served = sum(claims.draw(heads, roll).stream == "random" for roll in ROLLS)
    assert served >= RANDOM_FLOOR * len(ROLLS) - 1


@pytest.mark.django_db
def test_so_it_is_handed_out_with_escalations_overdue_in_every_lane():
    random = LaneFactory(stream=Lane.Stream.RANDOM, weight=1)
    burning = [
        LaneFactory(queue=random.queue, tenant=random.tenant, weight=100, authority="", language=language)
        for language in ("en", "de", "fr")
    ]
    user = reviewer_of(random, *burning)
    late = timezone.now() - timedelta(hours=2)
    for lane in (random, *burning):
        for _ in range(100 if lane != random else 40):
            SlotFactory(lane=lane, due_at=None if lane == random else late, overdue=lane != random)
    for roll in (n / 200 for n in range(200)):
        claims.take(user=user, roll=roll)
    handed_out = Slot.objects.filter(state="held")
    assert handed_out.count() == 200
    assert handed_out.filter(lane=random).count() >= 20
