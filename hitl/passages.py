"""Which passages of the evidence a draft leans on, and which of its sentences find nothing there.

This compares words,
weighted by how rare they are; it does not read. It guides the eye to where support may stand or be
lacking, and is no verdict: a true sentence in other words looks unsupported,
and a false one in the same words (a "not"
put in) looks supported. Nothing may be decided by it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from math import log

# How much of a sentence's weight must be found in one place for it to count as supported; how little is still marked
# where the draft itself names the document.
SUPPORTED, MARKED = 0.3, 0.15
# A sentence that sums up leans on a whole document: what stands anywhere in it counts too, this much.
# Where a draft names its sources, a sentence that does is believed sooner, and one that does not later.
CITED = 0.1
WHOLE = 0.5
NUMBER_WEIGHT, NAME_WEIGHT, PAIR_WEIGHT = 2.0, 1.5, 1.0
# A second document is named too if it holds nearly as much.
NEARLY = 0.85
# Of each text this many characters are looked at, and of all this many sentences: a reader's page, not a book.
LONGEST, MOST_CLAIMS, MOST_PLACES = 10_000, 200, 1_000


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of the draft (`draft[start:end]`). `documents` are the indexes of the quotes where its words stand;
    `overlap` is the share of its weight found in the best of them.
    """

    start: int
    end: int
    documents: tuple[int, ...]
    supported: bool
    overlap: float


@dataclass(frozen=True, slots=True)
class Leaning:
    """The draft's claims, and per quote the stretches (start, end) they lean on, in order and apart."""

    claims: tuple[Claim, ...]
    marks: tuple[tuple[tuple[int, int], ...], ...]


# --- Sentences -------------------------------------------------------------------------------------------------------

_FENCE = re.compile(r"^(```|~~~).*?(?:^\1|\Z)", re.MULTILINE | re.DOTALL)
_END = re.compile(
    r"(?:(?<![.!?…])[.!?…]++(?:\[\d{1,3}\])*[\"'”’»)\]*_]*(?:\s?\[\d{1,3}\])*(?=\s)|[。！？｡]+[」』”]?|[؟۔।]+(?=\s)|\n|\Z)"
)
_ABBREVIATION = re.compile(
    r"(?:\b\w|\b(?:mr|mrs|ms|dr|prof|st|no|nr|vs|etc|inc|ltd|co|corp|approx|ca|bzw|usw|bspw|abs|art|fig|eq|vol|pp|al|jan|feb|mar"
    r"|apr|jun|jul|aug|sep|sept|oct|nov|dec|m|mme|env|cf|sr|sra|dott|ing))\.$",
    re.IGNORECASE,
)
_LEAD = re.compile(r"[\s>|]*(?:(?:[-*+•–]|\d{1,3}[.)]|#{1,6})\s+)*(?:\[[ x]\]\s+)?[\s*_|>]*")
_TRAIL = " \t\r\n*_|#"


