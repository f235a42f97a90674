import json
import random

import pytest

from queues.risk import Risk
from queues.routing import Facts, Move, Rule, moves, route, rulebook, sentences


def rule(number: int, *, queue: int | None = None, **conditions) -> Rule:
    lists = ("domains", "languages", "tenants", "triggers", "topics")
    values = {key: frozenset(value) if key in lists else value for key, value in conditions.items()}
    queue = queue or number
    return Rule(number, values.pop("name", f"rule {number}"), queue, f"queue {queue}", **values)


def took(facts: Facts, *rules: Rule) -> int | None:
    found = route(facts, rules).rule
    return found.id if found else None


LEGAL_DE = Facts("acme", "Legal", "de-AT", Risk.HIGH, "cancellation", frozenset({"high_stakes"}), 90)


class TestConditions:
    @pytest.mark.parametrize(
        "conditions",
        [
            {},
            {"domains": ["legal", "billing"]},
            {"domains": [" LEGAL "]},
            {"languages": ["de"]},
            {"languages": ["de_at", "fr"]},
            {"tenants": ["acme"]},
            {"min_risk": Risk.HIGH},
            {"max_risk": Risk.HIGH},
            {"min_risk": Risk.HIGH, "max_risk": Risk.HIGH},
            {"due_within_minutes": 90},
            {"triggers": ["low_confidence", "high_stakes"]},
            {"topics": ["Cancellation"]},
        ],
    )
    def test_a_case_that_meets_the_condition_is_taken(self, conditions):
        assert took(LEGAL_DE, rule(1, **conditions)) == 1

    @pytest.mark.parametrize(
        ("conditions", "condition", "words"),
        [
            ({"domains": ["billing", "sales"]}, "domain", "domain billing or sales"),
            ({"languages": ["de-CH", "fr"]}, "language", "language French or German (Switzerland)"),
            ({"tenants": ["globex"]}, "tenant", "tenant globex"),
            ({"min_risk": Risk.CRITICAL}, "risk", "risk critical or higher"),
            ({"max_risk": Risk.MEDIUM}, "risk", "risk medium or lower"),
            ({"min_risk": Risk.LOW, "max_risk": Risk.MEDIUM}, "risk", "risk low to medium"),
            ({"min_risk": Risk.LOW, "max_risk": Risk.LOW}, "risk", "risk low"),
            ({"due_within_minutes": 60}, "deadline", "a deadline within 60 min"),
            ({"triggers": ["tool_risk"]}, "trigger", "trigger tool risk"),
            ({"topics": ["refund"]}, "topic", "topic refund"),
        ],
    )
    def test_a_case_that_does_not_is_passed_over_and_told_why(self, conditions, condition, words):
        routed = route(LEGAL_DE, [rule(1, name="narrow", **conditions)])

        assert routed.rule is None
        assert [(passed.rule, passed.condition, passed.words) for passed in routed.passed_over] == [
            ("narrow", condition, words)
        ]

    def test_a_case_without_a_deadline_meets_no_deadline_and_an_overdue_one_meets_all(self):
        urgent = rule(1, due_within_minutes=60)

        assert took(Facts("acme"), urgent) is None
        assert took(Facts("acme", due_in_minutes=-500), urgent) == 1

    def test_a_case_without_a_language_meets_no_language(self):
        assert took(Facts("acme"), rule(1, languages=["en"])) is None

    def test_every_condition_must_hold(self):
        assert took(LEGAL_DE, rule(1, domains=["legal"], tenants=["globex"])) is None
        assert took(LEGAL_DE, rule(1, domains=["legal"], tenants=["acme"])) == 1


