import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from hitl.access import tokens
from hitl.audit.models import AuditEvent
from queues.intake import judge_verdicts, receive, signals
from queues.intake.body import BodyRefused
from queues.intake.rows import Unreadable
from queues.intake.signal_schema import TYPES
from queues.models import Case, JudgeVerdict, Receipt
from tests.factories.hitl import TenantFactory
from tests.factories.intake import sent
from tests.factories.queues import CaseFactory, QueueFactory, RoutingRuleFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme")


def said(**fields):
    signal = {"type": "judge_verdict", "case_id": "c-1", "judge": "grounded", "verdict": "reject", "confidence": 0.9}
    return {name: value for name, value in (signal | fields).items() if value is not None}


def take(tenant, *rows, now=NOW):
    return signals.signals(list(rows), tenant=tenant, now=now, source="test")


def counts(received):
    return received.accepted, received.duplicates, [one.error for one in received.rejected]


def test_every_column_of_a_verdict_is_written():
    assert set(judge_verdicts.COLUMNS) == {field.column for field in JudgeVerdict._meta.concrete_fields}


def test_a_verdict_is_kept_with_all_it_came_with(tenant):
    case = CaseFactory(tenant=tenant, external_id="c-1")
    row = said(
        version="2", prompt="strict", verdict="fail", score=0.1, categories=["tone", "hallucination"],
        position="first", at="2026-11-20T08:00:00Z",
    )  # fmt: skip
    assert counts(take(tenant, row)) == (1, 0, [])
    kept = JudgeVerdict.objects.get()
    assert (kept.case, kept.judge, kept.judge_version, kept.prompt) == (case, "grounded", "2", "strict")
    assert (kept.verdict, kept.score, kept.confidence, kept.position) == ("reject", 0.1, 0.9, "first")
    assert kept.categories == ["tone", "hallucination"]
    assert (kept.given_at, kept.received_at) == (NOW - timedelta(hours=1), NOW)
    assert AuditEvent.objects.get(action="signals.received").detail["accepted"] == 1


def test_the_same_again_is_a_duplicate_and_something_else_a_conflict(tenant):
    assert counts(take(tenant, said(signal_id="s-1"))) == (1, 0, [])
    assert counts(take(tenant, said(signal_id="s-1"))) == (0, 1, [])
    _, _, (error,) = counts(take(tenant, said(signal_id="s-1", verdict="accept")))
    assert error.startswith("conflict: the one taken in at 2026-11-20 09:00:00 UTC has this signal_id")
    assert JudgeVerdict.objects.get().verdict == "reject"


@pytest.mark.parametrize("known", [True, False])
def test_a_judge_speaks_once_of_a_case_whatever_its_signals_are_called(tenant, known):
    if known:
        CaseFactory(tenant=tenant, external_id="c-1")
    assert counts(take(tenant, said())) == (1, 0, [])
    assert counts(take(tenant, said())) == (0, 1, [])
    assert counts(take(tenant, said(signal_id="other"))) == (0, 1, [])
    for _ in range(2):
        _, _, (error,) = counts(take(tenant, said(confidence=0.2)))
        assert "has said something else of this answer" in error
    assert counts(take(tenant, said(confidence=0.2, version="2"), said(position="second"))) == (2, 0, [])


def test_within_one_request_too(tenant):
    rows = [said(signal_id="a"), said(signal_id="a"), said(signal_id="a", verdict="accept")]
    accepted, duplicates, (error,) = counts(take(tenant, *rows))
    assert (accepted, duplicates) == (1, 1)
    assert "row 0 of the same request" in error
    assert Receipt.objects.get(kind="signal").object_id == JudgeVerdict.objects.get().pk


