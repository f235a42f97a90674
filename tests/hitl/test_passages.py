"""Where a draft's words stand in the evidence, and where they don't. It guides the eye; it judges nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl.passages import Leaning, lean

LEDGER = (
    "03 Oct: direct debit 142.60 EUR, invoice 7731. 04 Oct: direct debit 142.60 EUR, invoice 7731 (duplicate, batch "
    "rerun). Status: flagged, not yet reversed."
)
POLICY = (
    "Refunds above EUR 100 are released after Billing confirms the error in the ledger. Until then the customer may be "
    "told that the case is being checked, not that a refund is approved."
)
GOODWILL = "Agents may grant a goodwill credit of up to EUR 25 per customer and calendar year."
DRAFT = (
    "I'm sorry about the double charge. I can see two direct debits of 142.60 EUR for invoice 7731. Because it is "
    "above EUR 100, Billing confirms the error in the ledger first. Your money will arrive within three working days "
    "by express courier. We added a goodwill credit of EUR 30 to the customer account. Is there anything else?"
)


def claims(draft: str, quotes: list[str], **options) -> dict[str, tuple[tuple[int, ...], bool]]:
    return {draft[c.start : c.end]: (c.documents, c.supported) for c in lean(draft, quotes, **options).claims}


def marked(leaning: Leaning, quotes: list[str]) -> list[list[str]]:
    return [[quote[a:b] for a, b in marks] for quote, marks in zip(quotes, leaning.marks, strict=True)]


class TestTheStory:
    quotes = [LEDGER, POLICY, GOODWILL]

    def test_each_claim_names_the_documents_where_its_words_stand(self):
        found = claims(DRAFT, self.quotes)
        assert found["I can see two direct debits of 142.60 EUR for invoice 7731."] == ((0,), True)
        assert found["Because it is above EUR 100, Billing confirms the error in the ledger first."] == ((1,), True)

    def test_what_stands_nowhere_is_not_supported(self):
        found = claims(DRAFT, self.quotes)
        assert found["Your money will arrive within three working days by express courier."] == ((), False)

    def test_a_number_that_stands_nowhere_is_not_supported_however_like_the_words(self):
        found = claims(DRAFT, self.quotes)
        assert found["We added a goodwill credit of EUR 30 to the customer account."] == ((2,), False)

    def test_apologies_and_questions_are_no_claims(self):
        assert not any("sorry" in claim or "anything else" in claim for claim in claims(DRAFT, self.quotes))

    def test_the_passages_leaned_on_are_marked(self):
        first, second, third = marked(lean(DRAFT, self.quotes), self.quotes)
        assert any("direct debit 142.60 EUR, invoice 7731" in passage for passage in first)
        assert second == ["Refunds above EUR 100 are released after Billing confirms the error in the ledger."]
        assert third == [GOODWILL]


class TestCitations:
    quotes = ["The library opens at nine in the morning.", "Parking is free for members of the library on Sundays."]

    def test_a_sentence_that_names_its_document_is_looked_up_there(self):
        found = claims("The library opens for visitors at nine [1]. Members park for free on Sundays [2].", self.quotes)
        assert list(found.values()) == [((0,), True), ((1,), True)]

    def test_several_at_once_and_ranges_count(self):
        draft = "The library opens at nine in the morning and parking is free on Sundays [{}]."
        for inside in ("1, 2", "1-2", "1–2", "1;2"):
            assert lean(draft.format(inside), self.quotes).claims[0].documents == (0, 1)

    def test_the_evidences_own_markers_count(self):
        assert claims("Members park for free on Sundays [7].", self.quotes, markers=["[3]", "[7]"]) == {
            "Members park for free on Sundays [7].": ((1,), True)
        }

    def test_the_number_of_a_citation_is_no_number_of_the_claim(self):
        assert lean("The library opens at nine in the morning [1].", self.quotes).claims[0].supported

    def test_a_citation_of_what_is_not_there_helps_nothing(self):
        assert not lean("Dogs must be kept on a short leash everywhere [9].", self.quotes).claims[0].supported
        assert not lean("Dogs must be kept on a short leash everywhere [1].", self.quotes).claims[0].supported

    def test_where_a_draft_cites_a_cited_sentence_is_believed_sooner_and_an_uncited_one_later(self):
        near, opening = "On Sundays the members may use a sauna for free", "It opens at nine in the morning [1]."
        assert not lean(f"{near}.", self.quotes).claims[0].supported
        assert lean(f"{near} [2].", self.quotes).claims[0].supported
        assert not lean(f"{near} [1].", self.quotes).claims[0].supported
        closer = "Members have parking on Sundays too"
        assert lean(f"{closer}.", self.quotes).claims[0].supported
        assert not lean(f"{closer}. {opening}", self.quotes).claims[0].supported


class TestSentences:
    @pytest.mark.parametrize(
        ("draft", "expected"),
        [
            ("One fact is here. Another fact is there.", ["One fact is here.", "Another fact is there."]),
            ("Dr. Lee paid approx. 20 EUR, e.g. in Oct. or so.", ["Dr. Lee paid approx. 20 EUR, e.g. in Oct. or so."]),
            ("The value is 4.2 percent. So be it, they said.", ["The value is 4.2 percent.", "So be it, they said."]),
            (
                "- first point stands here\n- second point stands here",
                ["first point stands here", "second point stands here"],
            ),
            (
                "1. first point stands here\n2. second point stands there",
                ["first point stands here", "second point stands there"],
            ),
            ("# A heading of words\n\n**Bold claim stands here.**", ["A heading of words", "Bold claim stands here."]),
            ('He said "it is so." She said it is not.', ['He said "it is so."', "She said it is not."]),
            ("It is cited here.[1] More is cited here.[2]", ["It is cited here.[1]", "More is cited here.[2]"]),
            ("退款已经批准。三天之内到账。", ["退款已经批准。", "三天之内到账。"]),
            ("هذا صحيح تماما يا صديقي. وهذا أيضا صحيح تماما.", ["هذا صحيح تماما يا صديقي.", "وهذا أيضا صحيح تماما."]),
            ("यह बात सही है भाई। वह बात गलत है भाई।", ["यह बात सही है भाई।", "वह बात गलत है भाई।"]),
            ("```\ncode that is not a claim.\n```\nBut this here is one.", ["But this here is one."]),
            ("Short one. Yes. What is it really about?", []),
            ("The following applies to all:\nThis is what applies.", ["This is what applies."]),
        ],
    )
    def test_are_found_without_their_layout(self, draft, expected):
        assert list(claims(draft, ["anything at all"])) == expected


class TestScripts:
    @pytest.mark.parametrize(
        ("draft", "quotes", "document"),
        [
            ("退款将在三个工作日内到账。", ["图书馆九点开门。", "批准之后，退款在三个工作日内到账。"], 1),
            (
                "سيتم رد المبلغ خلال ثلاثة أيام.",
                ["تفتح المكتبة صباحا.", "يتم رد المبلغ خلال ثلاثة أيام بعد الموافقة."],
                1,
            ),
            (
                "Die Erstattung erfolgt in drei Tagen.",
                ["Wir öffnen um neun.", "Nach Prüfung erfolgt die Erstattung in drei Tagen."],
                1,
            ),
            ("ค่าธรรมเนียมคืนเงินภายในสามวันทำการ", ["ห้องสมุดเปิดเก้าโมง", "คืนเงินภายในสามวันทำการหลังอนุมัติ"], 1),
        ],
    )
    def test_the_right_document_is_found(self, draft, quotes, document):
        assert lean(draft, quotes).claims[0].documents == (document,)

    @pytest.mark.parametrize(
        ("one", "other"),
        [("1,234.50", "1234.5"), ("1.234,50", "1234.50"), ("1,000", "1000"), ("007", "7"), ("٤٢", "٤٢")],
    )
    def test_a_number_is_the_same_however_it_is_written(self, one, other):
        assert (
            lean(f"The whole fee is {one} in total.", [f"In total the whole fee is {other} there."]).claims[0].supported
        )


def test_the_best_sentence_is_marked_with_its_neighbour_if_it_adds_something():
    quote = "Nothing to see here. Refunds take three days. They go to the card that was used. Unrelated words follow."
    leaning = lean("Refunds take three days and go to the card that was used.", [quote])
    assert marked(leaning, [quote]) == [["Refunds take three days. They go to the card that was used."]]


@pytest.mark.parametrize(
    ("draft", "quotes"),
    [("", []), ("A claim of some words.", []), ("", ["quote"]), ("A claim of some words.", ["", ""])],
)
def test_with_nothing_to_compare_nothing_is_said(draft, quotes):
    assert lean(draft, quotes) == Leaning((), tuple(() for _ in quotes))


def test_what_is_beyond_the_part_that_is_read_is_not_held_against_a_claim():
    quote = "The fee is due on receipt. " + "Other words stand here. " * 600 + "It is 4711 EUR."
    assert lean("The fee of 4711 EUR is due on receipt.", [quote]).claims[0].supported


TEXT = st.lists(
    st.sampled_from(
        ["a fact. ", "[1]", "42 ", "**x** ", "\n- ", "```\n", "退款。", "\ud800", "\x00", "…", "!?", "e.g. ", "word "]
    )
    | st.text(max_size=4)
).map("".join)


@given(TEXT, st.lists(TEXT, max_size=3))
@settings(max_examples=300, deadline=None)
def test_stretches_lie_within_their_texts_in_order_and_apart(draft, quotes):
    leaning = lean(draft, quotes)
    within = [(quote, list(stretches)) for quote, stretches in zip(quotes, leaning.marks, strict=True)]
    for text, stretches in [(draft, [(claim.start, claim.end) for claim in leaning.claims]), *within]:
        ends = [0] + [at for stretch in stretches for at in stretch] + [len(text)]
        assert ends == sorted(ends)
        assert all(text[start:end].strip() for start, end in stretches)
    for claim in leaning.claims:
        assert 0 <= claim.overlap <= 1.001
        assert set(claim.documents) <= set(range(len(quotes)))
        assert claim.documents or not claim.supported


@pytest.mark.parametrize(
    "text",
    [
        "." * 60_000,
        "a. " * 20_000,
        "[1]" * 20_000,
        "- " * 30_000,
        "```\na\n" * 10_000,
        "a b c d e.\n" * 6_000,
        "1" * 60_000,
        "\n" * 60_000,
    ],
)
def test_text_made_to_be_slow_is_not(text):
    lean(text, [text] * 5)
