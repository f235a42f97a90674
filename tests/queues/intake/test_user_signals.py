"""The signals of users: typed, weighed against their trace, or waiting for it."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from hitl import textdiff
from hitl.access import tokens
from hitl.database.uuid7 import moment
from queues.intake import signals, traces, user_signals
from queues.intake.signal_schema import MODELS, TYPES
from queues.models import Case, IntakeSettings, JudgeVerdict, Receipt, Signal, SignalWeights, TopicDwell, Trace
from queues.traces import consent, editing, waiting
from queues.traces.weights import DEFAULTS
from tests.factories.hitl import TenantFactory
from tests.factories.traffic import signalled, traced

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
OUTPUT = "It is on its way, and arrives on Monday."
EDITED = "It is on its way, and arrives on Tuesday."
Type = Signal.Type


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme")


def bring(tenant, trace_id="t-1", now=NOW, **fields):
    received = traces.traces([traced(trace_id=trace_id, output=OUTPUT, **fields)], tenant=tenant, now=now, source="api")
    assert received.accepted == 1, received.rejected
    return Trace.objects.get(tenant=tenant, external_id=trace_id)


def take(tenant, *rows, now=NOW, source="api token test"):
    return signals.signals(iter(rows), tenant=tenant, now=now, source=source)


def counts(received):
    return received.accepted, received.duplicates, [one.error for one in received.rejected]


def sums(trace):
    trace.refresh_from_db()
    return trace.signals, round(trace.weight, 6), trace.is_negative, trace.is_edited


def test_every_column_of_a_signal_is_written():
    assert set(user_signals.COLUMNS) == {field.column for field in Signal._meta.concrete_fields}


def test_every_type_of_the_table_may_be_sent():
    assert set(TYPES) == {*Type.values, "judge_verdict"}


def test_a_signal_is_kept_with_all_it_came_with(tenant):
    trace = bring(tenant)
    row = signalled(
        type="user_reason", signal_id="s-1", reason="too_long", comment="Two lines would do.", user_key="u-9",
        at="2026-11-20T08:30:00Z", consent={"evaluation": True, "training": False},
    )  # fmt: skip
    assert counts(take(tenant, row, source="widget token 12ab")) == (1, 0, [])
    kept = Signal.objects.get()
    assert (kept.external_id, kept.type, kept.trace_ref, kept.trace_id) == ("s-1", "user_reason", "t-1", trace.id)
    assert (kept.reason, kept.text, kept.value, kept.difference) == ("too_long", "Two lines would do.", None, None)
    assert (kept.user_key, kept.source, kept.weight) == ("u-9", "widget", DEFAULTS["user_reason"])
    assert (kept.at, kept.received_at, moment(kept.id)) == (NOW - timedelta(minutes=30), NOW, kept.at)
    assert (kept.may_evaluate, kept.may_retrieve, kept.may_train, kept.withdrawn_at) == (True, False, False, None)
    assert Receipt.objects.get(kind="signal").object_uuid == kept.id


@pytest.mark.parametrize(
    ("row", "value", "reason", "text", "weight"),
    [
        (signalled(thumbs="down"), 1, "", "", -DEFAULTS[Type.USER_RATING]),
        (signalled(thumbs="up"), 5, "", "", DEFAULTS[Type.USER_RATING]),
        (signalled(rating=3), 3, "", "", 0),
        (signalled(rating=2), 2, "", "", -DEFAULTS[Type.USER_RATING] / 2),
        (signalled(type="user_reason", reason="refused"), None, "refused", "", DEFAULTS[Type.USER_REASON]),
        (signalled(type="implicit_accept"), None, "", "", DEFAULTS[Type.ACCEPT]),
        (signalled(type="implicit_regenerate"), None, "", "", DEFAULTS[Type.REGENERATE]),
        (signalled(type="implicit_followup", text="No, I meant"), None, "", "No, I meant", DEFAULTS[Type.FOLLOWUP]),
        (signalled(type="implicit_abandon"), None, "", "", DEFAULTS[Type.ABANDON]),
        (signalled(type="implicit_copy", text="on its way"), None, "", "on its way", DEFAULTS[Type.COPY]),
        (signalled(type="implicit_copy_edit"), None, "", "", DEFAULTS[Type.COPY_EDIT]),
        (signalled(type="implicit_dwell", seconds=12.5), 12.5, "", "", 0),
    ],
)
@pytest.mark.parametrize("scrubs", [True, False])
def test_each_type_says_its_own(tenant, row, value, reason, text, weight, scrubs):
    tenant.scrubs = scrubs
    trace = bring(tenant)
    assert counts(take(tenant, row)) == (1, 0, [])
    kept = Signal.objects.get()
    assert (kept.type, kept.value, kept.reason, kept.text, kept.weight) == (row["type"], value, reason, text, weight)
    assert sums(trace)[:2] == (1, round(weight, 6))


@pytest.mark.parametrize(
    ("row", "negative"),
    [
        (signalled(rating=2), True),
        (signalled(rating=2.5), False),
        (signalled(type="user_reason", reason="other"), True),
        (signalled(type="implicit_regenerate"), True),
        (signalled(type="implicit_followup"), True),
        (signalled(type="implicit_abandon"), False),
        (signalled(type="implicit_copy"), False),
        (signalled(type="user_edit", edited_output=EDITED), False),
    ],
)
def test_negative_is_what_says_that_something_was_wrong(tenant, row, negative):
    trace = bring(tenant)
    take(tenant, row)
    assert sums(trace)[2] is negative


@pytest.mark.parametrize(
    ("row", "error"),
    [
        (signalled(trace_id=None), "trace_id: is missing, and without it nobody can look at what the signal is about."),
        (signalled(trace_id=""), "trace_id: is missing, and without it nobody can look at what the signal is about."),
        (signalled(case_id="c-1"), "case_id: is not a field here; did you mean trace_id?"),
        (signalled(thumbs="sideways"), "thumbs: must be one of up, down."),
        (signalled(thumbs="up", rating=4), "rating, thumbs: one of the two is needed, and only one."),
        (signalled(thumbs=None), "rating, thumbs: one of the two is needed, and only one."),
        (signalled(rating=6), "rating: must be at most 5."),
        (signalled(rating="4"), "rating: must be a number, not text."),
        (signalled(type="user_reason"), "reason: is missing."),
        (signalled(type="user_reason", reason="rude"), "reason: must be one of hallucination, refused, too_long, "
         "missed_the_point, formatting, other."),
        (signalled(type="user_edit"), "edited_output: is missing."),
        (signalled(type="implicit_dwell"), "seconds: is missing."),
        (signalled(type="implicit_dwell", seconds=-1), "seconds: must be at least 0."),
        (signalled(type="implicit_accept", text="x"), "text: is not a field here."),
        (signalled(consent={"anything": True}), "consent.anything: is not a field here."),
        (signalled(consent={"training": "yes"}), "consent.training: must be true or false, not text."),
        (signalled(at="2026-11-20T09:06:00Z"), "at: lies in the future. Check the clock of the machine that sent it."),
        (signalled(at="2001-01-01T00:00:00Z"), "at: lies more than 90 days back, which is how long it would be kept "
         "here."),
        (signalled(type="user_edit", edited_output="a\x00"), "edited_output: holds a NUL character, which cannot be "
         "stored; leave it out."),
        (signalled(trace_id="anna@example.org"), "trace_id: holds an e-mail address. It is kept as it comes, so send "
         "an id without personal data."),
        (signalled(signal_id="anna@example.org"), "signal_id: holds an e-mail address. It is kept as it comes, so send "
         "an id without personal data."),
    ],
)  # fmt: skip
def test_a_row_that_is_not_taken_says_why_and_the_next_is_taken(tenant, row, error):
    received = take(tenant, row, signalled())
    assert [(one.index, one.error) for one in received.rejected] == [(0, error)]
    assert received.accepted == Signal.objects.count() == 1


class TestAgain:
    def test_the_same_is_a_duplicate_and_something_else_a_conflict(self, tenant):
        trace = bring(tenant)
        assert counts(take(tenant, signalled(signal_id="s-1"))) == (1, 0, [])
        assert counts(take(tenant, signalled(signal_id="s-1"))) == (0, 1, [])
        _, _, (error,) = counts(take(tenant, signalled(signal_id="s-1", thumbs="up")))
        assert error == (
            "conflict: the one taken in at 2026-11-20 09:00:00 UTC has this signal_id with other content. Nothing was "
            "changed; use a new signal_id."
        )
        assert sums(trace)[0] == 1

    def test_without_a_name_the_content_is_the_name(self, tenant):
        rows = [signalled(), signalled(user_key="u-2"), signalled()]
        assert counts(take(tenant, *rows)) == (2, 1, [])
        assert counts(take(tenant, *rows)) == (0, 3, [])

    def test_a_judge_s_word_may_not_go_by_a_user_s_name(self, tenant):
        judged = {"type": "judge_verdict", "trace_id": "t-1", "judge": "grounded", "verdict": "reject"}
        rows = [signalled(signal_id="s-1"), judged | {"signal_id": "s-1"}, judged | {"signal_id": "s-2"}]
        accepted, _, (error,) = counts(take(tenant, *rows))
        assert accepted == 2
        assert error.startswith("conflict: row 0 of the same request has this signal_id")


class TestEdits:
    @pytest.mark.parametrize("type", ["user_edit", "implicit_copy_edit"])
    @pytest.mark.parametrize("late", [False, True])
    def test_are_kept_with_what_they_changed(self, tenant, type, late):
        row = signalled(type=type, edited_output=EDITED)
        if late:
            take(tenant, row)
            assert Signal.objects.get().difference is None
        trace = bring(tenant)
        if not late:
            take(tenant, row)
        kept = Signal.objects.get()
        assert kept.difference == [["=", 33], ["-", "Monday"], ["+", "Tuesday"], ["=", 1]]
        assert editing.ops(OUTPUT, kept.difference) == textdiff.diff(OUTPUT, EDITED)
        assert kept.value == pytest.approx(textdiff.edit_ratio(OUTPUT, EDITED), abs=1e-4)
        assert sums(trace) == (1, DEFAULTS[type], False, True)

    def test_one_that_changes_nothing_counts_for_nothing(self, tenant):
        trace = bring(tenant)
        take(tenant, signalled(type="user_edit", edited_output=OUTPUT))
        assert Signal.objects.get().value == 0
        assert sums(trace) == (1, 0, False, False)

    def test_a_copy_whose_text_nobody_saw_is_no_edit_that_anybody_could_use(self, tenant):
        trace = bring(tenant)
        take(tenant, signalled(type="implicit_copy_edit"))
        assert sums(trace)[3] is False

    def test_an_answer_that_was_emptied_was_no_good_and_left_no_text_to_learn_from(self, tenant):
        trace = bring(tenant)
        take(tenant, signalled(type="user_edit", edited_output=""))
        assert sums(trace) == (1, DEFAULTS[Type.USER_EDIT], False, False)


class TestDwell:
    @pytest.fixture(autouse=True)
    def _usual(self, tenant):
        TopicDwell.objects.create(tenant=tenant, topic="refund", median=20, count=50, at=NOW)

    @pytest.mark.parametrize(
        ("seconds", "share"), [(20, 0), (39, 0), (11, 0), (80, 0.5), (5, 0.5), (160, 1), (2.5, 1), (5000, 1), (0, 0)]
    )
    @pytest.mark.parametrize("late", [False, True])
    def test_counts_by_how_far_it_is_from_the_topic_s_median(self, tenant, seconds, share, late):
        row = signalled(type="implicit_dwell", seconds=seconds)
        if late:
            take(tenant, row)
            assert Signal.objects.get().weight == 0
        trace = bring(tenant)
        if not late:
            take(tenant, row)
        assert Signal.objects.get().weight == pytest.approx(share * DEFAULTS[Type.DWELL])
        assert sums(trace) == (1, pytest.approx(share * DEFAULTS[Type.DWELL]), False, False)

    def test_of_a_topic_that_nobody_knows_says_nothing(self, tenant):
        bring(tenant, topic="delivery")
        take(tenant, signalled(type="implicit_dwell", seconds=5000))
        assert Signal.objects.get().weight == 0


class TestBeforeItsTrace:
    def test_it_waits_and_is_the_trace_s_when_that_comes(self, tenant):
        take(tenant, signalled(), signalled(type="implicit_copy"), signalled(trace_id="t-2"))
        assert set(Signal.objects.values_list("trace_id", flat=True)) == {None}
        trace = bring(tenant)
        assert set(Signal.objects.filter(trace_ref="t-1").values_list("trace_id", flat=True)) == {trace.id}
        assert Signal.objects.get(trace_ref="t-2").trace_id is None
        assert sums(trace) == (2, 0.1, True, False)

    def test_a_stranger_s_trace_of_that_name_does_not_get_it(self, tenant):
        take(tenant, signalled())
        bring(TenantFactory())
        assert Signal.objects.get().trace_id is None

    def test_one_that_came_at_the_same_moment_is_joined_soon(self, tenant):
        trace = bring(tenant)
        take(tenant, signalled())
        # As if neither had seen the other.
        Signal.objects.update(trace_id=None)
        Trace.objects.update(signals=0, weight=0, is_negative=False)
        assert waiting.join_just_now(NOW + timedelta(minutes=9)) == 1
        assert sums(trace) == (1, -0.6, True, False)
        assert waiting.join_just_now(NOW + timedelta(minutes=9)) == 0

    def test_one_of_yesterday_is_joined_with_patience(self, tenant):
        trace = bring(tenant)
        take(tenant, signalled())
        Signal.objects.update(trace_id=None)
        later = NOW + timedelta(hours=20)
        assert (waiting.join_just_now(later), waiting.join_late(later)) == (0, 1)
        assert Signal.objects.get().trace_id == trace.id


class TestConsent:
    def test_there_is_none_that_was_not_given(self, tenant):
        take(tenant, signalled(), signalled(user_key="u", consent={"retrieval": True}))
        assert list(Signal.objects.order_by("user_key").values_list("may_evaluate", "may_retrieve", "may_train")) == [
            (False, False, False),
            (False, True, False),
        ]

    def test_what_was_on_its_way_when_a_user_took_it_back_is_held_to_that(self, tenant):
        trace = bring(tenant)
        consent.withdraw(tenant=tenant, user_key="u-1", by=None, source="api", now=NOW)
        every = {"evaluation": True, "retrieval": True, "training": True}
        early = signalled(user_key="u-1", at="2026-11-20T08:59:00Z", consent=every)
        later = signalled(user_key="u-1", at="2026-11-20T09:01:00Z", consent=every)
        take(tenant, early, later, now=NOW + timedelta(minutes=2))
        first, second = Signal.objects.order_by("id")
        assert (first.may_evaluate, first.may_retrieve, first.may_train, first.withdrawn_at) == (False,) * 3 + (NOW,)
        assert (second.may_evaluate, second.withdrawn_at) == (True, None)
        assert sums(trace)[0] == 1

    def test_a_signal_without_a_key_is_its_trace_s_user_s(self, tenant):
        trace = bring(tenant)
        consent.withdraw(tenant=tenant, user_key="u-1", by=None, source="api", now=NOW)
        take(tenant, signalled(at="2026-11-20T08:59:00Z", consent={"training": True}))
        assert Signal.objects.get().withdrawn_at == NOW
        assert sums(trace) == (0, 0, False, False)

    def test_what_is_taken_back_counts_no_more(self, tenant):
        trace = bring(tenant)
        take(tenant, signalled(user_key="u-1"), signalled(user_key="u-2", type="implicit_copy"))
        consent.withdraw(tenant=tenant, user_key="u-1", by=None, source="api", now=NOW)
        assert sums(trace) == (1, DEFAULTS[Type.COPY], False, False)


class TestPersonalData:
    ADDRESS = "anna.muster@example.org"

    def test_is_in_no_column(self, tenant):
        bring(tenant)
        rows = [
            signalled(type="user_reason", reason="other", comment=f"Mail me: {self.ADDRESS}", user_key=self.ADDRESS),
            signalled(type="user_edit", edited_output=f"{OUTPUT} Write to {self.ADDRESS}."),
            signalled(type="implicit_followup", text=self.ADDRESS),
        ]
        assert take(tenant, *rows).accepted == 3
        kept = str(list(Signal.objects.values_list(*user_signals.COLUMNS)))
        assert self.ADDRESS not in kept
        assert kept.count("[EMAIL_") >= 5

    def test_an_edit_is_compared_after_it_was_cleaned(self, tenant):
        bring(tenant, trace_id="t-0")
        row = traced(trace_id="t-1", output=f"Write to {self.ADDRESS}.")
        traces.traces([row], tenant=tenant, now=NOW, source="api")
        take(tenant, signalled(type="user_edit", edited_output=f"Write to {self.ADDRESS}."))
        assert Signal.objects.get().value == 0


class TestWeights:
    def test_a_tenant_s_own_hold_and_the_defaults_for_the_rest(self, tenant):
        SignalWeights.objects.create(tenant=tenant, revision=1, weights={"implicit_copy": 0.1}, at=NOW)
        SignalWeights.objects.create(tenant=tenant, revision=2, weights={"implicit_copy": 0.3}, at=NOW)
        SignalWeights.objects.create(tenant=TenantFactory(), revision=3, weights={"implicit_copy": 0.5}, at=NOW)
        take(tenant, signalled(type="implicit_copy"), signalled(type="implicit_accept"))
        assert set(Signal.objects.values_list("weight", flat=True)) == {0.3, DEFAULTS[Type.ACCEPT]}


def test_a_user_with_five_thousand_thumbs_down_is_taken_down_in_full(tenant):
    trace = bring(tenant)
    rows = [signalled(signal_id=f"s-{n}", user_key="u-1", trace_id="t-1" if n % 2 else f"t-{n}") for n in range(5_000)]
    assert take(tenant, *rows).accepted == 5_000
    assert sums(trace) == (2_500, -1_500, True, False)
    assert Signal.objects.aggregate(Sum("weight"))["weight__sum"] == pytest.approx(-3_000)


def test_older_than_its_tenant_keeps_is_refused(tenant):
    IntakeSettings.objects.create(tenant=tenant, trace_days=2)
    received = take(tenant, signalled(at="2026-11-17T00:00:00Z"))
    assert counts(received)[2] == ["at: lies more than 2 days back, which is how long it would be kept here."]


@pytest.mark.parametrize("scrubs", [True, False])
def test_a_hundred_cost_as_many_statements_as_one(tenant, scrubs, django_assert_num_queries):
    tenant.scrubs = scrubs
    bring(tenant)
    for many in (1, 100):
        rows = [signalled(signal_id=f"{many}-{n}", user_key=f"u-{n}") for n in range(many)]
        with django_assert_num_queries(13):
            take(tenant, *rows)


def test_all_families_come_by_one_door_at_once(tenant):
    _, secret = tokens.issue(tenant=tenant, name="App", scopes=["ingest"])
    now = timezone.now()
    bring(tenant, at=(now - timedelta(minutes=1)).isoformat(), now=now)
    judged = {"type": "judge_verdict", "trace_id": "t-1", "judge": "grounded", "score": 0.2}
    rows = [signalled(), judged, signalled(type="implicit_abandon"), signalled(trace_id=None)]
    answer = Client(headers={"Authorization": f"Bearer {secret}"}).post(
        "/api/v1/signals", json.dumps(rows), content_type="application/json"
    )
    assert answer.json()["accepted"] == 3
    assert [one["index"] for one in answer.json()["rejected"]] == [3]
    assert (Signal.objects.count(), JudgeVerdict.objects.get().trace_id, Case.objects.count()) == (2, "t-1", 0)
    assert set(Signal.objects.values_list("source", flat=True)) == {"api"}


def test_what_may_be_sent_is_published():
    schemas = Client().get("/api/v1/openapi.json").json()["components"]["schemas"]
    assert {model.__name__ for model in MODELS} <= set(schemas)
    assert schemas["UserRating"]["required"] == ["type", "trace_id"]
