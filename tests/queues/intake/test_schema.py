import pytest
from pydantic import ValidationError

from queues.intake.schema import AssessedAnswer, EscalatedCase, faults, read
from tests.factories.intake import sent


def fault(**fields):
    with pytest.raises(ValidationError) as refused:
        EscalatedCase.model_validate(sent(**fields))
    return faults(refused.value)


def test_a_case_needs_four_fields_and_no_more():
    case = EscalatedCase.model_validate(
        {"case_id": "c", "user_question": "", "model_draft": "Yes.", "risk_level": "low"}
    )
    assert (case.domain, case.language, case.evidence, case.tool_results) == ("general", None, [], [])


@pytest.mark.parametrize("field", ["case_id", "user_question", "model_draft", "risk_level"])
def test_a_missing_field_is_named(field):
    assert fault(**{field: None}) == f"{field}: is missing."


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model_draft": 3}, "model_draft: must be text, not a number."),
        ({"model_draft": ""}, "model_draft: is empty."),
        ({"model_draft": "x" * 200_001}, "model_draft: is longer than 200,000 characters."),
        ({"risk_level": "huge"}, "risk_level: must be one of low, medium, high, critical."),
        ({"evidence": {"document_id": "a"}}, "evidence: must be a list, not an object."),
        ({"evidence": [{"document_id": "a"}] * 101}, "evidence: has more than 100 entries."),
        ({"evidence": [{"document_id": "a"}, {"quote": "b"}]}, "evidence[1].document_id: is missing."),
        ({"evidence": [{"document_id": "a", "score": "0.9"}]}, "evidence[0].score: must be a number, not text."),
        ({"tool_results": ["ok"]}, "tool_results[0]: must be an object, not text."),
        ({"groundedness": float("nan")}, "groundedness: must be an ordinary number."),
        ({"groundedness": 10**400}, "groundedness: is out of range."),
        ({"user_rating": 6}, "user_rating: must be at most 5."),
        ({"user_requested_human": "yes"}, "user_requested_human: must be true or false, not text."),
        ({"sla_deadline": "2026-05-09T18:00:00"}, "sla_deadline: has no time zone; end it with Z or an offset"),
        ({"sla_deadline": "soon"}, "sla_deadline: is not a time; write it like 2026-05-09T18:00:00Z."),
        ({"sla_deadline": 1778349600}, "sla_deadline: must be a time as text"),
        ({"sla_deadline": "0001-01-01T00:00:00+14:00"}, "sla_deadline: must lie in the years 2000 to 2199."),
        ({"callback_url": "javascript:alert(1)"}, "callback_url: must be a web address"),
        ({"callback_url": "https://127.0.0.1/verdicts"}, "callback_url: 127.0.0.1 is a private address, or this"),
        ({"callback_url": "http://localhost:8000/?a=b"}, "callback_url: localhost is this machine, where hitl does"),
        ({"callback_url": "http://2130706433/"}, "callback_url: Write a numeric address as four plain numbers"),
        ({"callback_url": "http://169.254.169.254/latest"}, "an address for machinery, not for receivers"),
        ({"callback_url": "https://example.org:22/"}, "callback_url: Port 22 is not for web servers."),
        ({"callback_url": "https://me:secret@example.org/"}, "callback_url: The address holds a name or password."),
        ({"callback_url": "https://example.org\\@10.0.0.1/"}, "callback_url: The address holds a space, a backslash"),
        ({"case_id": ""}, "case_id: is empty."),
        ({"case_id": "x" * 201}, "case_id: is longer than 200 characters."),
        ({"case_id": "a\u202eb"}, "case_id: holds a character that cannot be seen"),
        ({"case_id": "a\u200bb"}, "case_id: holds a character that cannot be seen"),
        ({"case_id": "a\nb"}, "case_id: holds a character that cannot be seen"),
        ({"case_id": " a"}, "or begins or ends with a space."),
        ({"user_question": "half \ud800"}, "user_question: holds half a character (a lone surrogate)"),
    ],
)
def test_what_is_wrong_is_said_with_the_fields_name(fields, said):
    assert said in fault(**fields)


@pytest.mark.parametrize("url", ["https://app.example.org/a?b=c#d", "https://app.example.org", "http://x.org:8080/ü"])
def test_a_public_address_can_be_called_back_and_is_kept_as_it_came(url):
    assert EscalatedCase.model_validate(sent(callback_url=url)).callback_url == url


def test_a_neighbour_can_be_called_back_where_the_installation_allows_it(settings):
    inside = "http://10.0.0.7/verdicts"
    assert "10.0.0.7 is a private address" in fault(callback_url=inside)
    settings.OUTBOX_ALLOW_PRIVATE = True
    assert EscalatedCase.model_validate(sent(callback_url=inside)).callback_url == inside
    assert "machinery" in fault(callback_url="http://169.254.169.254/")


def test_evidence_may_lie_on_a_private_address_since_only_people_open_it():
    passage = {"document_id": "wiki", "url": "http://10.0.0.8/refunds"}
    assert EscalatedCase.model_validate(sent(evidence=[passage])).evidence == [passage]


def test_a_misspelt_field_is_not_dropped_silently():
    assert fault(sla_dedline="x") == "sla_dedline: is not a field here; did you mean sla_deadline?"
    assert fault(colour="red") == "colour: is not a field here; put fields of your own into metadata."


def test_all_faults_of_a_row_are_told_at_once_and_none_of_its_values():
    said = fault(model_draft=None, risk_level="anna@example.org", user_key=4)
    assert "model_draft: is missing." in said
    assert "user_key: must be text" in said
    assert "anna" not in said


def test_what_is_no_object_is_refused():
    with pytest.raises(ValidationError) as refused:
        EscalatedCase.model_validate(["case_id"])
    assert faults(refused.value) == "The case must be an object, not a list."


@pytest.mark.parametrize("text", ["مرحبا بالعالم", "de\u200bAT", "\u202etxet", "👩‍👩‍👧", "a\u0301"])
def test_running_text_may_hold_any_script_and_direction(text):
    assert EscalatedCase.model_validate(sent(user_question=text)).user_question == text


def test_a_deadline_in_the_past_is_taken():
    assert EscalatedCase.model_validate(sent(sla_deadline="2020-01-01T01:00:00+01:00")).sla_deadline.year == 2020


@pytest.mark.parametrize("said", [True, 1, 0.5])
def test_tools_may_be_said_to_work_in_yes_and_no(said):
    assert EscalatedCase.model_validate(sent(tool_success=said)).tool_success == float(said)


def test_a_field_that_is_null_counts_as_not_sent():
    row = sent()
    nulls = {field: None for field in EscalatedCase.model_fields if field not in row}
    assert read(EscalatedCase, row | nulls) == read(EscalatedCase, row)
    with pytest.raises(ValidationError) as refused:
        read(EscalatedCase, row | {"model_draft": None})
    assert faults(refused.value) == "model_draft: is missing."


def test_the_published_schema_lets_every_optional_field_be_null():
    schema = EscalatedCase.model_json_schema()
    for field, details in schema["properties"].items():
        assert ({"type": "null"} in details.get("anyOf", [])) is (field not in schema["required"])


def test_an_answer_that_is_only_asked_about_needs_nothing():
    assert AssessedAnswer.model_validate({}).risk_level is None


@pytest.mark.parametrize("sign", ["\u00a0", "\u2028", "\u00ad", "\ufeff", "\x7f", "\ue000", "\U000e0041"])
def test_a_name_holds_nothing_that_cannot_be_seen(sign):
    assert "topic: holds a character that cannot be seen" in fault(topic=f"a{sign}b")
