"""Postal addresses: streets with their number as several countries write them, and whatever a text calls an address.

Everything hangs on a digit or on a word like `address`, so that a text with neither costs next to nothing.
"""

import re
from collections.abc import Iterator

from queues.scrub.reading import Hit, Reading, Recogniser

_CAP = r"[^\W\d_a-zß-öø-ÿ][\w’'.-]*"
_UNIT = (
    r"(?:(?:apt|apartment|suite|ste|unit|flat|floor|room|bldg|building|#|top|whg|stiege|bât|appt|étage|piso|apto?)"
    r"\.? ?#?\w{1,6}\b\.?)"
)
_SUFFIX = (
    r"(?:street|st|avenue|ave|av|road|rd|lane|ln|drive|dr|boulevard|blvd|way|court|ct|place|pl|square|sq|terrace|ter"
    r"|close|crescent"
    r"|cres|highway|hwy|parkway|pkwy|circle|cir|trail|trl|row|walk|mews|gardens|gdns|grove|hill|park|alley|loop"
    r"|plaza|turnpike|pike|quay"
    r"|esplanade|parade|embankment)"
)
# 221B Baker Street · 1600 N. Pennsylvania Ave NW
_ENGLISH = re.compile(
    rf"\d{{1,6}}[A-Za-z]?(?:[-/]\d{{1,4}})?,? (?:\d{{1,5}} )?(?:(?:{_CAP}|\d{{1,3}}(?:st|nd|rd"
    rf"|th)) ){{1,4}}(?i:{_SUFFIX})\b\.?"
    r"(?: (?:NW|NE|SW|SE|N|S|E|W)\b)?"
)
# 12 bis, rue de la Paix
_FRENCH = re.compile(
    r"\d{1,4}(?: ?(?:bis|ter|quater|[A-D]\b))?,? (?i:rue|avenue|av\.|boulevard|bd|place|chemin|allée|impasse|quai"
    r"|cours|route"
    r"|square|passage|ruelle|sentier|faubourg)"
    rf"(?: (?:{_CAP}|de|du|des|la|le|les|l['’]\w+|d['’]\w+|et|à|en|sur|sous|\w{{3,14}}(?= |,|\n|$))){{1,6}}"
)
# Musterstraße 12a · Am Alten Markt 5 · Kerkstraat 3, before the number
_ENDINGS = (
    "traße", "trasse", "str.", "weg", "platz", "allee", "gasse", "ufer", "damm", "chaussee", "straat", "laan", "plein",
    "gracht", "gatan", "vägen", "vej", "gade", "katu", "tie", "veien", "gaten", "gata", "vegur", "kuja", "bakken",
    "vænget",
)  # fmt: skip
_WORDS_BEFORE = frozenset((
    "straße", "strasse", "str.", "weg", "platz", "allee", "gasse", "ufer", "damm", "utca", "út", "útja", "tér", "u.",
    "ulica", "cesta", "trg", "náměstí",
))  # fmt: skip
_STREET_ENDS = re.compile(rf"(?:(?:{_CAP}|[Dd]e[rnsm]?|[Aa]lte[rn]?)[ -]){{0,3}}[\w.’'-]+ $")
_TIMES = (
    r"(?:Jahre?|Monat|Quartal|Jan|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez|Mon|Diens|Mitt|Donn|Frei"
    r"|Sams|Sonn|Alter|Wert)"
)
_STREET_AT = re.compile(rf"\b(?:Am|An der|Im|In der|Auf dem|Zum|Zur|Unter den)(?: (?!{_TIMES}){_CAP}){{1,3}} $")
# Via Roma 12 · Calle de Alcalá, 7 · ul. Długa 3
_ROMANCE = re.compile(
    r"\b(?:[Vv]ia|[Vv]iale|[Pp]iazza|[Cc]orso|[Ll]argo|[Cc]alle|[Cc]/|[Aa]venida|[Aa]vda\.|[Pp]laza|[Pp]aseo"
    r"|[Cc]arrer|[Rr]ua|[Aa]v\.|[Tt]ravessa"
    rf"|[Uu]l\.|[Aa]l\.|[Oo]s\.) ?(?:(?:{_CAP}|de|del|della|dei|la|las|los|da|do|dos|di|e"
    rf"|y)[ ,]{{1,2}}){{1,6}}(?:n[.º°]? ?)?$"
)
_ROMANCE_WORDS = frozenset((
    "via", "viale", "piazza", "corso", "largo", "calle", "c", "avenida", "avda", "plaza", "paseo", "carrer", "rua",
    "av", "travessa", "ul", "al", "os",
))  # fmt: skip
_HOUSE = re.compile(r"\d{1,4}(?: ?[a-zA-Z](?![\w]))?(?:[-/]\d{1,4})?(?![\w]|[.,]\d| ?(?:%|€|\$|:))")
_FRENCH_WORDS = frozenset((
    "rue", "avenue", "av", "boulevard", "bd", "place", "chemin", "allée", "impasse", "quai", "cours", "route", "square",
    "passage", "ruelle", "sentier", "faubourg",
))  # fmt: skip
_RUN = re.compile(r"\d+")
# A number after one of these is part of another.
_JOINED = frozenset(".,#/-_$€£")
_TOWN_US = re.compile(rf"(?<!\w){_CAP}(?: {_CAP}){{0,2}}, ?[A-Z]{{2}},? $")
_ZIP_US = re.compile(r"\d{5}(?:-\d{4})?(?![\w.,]\d|\w)")
_OUTWARD_GB = re.compile(
    r"(?<![\w-])(?:[A-PR-UWYZ](?:[0-9]{1,2}|[A-HK-Y][0-9]|[A-HK-Y][0-9][0-9ABEHMNPRV-Y]|[0-9][A-HJKS-UW])"
    r"|GIR)(?P<gap> ?)$"
)
_INWARD_GB = re.compile(r"[0-9][ABD-HJLNP-UW-Z]{2}(?![\w-])")
_BOX = re.compile(
    r"(?<!\w)(?:(?:P\.? ?O\.? ?Box|Postfach|Post Office Box|Apartado|Casella Postale|Boîte Postale|Postbus"
    r"|BP) \d{1,6}(?: ?\d{2,3}){0,2}"
    r"|(?:PSC|Unit|CMR|USN[SV]|USS|USCGC|\w{2,12}) [\w ]{1,24},? ?(?:Box \d{1,6})?[\s,]{1,3}(?:APO|FPO"
    r"|DPO),? A[AEP],? \d{5}(?:-\d{4})?)"
    r"(?!\w)",
    re.IGNORECASE,
)
_BOX_WORDS = frozenset(("box", "postfach", "apartado", "postale", "postbus", "bp", "apo", "fpo", "dpo"))
# Somewhere 12, Apt. 5: whatever the street is called, a flat tells it.
_FLAT = re.compile(
    rf"(?<![\w.,#/-])(?:\d{{1,6}} )?(?:(?:{_CAP}|de|del|la|von|van|der"
    rf"|den) ){{1,5}}\d{{1,5}}[A-Za-z]?[.,]?[ ,\n]{{1,4}}"
    r"(?i:Apt|Suite|Apartment|Flat)\.? ?#?\w{1,6}"
)
_FLAT_WORDS = frozenset(("apt", "suite", "apartment", "flat"))
# What may follow a street up to and with its town; taken only if it ends with a post code.
_TAIL = re.compile(
    rf"(?:[,\s]{{1,3}}{_UNIT})?(?:(?:[,;\n ]|\s){{1,6}}(?:"
    rf"(?:{_CAP}(?:[ -]{_CAP}){{0,3}},? )?[A-Z]{{2}},? \d{{5}}(?:-\d{{4}})?"
    rf"|(?:(?:D|F|A|CH|B|L|I|E)-)?\d{{4,5}}(?: ?[A-Z]{{2}}\b)? {_CAP}(?:[ -]{_CAP}){{0,2}}"
    rf"|(?:{_CAP}(?:[ -]{_CAP}){{0,3}},? ){{0,2}}[A-Z]{{1,2}}\d[A-Z\d]? ?\d[A-Z]{{2}}"
    rf"|{_CAP}(?:[ -]{_CAP}){{0,3}},? \d{{4,6}}(?:-\d{{3}})?"
    rf"))?(?:, (?:USA|UK|United Kingdom|United States|Germany|Deutschland|France|Canada|Australia))?"
)

