"""Nothing that a model wrote runs in a reviewer's browser, calls out of it, or stays unseen."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from django.template import engines
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl import rendering
from hitl.rendering import Mark, markdown, plain, visible
from tests.guarantees.hostile import HOST, PAYLOADS

TAGS = {
    "p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "div", "span", "table",
    "thead", "tbody",
    "tr", "th", "td", "mark", "sup", "a",
}  # fmt: skip
VOID = {"br", "hr"}
VALUES = {
    "class": re.compile(
        r"link|host|image|invisible|cut|typed|table|left|right|center|sr-only|refs|claim( no)?|heading heading-[1-6]"
    ),
    "dir": re.compile("auto"),
    "tabindex": re.compile("0"),
    "start": re.compile(r"\d+"),
    "title": re.compile(r"[a-z0-9 -]+"),
    "href": re.compile(r"#doc-\d+"),
    "aria-label": re.compile(r"Document \d+"),
}


class Structure(HTMLParser):
    """What a browser would make of it: every tag, every attribute, the text, and whether it is well formed."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.attributes, self.tags, self.open = "", [], set(), []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    handle_decl = handle_pi = unknown_decl = handle_comment


def assert_harmless(html: str) -> Structure:
    structure = Structure(html)
    assert structure.open == []
    assert structure.tags <= TAGS
    for name, value in structure.attributes:
        assert name in VALUES, f"the attribute {name}"
        assert VALUES[name].fullmatch(value), f"{name}={value!r}"
    html.encode()  # no lone surrogates
    assert "\x00" not in html
    return structure


@pytest.mark.parametrize("text", [text for _, text in PAYLOADS], ids=[name for name, _ in PAYLOADS])
def test_no_hostile_text_gets_a_tag_an_attribute_or_an_address_through(text):
    for html in (markdown(text), plain(text)):
        structure = assert_harmless(html)
        assert "a" not in structure.tags
        assert len(html) <= 20 * len(text) + 2_000, "a small text must not become a huge page"
    structure = assert_harmless(visible(text))
    assert structure.tags <= {"span", "p"}


QUICK = [(name, text) for name, text in PAYLOADS if not name.startswith("floods")]


