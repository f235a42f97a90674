import pytest

from queues.intake.foreign import meaning
from queues.intake.foreign.meaning import Refused, Word


def read(name="x", means="auto", **said):
    kept = meaning.read(Word(**{"id": "1", "trace": "t", "name": name, **said}), means)
    rows = [{key: value for key, value in row.items() if key != "trace_id"} for row in kept.signals]
    return rows, kept.scores, kept.notes


def rating(**fields):
    return {"type": "user_rating", **fields}


UP, DOWN = rating(thumbs="up"), rating(thumbs="down")


@pytest.mark.parametrize(
    ("name", "said", "row"),
    [
        ("user-feedback", {"number": 1}, UP),
        ("user-feedback", {"number": 0}, DOWN),
        ("User Feedback", {"number": -1}, DOWN),
        ("user_feedback", {"number": 4}, rating(rating=4)),
        ("user_feedback", {"number": 0.5}, rating(rating=3)),
        ("user_score", {"number": 1}, UP),
        ("thumbs", {"text": "👎"}, DOWN),
        ("thumbs", {"text": "Thumbs Up"}, UP),
        ("feedback", {"text": "not helpful"}, DOWN),
        ("user_liked", {}, UP),
        ("user_disliked", {}, DOWN),
        ("thumbs_down", {"number": 1}, DOWN),
        ("user_rating", {"number": 1}, rating(rating=1)),
        ("user_rating", {"number": 4.5}, rating(rating=5)),
        ("stars", {"text": "3"}, rating(rating=3)),
        ("csat", {"number": 1, "is_flag": True}, UP),
        ("user_reason", {"text": "Too verbose"}, {"type": "user_reason", "reason": "too_long"}),
        ("user_reason", {"text": "It hurt."}, {"type": "user_reason", "reason": "other", "comment": "It hurt."}),
        ("user_feedback", {"text": "hallucination"}, {"type": "user_reason", "reason": "hallucination"}),
        ("output", {"correction": "Five days."}, {"type": "user_edit", "edited_output": "Five days."}),
        ("user_edit", {"text": "Five days."}, {"type": "user_edit", "edited_output": "Five days."}),
        ("implicit_copy", {"number": 1}, {"type": "implicit_copy"}),
        ("user_copied", {}, {"type": "implicit_copy"}),
        ("implicit_copy_edit", {"text": "Mine."}, {"type": "implicit_copy_edit", "edited_output": "Mine."}),
        ("user_dwell_time", {"number": 12.5}, {"type": "implicit_dwell", "seconds": 12.5}),
        ("user_retried", {"number": 1, "is_flag": True}, {"type": "implicit_regenerate"}),
    ],
)
def test_what_users_say_goes_by_its_name_and_value(name, said, row):
    assert read(name, **said) == ([row], {}, {})


@pytest.mark.parametrize(
    ("name", "said", "kept"),
    [
        ("groundedness", {"number": 0.3}, ({"groundedness": 0.3}, {})),
        ("score", {"number": 1}, ({"score": 1}, {})),
        ("rating", {"number": 4}, ({"rating": 4}, {})),
        ("tone", {"text": "curt"}, ({}, {"tone": "curt"})),
        ("tone", {"number": 2, "text": "curt"}, ({"tone": 2}, {"tone": "curt"})),
        ("user_rating", {"number": 9}, ({"user_rating": 9}, {})),
        ("thumbs_down", {"number": 0}, ({"thumbs_down": 0}, {})),
        ("implicit_copy", {"number": 0}, ({"implicit_copy": 0}, {})),
        ("user_feedback", {"text": "so so"}, ({}, {"user_feedback": "so so"})),
        ("approved", {"number": 1, "by_staff": True}, ({"approved": 1}, {})),
    ],
)
def test_what_no_name_explains_stays_with_the_trace(name, said, kept):
    assert read(name, **said) == ([], *kept)


def test_why_a_rating_is_bad_is_a_reason_and_why_it_is_good_a_note():
    rows, _, notes = read("thumbs", number=0, comment="Too late.")
    assert rows == [DOWN, {"type": "user_reason", "reason": "other", "comment": "Too late."}]
    assert notes == {}
    assert read("thumbs", number=1, comment="In time.") == ([UP], {}, {"thumbs (comment)": "In time."})


def test_a_machines_word_is_a_judges_and_a_score():
    rows, scores, _ = read("helpful", number=0.2, by_machine=True, metadata={"version": 7})
    assert rows == [{"type": "judge_verdict", "judge": "helpful", "score": 0.2, "version": "7"}]
    assert scores == {"helpful": 0.2}
    rows, _, _ = read("grounded", number=0, is_flag=True, by_machine=True)
    assert rows == [{"type": "judge_verdict", "judge": "grounded", "verdict": "fail"}]
    rows, _, notes = read("grounded", text="Passed", by_machine=True)
    assert rows == [{"type": "judge_verdict", "judge": "grounded", "verdict": "pass"}]
    assert notes == {"grounded": "Passed"}


def test_a_lead_may_say_what_a_name_means():
    assert read("quality", "thumbs", number=1) == ([UP], {}, {})
    assert read("quality", "share", number=0.75) == ([rating(rating=4)], {}, {})
    assert read("user_feedback", "score", number=1) == ([], {"user_feedback": 1}, {})
    assert read("helped", "implicit_accept", number=1) == ([{"type": "implicit_accept"}], {}, {})


def test_what_nobody_but_a_user_could_have_said_is_a_thumb_under_any_name():
    assert read("quality", number=1, by_user=True) == ([UP], {}, {})


def test_consent_and_the_user_come_out_of_the_metadata_and_nothing_is_assumed():
    ((row,), _, _) = read("thumbs", number=1, metadata={"userId": "u-1", "consent": {"training": True, "x": 1}})
    assert row == UP | {"user_key": "u-1", "consent": {"training": True}}
    ((row,), _, _) = read("thumbs", number=1, metadata={"consent": "yes"})
    assert row == UP


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"trace": ""}, "names no trace"),
        ({}, "says nothing"),
        ({"number": 1e7}, "out of range"),
        ({"number": float("nan")}, "out of range"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_the_reason(said, why):
    with pytest.raises(Refused, match=why):
        read(**said)
