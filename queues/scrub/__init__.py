"""Takes personal data and secrets out of text before it is stored, and puts stable pseudonyms in their place.

The same value under the same key is always the same pseudonym (`[EMAIL_k3x7q2ma]`), so that a person stays one person
within a tenant and nobody outside can link or guess. Nothing here claims that a text is free of personal data: what is
looked for is in `kinds`, what is not too, and how well it is done is measured (`measuring`).
"""

import base64
import hmac
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from queues.scrub.banking import ACCOUNT, CARD, IBAN
from queues.scrub.called import BIRTHDATE, DOCUMENT, PLATE
from queues.scrub.contacts import EMAIL, PHONE
from queues.scrub.ids import NATIONAL_ID
from queues.scrub.keys import KEY
from queues.scrub.machines import IP, MAC, WALLET
from queues.scrub.people import NAME_KNOWN, NAME_SAID
from queues.scrub.places import ADDRESS
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
NAME = "name"
# Passages of a knowledge base, policies and prompts come with every other case. Of a text in which there was nothing
# only its hash is remembered (64 bits, keyed anew in every process), never the text.
MOST_CLEAN = 20_000
_CLEAN: set[int] = set()
# The order settles who gets what two of them would claim.
RECOGNISERS: tuple[Recogniser, ...] = (
    KEY, EMAIL, WALLET, IBAN, CARD, ACCOUNT, IP, MAC, DOCUMENT, PLATE, NATIONAL_ID, BIRTHDATE, PHONE, ADDRESS,
    NAME_SAID, NAME_KNOWN,
)  # fmt: skip
# Names that only lists know: half of what they find in general talk are the great and the dead (see `measure_scrub`).
LEFT = frozenset(("name known",))


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, where in the text as it came (`text[start:end]` is the value in clear), and what stands there
    instead.
    """

    kind: str
    start: int
    end: int
    token: str


@dataclass(frozen=True, slots=True)
class Scrubbed:
    text: str
    found: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class ScrubbedTree:
    """`value` is a new structure; `counts` says how many of each kind were replaced; `taken` is each value in clear, as
    it was written first, by its token.
    """

    value: Any
    counts: Mapping[str, int]
    taken: Mapping[str, tuple[str, str]]


def pseudonym(kind: str, value: str, key: bytes) -> str:
    """The token that stands for a value; the value must be in its normal form (e-mail in lower case, phone in E.164,
    digits of a card). 40 bits: among a million values of a kind in one tenant, two share a token with a chance of 0.4.
    """
    digest = hmac.digest(key, f"{kind}\x00{value}".encode("utf-8", "surrogatepass"), "sha256")
    return f"[{kind.upper()}_{base64.b32encode(digest[:5]).decode().lower()}]"


def precheck(text: str, *, leave: frozenset[str] = LEFT) -> bool:
    """False if there is certainly nothing to find; costs about 50 us per kB."""
    reading = Reading(text, REGIONS)
    return any(reading.digits >= one.digits and one.prefilter(reading) for one in _without(leave))


def _apart(hits: list[Hit]) -> list[Hit]:
    """The hits of one recogniser in order; of two that overlap, the earlier and longer one."""
    chosen: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if not chosen or hit.start >= chosen[-1].end:
            chosen.append(hit)
    return chosen


@lru_cache(maxsize=32)
def _without(leave: frozenset[str], digits: bool = True) -> tuple[Recogniser, ...]:
    return tuple(one for one in RECOGNISERS if one.name not in leave and (digits or not one.digits))


def _hits(reading: Reading, leave: frozenset[str]) -> list[Hit]:
    """Everything there is to find. Covering one value can uncover another (two numbers written as one), so it looks
    again until nothing is left; a text made to need more rounds than any real one is left after the last.
    """
    hits: list[Hit] = []
    names: dict[str, str] = {}
    recognisers = _without(leave, reading.digits > 0)
    for _ in range(MOST_ROUNDS):
        before = len(hits)
        for recogniser in recognisers:
            if reading.digits < recogniser.digits or not recogniser.prefilter(reading):
                continue
            if new := _apart(list(recogniser.find(reading))):
                names |= {reading.text[hit.start : hit.end]: hit.value for hit in new if hit.kind == NAME}
                reading.cover(new)
                hits += new
        if len(hits) == before:
            break
    if again := _whole(names):
        hits += [Hit(NAME, *met.span(), names[met[0]]) for met in again.finditer(reading.text)]
    return sorted(hits, key=lambda hit: hit.start)


def _whole(names: Iterable[str]) -> re.Pattern[str] | None:
    """Finds these names wherever they stand: who is named once is known. One word alone may be any word."""
    full = sorted((name for name in names if " " in name), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, full))})(?!\w)") if full else None


def scrub(text: str, *, key: bytes, regions: tuple[str, ...] = REGIONS, leave: frozenset[str] = LEFT) -> Scrubbed:
    """The text with pseudonyms in place of what was found. `regions` are the countries whose national phone numbers
    count, likeliest first. Total: any str is taken, NUL and lone surrogates too. Scrubbing the result again changes
    nothing.
    """
    return _scrub(text, key, regions, leave, "")


def _scrub(text: str, key: bytes, regions: tuple[str, ...], leave: frozenset[str], label: str) -> Scrubbed:
    known = hash((text, label, regions, leave))
    if known in _CLEAN:
        return Scrubbed(text, ())
    reading = Reading(label + text, regions, len(label))
    hits = _hits(reading, leave)
    if not hits:
        if len(_CLEAN) >= MOST_CLEAN:
            _CLEAN.clear()
        _CLEAN.add(known)
        return Scrubbed(text, ())
    parts: list[str] = []
    found: list[Finding] = []
    done = 0
    for hit in hits:
        start, end = (max(0, at - len(label)) for at in reading.original(hit.start, hit.end))
        if end <= done:
            continue
        token = pseudonym(hit.kind, hit.value, key)
        parts += [text[done:start], token]
        found.append(Finding(hit.kind, start, end, token))
        done = end
    return Scrubbed("".join([*parts, text[done:]]), tuple(found))


# The name of a field; nothing that the recognisers know looks like it.
_PLAIN_KEY = re.compile(r"[a-z]+(?:_[a-z]+){0,5}")
# Where a word in small letters may be a secret.
_TELLS = re.compile(r"(?i)pass|pwd|kennwort|phrase|secret|contrase")
# Fields that hold anything: their names say nothing of what stands in them.
_SAYS_NOTHING = frozenset(("content", "text", "message", "value", "body", "input", "output", "answer", "quote"))


@lru_cache(maxsize=512)
def _words(name: str) -> str:
    """`phoneNumber` and `phone_number` as a person would write it before a number."""
    return re.sub(r"[_\W]+|(?<=[a-z])(?=[A-Z])", " ", name).strip()


def scrub_tree(
    value: Any, *, key: bytes, regions: tuple[str, ...] = REGIONS, leave: frozenset[str] = LEFT
) -> ScrubbedTree:
    """A JSON-like value with every string in it scrubbed, keys of objects too. A key helps to tell what its value is
    (`{"phone": "..."}`). A card number given as a JSON number becomes its pseudonym; other numbers stay. Keys that
    become equal are told apart by a number, so that nothing is lost. Any depth.
    """
    counts: Counter[str] = Counter()
    taken: dict[str, tuple[str, str]] = {}

    def clean(leaf: Any, name: str) -> Any:
        written = leaf
        if isinstance(leaf, int) and not isinstance(leaf, bool) and leaf >= 10**12 and leaf < 10**19:
            written = str(leaf)
            scrubbed = scrub(written, key=key, regions=())
            if not any(finding.kind == "card" for finding in scrubbed.found):
                return leaf
        elif (
            isinstance(leaf, str)
            and leaf
            and not (leaf.isalpha() and leaf.islower() and len(leaf) < 12 and not _TELLS.search(name))
        ):
            words = _words(name)
            label = (
                f"{words}{': ' if ' ' in leaf else '='}"
                if words and len(words) <= 60 and name not in _SAYS_NOTHING
                else ""
            )
            scrubbed = _scrub(leaf, key, regions, leave, label)
        else:
            return leaf
        if scrubbed.found:
            counts.update(finding.kind for finding in scrubbed.found)
            for one in scrubbed.found:
                taken.setdefault(one.token, (one.kind, written[one.start : one.end]))
        return scrubbed.text

    cleaned = _mapped(value, clean)
    names = {written: token for token, (kind, written) in taken.items() if kind == NAME}
    if again := _whole(names):

        def known(leaf: Any, name: str) -> Any:
            if not isinstance(leaf, str):
                return leaf
            text, times = again.subn(lambda met: names[met[0]], leaf)
            counts.update({NAME: times} if times else {})
            return text

        cleaned = _mapped(cleaned, known)
    return ScrubbedTree(cleaned, dict(counts), taken)


def _mapped(value: Any, clean: Callable[[Any, str], Any]) -> Any:
    """A new structure, with each leaf as `clean` makes it out of the leaf and the name of its field; names too."""
    root: list[Any] = [None]
    todo: list[tuple[Any, Any, Any, str]] = [(value, root, 0, "")]
    while todo:
        node, parent, place, name = todo.pop()
        if isinstance(node, dict):
            made: dict[Any, Any] = {}
            parent[place] = made
            for given, child in node.items():
                kept = unique = given if not isinstance(given, str) or _PLAIN_KEY.fullmatch(given) else clean(given, "")
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
    return root[0]
