"""Hears a user ask for a person, in the languages of the phrase list."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

# "..." stands for up to three words. Accents, capitals and punctuation don't matter. Each phrase must say who is asking
# or whom for: "talk to a person" alone is also what people ask advice about.
PERSON_PHRASES: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "speak to ... human",
        "speak with ... human",
        "talk to ... human",
        "talk with ... human",
        "chat with ... human",
        "pass me to",
        "speak to ... real person",
        "speak with ... real person",
        "speak to ... actual person",
        "speak to ... live person",
        "talk to ... real person",
        "talk with ... real person",
        "talk to ... actual person",
        "talk to ... live person",
        "through with a real person",
        "need a real person",
        "want a real person",
        "need a human",
        "want a human",
        "get me a human",
        "human please",
        "can i speak to",
        "could i speak to",
        "may i speak to",
        "can i talk to ... person",
        "can i talk to someone",
        "can i talk to somebody",
        "could i talk to someone",
        "could i talk to somebody",
        "want to speak to",
        "want to talk to ... person",
        "want to talk to someone",
        "want to talk to somebody",
        "need to speak to",
        "need to talk to ... person",
        "need to talk to someone",
        "need to talk to somebody",
        "would like to speak to",
        "d like to speak to",
        "d like to talk to ... person",
        "let me speak to",
        "let me talk to",
        "speak to someone",
        "speak to somebody",
        "speak with someone",
        "speak with somebody",
        "speak to ... representative",
        "speak with ... representative",
        "talk to ... representative",
        "chat with ... representative",
        "speak to ... agent",
        "speak with ... agent",
        "talk to ... agent",
        "talk with ... agent",
        "talk a agent",
        "chat with ... agent",
        "connect ... agent",
        "need an agent",
        "from an agent",
        "speak to ... supervisor",
        "talk to ... supervisor",
        "speak to ... manager",
        "speak with ... manager",
        "talk to ... manager",
        "connect me to",
        "connect me with",
        "transfer me to",
        "put me through",
        "human agent",
        "live agent",
        "human support",
        "agent please",
    ),
    "de": (
        "mit einem menschen sprechen",
        "mit einem menschen reden",
        "mit einem menschen chatten",
        "mit einem echten menschen",
        "mit einer echten person",
        "mit einer person sprechen",
        "mit ... mitarbeiter sprechen",
        "mit ... mitarbeiter reden",
        "mit ... mitarbeiterin sprechen",
        "mit ... berater sprechen",
        "mit ... beraterin sprechen",
        "mit jemandem sprechen",
        "mit jemandem reden",
        "mit ... vorgesetzten sprechen",
        "einen menschen bitte",
        "echten menschen sprechen",
        "echten mitarbeiter",
        "verbinden sie mich",
        "verbinde mich",
        "mitarbeiter bitte",
    ),
    "fr": (
        "parler a un humain",
        "parler a un etre humain",
        "parler avec un humain",
        "parler a une personne",
        "parler avec une personne",
        "parler a une vraie personne",
        "parler a un conseiller",
        "parler a une conseillere",
        "parler avec un conseiller",
        "parler avec une conseillere",
        "parler a un agent",
        "parler a un responsable",
        "parler a quelqu un",
        "parler avec quelqu un",
        "joindre un conseiller",
        "une vraie personne",
        "passez moi",
        "transferez moi",
        "mettez moi en relation",
        "mettez moi en contact",
    ),
    "es": (
        "hablar con una persona",
        "hablar con un humano",
        "hablar con un ser humano",
        "hablar con ... persona real",
        "hablar con ... agente",
        "hablar con ... asesor",
        "hablar con ... operador",
        "hablar con ... representante",
        "hablar con ... supervisor",
        "hablar con ... encargado",
        "hablar con alguien",
        "una persona real",
        "agente humano",
        "pasame con",
        "paseme con",
        "comunicame con",
        "comuniqueme con",
    ),
    "it": (
        "parlare con una persona",
        "parlare con un umano",
        "parlare con un essere umano",
        "parlare con ... operatore",
        "parlare con ... operatrice",
        "parlare con ... consulente",
        "parlare con ... responsabile",
        "parlare con qualcuno",
        "una persona vera",
        "una persona reale",
        "operatore umano",
        "mi passi",
        "passami un operatore",
        "mi metta in contatto",
    ),
    "pt": (
        "falar com uma pessoa",
        "falar com um humano",
        "falar com um ser humano",
        "falar com ... atendente",
        "falar com ... operador",
        "falar com ... agente",
        "falar com ... representante",
        "falar com ... supervisor",
        "falar com ... gerente",
        "falar com alguem",
        "uma pessoa real",
        "uma pessoa de verdade",
        "atendente humano",
        "atendimento humano",
        "me passe para",
        "me transfira",
    ),
    "nl": (
        "met een mens spreken",
        "met een mens praten",
        "met een echt mens",
        "met een echt persoon",
        "met een persoon spreken",
        "met een persoon praten",
        "met een medewerker",
        "met iemand spreken",
        "met iemand praten",
        "een medewerker spreken",
        "iemand spreken",
        "verbind me",
        "verbind mij",
        "kunt u mij doorverbinden",
        "kun je me doorverbinden",
        "echte medewerker",
        "medewerker aub",
    ),
}

_WORD: Final = re.compile(r"\w+")
_INVISIBLE: Final = re.compile("[\u00ad\u0300-\u036f\u200b-\u200f\u2060\ufeff]")
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class Phrases:
    """A compiled phrase list. `find` says which phrase a text holds, or None; its time is linear in the text."""

    __slots__ = ("_anchors", "_first_words", "_unspaced")

    def __init__(self, phrases: Iterable[str]) -> None:
        by_anchor: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
        unspaced: list[tuple[str, str]] = []
        for phrase in phrases:
            parts = [" ".join(_WORD.findall(plain(part))) for part in phrase.split("...")]
            parts = [part for part in parts if part]
            if not parts:
                continue
            if _UNSPACED.search(phrase):
                unspaced.append((phrase, "".join(parts)))
                continue
            # The longest word is looked for first: most texts hold none of them, and are done.
            anchor = max(" ".join(parts).split(), key=len)
            pattern = r" (?:\w+ ){0,3}".join(re.escape(part) for part in parts)
            by_anchor.setdefault(anchor, []).append((phrase, re.compile(rf"\b{pattern}\b")))
        self._anchors = {word: tuple(entries) for word, entries in by_anchor.items()}
        self._first_words = frozenset(by_anchor)
        self._unspaced = tuple(unspaced)

    def find(self, text: str) -> str | None:
        folded = plain(text)
        words = _WORD.findall(folded)
        if not self._first_words.isdisjoint(words):
            line = " ".join(words)
            for word in dict.fromkeys(words):
                for phrase, pattern in self._anchors.get(word, ()):
                    if pattern.search(line):
                        return phrase
        for phrase, characters in self._unspaced:
            if characters in folded:
                return phrase
        return None


@lru_cache(maxsize=256)
def compiled(phrases: tuple[str, ...]) -> Phrases:
    """The list compiled once, however many tenants share it."""
    return Phrases(phrases)


def plain(text: str) -> str:
    """Small letters without accents or invisible characters, so that a phrase matches however it was typed."""
    if text.isascii():
        return text.lower()
    return _INVISIBLE.sub("", unicodedata.normalize("NFKD", text.casefold()))
