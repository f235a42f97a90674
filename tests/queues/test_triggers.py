import json

import pytest

from queues.confidence import GROUNDEDNESS, MARGIN, POLICY, RETRIEVAL, combine
from queues.json_values import Refused
from queues.risk import Risk
from queues.triggers import DEFAULTS, Assessment, AssessmentSettings, Facts, Outcome, Trigger, assess

SURE = combine({GROUNDEDNESS: 0.95, RETRIEVAL: 0.9, POLICY: 0.95})
UNSURE = combine({GROUNDEDNESS: 0.2})
UNKNOWN = combine({})


def fired(assessment: Assessment) -> list[str]:
    return [one.key.value for one in assessment.triggers]


class TestWhatFires:
    def test_nothing_on_a_good_answer_to_an_ordinary_question(self):
        assessment = assess(Facts(risk=Risk.LOW, domain="travel", question="When does it open?"), SURE)

        assert assessment.outcome == Outcome.PASS
        assert fired(assessment) == []
        assert assessment.reason == f"No trigger asks for a person; confidence is {SURE.value:.2f}."

    def test_low_confidence_below_the_threshold_with_what_is_weak(self):
        assessment = assess(Facts(risk=Risk.MEDIUM), UNSURE)

        assert fired(assessment) == ["low_confidence"]
        assert assessment.triggers[0].because == "confidence is 0.20, below 0.60 (Groundedness 0.20, weak)"

    def test_low_confidence_when_too_little_is_known(self):
        assessment = assess(Facts(risk=Risk.MEDIUM), UNKNOWN)

        assert fired(assessment) == ["low_confidence"]
        assert assessment.triggers[0].because.startswith("too little is known about how good the answer is (not sent: ")

    @pytest.mark.parametrize("domain", ["legal", "Law", "Healthcare / Medicine", "personal finance", "SECURITY"])
    def test_high_stakes_in_a_domain_of_the_list(self, domain):
        assessment = assess(Facts(risk=Risk.LOW, domain=domain), SURE)

        assert fired(assessment) == ["high_stakes"]
        assert assessment.triggers[0].because == f"{domain} is a domain of high stakes"

    @pytest.mark.parametrize("domain", ["lawn care", "", "wealth", "travel"])
    def test_no_high_stakes_in_other_domains(self, domain):
        assert fired(assess(Facts(risk=Risk.MEDIUM, domain=domain), SURE)) == []

    @pytest.mark.parametrize(("risk", "fires"), [(Risk.MEDIUM, False), (Risk.HIGH, True), (Risk.CRITICAL, True)])
    def test_high_stakes_from_a_risk_on(self, risk, fires):
        assert ("high_stakes" in fired(assess(Facts(risk=risk), SURE))) is fires

    def test_policy_boundary_by_the_producers_flags(self):
        assessment = assess(Facts(risk=Risk.LOW, policy_flags=("self-harm", "dosage")), SURE)

        assert fired(assessment) == ["policy_boundary"]
        assert assessment.triggers[0].because == "the request is near a policy boundary (self-harm, dosage)"

    def test_policy_boundary_by_the_policy_check(self):
        near = combine({GROUNDEDNESS: 1.0, RETRIEVAL: 1.0, MARGIN: 1.0, POLICY: 0.3})

        assert fired(assess(Facts(risk=Risk.LOW), near)) == ["policy_boundary"]

    def test_policy_boundary_with_a_check_that_scores_violations(self):
        settings = AssessmentSettings.from_json({"confidence": {"signals": {POLICY: {"inverted": True}}}})
        safe = combine({GROUNDEDNESS: 1.0, POLICY: 0.1}, settings=settings.confidence)
        near = combine({GROUNDEDNESS: 1.0, POLICY: 0.8}, settings=settings.confidence)

        assert fired(assess(Facts(risk=Risk.LOW), safe, settings)) == []
        assert fired(assess(Facts(risk=Risk.LOW), near, settings)) == ["policy_boundary"]

    @pytest.mark.parametrize(("risk", "fires"), [(None, False), (Risk.LOW, False), (Risk.MEDIUM, True)])
    def test_tool_risk_from_a_risk_on(self, risk, fires):
        assessment = assess(Facts(risk=Risk.LOW, tool="issue_refund", tool_risk=risk), SURE)

        assert fired(assessment) == (["tool_risk"] if fires else [])
        if fires:
            assert assessment.triggers[0].because == "the action issue_refund is of medium risk"

    def test_user_escalation_by_the_producers_word_or_the_users_own(self):
        told = assess(Facts(risk=Risk.LOW, user_requested_human=True), SURE)
        heard = assess(Facts(risk=Risk.LOW, question="Kann ich mit einem Menschen sprechen?"), SURE)

        assert fired(told) == fired(heard) == ["user_escalation"]
        assert "mit einem menschen sprechen" in heard.triggers[0].because

    def test_quality_failure_by_a_judge_or_the_user(self):
        by_judge = assess(Facts(risk=Risk.LOW, judge_scores=(("faithful", 0.9), ("complete", 0.3))), SURE)
        by_user = assess(Facts(risk=Risk.LOW, user_rating=2), SURE)

        assert fired(by_judge) == fired(by_user) == ["quality_failure"]
        assert by_judge.triggers[0].because == "complete scored it 0.30, below 0.50"
        assert by_user.triggers[0].because == "the user rated it 2 of 5"
        assert fired(assess(Facts(risk=Risk.LOW, judge_scores=(("faithful", 0.5),), user_rating=3), SURE)) == []

    def test_a_judge_may_have_a_threshold_of_its_own(self):
        settings = AssessmentSettings.from_json({"judges_below": {"tone": 0.1}})

        assert fired(assess(Facts(risk=Risk.LOW, judge_scores=(("tone", 0.2),)), SURE, settings)) == []

    @pytest.mark.parametrize("off", list(Trigger))
    def test_a_trigger_that_is_switched_off_stays_silent(self, off):
        everything = Facts(
            risk=Risk.CRITICAL,
            domain="law",
            user_requested_human=True,
            policy_flags=("x",),
            judge_scores=(("j", 0.0),),
            tool_risk=Risk.CRITICAL,
        )
        on = [trigger.value for trigger in Trigger if trigger != off]
        settings = AssessmentSettings.from_json({"triggers": on})

        assert fired(assess(everything, UNSURE)) == Trigger.values
        assert fired(assess(everything, UNSURE, settings)) == on


