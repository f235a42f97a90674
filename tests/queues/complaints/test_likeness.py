from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from queues.complaints.likeness import LEAST, WEIGHTS, Candidate, Said, rank

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
COMPLAINT = "Your assistant promised a refund of the second debit, which never came."


def said(text=COMPLAINT, user="", about=None):
    return Said(text, user, about, NOW)


def trace(number, text="How do I send my meter reading?", user="", hours=5.0, negative=False):
    return Candidate(UUID(int=number), NOW - timedelta(hours=hours), user, text, negative)


def order(complaint, *candidates, **more):
    return [one.id.int for one in rank(complaint, candidates, **more)]


def reasons(complaint, *candidates):
    return [reason.words for reason in rank(complaint, candidates)[0].reasons]


class TestTheOrder:
    def test_puts_the_same_user_before_shared_words_and_these_before_nearness_in_time(self):
        found = order(
            said(user="u-1"),
            trace(1, hours=0.1, negative=True),
            trace(2, text="Is my second debit refunded?", user="u-2"),
            trace(3, user="u-1", hours=60),
        )
        assert found == [3, 2, 1]

    def test_is_by_time_among_equals(self):
        text = "Is my second debit refunded?"
        assert order(said(), trace(1, text, hours=40), trace(2, text, hours=2), trace(3, text, hours=80)) == [2, 1, 3]

    def test_is_by_the_time_that_was_named_where_one_was(self):
        text = "Is my second debit refunded?"
        about = NOW - timedelta(hours=40)
        assert order(said(about=about), trace(1, text, hours=41), trace(2, text, hours=2)) == [1, 2]

    def test_has_a_trace_after_the_complaint_last(self):
        text = "Is my second debit refunded?"
        assert order(said(), trace(1, text, hours=-3), trace(2, text, hours=90)) == [2, 1]

    def test_takes_forms_of_a_word_for_the_word_and_rare_ones_for_more_than_common_ones(self):
        usual = [trace(n, "Your assistant on the second debit") for n in range(10, 20)]
        assert order(said(), *usual, trace(1, "refunds promise"), most=1) == [1]

    def test_proposes_none_that_its_date_alone_speaks_for(self):
        assert order(said(text="Completely unlike anything"), trace(1, hours=0)) == []
        assert order(said(text="?!"), trace(1, hours=0)) == []
        assert order(said()) == []

    def test_is_no_longer_than_asked(self):
        assert len(order(said(user="u"), *(trace(n, user="u") for n in range(9)), most=3)) == 3


class TestReasons:
    def test_say_in_words_what_speaks_for_a_trace_the_most_telling_first(self):
        found = reasons(said(user="u-1"), trace(1, "My second debit: is it refunded?", "u-1", negative=True), trace(2))
        assert found[0] == "the same user"
        assert found[1] == "shares the words “second”, “debit”, “refund”"
        assert set(found[2:]) == {"5 h before the complaint", "its user said that something was wrong"}

    @pytest.mark.parametrize(("hours", "words"), [(0.5, "30 min"), (5, "5 h"), (47, "47 h"), (72, "3 days")])
    def test_name_the_time(self, hours, words):
        assert f"{words} before the complaint" in reasons(said(user="u"), trace(1, user="u", hours=hours))
        about = NOW - timedelta(hours=hours)
        assert f"{words} from the time that was named" in reasons(said("", "u", about), trace(1, user="u", hours=0))

    def test_have_shares_that_make_up_the_whole(self):
        (one,) = rank(said(user="u-1"), [trace(1, "second debit", "u-1", negative=True)])
        assert sum(reason.share for reason in one.reasons) == pytest.approx(1)
        assert LEAST <= one.score <= sum(WEIGHTS.values())

    def test_of_all_clues_at_their_best_make_a_score_of_one(self):
        (one,) = rank(said(user="u-1"), [trace(1, COMPLAINT, "u-1", hours=0, negative=True)])
        assert one.score == pytest.approx(1)
        assert sum(WEIGHTS.values()) == pytest.approx(1)
