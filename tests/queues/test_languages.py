import pytest
from hypothesis import given
from hypothesis import strategies as st

from queues.languages import UnknownLanguage, chain, detect, matches, name, normalise


@pytest.mark.parametrize(
    ("written", "tidy"),
    [
        ("de_at", "de-AT"),
        ("DE-at", "de-AT"),
        (" en ", "en"),
        ("zh_hant_tw", "zh-Hant-TW"),
        ("iw", "he"),
        ("es-419", "es-419"),
        ("i-klingon", "tlh"),
    ],
)
def test_tidies_tags_however_they_are_written(written, tidy):
    assert normalise(written) == tidy


@pytest.mark.parametrize(
    ("junk", "sentence"),
    [
        ("", "The language is empty; leave it out, or send a tag such as en or de-AT."),
        ("german", "“german” is not a language tag; send one such as en or de-AT."),
        ("<script>", "“<script>” is not a language tag; send one such as en or de-AT."),
        ("pt_BR.UTF-8", "“pt_BR.UTF-8” is not a language tag; send one such as en or de-AT."),
        ("xx", "“xx” is not a known language; send a tag such as en or de-AT."),
        ("und", "“und” names no language; leave it out and it will be detected."),
        ("x-secret", "“x-secret” names no language; leave it out and it will be detected."),
        ("\ud800", "“\ufffd” is not a language tag; send one such as en or de-AT."),
        ("d\u202ee", "“d\ufffde” is not a language tag; send one such as en or de-AT."),
    ],
)
def test_junk_is_refused_with_a_sentence(junk, sentence):
    with pytest.raises(UnknownLanguage) as refused:
        normalise(junk)

    assert str(refused.value) == sentence


@given(st.text(max_size=60))
def test_no_text_at_all_breaks_it(text):
    try:
        tidy = normalise(text)
    except UnknownLanguage as refused:
        str(refused).encode()
    else:
        assert normalise(tidy) == tidy
        assert chain(tidy)[0] == tidy
        assert name(tidy)
    name(text)
    chain(text)
    detect(text, ["en", "de"])


@pytest.mark.parametrize(
    ("tag", "falls_back"),
    [
        ("de-AT", ("de-AT", "de")),
        ("de", ("de",)),
        ("zh-Hant-TW", ("zh-Hant-TW", "zh-Hant", "zh")),
        ("nb-NO", ("nb-NO", "nb", "no")),
        ("cmn-Hans", ("cmn-Hans", "cmn", "zh")),
        ("de-x-old", ("de-x-old", "de")),
        ("", ()),
    ],
)
def test_falls_back_from_the_narrow_to_the_wide(tag, falls_back):
    assert chain(tag) == falls_back


def test_a_case_suits_its_own_language_and_the_wider_one_but_no_narrower():
    assert matches("de-AT", ["de"])
    assert matches("de-AT", ["fr", "de-AT"])
    assert not matches("de", ["de-AT"])
    assert not matches("de-AT", ["de-CH"])
    assert not matches("", ["de"])
    assert matches("de", [])
    assert matches("", [])


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("de", "German"),
        ("de-AT", "German (Austria)"),
        ("zh-Hant-TW", "Chinese (Traditional, Taiwan)"),
        ("sr-Latn-RS", "Serbian (Latin, Serbia)"),
        ("tlh", "Klingon"),
        ("ko_KR", "Korean (South Korea)"),
        ("qqq", "qqq"),
        ("", ""),
        ("no such tag", "no such tag"),
    ],
)
def test_names_a_language_and_leaves_what_nobody_knows_as_it_is(tag, words):
    assert name(tag) == words


class TestDetecting:
    @pytest.mark.parametrize(
        ("text", "tag"),
        [
            ("Ich möchte meine Rechnung reklamieren, sie ist falsch.", "de"),
            ("My invoice is wrong and I would like a refund.", "en"),
            ("Je voudrais être remboursé de ma commande.", "fr"),
            ("Guten Tag", "de"),
            ("これはテストです", "ja"),
            ("https://example.com/help?x=1 Können Sie mir damit helfen?", "de"),
        ],
    )
    def test_tells_the_language_of_a_text(self, text, tag):
        assert detect(text, ["en", "de-AT", "fr"]) == tag

    @pytest.mark.parametrize("text", ["", "   ", "ok", "12345678 99", "😀😀😀😀😀😀😀", "a@b.example", "\x00\x00"])
    def test_does_not_guess_from_too_little(self, text):
        assert detect(text, ["en", "de"]) is None

    def test_a_text_in_a_language_that_no_queue_takes_is_not_given_to_one_that_does(self):
        assert detect("Chciałbym złożyć reklamację dotyczącą mojego zamówienia", ["en", "de"]) == "pl"

    def test_gives_the_tag_that_the_queues_use(self):
        assert detect("Jeg vil gjerne ha pengene tilbake så fort som mulig", ["en", "nb"]) == "nb"

    def test_a_text_says_nothing_about_the_country(self):
        assert detect("Ich möchte meine Rechnung reklamieren", ["de-AT"]) == "de"

    def test_endless_and_broken_text_costs_no_more_than_any_other(self):
        assert detect("\ud800 hello there my friend, how are you today? " * 100_000, ["en"]) == "en"