class TestWhatFollows:
    def test_the_articles_example_goes_to_a_human_with_every_reason_in_one_sentence(self):
        confidence = combine(
            {RETRIEVAL: 0.83, MARGIN: 0.04, GROUNDEDNESS: 0.61},
            tool_results=[{"status": "unavailable"}],
            risk=Risk.HIGH,
        )

        assessment = assess(Facts(risk=Risk.HIGH), confidence)

        assert assessment.outcome == Outcome.HUMAN
        assert assessment.reason == (
            "A person decides, because confidence is 0.49, below 0.60 (Groundedness 0.61, weak; Tools unavailable, "
            "cannot verify); the risk is high."
        )

    def test_low_confidence_at_low_stakes_is_a_limited_answer(self):
        assessment = assess(Facts(risk=Risk.LOW, domain="travel"), UNSURE)

        assert assessment.outcome == Outcome.LIMITED_ANSWER
        assert assessment.reason.startswith(
            "A limited answer is enough, because the stakes are low; but confidence is 0.20"
        )

    def test_unknown_confidence_counts_as_low(self):
        assert assess(Facts(risk=Risk.LOW), UNKNOWN).outcome == Outcome.LIMITED_ANSWER
        assert assess(Facts(risk=Risk.MEDIUM), UNKNOWN).outcome == Outcome.HUMAN

    def test_a_risk_nobody_sent_is_not_taken_for_low(self):
        assert assess(Facts(), UNSURE).outcome == Outcome.HUMAN

    def test_settings_may_rule_out_limited_answers_or_allow_more_of_them(self):
        never = AssessmentSettings.from_json({"limited_answer": False})
        more = AssessmentSettings.from_json({"limited_answer_up_to": "medium"})

        assert assess(Facts(risk=Risk.LOW), UNSURE, never).outcome == Outcome.HUMAN
        assert assess(Facts(risk=Risk.MEDIUM), UNSURE, more).outcome == Outcome.LIMITED_ANSWER

    def test_low_confidence_with_another_trigger_is_never_a_limited_answer(self):
        assert assess(Facts(risk=Risk.LOW, user_requested_human=True), UNSURE).outcome == Outcome.HUMAN

    def test_a_producer_may_ask_for_a_human_without_any_trigger(self):
        assessment = assess(Facts(risk=Risk.LOW, producer_asks=True, producer_reason="new product"), SURE)

        assert assessment.outcome == Outcome.HUMAN
        assert fired(assessment) == []
        assert assessment.reason == "A person decides, because the application asked for a person (new product)."

    def test_a_producer_may_raise_the_risk_and_never_lower_it_below_the_domains(self):
        settings = AssessmentSettings.from_json({"domain_risks": {"Billing": "high"}})

        assert assess(Facts(risk=Risk.LOW, domain="billing"), SURE, settings).risk == Risk.HIGH
        assert assess(Facts(risk=Risk.CRITICAL, domain="billing"), SURE, settings).risk == Risk.CRITICAL
        assert assess(Facts(risk=Risk.LOW, domain="billing"), SURE, settings).outcome == Outcome.HUMAN

    def test_a_producers_endless_words_are_cut(self):
        assessment = assess(
            Facts(
                risk=Risk.LOW,
                domain="law " * 500,
                policy_flags=("x" * 5000,) * 50,
                producer_asks=True,
                producer_reason="y" * 9999,
            ),
            SURE,
        )

        assert len(assessment.reason) < 700

    def test_what_is_stored_reads_back_the_same(self):
        assessment = assess(Facts(risk=Risk.HIGH, domain="law", policy_flags=("x",)), UNSURE)

        assert Assessment.from_json(json.loads(json.dumps(assessment.to_json()))) == assessment

    def test_every_trigger_has_its_sentence(self):
        assert all(trigger.sentence.endswith(".") for trigger in Trigger)