@pytest.mark.parametrize("text", [text for _, text in QUICK], ids=[name for name, _ in QUICK])
def test_nor_does_it_with_marks_across_it(text):
    thirds = [len(text) // 3 * n for n in range(4)]
    marks = [Mark(a, b, css="claim no", words="x", refs=(1,)) for a, b in pairwise(thirds)]
    assert_harmless(markdown(text, marks, "doc-"))
    assert_harmless(plain(text, [Mark(0, len(text))]))


@given(
    st.lists(
        st.sampled_from([*"<>&\"'`*_[]()!|-#:\n ~\\{}", "script", "javascript:", "\u202e", "\ud800", "&#x3c;"])
        | st.text(max_size=3)
    ).map("".join)
)
@settings(max_examples=300, deadline=None)
def test_no_text_at_all_does(text):
    assert_harmless(markdown(text))
    assert_harmless(plain(text))
    assert_harmless(markdown(text, [Mark(0, len(text) // 2), Mark(len(text) // 2, len(text), css="claim")]))


@pytest.mark.parametrize("text", ["{{ 7|add:7 }}", "{% debug %}", "{# gone #}", "<b>"])
def test_template_syntax_in_a_text_is_text(text):
    template = engines["django"].from_string("{{ text|markdown }} {{ text|plain }}")
    assert Structure(template.render({"text": text})).text.count(text) == 2


class TestMarkdown:
    def test_what_answers_are_made_of_is_laid_out(self):
        html = markdown(
            "One **two** *three* `four` ~~five~~\n\n1. a\n2. b\n\n> q\n\n```\ncode\n```\n\n|x|y|\n|:-|-:|\n|1|2|\n\n---"
        )
        for piece in (
            "<strong>two</strong>", "<em>three</em>", "<code>four</code>", "<s>five</s>", "<ol>",
            '<li dir="auto">a</li>', "<blockquote",
            '<pre tabindex="0"><code>code\n</code></pre>', '<th class="left" dir="auto">x</th>',
            '<td class="right" dir="auto">2</td>', "<hr>",
        ):  # fmt: skip
            assert piece in html

    def test_a_link_is_its_text_and_the_host_it_would_lead_to(self):
        assert markdown("[Bank](https://evil.example/x)") == (
            '<p dir="auto"><span class="link">Bank <span class="host">(evil.example)</span></span></p>\n'
        )

    @pytest.mark.parametrize(
        ("url", "host"),
        [
            ("https://bank.example@evil.example/", "evil.example"), ("//evil.example/x", "evil.example"),
            ("https://b\u0430nk.example", "xn--bnk-6cd.example"), ("/admin", "an address on this site"),
            ("mailto:a@b.example", "mail to a@b.example"),
            ("tel:123", "tel address"), ("https://[::1/", "not a valid address"),
            ("https://EVIL.example", "evil.example"),
            (f"https://{'a.' * 100}evil.example", f"…{('a.' * 100 + 'evil.example')[-80:]}"),
        ],
    )  # fmt: skip
    def test_the_host_is_the_real_one(self, url, host):
        assert f'<span class="host">({host})</span>' in markdown(f"[x](<{url}>)")

    def test_an_image_is_its_description_and_its_host(self):
        assert f'<span class="image">[image: secret] <span class="host">({HOST})</span></span>' in markdown(
            f"![secret](https://{HOST}/p.png?d=1)"
        )
        assert "[image: no description]" in markdown("![](x.png)")

    def test_raw_html_stays_visible_as_it_was_typed(self):
        text = '<div style="x">Press <b>Accept</b></div>'
        assert Structure(markdown(text)).text.strip() == text

    def test_a_heading_of_a_text_is_no_heading_of_the_page(self):
        assert markdown("# Title") == '<p class="heading heading-1" dir="auto">Title</p>\n'

    def test_each_block_takes_its_own_direction(self):
        assert markdown("english\n\nعربي").count('dir="auto"') == 2

    def test_nothing_is_nothing(self):
        assert markdown("") == plain("") == visible("") == ""
        assert markdown(" \n\t") == ""

    def test_a_text_too_long_is_cut_and_says_so(self):
        for html in (markdown("word " * 20_000), plain("word " * 20_000)):
            assert html.endswith('<p class="cut">Cut here: 50,000 of 100,000 characters are shown.</p>')
            assert len(html) < 51_000

    @pytest.mark.parametrize(("columns", "rows"), [(41, 1), (30, 400)])
    def test_a_table_too_large_is_shown_as_typed_and_says_so(self, columns, rows):
        html = markdown("|a" * columns + "|\n" + "|-" * columns + "|\n" + "|b|\n" * rows)
        assert "too large to lay out" in html
        assert "<table" not in html
        assert "|a|a|a" in html

    def test_an_ordinary_table_is_a_table(self):
        assert "<table>" in markdown("|a" * 12 + "|\n" + "|-" * 12 + "|\n" + "|b|\n" * 50)

    @pytest.mark.parametrize(
        "text", ["> " * 60 + "secret", "- " * 60 + "secret", "\n".join("  " * n + "- secret" for n in range(60))]
    )
    def test_what_is_nested_too_deep_is_not_swallowed(self, text):
        assert "Nested too deep" in markdown(text)
        assert "secret" in markdown(text)


class TestUnseen:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("pay \u202e001", "⟦U+202E⟧"), ("a\u200bb", "⟦U+200B⟧"), ("a" + "\u200b" * 9 + "b", "⟦U+200B ×9⟧"),
            ("a\u200b\u2060b", "⟦U+200B and 1 more⟧"),
            ("a\x00b", "⟦U+0000⟧"), ("a\x1b[2Jb", "⟦U+001B⟧"), ("a\ud800b", "⟦U+D800⟧"), ("\ufeffa", "⟦U+FEFF⟧"),
            ("a\u3164", "⟦U+3164⟧"),
            ("ok" + "".join(chr(0xE0000 + ord(c)) for c in "say <yes>"), "⟦hidden text: say <yes>⟧"),
            ("a\u200fb", "⟦U+200F⟧"),
            ("Z" + "\u0301" * 50, "⟦46 stacked marks left out⟧"), ("a\xad b", "⟦U+00AD⟧"), ("x\ufe0f", "⟦U+FE0F⟧"),
            ("a\u200db", "⟦U+200D⟧"),
        ],
    )  # fmt: skip
    def test_what_is_not_seen_is_shown(self, text, shown):
        for html in (markdown(text), plain(text), visible(text)):
            assert '<span class="invisible"' in html
            assert shown in Structure(html).text
            assert not set("\u202e\u200b\x00\x1b\ud800\ufeff\u3164") & set(html)

    @pytest.mark.parametrize(
        "text",
        [
            "👩\u200d👩\u200d👧", "❤\ufe0f", "1\ufe0f\u20e3",
            "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
            "می\u200cخواهم", "क\u094d\u200dष", "e\u0301", "שלום\u200e!", "hy\xadphen", "葛\U000e0100", "ﷺ",
            "tab\tline\r\n",
        ],
    )  # fmt: skip
    def test_what_a_script_or_an_emoji_needs_is_left(self, text):
        assert "invisible" not in plain(text)
        assert plain(text) == text.replace("\r\n", "\n")

    def test_a_flood_of_them_is_counted_instead(self):
        html = plain("a\u200b" * 1_000)
        assert html.count('class="invisible"') == rendering.MOST_SHOWN
        assert "700 more invisible characters are left out" in html


class TestMarks:
    def mark(self, text: str, stretch: str, **options) -> Mark:
        start = text.index(stretch)
        return Mark(start, start + len(stretch), **options)

    def test_a_passage_is_marked(self):
        text = "All <refunds> above 100."
        assert plain(text, [self.mark(text, "<refunds> above")]) == "All <mark>&lt;refunds&gt; above</mark> 100."

    def test_a_claim_points_at_its_documents_and_says_in_words_what_it_lacks(self):
        text = "It is so. It is not."
        found = self.mark(text, "It is so.", css="claim", refs=(1, 3))
        lacking = self.mark(text, "It is not.", css="claim no", words="not in the evidence")
        assert markdown(text, [found, lacking], "doc-7-") == (
            '<p dir="auto"><span class="claim">It is so.</span><sup class="refs">'
            '<a href="#doc-7-1" aria-label="Document 1">1</a> '
            '<a href="#doc-7-3" aria-label="Document 3">3</a></sup> <span class="claim no">It is not.</span>'
            '<span class="sr-only"> (not in the evidence)</span></p>\n'
        )

    @pytest.mark.parametrize(
        "text",
        [
            "‹a **b› c** d", "‹**a b**› c", "**‹a› b** c", "**a ‹b.›** c", "‹*a b*› c", "*‹a b›* c", "‹_a b_› c",
            "_‹a› b_ c",
            "a ‹`b c` d›", "a `‹b› c` d", "a [‹b](https://x.example) c›", "a ‹[b](https://x.example)› c",
            "- ‹a b\n- c›",
            "1. ‹a›\n2. b", "‹a b\n\nc› d", "|‹a b|c›|\n|-|-|\n|d|e|", "# ‹a b›", "> ‹a\n> b›", "```\n‹a\nb›\n```",
            "‹a› ~~b~~", "‹a\nb›",
        ],
    )  # fmt: skip
    def test_marks_do_not_change_how_the_text_is_laid_out(self, text):
        start, end = text.index("‹"), text.index("›") - 1
        text = text.replace("‹", "").replace("›", "")
        html = markdown(text, [Mark(start, end)])
        assert "<mark>" in html
        assert html.replace("<mark>", "").replace("</mark>", "") == markdown(text)

    def test_a_text_with_the_marks_own_characters_goes_without(self):
        assert plain("a \u2e02 b", [Mark(0, 1)]) == "a \u2e02 b"

    def test_marks_beyond_the_cut_are_left_out(self):
        assert "<mark>" not in plain("a" * 60_000, [Mark(49_990, 50_010)])


class TestFilters:
    def render(self, source: str, **values) -> str:
        return engines["django"].from_string(source).render(values)

    @pytest.mark.parametrize(
        ("value", "shown"), [(0.4567, "46%"), (0, "0%"), (1, "100%"), (None, "–"), (float("nan"), "–"), (0.0004, "0%")]
    )
    def test_a_share_is_a_percentage(self, value, shown):
        assert self.render("{{ value|percent }}", value=value) == shown

    def test_a_percentage_has_the_places_asked_for(self):
        assert self.render("{{ value|percent:1 }}", value=0.4567) == "45.7%"

    @pytest.mark.parametrize(("value", "shown"), [(1234567, "1,234,567"), (12, "12"), (0, "0"), (None, "–")])
    def test_thousands_are_set_apart(self, value, shown):
        assert self.render("{{ value|thousands }}", value=value) == shown

    def test_rich_and_plain_text_come_without_loading_anything(self):
        assert self.render("{{ t|markdown }}{{ t|plain }}", t="**a**") == '<p dir="auto"><strong>a</strong></p>\n**a**'


class TestMasks:
    """What stands for a value that was taken out is set off, with its kind in words; nothing else is."""

    @pytest.mark.parametrize("shown", [markdown, plain, visible])
    def test_are_told_apart_and_say_their_kind(self, shown):
        html = shown("Ask [EMAIL_k3x7q2ma] or [NATIONAL_ID_abcdefgh].")
        assert (
            '<span class="masked" title="Masked: email. The same mask is the same value.">[EMAIL_k3x7q2ma]</span>'
            in html
        )
        assert 'title="Masked: national id.' in html

    @pytest.mark.parametrize(
        "text", ["[EMAIL_K3X7Q2MA]", "[email_k3x7q2ma]", "[EMAIL_k3x7q2m1]", "[EMAIL_k3x7q2ma", "[_abcdefgh]"]
    )
    def test_nothing_else_is(self, text):
        assert "masked" not in markdown(text)
        assert "masked" not in plain(text)

    def test_in_code_in_marks_and_beside_hostile_text(self):
        html = markdown("`[KEY_abcdefgh]` <b title='[KEY_abcdefgh]'>[x](http://a.example '[KEY_abcdefgh]')")
        assert html.count('class="masked"') == 2
        assert "<b" not in html
        assert plain("a [KEY_abcdefgh] b", [Mark(0, 18)]).startswith('<mark>a <span class="masked"')
