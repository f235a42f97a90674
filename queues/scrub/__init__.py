"""Takes personal data and secrets out of text before it is stored, and puts stable pseudonyms in their place.

The same value under the same key is always the same pseudonym (`[EMAIL_k3x9q2ma]`), so that a person stays one person
within a tenant and nobody outside can link or guess. Names, addresses and national ids are not found here: nothing here
claims a text is free of personal data, only of the kinds in RECOGNISERS.
"""

import base64
import hmac
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from queues.scrub.banking import ACCOUNT, CARD, IBAN
from queues.scrub.contacts import EMAIL, PHONE
from queues.scrub.keys import KEY
from queues.scrub.reading import Hit, Reading, Recogniser

__all__ = [
    "RECOGNISERS",
    "REGIONS",
    "Finding",
    "Scrubbed",
    "ScrubbedTree",
    "precheck",
    "pseudonym",
    "scrub",
    "scrub_tree",
]

REGIONS = ("US", "GB", "DE", "FR")
MOST_ROUNDS = 12
RECOGNISERS: tuple[Recogniser, ...] = (KEY, EMAIL, IBAN, CARD, ACCOUNT, PHONE)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, and where in the text as it came (`text[start:end]` is the value in clear)."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Scrubbed:
    text: str
    found: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class ScrubbedTree:
    """`value` is a new structure; `counts` says how many of each kind were replaced."""

    value: Any
    counts: Mapping[str, int]


def pseudonym(kind: str, value: str, key: bytes) -> str:
    """The token that stands for a value; the value must be in its normal form (e-mail in lower case, phone in E.164,
    digits of a card). 40 bits: among a million values of a kind in one tenant, two share a token with a chance of 0.4.
    """
    digest = hmac.digest(key, f"{kind}\x00{value}".encode("utf-8", "surrogatepass"), "sha256")
    return f"[{kind.upper()}_{base64.b32encode(digest[:5]).decode().lower()}]"


def precheck(text: str) -> bool:
    """False if there is certainly nothing to find; costs about 20 us per kB."""
    reading = Reading(text)
    return any(recogniser.prefilter(reading) for recogniser in RECOGNISERS)


def _apart(hits: list[Hit]) -> list[Hit]:
    """The hits of one recogniser in order; of two that overlap, the earlier and longer one."""
    chosen: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if not chosen or hit.start >= chosen[-1].end:
            chosen.append(hit)
    return chosen


def _hits(reading: Reading) -> list[Hit]:
    """Everything there is to find. Covering one value can uncover another (two numbers written as one), so it looks
    again until nothing is left; a text made to need more rounds than any real one is left after the last.
    """
    hits: list[Hit] = []
    for _ in range(MOST_ROUNDS):
        before = len(hits)
        for recogniser in RECOGNISERS:
            if recogniser.prefilter(reading) and (new := _apart(list(recogniser.find(reading)))):
                reading.cover(new)
                hits += new
        if len(hits) == before:
            break
    return sorted(hits, key=lambda hit: hit.start)


def scrub(text: str, *, key: bytes, regions: tuple[str, ...] = REGIONS) -> Scrubbed:
    """The text with pseudonyms in place of what was found. `regions` are the countries whose national phone numbers
    count, likeliest first. Total: any str is taken, NUL and lone surrogates too. Scrubbing the result again changes
    nothing.
    """
    return _scrub(text, key, regions, "")


def _scrub(text: str, key: bytes, regions: tuple[str, ...], label: str) -> Scrubbed:
    reading = Reading(label + text, regions)
    hits = _hits(reading)
    if not hits:
        return Scrubbed(text, ())
    parts: list[str] = []
    found: list[Finding] = []
    done = 0
    for hit in hits:
        start, end = (max(0, at - len(label)) for at in reading.original(hit.start, hit.end))
        if end <= done:
            continue
        parts += [text[done:start], pseudonym(hit.kind, hit.value, key)]
        found.append(Finding(hit.kind, start, end))
        done = end
    return Scrubbed("".join([*parts, text[done:]]), tuple(found))


@lru_cache(maxsize=512)
def _words(name: str) -> str:
    """`phoneNumber` and `phone_number` as a person would write it before a number."""
    return re.sub(r"[_\W]+|(?<=[a-z])(?=[A-Z])", " ", name).strip()


def scrub_tree(value: Any, *, key: bytes, regions: tuple[str, ...] = REGIONS) -> ScrubbedTree:
    """A JSON-like value with every string in it scrubbed, keys of objects too. A key helps to tell what its value is
    (`{"phone": "..."}`). A card number given as a JSON number becomes its pseudonym; other numbers stay. Keys that
    become equal are told apart by a number, so that nothing is lost. Any depth.
    """
    counts: Counter[str] = Counter()

    def clean(leaf: Any, name: str) -> Any:
        if isinstance(leaf, int) and not isinstance(leaf, bool) and leaf >= 10**12 and leaf < 10**19:
            scrubbed = scrub(str(leaf), key=key, regions=())
            if not any(finding.kind == "card" for finding in scrubbed.found):
                return leaf
        elif isinstance(leaf, str) and leaf:
            words = _words(name)
            label = f"{words}{': ' if ' ' in leaf else '='}" if words and len(words) <= 60 else ""
            scrubbed = _scrub(leaf, key, regions, label)
        else:
            return leaf
        counts.update(finding.kind for finding in scrubbed.found)
        return scrubbed.text

    root: list[Any] = [None]
    todo: list[tuple[Any, Any, Any, str]] = [(value, root, 0, "")]
    while todo:
        node, parent, place, name = todo.pop()
        if isinstance(node, dict):
            made: dict[Any, Any] = {}
            parent[place] = made
            for given, child in node.items():
                kept = unique = clean(given, "") if isinstance(given, str) else given
                n = 1
                while unique in made:
                    n += 1
                    unique = f"{kept} ({n})"
                made[unique] = None
                todo.append((child, made, unique, kept if isinstance(kept, str) else ""))
        elif isinstance(node, list | tuple):
            items: list[Any] = [None] * len(node)
            parent[place] = items
            todo += [(child, items, index, name) for index, child in enumerate(node)]
        else:
            parent[place] = clean(node, name)
    return ScrubbedTree(root[0], dict(counts))