_CALLED = re.compile(
    r"(?:(?:address(?:es)?|adresse|anschrift|direcci[oó]n|indirizzo|endereço|morada"
    r"|adres)(?:[ _]?(?:line)?[ _]?\d(?!\d))?[\"']?"
    r"(?P<is> (?:is|are|was|ist|est|es|è)(?: now)?| \w{2,12} (?:is|are))?(?: as follows)?\s{0,3}(?P<join>[:=]?)\s{0,6}"
    r"|(?:live|lives|lived|living|reside|resides|located|based|offices? (?:is|are)|shop is|restaurant is|house is"
    r"|moved)(?: now)? (?:at|in|to)"
    r" (?:the )?|(?:return|ship|send|deliver|post|mail|sent|shipped|delivered)(?: it| them| this"
    r"| the \w+)? to (?:the )?"
    r"|wohn(?:e|t|en|haft)(?: in)?(?: der| dem)? |habite(?: au)? |vivo en )[\"']?(?=[\w(])"
)
_CALLED_BY = (
    "address", "addresses", "adresse", "anschrift", "dirección", "direccion", "indirizzo", "endereço", "morada",
    "adres", "live", "lives", "lived", "living", "reside", "resides", "located", "based", "office", "offices", "shop",
    "restaurant", "house", "moved", "return", "ship", "send", "deliver", "post", "mail", "sent", "shipped",
    "delivered", "wohne", "wohnt", "wohnen", "wohnhaft", "habite", "vivo",
)  # fmt: skip
_CALLED_WORDS = frozenset(_CALLED_BY)
_ENDS_IN_A_WORD = ("adresse", "anschrift")
_SURE = re.compile(r"addr|adres|anschrift|direcci|indirizzo|endere|morada")
_NOT_POSTAL = re.compile(r"(?:mail|ip|mac|web|wallet|url|internet|http|network|bitcoin|btc|memory|server|host)[ -_]?$")
_END = re.compile(
    r"\n\s*\n|[;?!\x00\"{}<>|]|(?<!\bul)(?<!\bst)(?<!\bstr)(?<!\bapt)(?<! u)(?<!\bav)\.(?=\s+[^\W\d_]|\s*$|\s*\n)"
    r"|,? (?:and|und|et|y|in case|if|which|that|who|because|so|but|when|please|thanks?|since|for|is|was|has|have|can"
    r"|will|near|bitte) |$"
)
# A full stop ends the sentence, unless it ends `Str.`
_ENDED = re.compile(r"(?:(?<=[^\W_]{4})\.|(?<=\d)\.|[ \n,;])+$")
_LINE = re.compile(r"\n[ \t]*")
_PHONE_LINE = re.compile(r"[\d+() .-]{7,}")
_LONG = {
    "st": "street", "str": "straße", "strasse": "straße", "rd": "road", "ave": "avenue", "av": "avenue", "ln": "lane",
    "dr": "drive", "blvd": "boulevard", "apt": "apartment", "ste": "suite", "ct": "court", "sq": "square",
}  # fmt: skip