class TestOrder:
    def test_the_most_specific_rule_comes_first_whatever_its_position(self):
        general = rule(1, position=1)
        one = rule(2, position=2, domains=["legal"])
        two = rule(3, position=99, domains=["legal"], languages=["de"])

        assert took(LEGAL_DE, general, one, two) == 3
        assert [one.specificity for one in (general, one, two)] == [0, 1, 2]

    def test_each_condition_counts_once_however_many_values_it_has(self):
        assert rule(1, domains=["a", "b", "c"]).specificity == 1
        assert rule(1, min_risk=Risk.LOW, max_risk=Risk.HIGH).specificity == 2
        assert rule(1, authority="legal.L2").specificity == 0

    def test_then_position_then_id(self):
        assert took(LEGAL_DE, rule(1, position=2), rule(2, position=1)) == 2
        assert took(LEGAL_DE, rule(7, position=1), rule(3, position=1)) == 3

    def test_the_order_they_are_given_in_changes_nothing(self):
        rules = [
            rule(n, position=n % 3, **({"domains": ["legal"]} if n % 2 else {}), **({"min_risk": 2} if n % 5 else {}))
            for n in range(1, 30)
        ]
        expected = route(LEGAL_DE, rules)
        for seed in range(10):
            random.Random(seed).shuffle(rules)
            assert route(LEGAL_DE, rules) == expected
            assert route(LEGAL_DE, rulebook(rules)) == expected


def test_the_rule_grants_the_authority():
    routed = route(LEGAL_DE, [rule(1, domains=["legal"], authority="legal.L2")])

    assert routed.authority == "legal.L2"


def test_nothing_is_routed_without_a_rule_that_fits():
    routed = route(LEGAL_DE, [])

    assert routed.rule is None
    assert routed.authority == ""
    assert routed.explain() == [
        "No rule takes this case, so it waits unrouted until a rule does or a lead sends it on."
    ]


def test_explains_itself_in_sentences():
    routed = route(
        LEGAL_DE,
        [
            rule(1, name="Swiss law", domains=["legal"], languages=["de-CH"], min_risk=Risk.LOW),
            rule(2, name="Law", domains=["legal"], languages=["de"], authority="legal.L2"),
            rule(3, name="Rest"),
        ],
    )

    assert routed.explain() == [
        "The rule “Law” sent it to queue 2, because it is a case with domain legal and language German.",
        "The rule asks for a person with the authority legal.L2.",
        "“Swiss law” was tried first, but takes only language German (Switzerland).",
    ]


def test_a_catch_all_says_so():
    assert route(LEGAL_DE, [rule(3, name="Rest")]).explain() == [
        "The rule “Rest” sent it to queue 3, which takes every case."
    ]


def test_what_is_stored_explains_itself_later_and_stays_short():
    rules = [rule(n, domains=["billing"]) for n in range(1, 10)]
    stored = json.loads(json.dumps(route(LEGAL_DE, [*rules, rule(99)]).to_json()))

    told = sentences(stored)

    assert told[0] == "The rule “rule 99” sent it to queue 99, which takes every case."
    assert told[-1] == "3 more rules were tried before and did not fit."
    assert len(told) == 8
    assert sentences({}) == []


def test_what_is_stored_names_no_other_tenant_and_no_rule_of_theirs_alone():
    shared = rule(1, tenants=["acme", "globex"], domains=["legal"])
    theirs = rule(2, name="globex only", tenants=["globex"], domains=["legal"], topics=["cancellation"])

    told = json.dumps(route(LEGAL_DE, [theirs, shared]).to_json())

    assert "globex" not in told
    assert "tenant acme" in told


class TestMoves:
    OLD = (rule(1, domains=["legal"]), rule(2))

    def test_names_the_cases_that_a_change_would_move(self):
        cases = [("c1", LEGAL_DE), ("c2", Facts("acme", "billing")), ("c3", Facts("acme", "legal", "en"))]
        new = (*self.OLD, rule(3, domains=["legal"], languages=["de"], authority="legal.L2"))

        assert moves(cases, self.OLD, new) == [Move("c1", "queue 1", "queue 3", "", "legal.L2")]

    def test_a_change_that_leaves_cases_without_a_queue_is_a_move(self):
        assert moves([("c", LEGAL_DE)], self.OLD, ()) == [Move("c", "queue 1", "", "", "")]
        assert moves([("c", LEGAL_DE)], (), self.OLD) == [Move("c", "", "queue 1", "", "")]

    def test_another_rule_to_the_same_queue_is_none_but_another_authority_is(self):
        same = (rule(9, queue=1),)
        signed = (rule(1, domains=["legal"], authority="legal.L1"),)

        assert moves([("c", LEGAL_DE)], self.OLD, same) == []
        assert moves([("c", LEGAL_DE)], self.OLD, signed) == [Move("c", "queue 1", "queue 1", "", "legal.L1")]
