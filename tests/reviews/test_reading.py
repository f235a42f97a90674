from reviews import reading

EVIDENCE = [
    {"document_id": "ledger", "quote": "04 Oct: direct debit 142.60 EUR, invoice 7731, a duplicate. Not yet reversed."},
    {"document_id": "goodwill", "title": "Goodwill", "quote": "Agents may grant a credit of up to EUR 25 a year."},
]
DRAFT = "The direct debit of 142.60 EUR for invoice 7731 is a duplicate. Penguins adore strawberry marmalade."


def lay_out(draft=DRAFT, evidence=EVIDENCE, **options):
    return reading.lay_out(draft, evidence, anchor="doc-1-", **options)


def test_a_claim_points_at_the_document_its_words_stand_in():
    html, documents = lay_out()
    assert '<span class="claim">The direct debit' in html
    assert 'href="#doc-1-1"' in html
    assert "<mark>" in documents[0].html
    assert "<mark>" not in documents[1].html


def test_a_sentence_whose_words_stand_nowhere_says_so():
    html, _ = lay_out()
    assert '<span class="claim no">Penguins' in html


def test_a_sentence_that_names_its_source_is_left_to_the_reader():
    html, _ = lay_out("Penguins adore strawberry marmalade on every second Tuesday [2].")
    assert "claim no" not in html


def test_without_evidence_nothing_is_held_against_the_draft():
    html, _ = lay_out(evidence=[{"document_id": "https://example.org"}])
    assert "claim" not in html


def test_what_was_marked_incorrect_before_is_marked_again():
    _, documents = lay_out(incorrect=frozenset({"goodwill"}))
    assert [document.incorrect for document in documents] == [False, True]


def test_a_tools_answer_is_shown_whatever_its_form():
    assert reading.tool({"name": "ledger", "status": "ok", "output": "2 debits"})["text"] == "2 debits"
    assert '"a": 1' in reading.tool({"name": "ledger", "output": {"a": 1}})["text"]
    assert reading.tool({"rows": []}) == {"name": "Tool", "status": "", "text": '{\n  "rows": []\n}'}