def _possible(reading: Reading) -> bool:
    return True


def _value(written: str) -> str:
    """Without case, line ends and signs, and with the commonest abbreviations written out."""
    words = re.sub(r"[\W_]+", " ", written.casefold()).split()
    return " ".join(_LONG.get(word, word) for word in words)


def _hit(reading: Reading, start: int, end: int) -> Hit:
    end = start + len(_ENDED.sub("", reading.text[start:end]))
    return Hit("address", start, end, _value(reading.text[start:end]))


def _with_tail(reading: Reading, start: int, end: int) -> Hit:
    tail = _TAIL.match(reading.text, end)
    return _hit(reading, start, tail.end() if tail else end)


def _addresses(reading: Reading) -> Iterator[Hit]:
    text, words = reading.text, reading.words
    if not words.isdisjoint(_CALLED_WORDS) or "adresse" in reading.lower or "anschrift" in reading.lower:
        yield from _called(reading)
    yield from _numbered(reading)
    if not words.isdisjoint(_FLAT_WORDS):
        for found in _FLAT.finditer(text):
            yield _with_tail(reading, *found.span())
    if not words.isdisjoint(_BOX_WORDS):
        for found in _BOX.finditer(text):
            yield _with_tail(reading, *found.span())


def _numbered(reading: Reading) -> Iterator[Hit]:
    """What address hangs on each number: a cheap look at what stands beside it comes first."""
    text, lower, words = reading.text, reading.lower, reading.words
    french = not words.isdisjoint(_FRENCH_WORDS)
    romance, german_at = not words.isdisjoint(_ROMANCE_WORDS), _has_at(text)
    streets = romance or german_at or not words.isdisjoint(_WORDS_BEFORE)
    for number in _RUN.finditer(text):
        start, end = number.span()
        before = text[start - 1] if start else "\n"
        if before in _JOINED:
            continue
        after = text[end : end + 3]
        if after and not before.isalnum() and (street := _street_after(text, start, end, after, french)):
            yield _with_tail(reading, start, street)
        elif code := _code(reading, before, start, end):
            yield code
        elif before == " " and end - start < 5 and (streets or lower.endswith(_ENDINGS, 0, start - 1)):
            line = text[max(0, start - 60) : start].rpartition("\n")[2]
            street_before = _street(line, romance, german_at)
            if street_before and (house := _HOUSE.match(text, start)):
                yield _with_tail(reading, start - len(street_before), house.end())


