"""Hostile text to safe HTML. What a model, a document or a stranger wrote never runs, never loads anything and never
leads anywhere: no link is a link, no image is an image, hosts are spelt out, and what was meant to be unseen is shown.

The only attributes that leave this module are class, dir, tabindex, title and start, and on request the links to
documents on the same page (`Mark.refs`); no tag that fetches, navigates or submits can come out of a text.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

LONGEST = 50_000
MOST_COLUMNS = 40
MOST_CELLS = 5_000
MOST_SHOWN = 300

_BLOCKS = ("p", "li", "td", "th", "blockquote")
_TAGS = {
    "p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "div", "span", "table",
    "thead", "tbody",
    "tr", "th", "td",
}  # fmt: skip
_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes={"ol": {"start"}, "div": {"tabindex"}, "pre": {"tabindex"}},
    set_tag_attribute_values={tag: {"dir": "auto"} for tag in _BLOCKS},
    allowed_classes={
        "p": {"heading", "cut", *(f"heading-{n}" for n in range(1, 7))},
        "span": {"link", "image", "host"},
        "div": {"table"},
        "th": {"left", "center", "right"},
        "td": {"left", "center", "right"},
    },
    link_rel=None,
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of the text as it came, to be set off: as `<mark>`, or as a span of class `css`. `words` are added for
    those who don't see the difference; `refs` are the numbers of documents to point at (`#<anchor><number>`).
    """

    start: int
    end: int
    css: str = ""
    words: str = ""
    refs: tuple[int, ...] = ()


# --- What is not seen ------------------------------------------------------------------------------------------------

_BEFOREHAND = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_NEWLINES = re.compile(r"\r\n?|[\x85\u2028\u2029]")
_INVISIBLE_BELOW = (
    r"\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
)
_INVISIBLE_ABOVE = r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
_INVISIBLE = _INVISIBLE_BELOW + _INVISIBLE_ABOVE
_TAG_CHARACTERS = r"\U000e0020-\U000e007f"
_STACK = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_HARMLESS = (
    # A joiner or variation selector where a script or an emoji needs it; a mark of direction beside a letter of that
    # direction; a flag spelt in tag characters; a soft hyphen inside a word.
    r"(?<=[\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff\ufb50-\ufdff\ufe70-\ufefc])[\u200c\u200d](?=\w)"
    r"|(?<=[\u00a9-\u00ae\u203c-\u3299\U0001f000-\U0001faff\ufe0f])\u200d(?=[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff])"
    r"|(?<=[#*0-9\u00a9-\u00ae\u203c-\u3299\U0001f000-\U0001faff])[\ufe0e\ufe0f]"
    r"|(?<=[\u3400-\u9fff\uf900-\ufaff])[\ufe00-\ufe02\U000e0100-\U000e01ef]"
    r"|(?<=[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc])[\u200e\u200f]|[\u200e\u200f](?=[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc])"
    r"|(?<=\U0001f3f4)[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"
    r"|(?<=\w)\xad(?=\w)"
)
_HIDDEN = (
    rf"(?P<tags>[{_TAG_CHARACTERS}]+)"
    rf"|(?P<run>[{_INVISIBLE}]+)"
    rf"|(?P<kept>{_STACK}{{4}})(?P<stack>{_STACK}+)"
    r"|(?P<said>⟦U\+[0-9A-F]{4}⟧)"
)
# A cheap look first: none of these, nothing to do. (One class over both planes would be searched far slower.)
_SUSPECT = re.compile(rf"[{_INVISIBLE_BELOW}⟦]|{_STACK}{{5}}")
_SUSPECT_ABOVE = re.compile(f"[{_INVISIBLE_ABOVE}]")
_UNSEEN = re.compile(f"(?P<fine>{_HARMLESS})|{_HIDDEN}")


def _sayable(text: str) -> str:
    """Characters that HTML, PostgreSQL or a browser cannot carry become their name; all line ends become one."""
    text = _NEWLINES.sub("\n", text)
    return _BEFOREHAND.sub(lambda odd: f"⟦U+{ord(odd[0]):04X}⟧", text)


def _name(character: str) -> str:
    return unicodedata.name(character, "invisible character").lower()


def _shown(found: re.Match[str]) -> str:
    if found["fine"] is not None:
        return found[0]
    if found["stack"] is not None:
        return f'{found["kept"]}<span class="invisible">⟦{len(found["stack"])} stacked marks left out⟧</span>'
    if found["tags"] is not None:
        hidden = escape("".join(chr(ord(tag) - 0xE0000) for tag in found["tags"]).replace("\x7f", ""))
        return f'<span class="invisible" title="text written in invisible characters">⟦hidden text: {hidden}⟧</span>'
    if found["said"] is not None:
        code = found["said"][3:-1]
        return f'<span class="invisible" title="control character">⟦U+{code}⟧</span>'
    run = found["run"]
    more = "" if len(run) == 1 else f" ×{len(run)}" if len(set(run)) == 1 else f" and {len(run) - 1} more"
    return f'<span class="invisible" title="{_name(run[0])}">⟦U+{ord(run[0]):04X}{more}⟧</span>'


