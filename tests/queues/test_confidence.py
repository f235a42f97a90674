import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queues.confidence import (
    DEFAULTS,
    GROUNDEDNESS,
    MARGIN,
    POLICY,
    RETRIEVAL,
    ROUTE,
    SELF_REPORTED,
    SIGNALS,
    TOOLS,
    Confidence,
    ConfidenceSettings,
    combine,
)
from queues.json_values import Reader
from queues.risk import Risk


def table(confidence: Confidence) -> dict[str, tuple[str, str]]:
    return {reading.key: (reading.display, reading.interpretation) for reading in confidence.readings}


def settings_from(data: object) -> ConfidenceSettings:
    reader = Reader(data)
    settings = ConfidenceSettings.read(reader)
    reader.refuse_faults()
    return settings


def test_reads_the_signals_of_the_article_as_its_table_does():
    confidence = combine(
        {RETRIEVAL: 0.83, MARGIN: 0.04, GROUNDEDNESS: 0.61},
        tool_results=[{"name": "orders", "status": "unavailable"}],
        risk=Risk.HIGH,
    )

    assert table(confidence) == {
        RETRIEVAL: ("0.83", "good"),
        MARGIN: ("0.04", "ambiguous"),
        GROUNDEDNESS: ("0.61", "weak"),
        "risk": ("high", "needs care"),
        TOOLS: ("unavailable", "cannot verify"),
        POLICY: ("not sent", "unknown"),
        ROUTE: ("not sent", "unknown"),
        SELF_REPORTED: ("not sent", "unknown"),
    }
    assert confidence.value is not None
    assert confidence.value < 0.60


def test_is_the_weighted_mean_of_what_is_there():
    confidence = combine({GROUNDEDNESS: 0.9, POLICY: 0.6})

    assert confidence.value == pytest.approx((0.30 * 0.9 + 0.15 * 0.6) / 0.45)
    assert confidence.coverage == pytest.approx(0.45 / 0.90, abs=1e-4)


def test_names_what_nobody_sent_instead_of_guessing_it():
    confidence = combine({GROUNDEDNESS: 0.9})

    assert confidence.needs == (
        "Best passage found",
        "Gap between the two best passages",
        "Policy check",
        "Drafts accepted on this route",
        "The model's own word",
    )


def test_is_unknown_when_too_little_is_known():
    assert combine({}).value is None
    assert combine({ROUTE: 1.0}).value is None
    assert combine({GROUNDEDNESS: 1.0}).value == 1.0


def test_the_models_own_word_alone_is_no_confidence_and_moves_little_beside_others():
    assert combine({SELF_REPORTED: 1.0}).value is None
    without = combine({GROUNDEDNESS: 0.5}).value
    with_boast = combine({GROUNDEDNESS: 0.5, SELF_REPORTED: 1.0}).value
    assert with_boast - without < 0.08


def test_takes_retrieval_and_margin_from_the_evidence_where_the_producer_names_none():
    evidence = [{"quote": "b", "score": 0.71}, {"quote": "none"}, {"quote": "a", "score": 0.91}]

    confidence = combine({}, evidence=evidence)

    assert table(confidence)[RETRIEVAL] == ("0.91", "good")
    assert table(confidence)[MARGIN] == ("0.20", "good")


def test_the_producers_own_figures_come_before_the_evidences():
    confidence = combine({RETRIEVAL: 0.4, MARGIN: 0.0}, evidence=[{"score": 0.9}, {"score": 0.1}])

    assert confidence.reading(RETRIEVAL).value == 0.4
    assert confidence.reading(MARGIN).value == 0.0


def test_one_passage_has_no_margin():
    assert table(combine({}, evidence=[{"score": 0.9}]))[MARGIN] == ("not sent", "unknown")


def test_scores_on_a_scale_it_does_not_know_are_shown_but_not_counted():
    confidence = combine({GROUNDEDNESS: 0.9}, evidence=[{"score": 14.2}, {"score": 14.1}])

    assert table(confidence)[RETRIEVAL] == ("14.2 is not from 0 to 1", "cannot read")
    assert table(confidence)[MARGIN] == ("not sent", "unknown")
    assert confidence.value == 0.9