def _goes_on(text: str, start: int, stop: int) -> bool:
    """Whether a full stop ends no sentence: after an abbreviation or a list's number, or before a small letter."""
    before = text[max(start, stop - 8) : stop]
    return (
        text[stop : stop + 3].lstrip(" ")[:1].islower()
        or _ABBREVIATION.search(before) is not None
        or text[start:stop].strip(" .\n").isdecimal()
    )


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Where sentences stand, without list marks, heading marks and other layout around them."""
    start = 0
    for end in _END.finditer(text):
        stop = end.end()
        if end[0] == "." and stop < len(text) and _goes_on(text, start, stop):
            continue
        lead = _LEAD.match(text, start, stop)
        first = lead.end() if lead else start
        last = first + len(text[first:stop].rstrip(_TRAIL))
        if last > first:
            yield first, last
        start = stop


# --- Words -----------------------------------------------------------------------------------------------------------

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_CITED = re.compile(r"\[(\d{1,3}(?:\s?[,;–-]\s?\d{1,3})*)\]")
_STEM = 5
_TALK = re.compile(
    r"(?:(?:i'?m |i am |we'?re |we are |so )?(?:sorry|happy to|glad to|here to help)|thanks?\b|please|hello|hi\b|dear"
    r"|hope|let me|feel free|you're welcome|best regards|kind regards|sure[,!]|certainly[,!]|of course[,!]"
    r"|danke|bitte|hallo|guten|entschuldig|es tut (?:mir|uns)|merci|bonjour|désolé|cordialement|gracias|hola|lo siento"
    r"|por favor)",
    re.IGNORECASE,
)


def _number(digits: str) -> str:
    """1,234.50 and 1234.5 are one number; which sign parts thousands does not matter for being the same."""
    parts = digits.replace(",", ".").split(".")
    if len(parts) > 1 and len(parts[-1]) != 3:
        fraction = parts.pop().rstrip("0")
        return ("".join(parts).lstrip("0") or "0") + (f".{fraction}" if fraction else "")
    return "".join(parts).lstrip("0") or "0"


@lru_cache(maxsize=20_000)
def _form(word: str) -> tuple[str, float]:
    """A word in a form in which like words are alike, and how much its kind counts; nothing for unspaced scripts."""
    if word[0].isdecimal():
        return _number(word), NUMBER_WEIGHT
    if _UNSPACED.match(word):
        return "", 1.0
    stem = word.casefold()
    if len(stem) > _STEM:
        stem = stem[:_STEM]
    elif len(stem) > 3 and stem[-1] == "s":
        stem = stem[:-1]
    return stem, NAME_WEIGHT if word[0].isupper() and len(word) > 1 else 1.0


def _words(text: str) -> dict[str, float]:
    """The words of a sentence and each two in a row, with what they count."""
    words: dict[str, float] = {}
    last = ""
    for word in _WORD.findall(text):
        stem, kind = _form(word)
        if not stem:
            for at in range(max(1, len(word) - 1)):
                words[word[at : at + 2]] = 1.0
        elif last:
            words[stem] = kind
            words[f"{last} {stem}"] = PAIR_WEIGHT
        else:
            # The first word of a sentence is in capitals anyway.
            words[stem] = kind if kind == NUMBER_WEIGHT else 1.0
        last = stem
    return words


# --- Leaning ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """A sentence of a quote."""

    quote: int
    start: int
    end: int
    words: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Best:
    """The best place for a claim in one quote, and the share of the claim's weight that is found there and around."""

    overlap: float
    start: int
    end: int


def _is_talk(sentence: str, words: dict[str, float]) -> bool:
    """A greeting, an apology, a question, a heading: nothing that evidence could bear out."""
    single = sum(" " not in word for word in words)
    return single < 4 or sentence.endswith(("?", "？", "؟", ":")) or bool(_TALK.match(sentence))


def _best_in_quotes(
    weights: dict[str, float], places: list[_Place], standing: dict[str, list[int]]
) -> dict[int, _Best]:
    """For each quote where anything of the claim stands: the sentence that holds most of it, with a neighbour if that
    adds something.
    """
    total = sum(weights.values())
    held: dict[int, float] = {}
    whole: dict[int, float] = {}
    for word, weight in weights.items():
        seen = -1
        for place in standing.get(word, ()):
            held[place] = held.get(place, 0.0) + weight
            quote = places[place].quote
            if quote != seen:
                whole[quote] = whole.get(quote, 0.0) + weight
                seen = quote
    top: dict[int, int] = {}
    for number, weight in held.items():
        quote = places[number].quote
        if quote not in top or weight > held[top[quote]]:
            top[quote] = number
    best: dict[int, _Best] = {}
    for quote, number in top.items():
        one = places[number]
        found = _Best(held[number] / total, one.start, one.end)
        for other in (number - 1, number + 1):
            if 0 <= other < len(places) and places[other].quote == quote and other in held:
                more = sum(weights[word] for word in weights.keys() & places[other].words.keys() - one.words.keys())
                both = (held[number] + more) / total
                if both > max(found.overlap, held[number] / total + 0.12):
                    found = _Best(both, min(one.start, places[other].start), max(one.end, places[other].end))
        best[quote] = _Best((1 - WHOLE) * found.overlap + WHOLE * whole[quote] / total, found.start, found.end)
    return best


