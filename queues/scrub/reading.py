"""How a recogniser sees a text: as a person would read it, one character for one character.

Zero-width characters are taken out; full-width and other scripts' digits, odd dashes and odd spaces are turned into
their ASCII twins. Whatever was recognised already, and every pseudonym of an earlier scrub, is covered by `COVER`,
which is in no pattern's alphabet; so nothing is found twice and scrubbing a scrubbed text changes nothing.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

COVER = "\x00"
PSEUDONYM = re.compile(r"\[[A-Z]+(?:_[A-Z]+)*_[a-z2-7]{8}\]")

# Default-ignorable and control characters: nobody sees them, so they must not hide an address. NUL is among them, which
# is why COVER can be NUL. The plane above the BMP stands apart: one class over both is searched a hundred times slower.
_CONTROLS = r"\x00-\x08\x0e-\x1f\x7f"
_UNSEEN = (
    _CONTROLS + r"\x80-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
)
_CONTROL = re.compile(f"[{_CONTROLS}]")
_INVISIBLE = re.compile(f"[{_UNSEEN}]")
_INVISIBLE_ABOVE = re.compile(r"[\U000e0000-\U000e0fff]")
_VISIBLE = re.compile(rf"[^{_UNSEEN}\U000e0000-\U000e0fff]")


def _twins() -> dict[str, str]:
    """Characters that read as an ASCII character, each with that character."""
    twins = {chr(n): str(unicodedata.decimal(chr(n))) for n in range(0x80, 0x10000) if chr(n).isdecimal()}
    twins |= {chr(n): chr(n - 0xFEE0) for n in range(0xFF01, 0xFF5F)}
    twins |= dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63", "-")
    twins |= dict.fromkeys([*map(chr, range(0x2000, 0x200B)), "\xa0", "\u1680", "\u202f", "\u205f", "\u3000"], " ")
    twins |= dict.fromkeys("\u2018\u2019", "'") | dict.fromkeys("\u201c\u201d", '"')
    return twins | {"\ufe52": ".", "\u2024": ".", "\ufe55": ":", "\ufe6b": "@"}


_TWINS = _twins()
_ODD = re.compile("[" + "".join(re.escape(c) for c in sorted(_TWINS)) + "]")
_MATHEMATICAL = re.compile("[\U0001d400-\U0001d7ff]")
# Whatever parts words, without apostrophes and hyphens, which may stand in one.
_PARTS = {n: " " for n in range(128) if not chr(n).isalnum() and chr(n) not in "'-"}
_WORDS = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
# `142.60, invoice 7731` has none: five digits in a row, a group of three or four after another, or three groups.
_LONG_NUMBER = re.compile(r"\d(?:\d{4}|[ ()./:\-]{1,4}\d{3}|\d{0,3}[ ()./:\-]{1,4}\d{1,4}[ ()./:\-]{1,4}\d)")
_NOT_DIGITS = bytes(b for b in range(256) if b not in b"0123456789")


def _plain(text: str) -> str:
    if _MATHEMATICAL.search(text):
        text = _MATHEMATICAL.sub(lambda odd: unicodedata.normalize("NFKC", odd[0])[:1], text)
    return _ODD.sub(lambda odd: _TWINS[odd[0]], text)


@dataclass(frozen=True, slots=True)
class Hit:
    """One recognised value: where it stands in the reading, and its normal form (what its pseudonym is made of)."""

    kind: str
    start: int
    end: int
    value: str


class Reading:
    """A text made ready for the recognisers. `text` is what they search, `lower` the same in lower case, `digits` how
    many ASCII digits are in it; `regions` are the countries whose national formats count, likeliest first; the first
    `label` characters are the name of the field that the text stands in.
    """

    __slots__ = ("_long", "_origin", "_words", "digits", "label", "lower", "regions", "text")

    def __init__(self, text: str, regions: tuple[str, ...] = (), label: int = 0) -> None:
        self._origin: list[int] | None = None
        self.regions, self.label = regions, label
        if text.isascii():
            hidden = _CONTROL.search(text)
        else:
            text = _plain(text)
            hidden = _INVISIBLE.search(text) or _INVISIBLE_ABOVE.search(text)
        if hidden:
            self._origin = [seen.start() for seen in _VISIBLE.finditer(text)]
            text = "".join(_VISIBLE.findall(text))
        if "[" in text and "]" in text:
            text = PSEUDONYM.sub(lambda known: COVER * len(known[0]), text)
        self._set(text)

    def _set(self, text: str) -> None:
        self.text = text
        self._words: frozenset[str] | None = None
        self._long: bool | None = None
        lower = text.lower()
        # A few letters grow when lowered (İ); positions must stay.
        self.lower = (
            lower if len(lower) == len(text) else "".join(low if len(low := c.lower()) == 1 else c for c in text)
        )
        self.digits = len(text.encode("utf-8", "surrogatepass").translate(None, _NOT_DIGITS))

    @property
    def words(self) -> frozenset[str]:
        """The words of `lower`: a recogniser that needs one of some words finds out here whether to look at all."""
        if self._words is None:
            lower = self.lower
            self._words = frozenset(lower.translate(_PARTS).split() if lower.isascii() else _WORDS.findall(lower))
        return self._words

    @property
    def has_long_number(self) -> bool:
        """Whether a number stands here that is longer than those of prose, in a row or in groups."""
        if self._long is None:
            self._long = _LONG_NUMBER.search(self.text) is not None
        return self._long

    def cover(self, hits: list[Hit]) -> None:
        """Hide what was recognised (in order, apart from each other) from the recognisers that follow."""
        parts: list[str] = []
        done = 0
        for hit in hits:
            parts += [self.text[done : hit.start], COVER * (hit.end - hit.start)]
            done = hit.end
        self._set("".join([*parts, self.text[done:]]))

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The span in the text as it came."""
        if self._origin is None:
            return start, end
        return self._origin[start], self._origin[end - 1] + 1

    def before(self, start: int, width: int) -> str:
        """Up to `width` lower-case characters before `start`, not reaching over anything recognised."""
        return self.lower[max(0, start - width) : start].rpartition(COVER)[2]

    def after(self, end: int, width: int) -> str:
        """Up to `width` lower-case characters from `end`, not reaching over anything recognised."""
        return self.lower[end : end + width].partition(COVER)[0]


@dataclass(frozen=True, slots=True)
class Recogniser:
    """Finds one family of values. `prefilter` is a cheap look that may say yes too often but never no wrongly; `find`
    yields hits on the reading; neither is asked about a text with fewer than `digits` digits. The order of recognisers
    settles who gets a stretch that two of them would claim.
    """

    name: str
    prefilter: Callable[[Reading], bool]
    find: Callable[[Reading], Iterator[Hit]]
    digits: int = 0