def _with_unseen(html: str) -> str:
    """Shows what is not seen in HTML whose tags are our own, so that such characters stand in its text only."""
    if html.isascii() or not (_SUSPECT.search(html) or _SUSPECT_ABOVE.search(html)):
        return html
    shown = 0

    def show(found: re.Match[str]) -> str:
        nonlocal shown
        if found["fine"] is None:
            shown += 1
            if shown > MOST_SHOWN:
                return ""
        return _shown(found)

    html = _UNSEEN.sub(show, html)
    if shown > MOST_SHOWN:
        html += f'<p class="cut">{shown - MOST_SHOWN:,} more invisible characters are left out.</p>'
    return html


def visible(text: str) -> SafeString:
    """Escaped text with invisible, direction-changing and control characters shown by their number, letters written in
    tag characters spelt out, and towers of accents cut.
    """
    return mark_safe(_with_masks(_with_unseen(escape(_sayable(text)))))


# --- Masks ---------------------------------------------------------------------------------------------------------

# What stands for a value that was taken out before it was stored: [EMAIL_k3x7q2ma].
_MASK = re.compile(r"\[([A-Z]+(?:_[A-Z]+)*)_([a-z2-7]{8})\]")


def _with_masks(html: str) -> str:
    """Sets masks off in HTML whose tags are our own: nothing in a tag looks like one."""
    if "[" not in html:
        return html
    return _MASK.sub(lambda mask: f'<span class="masked" title="{_masked(mask[1])}">{mask[0]}</span>', html)


def _masked(kind: str) -> str:
    return f"Masked: {kind.lower().replace('_', ' ')}. The same mask is the same value."


# --- Marks -----------------------------------------------------------------------------------------------------------

# Obscure punctuation, so that Markdown's rules on what stands beside a `**` come out as without it. The number of the
# mark goes before, as a private character.
_OPEN, _CLOSE, _FIRST = "\u2e02", "\u2e03", 0xE000
_PIECES = re.compile(f"(<[^>]*>|[\ue000-\uf8ff]{_OPEN}|{_CLOSE})")
MOST_MARKS = 0xF8FF - _FIRST


def _with_places(text: str, marks: Sequence[Mark]) -> str:
    """The text with the marks' ends written into it; without any if it uses those characters itself."""
    if _OPEN in text or _CLOSE in text or len(marks) > MOST_MARKS:
        return text
    parts: list[str] = []
    done = 0
    for number, mark in enumerate(marks):
        if mark.start < done or mark.end <= mark.start:
            continue
        parts += [text[done : mark.start], chr(_FIRST + number), _OPEN, text[mark.start : mark.end], _CLOSE]
        done = mark.end
    return "".join([*parts, text[done:]])


def _set_off(html: str, marks: Sequence[Mark], anchor: str) -> str:
    """Wraps each run of text between a mark's ends, so that tags which a mark crosses stay well formed."""
    parts: list[str] = []
    mark: Mark | None = None
    for piece in _PIECES.split(html):
        if piece.startswith("<") or not piece:
            parts.append(piece)
        elif piece == _CLOSE:
            parts.append(_after(mark, anchor))
            mark = None
        elif piece[1:] == _OPEN:
            parts.append(_after(mark, anchor))
            mark = marks[ord(piece[0]) - _FIRST] if ord(piece[0]) - _FIRST < len(marks) else None
        elif mark is None or not piece.strip():
            parts.append(piece)
        else:
            parts.append(f'<span class="{escape(mark.css)}">{piece}</span>' if mark.css else f"<mark>{piece}</mark>")
    return "".join([*parts, _after(mark, anchor)])


def _after(mark: Mark | None, anchor: str) -> str:
    if mark is None:
        return ""
    words = f'<span class="sr-only"> ({escape(mark.words)})</span>' if mark.words else ""
    refs = " ".join(
        f'<a href="#{escape(anchor)}{number}" aria-label="Document {number}">{number}</a>' for number in mark.refs
    )
    return words + (f'<sup class="refs">{refs}</sup>' if refs else "")


# --- Markdown --------------------------------------------------------------------------------------------------------