@pytest.mark.parametrize(
    ("results", "expected", "value"),
    [
        ([], ("none called", "not needed"), None),
        ([{"status": "ok"}, {"status": "OK"}], ("2 of 2 worked", "good"), 1.0),
        ([{"status": "ok"}, {"status": "failed"}], ("1 of 2 worked", "weak"), 0.5),
        ([{"status": "ok"}, {"status": "unavailable"}], ("1 of 2 unavailable", "cannot verify"), 0.5),
        ([{"status": "unavailable"}], ("unavailable", "cannot verify"), 0.0),
        ([{"output": "42"}], ("no status given", "cannot read"), None),
        ([{"status": 7}, {"status": "ok"}], ("1 of 1 worked", "good"), 1.0),
    ],
)
def test_reads_tools_by_their_status(results, expected, value):
    reading = combine({}, tool_results=results).reading(TOOLS)

    assert (reading.display, reading.interpretation) == expected
    assert reading.value == value


def test_an_answer_that_needed_no_tool_is_not_less_known_for_it():
    every_other = {key: 1.0 for key in SIGNALS if key != TOOLS}

    assert combine(every_other).coverage == 1.0
    assert combine(every_other).needs == ()


def test_a_tool_without_a_status_is_missing():
    assert "Tools" in combine({}, tool_results=[{}]).needs


@pytest.mark.parametrize("value", ["0.9", [], {}, math.nan, math.inf, -0.1, 1.1, 10**400])
def test_what_is_no_number_between_0_and_1_is_not_counted(value):
    confidence = combine({GROUNDEDNESS: value})

    assert confidence.reading(GROUNDEDNESS).interpretation == "cannot read"
    assert confidence.value is None
    assert "Groundedness" in confidence.needs


def test_an_inverted_signal_is_good_when_low():
    settings = settings_from({"signals": {POLICY: {"inverted": True}}})

    confidence = combine({POLICY: 0.1, GROUNDEDNESS: 0.9}, settings=settings)

    assert table(confidence)[POLICY] == ("0.10", "good")
    assert confidence.value == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("risk", "word"), [(Risk.LOW, "ordinary"), (Risk.MEDIUM, "ordinary"), (Risk.HIGH, "needs care"), (None, None)]
)
def test_the_table_ends_with_the_risk_which_counts_for_nothing(risk, word):
    confidence = combine({GROUNDEDNESS: 0.9}, risk=risk)

    reading = confidence.reading("risk")
    assert (reading and reading.interpretation) == word
    assert confidence.value == 0.9


number = st.one_of(st.none(), st.floats(0, 1), st.floats(), st.text(max_size=3))
statuses = st.lists(
    st.fixed_dictionaries({"status": st.sampled_from(["ok", "failed", "unavailable", "?"])}), max_size=3
)


@given(
    signals=st.fixed_dictionaries({}, optional=dict.fromkeys(SIGNALS, number)),
    scores=st.lists(st.fixed_dictionaries({"score": number}), max_size=4),
    tools=statuses,
    risk=st.one_of(st.none(), st.sampled_from(Risk)),
)
def test_what_is_stored_reads_back_the_same(signals, scores, tools, risk):
    confidence = combine(signals, evidence=scores, tool_results=tools, risk=risk)

    assert confidence.value is None or 0 <= confidence.value <= 1
    assert Confidence.from_json(json.loads(json.dumps(confidence.to_json()))) == confidence


def test_a_case_without_a_stored_confidence_reads_as_nothing_known():
    assert Confidence.from_json({}) == Confidence(None, (), 0.0, ())


def test_settings_read_back_the_same():
    assert settings_from(json.loads(json.dumps(DEFAULTS.to_json()))) == DEFAULTS


def test_a_weight_of_zero_leaves_a_signal_out():
    settings = settings_from({"signals": {GROUNDEDNESS: {"weight": 0}}, "coverage_floor": 0.1})

    confidence = combine({GROUNDEDNESS: 0.0, POLICY: 1.0}, settings=settings)

    assert confidence.value == 1.0
    assert "Groundedness" not in confidence.needs
