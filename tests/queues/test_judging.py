import pytest

from queues.judging import Facts, JudgeFirst, Said, may_label, verdict_of
from queues.risk import Risk

TRUSTED = JudgeFirst("grounded", 0.9)
SURE = Said("grounded", "2", verdict="accept", confidence=0.95)


def asked(*said, trusted=TRUSTED, risk=Risk.MEDIUM, fired=(), person=False):
    return may_label(Facts(trusted, risk, frozenset(fired), person, said))


def test_a_sure_verdict_of_the_judge_that_the_queue_trusts_is_enough():
    ruling = asked(Said("other", verdict="reject"), SURE)
    assert ruling.may_label
    assert ruling.by == 1
    assert ruling.because == "grounded 2 says accept and is 0.95 sure; 0.90 is asked for."


def test_exactly_as_sure_as_asked_for_is_sure():
    assert asked(Said("grounded", verdict="reject", confidence=0.9)).may_label


@pytest.mark.parametrize("fired", [[], ["low_confidence"], ["quality_failure"], ["low_confidence", "quality_failure"]])
def test_mere_doubt_may_be_left_to_it(fired):
    assert asked(SURE, fired=fired).may_label


@pytest.mark.parametrize("fired", ["high_stakes", "policy_boundary", "tool_risk", "user_escalation"])
def test_what_sends_a_case_to_a_person_for_another_reason_goes_to_one(fired):
    ruling = asked(SURE, fired=["low_confidence", fired])
    assert not ruling.may_label
    assert ruling.because.startswith("A person is asked for more than doubt")


@pytest.mark.parametrize("risk", [Risk.HIGH, Risk.CRITICAL])
def test_what_is_risky_goes_to_a_person(risk):
    assert not asked(SURE, risk=risk).may_label


def test_a_user_who_asked_for_a_person_gets_one_even_where_that_trigger_is_switched_off():
    assert not asked(SURE, person=True).may_label


@pytest.mark.parametrize(
    ("said", "because"),
    [
        ([], "has not judged it"),
        ([Said("other", verdict="accept", confidence=1)], "has not judged it"),
        ([Said("grounded", score=0.0, confidence=1)], "gave no verdict"),
        ([Said("grounded", verdict="accept", score=1.0)], "does not say how sure"),
        ([Said("grounded", verdict="accept", confidence=0.89)], "0.89 sure; 0.90"),
        ([SURE, Said("grounded", "1", verdict="reject", confidence=1)], "contradicts itself"),
        ([SURE, Said("grounded", position="second", verdict="accept", confidence=0.1)], "0.10 sure"),
    ],
)
def test_anything_less_goes_to_a_person_and_is_said(said, because):
    ruling = asked(*said)
    assert not ruling.may_label
    assert because in ruling.because


def test_a_queue_that_names_no_judge_trusts_none():
    assert not asked(SURE, trusted=None).may_label


@pytest.mark.parametrize(
    ("word", "verdict"),
    [("accept", "accept"), (" PASS ", "accept"), ("Failed", "reject"), ("unsupported", ""), ("", ""), (None, "")],
)
def test_a_judges_own_word_is_understood_or_left_open(word, verdict):
    assert verdict_of(word) == verdict