def _host(url: str) -> str:
    """Where a URL leads, in words a person can check: the bare host, or what kind of address it is. (The parser has put
    it into ASCII already, so that a letter of another alphabet shows.)
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "not a valid address"
    if host:
        # The end of a name says whose it is.
        return host if len(host) <= 80 else f"…{host[-80:]}"
    if parts.scheme == "mailto":
        return f"mail to {parts.path[:80]}"
    if parts.scheme in ("http", "https"):
        return "not a valid address"
    return f"{parts.scheme} address" if parts.scheme else "an address on this site"


def _image(_: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    alt, host = escape(token.content) or "no description", escape(_host(str(token.attrs["src"])))
    return f'<span class="image">[image: {alt}] <span class="host">({host})</span></span>'


def _link_open(_: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    url = str(token.attrs["href"])
    # An address that is its own text says already where it leads.
    env.setdefault("links", []).append("" if token.info == "auto" else _host(url))
    return '<span class="link">'


def _link_close(_: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    host = env["links"].pop()
    return f' <span class="host">({escape(host)})</span></span>' if host else "</span>"


def _heading_open(_: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    # Not a heading of the page: a screen reader's outline is the screen's own.
    return f'<p class="heading heading-{tokens[index].tag[1]}">'


def _cell_open(_: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    side = str(tokens[index].attrs.get("style", "")).removeprefix("text-align:")
    return f'<{tokens[index].tag} class="{side}">' if side else f"<{tokens[index].tag}>"


def _code(_: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return f'<pre tabindex="0"><code>{escape(tokens[index].content)}</code></pre>\n'


def _parser(*, tables: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("strikethrough")
    if tables:
        parser.enable("table")
    rules = {
        "image": _image, "link_open": _link_open, "link_close": _link_close, "heading_open": _heading_open,
        "heading_close": lambda *_: "</p>\n", "th_open": _cell_open, "td_open": _cell_open, "fence": _code,
        "code_block": _code,
        "table_open": lambda *_: '<div class="table" tabindex="0"><table>',
        "table_close": lambda *_: "</table></div>\n",
    }  # fmt: skip
    for name, rule in rules.items():
        parser.add_render_rule(name, rule)
    return parser


_DEEPEST = 16
_WITH_TABLES, _WITHOUT_TABLES = _parser(tables=True), _parser(tables=False)
_RULER = re.compile(r"^[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-*:?[ \t]*)*$", re.MULTILINE)


def _columns(text: str) -> int:
    """The most columns a table in this text could have; 0 without a table."""
    if "|" not in text:
        return 0
    return max((line[0].count("|") + 1 for line in _RULER.finditer(text) if "|" in line[0]), default=0)


def _cut(text: str, marks: Sequence[Mark]) -> tuple[str, Sequence[Mark], str]:
    if len(text) <= LONGEST:
        return text, marks, ""
    note = f'<p class="cut">Cut here: {LONGEST:,} of {len(text):,} characters are shown.</p>'
    return text[:LONGEST], [mark for mark in marks if mark.end <= LONGEST], note


def markdown(text: str, marks: Sequence[Mark] = (), anchor: str = "") -> SafeString:
    """A model's Markdown as safe HTML. Links and images become text with their host; raw HTML stays visible as it was
    typed; headings become bold lines; invisible characters are shown. Text beyond LONGEST and tables too wide or long
    to lay out are not rendered, and it says so. Marks must be in order and apart.
    """
    text, marks, note = _cut(text, marks)
    if not text.strip():
        return mark_safe(note)
    parser, warning = _WITH_TABLES, ""
    columns = _columns(text)
    if columns > MOST_COLUMNS or columns * text.count("\n") > MOST_CELLS:
        parser = _WITHOUT_TABLES
        warning = f'<p class="cut">A table of {columns:,} columns is too large to lay out: shown as it was typed.</p>'
    env: dict[str, Any] = {}
    tokens = parser.parse(_sayable(_with_places(text, marks)), env)
    if any(token.level >= _DEEPEST for token in tokens):
        # The parser drops what is nested deeper than it goes.
        warning = '<p class="cut">Nested too deep to lay out: shown as it was typed.</p>'
        return mark_safe(f'{warning}<div class="typed" dir="auto">{plain(text, marks, anchor)}</div>{note}')
    html = _CLEANER.clean(parser.renderer.render(tokens, parser.options, env))
    return mark_safe(warning + _with_masks(_with_unseen(_set_off(html, marks, anchor))) + note)


def plain(text: str, marks: Sequence[Mark] = (), anchor: str = "") -> SafeString:
    """Text as it is: escaped, line ends kept (set it with `white-space: pre-wrap`), invisible characters shown, cut at
    LONGEST. Marks must be in order and apart.
    """
    text, marks, note = _cut(text, marks)
    html = escape(_sayable(_with_places(text, marks)))
    return mark_safe(_with_masks(_with_unseen(_set_off(html, marks, anchor))) + note)
