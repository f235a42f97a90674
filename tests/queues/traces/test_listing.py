from datetime import timedelta

import pytest
from django.utils import timezone

from queues.traces import listing
from queues.traces.listing import BY_TIME, Wanted
from tests.factories.hitl import TenantFactory
from tests.factories.queues import CaseFactory
from tests.factories.traces import SignalFactory, TraceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def tenant():
    return TenantFactory()


def ask(tenant, now, after="", **fields):
    period = {"since": now - timedelta(days=14), "until": now + timedelta(minutes=1)}
    return listing.page(Wanted(tenant_id=tenant.pk, **(period | fields)), after)


def names(page):
    return [row.external_id for row in page.rows]


def trace(tenant, name, **fields):
    return TraceFactory(tenant=tenant, external_id=name, **fields)


class TestTheOrder:
    def test_by_signals_has_edits_on_top_then_the_worst_and_leaves_out_what_nobody_spoke_of(self, tenant, now):
        trace(tenant, "silent")
        trace(tenant, "good", signals=1, weight=0.7)
        trace(tenant, "bad", signals=2, weight=-1.4, is_negative=True)
        trace(tenant, "edited", signals=1, weight=-0.2, is_edited=True)
        trace(tenant, "worse", signals=3, weight=-2.1, is_negative=True)
        assert names(ask(tenant, now)) == ["edited", "worse", "bad", "good"]

    def test_by_time_has_the_newest_first_and_all_of_them(self, tenant, now):
        for days in (3, 1, 2):
            trace(tenant, f"{days} days", at=now - timedelta(days=days))
        assert names(ask(tenant, now, order=BY_TIME)) == ["1 days", "2 days", "3 days"]

    def test_is_within_the_period_and_the_tenant(self, tenant, now):
        trace(tenant, "old", at=now - timedelta(days=15))
        trace(TenantFactory(), "foreign")
        assert names(ask(tenant, now, order=BY_TIME)) == []
        assert names(ask(tenant, now, order=BY_TIME, since=now - timedelta(days=20))) == ["old"]


class TestPages:
    @pytest.mark.parametrize("order", [listing.BY_SIGNALS, BY_TIME])
    @pytest.mark.parametrize("filters", [{}, {"topic": "refund"}])
    def test_follow_each_other_without_a_gap_or_a_repetition(self, tenant, now, monkeypatch, order, filters):
        monkeypatch.setattr(listing, "PAGE", 3)
        for place in range(10):
            weight = -(place // 3) / 3
            trace(tenant, f"trace {place}", signals=1, weight=weight, is_edited=place in (0, 1, 2, 7))
        seen, after = [], ""
        for _ in range(4):
            page = ask(tenant, now, after, order=order, **filters)
            seen += names(page)
            after = page.after
        assert after == ""
        assert sorted(seen) == sorted(f"trace {place}" for place in range(10))
        if order == listing.BY_SIGNALS:
            assert set(seen[:4]) == {"trace 0", "trace 1", "trace 2", "trace 7"}

    @pytest.mark.parametrize("after", ["nonsense", "e:x:y", "t:0:00000000-0000-7000-8000-000000000000", "q:nan:1"])
    def test_from_a_place_that_cannot_be_read_begin_anew(self, tenant, now, after):
        trace(tenant, "one", signals=1)
        assert names(ask(tenant, now, after)) == ["one"]


class TestFilters:
    @pytest.mark.parametrize("field", listing.EQUAL)
    def test_are_by_what_it_was_made_with(self, tenant, now, field):
        trace(tenant, "wanted", **{field: "other"})
        trace(tenant, "not wanted")
        assert names(ask(tenant, now, order=BY_TIME, **{field: "other"})) == ["wanted"]

    def test_are_by_user_kind_of_signal_and_what_signals_say(self, tenant, now):
        edited = trace(tenant, "edited", user_key="u-1", signals=1, weight=-1, is_edited=True)
        negative = trace(tenant, "negative", signals=1, weight=-0.7, is_negative=True)
        SignalFactory(trace=edited, type="user_edit")
        SignalFactory(trace=negative, type="implicit_regenerate")
        for order in (listing.BY_SIGNALS, BY_TIME):
            assert names(ask(tenant, now, order=order, user_key="u-1")) == ["edited"]
            assert names(ask(tenant, now, order=order, signal="implicit_regenerate")) == ["negative"]
            assert names(ask(tenant, now, order=order, negative=True)) == ["negative"]
            assert names(ask(tenant, now, order=order, edited=True)) == ["edited"]

    def test_are_by_whether_it_is_a_case_already(self, tenant, now):
        CaseFactory(tenant=tenant, trace_id="taken")
        CaseFactory(trace_id="free")
        trace(tenant, "taken")
        trace(tenant, "free")
        assert names(ask(tenant, now, order=BY_TIME, is_case=True)) == ["taken"]
        assert names(ask(tenant, now, order=BY_TIME, is_case=False)) == ["free"]

    def test_are_by_all_words_in_what_was_asked_or_answered_as_they_are_written(self, tenant, now):
        trace(tenant, "both", input="My REFUND", output="takes 100% of 3 days")
        trace(tenant, "one", input="My refund", output="takes long")
        assert names(ask(tenant, now, order=BY_TIME, words="refund days")) == ["both"]
        assert names(ask(tenant, now, order=BY_TIME, words="100%")) == ["both"]
        assert names(ask(tenant, now, order=BY_TIME, words="r_fund")) == []


class TestWhatIsLookedAt:
    def test_is_bounded_and_said_and_the_next_page_goes_on_from_there(self, tenant, now, monkeypatch):
        monkeypatch.setattr(listing, "LOOKED", 3)
        trace(tenant, "far down", at=now - timedelta(days=5), topic="rare")
        last = [trace(tenant, f"{hours} h", at=now - timedelta(hours=hours)) for hours in (1, 2, 3)][-1]
        page = ask(tenant, now, order=BY_TIME, topic="rare")
        assert names(page) == []
        assert abs(page.looked_to - last.at) < timedelta(milliseconds=2)
        following = ask(tenant, now, page.after, order=BY_TIME, topic="rare")
        assert names(following) == ["far down"]
        assert (following.after, following.looked_to) == ("", None)

    def test_by_signals_is_bounded_too(self, tenant, now, monkeypatch):
        monkeypatch.setattr(listing, "LOOKED", 2)
        for place in range(4):
            trace(tenant, f"trace {place}", signals=1, weight=-1 + place / 10, topic="rare" if place == 3 else "usual")
        page = ask(tenant, now, topic="rare")
        assert (names(page), page.looked_weight) == ([], -0.9)
        assert names(ask(tenant, now, page.after, topic="rare")) == ["trace 3"]


def test_figures_count_the_period_and_stop_at_their_bound(tenant, now, monkeypatch):
    trace(tenant, "silent")
    trace(tenant, "negative", signals=1, is_negative=True)
    trace(tenant, "edited", signals=1, is_edited=True)
    since = now - timedelta(days=1)
    found = listing.figures(tenant.pk, since, now)
    assert (found.traces, found.with_signals, found.negative, found.edited) == (3, 2, 1, 1)
    monkeypatch.setattr(listing, "COUNTED", 1)
    assert listing.figures(tenant.pk, since, now).traces == 2