class TestSettings:
    def test_read_back_the_same(self):
        assert AssessmentSettings.from_json(json.loads(json.dumps(DEFAULTS.to_json()))) == DEFAULTS

    def test_an_empty_object_gives_the_defaults(self):
        assert AssessmentSettings.from_json({}) == DEFAULTS

    def test_phrases_of_ones_own_replace_the_list(self):
        settings = AssessmentSettings.from_json({"person_phrases": {"pl": ["z człowiekiem"]}})

        assert fired(assess(Facts(risk=Risk.LOW, question="Chcę rozmawiać z CZŁOWIEKIEM"), SURE, settings))
        assert not fired(assess(Facts(risk=Risk.LOW, question="human please"), SURE, settings))

    def test_a_phrase_may_be_one_word(self):
        settings = AssessmentSettings.from_json({"person_phrases": {"en": ["operator"]}})

        assert fired(assess(Facts(risk=Risk.LOW, question="Operator!"), SURE, settings)) == ["user_escalation"]

    def test_every_fault_is_named_and_nothing_is_taken(self):
        with pytest.raises(Refused) as refused:
            AssessmentSettings.from_json(
                {
                    "low_confidence_below": 1.4,
                    "lowconfidence": 0.5,
                    "high_stakes_from": "severe",
                    "triggers": ["low_confidence", "gut_feeling"],
                    "limited_answer": "yes",
                    "high_stakes_domains": "law",
                    "domain_risks": {"law": 9},
                    "judges_below": {"tone": -1},
                    "person_phrases": {"en": ["?!", 7]},
                    "confidence": {
                        "coverage_floor": None,
                        "signals": {"groundedness": {"weight": True, "wait": 1}, "vibes": {"weight": 1}},
                    },
                }
            )

        assert set(refused.value.errors) == {
            "low_confidence_below: must be from 0 to 1, not 1.4.",
            "lowconfidence: is not a setting here; check its spelling.",
            "high_stakes_from: must be one of low, medium, high, critical, not “severe”.",
            "triggers: “gut_feeling” is not one of low_confidence, high_stakes, policy_boundary, tool_risk, "
            "user_escalation, quality_failure.",
            "limited_answer: must be true or false, not “yes”.",
            "high_stakes_domains: must be a list of texts, not “law”.",
            "domain_risks.law: must be one of low, medium, high, critical, not 9.",
            "judges_below.tone: must be from 0 to 1, not -1.",
            "person_phrases.en: entry 2 must be text, not 7.",
            "person_phrases.en: “?!” holds no word.",
            "confidence.coverage_floor: must be a number from 0 to 1, not nothing.",
            "confidence.signals.groundedness.weight: must be a number from 0 to 100, not true.",
            "confidence.signals.groundedness.wait: is not a setting here; check its spelling.",
            "confidence.signals.vibes: is not a setting here; check its spelling.",
        }

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            ([], "Must be an object with named fields, not a list."),
            ({"confidence": 3}, "confidence: must be an object with named fields, not a number."),
            (
                {"limited_answer_up_to": "high"},
                "limited_answer_up_to: must be a lower risk than high_stakes_from: a limited answer has low stakes.",
            ),
            (
                {"confidence": {"signals": {"groundedness": {"good_from": 0.3, "ambiguous_from": 0.6}}}},
                "confidence.signals.groundedness.ambiguous_from: must not be above good_from, not 0.6 and 0.3.",
            ),
            (
                {"confidence": {"signals": {"groundedness": {"low": 1, "high": 0}}}},
                "confidence.signals.groundedness.low: must be below high, not 1 and 0.",
            ),
            (
                {"confidence": {"signals": {"rerank_margin": {"full": 0}}}},
                "confidence.signals.rerank_margin.full: must be above low, not 0 and 0.",
            ),
            (
                {"low_confidence_below": float("nan")},
                "low_confidence_below: must be a number from 0 to 1, not NaN.",
            ),
            (
                {"low_confidence_below": 10**400},
                "low_confidence_below: must be from 0 to 1, not a number far out of range.",
            ),
            (
                {"domain_risks": {"law\x00": "high"}},
                "domain_risks.law\ufffd: the name holds characters that cannot be stored.",
            ),
            (
                {"high_stakes_domains": ["\ud800"]},
                "high_stakes_domains: entry 1 holds characters that cannot be stored.",
            ),
            ({False: 1}, "False: is not a setting here; check its spelling."),
            ({"bad\ud800": 1}, "bad\ufffd: is not a setting here; check its spelling."),
        ],
    )
    def test_a_fault_has_its_sentence(self, data, sentence):
        with pytest.raises(Refused) as refused:
            AssessmentSettings.from_json(data)

        assert refused.value.errors == (sentence,)

    def test_weights_that_are_all_zero_are_refused(self):
        from_zero = {key: {"weight": 0} for key in DEFAULTS.confidence.to_json()["signals"]}

        with pytest.raises(Refused, match="every weight is 0"):
            AssessmentSettings.from_json({"confidence": {"signals": from_zero}})