def _has_at(text: str) -> bool:
    """Whether a street may begin with one of these, written out: any() costs ten times as much, on every text."""
    return (
        "Am " in text or "An der " in text or "Im " in text or "In der " in text or "Auf dem " in text
        or "Zum " in text or "Zur " in text or "Unter den " in text
    )  # fmt: skip


def _code(reading: Reading, before: str, start: int, end: int) -> Hit | None:
    if reading.text[end : end + 1].isupper():
        return _postcode_gb(reading, end)
    return _zip_us(reading, start) if before == " " and end - start == 5 else None


def _street_after(text: str, start: int, end: int, after: str, french: bool) -> int:
    """Where the street ends whose number comes first; 0 if what comes after it is none."""
    begins = after[1:2] if after[0] == " " else after[2:3]
    if (begins.isupper() or begins.isdigit() or after[0] in "-/") and (found := _ENGLISH.match(text, start)):
        return found.end()
    if french and end - start < 5 and (found := _FRENCH.match(text, start)):
        return found.end()
    return 0


def _postcode_gb(reading: Reading, end: int) -> Hit | None:
    text = reading.text
    inward = _INWARD_GB.match(text, end - 1)
    outward = _OUTWARD_GB.search(text[max(0, end - 7) : end - 1])
    if not inward or not outward:
        return None
    first = end - 1 - len(outward[0])
    # Without the gap it is also the name of a part or a seat: it counts where nothing else is said.
    alone = len(text) < 80 and not (text[reading.label : first] + text[inward.end() :]).strip(" .\n")
    return _hit(reading, first, inward.end()) if outward["gap"] or alone else None


def _zip_us(reading: Reading, start: int) -> Hit | None:
    line = reading.text[max(0, start - 60) : start].rpartition("\n")[2]
    town, code = _TOWN_US.search(line), _ZIP_US.match(reading.text, start)
    return _hit(reading, start - len(town[0]), code.end()) if town and code else None


def _street(line: str, romance: bool, german_at: bool) -> str:
    """The street whose number comes next; empty if what comes before it is none."""
    last = line.rstrip(" ").rpartition(" ")[2]
    # `Platz 3` is a rank, `Am Platz 3` an address.
    named = (
        last.lower().endswith(_ENDINGS)
        and last[:1].isupper()
        and (len(last) > 6 or last not in line.lstrip()[: len(last)])
    )
    if (named or last in _WORDS_BEFORE) and (found := _STREET_ENDS.search(line)):
        return found[0]
    found = (romance and _ROMANCE.search(line)) or (german_at and _STREET_AT.search(line)) or None
    return found[0] if found else ""


def _called(reading: Reading) -> Iterator[Hit]:
    """What is called an address, as far as it goes: to the end of its sentence, over lines that are short."""
    lower = reading.lower
    for word in _CALLED_BY:
        at = lower.find(word) if word in reading.words or word in _ENDS_IN_A_WORD else -1
        while at >= 0:
            label = _CALLED.match(lower, at)
            whole = not lower[at - 1 : at].isalpha() or word in _ENDS_IN_A_WORD
            if label and whole and not _NOT_POSTAL.search(lower[max(0, at - 10) : at]):
                told = label["join"] or label["is"] or "\n" in label[0]
                yield from _from(reading, label.end(), sure=bool(told) and _SURE.match(label[0]) is not None)
            at = lower.find(word, at + len(word))


def _from(reading: Reading, start: int, *, sure: bool) -> Iterator[Hit]:
    end = _reaches(reading.text, start)
    written = reading.text[start:end]
    if len(written) < 8 or "@" in written or "://" in written or not any(c.isdigit() for c in written):
        return
    if (sure and _looks_postal(written)) or re.match(r"\d{1,6}[a-z]?,? (?:\d+ )?[A-Z]", written):
        yield _hit(reading, start, end)


def _looks_postal(written: str) -> bool:
    """Some number, and a word with a capital beside it or a comma; no sum, date or time."""
    return bool(re.search(r"\d[\w/-]*[ ,]+\D{2}|[^\W\d_]{2} \d", written)) and not re.search(
        r"[$€£%=<>{}]|\d:\d\d", written
    )


def _reaches(text: str, start: int) -> int:
    end = _END.search(text, start, min(len(text), start + 160))
    stop = end.start() if end else min(len(text), start + 160)
    for line in _LINE.finditer(text, start, stop):
        following = text[line.end() : stop].partition("\n")[0]
        # A telephone, another field, or prose.
        if ":" in following or len(following) > 48 or _PHONE_LINE.match(following):
            return line.start()
    return stop


ADDRESS = Recogniser("address", _possible, _addresses, 1)
