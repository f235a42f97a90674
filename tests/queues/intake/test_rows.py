import json

import pytest

from queues.intake.rows import NotStorable, canonical, digests
from queues.intake.schema import EscalatedCase
from tests.factories.intake import sent

GOLDEN = {
    "case_id": "golden",
    "user_question": "Grüße?",
    "model_draft": "Ja.",
    "risk_level": "low",
    "evidence": [{"document_id": "a", "score": 1}],
    "metadata": {"b": [1, 2.5], "a": None},
}


def encoded(**fields):
    return canonical(EscalatedCase.model_validate(sent(**fields)))


def test_order_and_spelling_of_numbers_do_not_make_another_case():
    one = {"case_id": "x", "metadata": {"a": 1, "b": {"c": 2, "d": 3}}, "groundedness": 1}
    other = {"groundedness": 1.0, "metadata": {"b": {"d": 3, "c": 2}, "a": 1}, "case_id": "x"}
    assert encoded(**one) == encoded(**other)


def test_any_other_content_does():
    alike = {encoded(case_id="x"), encoded(case_id="x", topic="a"), encoded(case_id="x", metadata={"a": 1})}
    assert len(alike | {encoded(case_id="x", metadata={"a": "1"}), encoded(case_id="x", evidence=[])}) == 5


def test_the_canonical_form_stays_as_it_is():
    # Receipts of years ago are compared with it: a change here makes every row that is sent again a conflict.
    assert (
        canonical(EscalatedCase.model_validate(GOLDEN))
        == (
            '{"evidence":[{"document_id":"a","score":1.0}],"case_id":"golden","user_question":"Grüße?","model_draft":"Ja.",'
            '"risk_level":"low"}{"metadata":{"a":null,"b":[1,2.5]}}'
        ).encode()
    )


def test_a_digest_is_keyed_by_installation_and_tenant(settings):
    first = digests(b"row", 1)
    assert first != digests(b"row", 2)
    settings.SECRET_KEY = "another"
    assert first != digests(b"row", 1)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model_draft": "a\x00b"}, "model_draft: holds a NUL character"),
        ({"evidence": [{"document_id": "a", "quote": "\x00"}]}, "evidence[0].quote: holds a NUL character"),
        ({"tool_results": [{"a": {"b": ["\x00"]}}]}, "tool_results[0].a.b[0]: holds a NUL character"),
        ({"tool_results": [{"a": "\udc00"}]}, "tool_results[0].a: holds half a character"),
        ({"metadata": {"\x00": 1}}, "metadata: a field's name holds a NUL"),
        ({"metadata": {"a": json.loads("1e999")}}, "out of range"),
        ({"metadata": {"a": json.loads("[" * 25 + "]" * 25)}}, "metadata: is nested more than 20 levels deep."),
    ],
)
def test_what_no_database_can_hold_is_refused_by_name(fields, said):
    with pytest.raises(NotStorable) as refused:
        encoded(**fields)
    assert said in str(refused.value)


def test_the_words_backslash_u0000_are_ordinary_text():
    assert encoded(model_draft=r"a \u0000 in JSON is NUL")