@pytest.mark.parametrize(
    ("row", "error"),
    [
        (said(type="mood"), f"type: is not one that is taken. Taken now: {', '.join(TYPES)}."),
        (said(type=None), f"type: is missing. Taken now: {', '.join(TYPES)}."),
        (said(type=["x"]), f"type: is not one that is taken. Taken now: {', '.join(TYPES)}."),
        (said(case_id=None), "case_id, trace_id: one of the two is needed, or nobody knows which answer is meant."),
        (said(verdict=None), "verdict, score, categories: one of them is needed, or the judge has said nothing."),
        (said(verdict="meh"), "verdict: must be one of accept, reject, pass, fail."),
        (said(judge=None), "judge: is missing."),
        (said(score=float("nan")), "score: must be an ordinary number."),
        (said(score=float("inf")), "score: must be an ordinary number."),
        (said(score=1e7), "score: must be at most 1e+06."),
        (said(confidence=1.5), "confidence: must be at most 1."),
        (said(at="2026-11-20T09:06:00Z"), "at: lies in the future. Check the clock of the machine that sent it."),
        (said(at="2026-11-20T09:00:00"), "at: has no time zone; end it with Z or an offset such as +02:00."),
        (said(mood="sour"), "mood: is not a field here."),
        (said(judg="x"), "judg: is not a field here; did you mean judge?"),
        (said(case_id="anna@example.org"), "case_id: holds an e-mail address. It is kept as it comes, so send an id "
         "without personal data."),
        (said(categories=["x"] * 51), "categories: has more than 50 entries."),
        ([], "The signal must be an object."),
        (Unreadable("Line 3 is not JSON."), "Line 3 is not JSON."),
    ],
)  # fmt: skip
def test_a_row_that_is_not_taken_says_why_and_the_next_is_taken(tenant, row, error):
    received = take(tenant, row, said())
    assert [(one.index, one.error) for one in received.rejected] == [(0, error)]
    assert received.accepted == 1


def test_clocks_may_differ_by_a_little(tenant):
    assert take(tenant, said(at="2026-11-20T09:04:00Z")).accepted == 1


def test_what_breaks_off_keeps_what_was_read(tenant):
    def rows():
        yield said()
        raise BodyRefused(400, "The connection broke.")

    received = signals.signals(rows(), tenant=tenant, now=NOW, source="test")
    assert (received.accepted, received.cut_off.sentence) == (1, "The connection broke.")


def test_names_lose_what_is_personal_in_them(tenant):
    take(tenant, said(judge="anna@example.org", prompt="for +43 660 1234567"))
    kept = JudgeVerdict.objects.get()
    assert "anna" not in kept.judge
    assert "1234567" not in kept.prompt


class TestBeforeItsCase:
    @pytest.fixture(autouse=True)
    def _routed(self):
        RoutingRuleFactory(name="Everything")

    def bring(self, tenant, **fields):
        assert receive.cases([sent(**fields)], tenant=tenant, now=NOW, source="test").accepted == 1
        return Case.objects.latest("pk")

    @pytest.mark.parametrize("by", [{"case_id": "c-1"}, {"case_id": None, "trace_id": "t-1"}])
    def test_it_waits_and_is_joined_when_the_case_comes(self, tenant, by):
        take(tenant, said(**by))
        assert JudgeVerdict.objects.get().case is None
        self.bring(tenant, case_id="other", trace_id="other")
        assert JudgeVerdict.objects.get().case is None
        case = self.bring(tenant, case_id="c-1", trace_id="t-1")
        assert JudgeVerdict.objects.get().case == case

    def test_a_stranger_s_case_of_that_name_does_not_get_it(self, tenant):
        take(tenant, said())
        self.bring(TenantFactory(), case_id="c-1")
        assert JudgeVerdict.objects.get().case is None

    def test_a_word_that_comes_with_the_case_goes_before_one_that_waited(self, tenant):
        take(tenant, said(), said(case_id=None, trace_id="t-1", verdict="accept"))
        judges = [{"name": "grounded", "verdict": "fail", "confidence": 0.3}]
        case = self.bring(tenant, case_id="c-1", trace_id="t-1", judges=judges)
        assert JudgeVerdict.objects.get(case=case).confidence == 0.3
        assert JudgeVerdict.objects.filter(case=None).count() == 2

    def test_one_of_a_trace_goes_to_the_first_case_of_it(self, tenant):
        first = CaseFactory(tenant=tenant, trace_id="t-1")
        CaseFactory(tenant=tenant, trace_id="t-1")
        take(tenant, said(case_id=None, trace_id="t-1"))
        assert JudgeVerdict.objects.get().case == first