def _cited(sentence: str, markers: dict[str, int]) -> set[int]:
    """The quotes that a sentence names itself, as [2] or [1, 3] or [1-3]."""
    named: set[int] = set()
    for found in _CITED.findall(sentence):
        numbers = [int(number) for number in re.findall(r"\d+", found)]
        if len(numbers) == 2 and re.search(r"[–-]", found) and numbers[0] < numbers[1] < numbers[0] + 20:
            numbers = list(range(numbers[0], numbers[1] + 1))
        named |= {markers[str(number)] for number in numbers if str(number) in markers}
    return named


def lean(draft: str, quotes: Sequence[str], markers: Sequence[str] = ()) -> Leaning:
    """What the draft leans on in the quotes, by their words. `markers` are what the draft calls each quote (`[1]`); by
    default they are numbered from 1. A claim counts as supported if enough of it stands in one document and each of
    its numbers stands somewhere. Questions, greetings and headings are no claims. Without any quote there is nothing to
    say.
    """
    places = [
        _Place(number, start, end, _words(quote[start:end]))
        for number, quote in enumerate(quotes)
        for start, end in islice(_sentences(quote[:LONGEST]), MOST_PLACES // len(quotes))
    ]
    if not places:
        return Leaning((), tuple(() for _ in quotes))
    text = _without_code(draft[:LONGEST])
    sentences = [
        (start, end, _words(_CITED.sub("", text[start:end]))) for start, end in islice(_sentences(text), MOST_CLAIMS)
    ]
    standing: dict[str, list[int]] = {}
    for number, place in enumerate(places):
        for word in place.words:
            standing.setdefault(word, []).append(number)
    said = Counter(word for _, _, words in sentences for word in words)
    everything = len(places) + len(sentences)
    named = {marker.strip("[]()^ "): number for number, marker in enumerate(markers) if marker}
    named = named or {str(number): number - 1 for number in range(1, len(quotes) + 1)}
    cites = _CITED.search(text) is not None
    all_read = all(len(quote) <= LONGEST for quote in quotes)

    claims: list[Claim] = []
    marks: list[set[tuple[int, int]]] = [set() for _ in quotes]
    for start, end, words in sentences:
        sentence = text[start:end]
        if _is_talk(sentence, words):
            continue
        weights = {
            word: kind * log(1 + everything / (said[word] + len(standing.get(word, ()))))
            for word, kind in words.items()
        }
        best = _best_in_quotes(weights, places, standing)
        own = _cited(sentence, named)
        needed = SUPPORTED + (CITED if cites and not own else 0.0)
        overlap = max((found.overlap for found in best.values()), default=0.0)
        documents = tuple(
            quote
            for quote, found in sorted(best.items(), key=lambda item: item[0])
            if found.overlap >= (SUPPORTED - CITED if quote in own else max(needed, NEARLY * overlap))
        )
        for quote, found in best.items():
            if quote in documents or (quote in own and found.overlap >= MARKED):
                marks[quote].add((found.start, found.end))
        known = not all_read or all(word in standing for word in words if word[0].isdecimal() and " " not in word)
        claims.append(Claim(start, end, documents, known and bool(documents), round(overlap, 3)))
    return Leaning(tuple(claims), tuple(_merged(stretches) for stretches in marks))


def _without_code(draft: str) -> str:
    """The draft with fenced code blanked, place for place."""
    if "```" not in draft and "~~~" not in draft:
        return draft
    return _FENCE.sub(lambda code: re.sub(r"[^\n]", " ", code[0]), draft)


def _merged(stretches: set[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