class TestWithTheCase:
    def test_each_judge_of_the_list_is_kept_once(self, tenant):
        RoutingRuleFactory(name="Everything")
        judges = [
            {"name": "grounded", "version": "2", "verdict": "Pass", "confidence": 0.8, "categories": ["tone"]},
            {"name": "grounded", "version": "2", "verdict": "fail"},
            {"name": "old", "score": 0.2, "verdict": "in words of its own"},
        ]
        receive.cases([sent(case_id="c-1", judges=judges)], tenant=tenant, now=NOW, source="test")
        new, old = JudgeVerdict.objects.order_by("pk")
        assert (new.judge, new.judge_version, new.verdict, new.confidence) == ("grounded", "2", "accept", 0.8)
        assert (new.categories, new.case.external_id, new.given_at) == (["tone"], "c-1", NOW)
        assert (old.judge, old.verdict, old.score) == ("old", "", 0.2)
        assert new.case.assessment["sent"]["judges"] == judges
        # The same word again, as a signal.
        again = said(version="2", verdict="pass", confidence=0.8, categories=["tone"])
        assert counts(take(tenant, again)) == (0, 1, [])

    def test_a_case_without_a_judge_costs_no_statement_more(self, tenant, django_assert_num_queries):
        RoutingRuleFactory(name="Everything")
        receive.cases([sent()], tenant=tenant, now=NOW, source="test")
        with django_assert_num_queries(14):
            receive.cases([sent(), sent()], tenant=tenant, now=NOW, source="test")

    def test_a_hundred_judged_cases_cost_as_many_statements_as_one(self, tenant, django_assert_num_queries):
        queue = QueueFactory(judge_first="grounded", judge_sure=0.5)
        RoutingRuleFactory(queue=queue)
        judges = [{"name": "grounded", "verdict": "pass", "confidence": 0.8}]
        for many in (1, 100):
            rows = [sent(judges=judges) for _ in range(many)]
            with django_assert_num_queries(15):
                receive.cases(rows, tenant=tenant, now=NOW, source="test")


class TestTheDoor:
    @pytest.fixture
    def post(self, tenant):
        _, secret = tokens.issue(tenant=tenant, name="Judge", scopes=["ingest"])

        def posted(body, content_type="application/json"):
            return Client().post(
                "/api/v1/signals", body, content_type=content_type, headers={"Authorization": f"Bearer {secret}"}
            )

        return posted

    def test_it_takes_one_an_array_and_lines(self, post):
        rows = [json.dumps(said(case_id=f"c-{n}")) for n in range(4)]
        assert post(rows[0]).json() == {"accepted": 1, "duplicates": 0, "rejected": []}
        assert post(f"[{rows[0]},{rows[1]}]").json() == {"accepted": 1, "duplicates": 1, "rejected": []}
        lines = "\n".join([*rows[2:], "nonsense", json.dumps(said(signal_id="s", judge=""))])
        answer = post(lines, "application/x-ndjson").json()
        assert answer["accepted"] == 2
        assert [(one["index"], one["signal_id"]) for one in answer["rejected"]] == [(2, None), (3, "s")]

    def test_a_body_that_cannot_be_read_is_refused_whole(self, post):
        assert post("{").status_code == 400
        assert post("x", "text/plain").status_code == 415
        assert not JudgeVerdict.objects.exists()
