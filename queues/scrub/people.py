"""Names of persons: where a text says that one comes, and where known given and family names stand together."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from unicodedata import normalize

from queues.scrub.reading import COVER, Hit, Reading, Recogniser

_LISTS = Path(__file__).parent / "names"
_WORD = r"[^\W\d_][^\W\d_’'-]*(?:[’'-][^\W\d_]+)*"
_PARTICLES = r"(?:van|von|de|der|den|del|della|di|da|dos|das|du|la|le|el|al|bin|ibn|ben|zu|ter|ten|y|e)"
_INITIAL = r"(?:[^\W\d_]\.)"
_PART = re.compile(rf"{_INITIAL}|{_WORD}")
_PARTICLE = re.compile(_PARTICLES)
_TITLE = re.compile(r"([^\W\d_]{2,12})\.? ")

# What comes before a name, by the last word of it: a title, what one says of oneself, a greeting, a close.
_TITLES = frozenset((
    "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "madam", "dame", "herr", "herrn", "frau",
    "fräulein", "mme", "mlle", "monsieur", "madame", "sr", "sra", "señor", "señora", "dott", "dottoressa", "sig",
    "signor", "signora", "dhr", "mevr", "mevrouw", "pan", "pani", "hr", "fru", "rev", "capt", "sgt",
))  # fmt: skip
_SELF = (
    "name is", "name's", "name was", "name ist", "name lautet", "ich heiße", "ich heisse",
    "m'appelle", "mon nom est", "me llamo", "mi nombre es", "mi chiamo", "mio nome è", "ik heet", "naam is",
    "nazywam się", "na imię", "jag heter", "jeg hedder", "jeg heter", "meu nome é", "chamo-me", "benim adım",
    "nimeni on", "call me", "calls me", "i go by",
)  # fmt: skip
_I_AM = (
    "i'm", "i am", "im", "this is", "it's", "ich bin", "hier ist", "hier spricht", "je suis", "soy", "sono", "ik ben",
    "jestem", "jag är", "you are",
)  # fmt: skip
_GREETINGS = (
    "dear", "hi", "hello", "hey", "good morning", "good afternoon", "good evening", "hallo", "lieber", "liebe",
    "geehrter", "geehrte", "guten tag", "guten morgen", "guten abend", "bonjour", "bonsoir", "cher", "chère", "hola",
    "estimado", "estimada", "querido", "querida", "ciao", "gentile", "caro", "cara", "beste", "geachte", "hej", "kära",
    "drogi", "droga",
)  # fmt: skip
_CLOSES = (
    "regards", "sincerely", "yours", "yours truly", "yours faithfully", "best", "wishes", "cheers", "thanks",
    "thanks again", "thanks so much", "in advance", "thank you", "you so much", "you again", "very much",
    "respectfully", "love", "grüßen", "grüße", "gruß", "mfg", "lg", "danke", "cordialement", "bien à vous", "merci",
    "saludos", "saludo", "atentamente", "gracias", "saluti", "grazie", "groet", "groeten", "mvh", "hilsen",
    "hälsningar", "pozdrawiam", "signed", "sent by",
)  # fmt: skip
# A file has a name too.
_WHOSE = re.compile(
    r"\b(?:my|his|her|their|your|whose|maiden|first|last|full|real|legal|given|family|mein|ihr|sein|\w+'s|\w+s') $"
)
_CLOSED_BY = re.compile(r"[,.!;]?\s*(?:\n|(?<=,)\s|(?<=;)\s|- ?|— ?)\s*[-–—~]?\s*(?=\w)")


def _by_last_word(kinds: Mapping[str, Iterable[str]]) -> dict[str, tuple[tuple[str, str], ...]]:
    """Each cue with its kind, by the word that ends it."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for kind, phrases in kinds.items():
        for phrase in phrases:
            last = phrase.rpartition(" ")[2]
            found[last] = (*found.get(last, ()), (phrase, kind))
    return found


_KINDS = {"self": _SELF, "am": _I_AM, "greeting": _GREETINGS, "close": _CLOSES, "title": _TITLES}
_CUES = _by_last_word(_KINDS)
_CUE_WORDS = frozenset(_CUES)
_FIELD = re.compile(
    r"(?:^|(?<=[\n,;{(|.]))[ \t*\"'-]{0,6}(?P<field>(?:(?:full|first|last|middle|given|family|customer|client"
    r"|patient|contact|employee|guest"
    r"|passenger|account|card|billing|shipping|user|display|maiden|holder|cardholder|recipient|sender"
    r"|author)[ _-]?(?:s[ _-])?)?"
    r"(?:name|surname|vorname|nachname|familienname|kundenname)|cardholder|surname|vorname|nachname|prénom|nombre"
    r"|apellidos?|cognome|attn|attention"
    r"|signed(?: by)?|signature|passenger|patient|claimant|insured|beneficiary|customer|client|kunde|kundin|from|to"
    r"|cc)[*\"']{0,2}\s?$"
)
_FIELD_WORDS = frozenset((
    "name", "surname", "vorname", "nachname", "familienname", "kundenname", "first_name", "last_name", "cardholder",
    "prénom", "nombre", "apellido", "apellidos", "cognome", "attn", "attention", "signed", "signature", "passenger",
    "patient", "claimant", "insured", "beneficiary", "customer", "client", "kunde", "kundin", "firstname", "lastname",
    "fullname",
))  # fmt: skip
_FIELD_JOIN = re.compile(r"[:=]{1,2}[\s*\"']{0,4}(?=\w)")
_SURE_FIELDS = re.compile(
    r"(?:full|first|last|middle|given|family|customer|client|patient|contact|employee|guest|passenger|maiden|holder"
    r"|cardholder|recipient)[ _-]?(?:s[ _-])?name|surname|vorname|nachname|familienname|kundenname|prénom|apellidos?"
    r"|cognome|cardholder"
)
_NOT_NAMES = frozenset((
    "a", "all", "an", "and", "any", "anyone", "are", "at", "both", "but", "by", "can", "colleague", "colleagues",
    "customer", "customers", "everybody", "everyone", "folks", "for", "friend", "friends", "from", "guys", "he", "her",
    "here", "him", "his", "i", "in", "is", "it", "ladies", "madam", "maam", "me", "member", "my", "no", "nobody",
    "not", "of", "ok", "okay", "on", "one", "or", "our", "patient", "please", "sir", "sirs", "she", "so", "sorry",
    "sure", "support", "team", "thanks", "that", "the", "their", "them", "there", "these", "they", "this", "those",
    "to", "user", "valued", "was", "we", "welcome", "what", "when", "who", "why", "with", "world", "you", "your",
    "yes", "hiring", "manager", "admin", "administrator", "agent", "assistant", "bot", "chatbot", "alexa", "siri",
    "google", "cortana", "claude", "chatgpt", "kunde", "kunden", "kundin", "damen", "herren", "und", "alle", "alles",
    "zusammen", "leute", "client", "clients", "monsieur", "madame", "messieurs", "mesdames", "et", "tous", "señor",
    "señores", "señora", "cliente", "equipo", "todos", "santa", "god", "lord", "just", "also", "very", "really",
    "still", "being", "having", "going", "trying", "looking", "calling", "writing", "using", "getting", "now", "new",
    "unable", "able", "afraid", "glad", "happy", "interested", "ready", "done", "back", "only", "too", "out", "off",
    "up", "well", "fine", "good", "great", "confused", "stuck", "lost", "worried", "curious", "wondering", "aware",
    "unknown", "none", "null", "true", "false", "test", "na", "nan", "tbd", "undefined", "string", "name", "first",
    "last", "middle", "full", "example", "mr", "mrs", "ms", "dr", "miss", "again", "monday", "tuesday", "wednesday",
    "thursday", "friday", "saturday", "sunday", "january", "february", "march", "april", "may", "june", "july",
    "august", "september", "october", "november", "december", "english", "german", "french", "spanish", "italian",
    "dutch", "american", "british", "indian", "chinese", "japanese", "russian", "european", "inc", "ltd", "llc",
    "gmbh", "corp", "company", "bank", "group", "university", "college", "school", "hospital", "hotel", "department",
    "ministry", "office", "center", "centre", "street", "road", "avenue", "lane", "city", "county", "state",
    "national", "international", "united", "states", "kingdom", "republic", "north", "south", "east", "west",
))  # fmt: skip


@lru_cache(maxsize=3)
def _list(name: str) -> frozenset[str]:
    lines = (_LISTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def _is_given(word: str) -> bool:
    return word in _list("given") or word in _list("doubtful") or ("-" in word and word.split("-")[0] in _list("given"))


def _is_sure(word: str) -> bool:
    return word in _list("given") or ("-" in word and word.split("-")[0] in _list("given"))


def _is_family(word: str) -> bool:
    return word in _list("family") or ("-" in word and word.split("-")[0] in _list("family"))


def _value(name: str) -> str:
    """Without accents, dots, case: however it is typed it is the same person."""
    plain = "".join(c for c in normalize("NFKD", name.casefold()) if c.isalnum() or c in " -'")
    return " ".join(plain.replace("-", " ").split())


def _hit(text: str, start: int, end: int) -> Hit:
    """Without the apostrophe of a genitive."""
    name = text[start:end]
    if name.endswith("'s"):
        name = name[:-2]
    return Hit("name", start, start + len(name), _value(name))


def _written(text: str, start: int, *, most: int = 4, loosely: bool = False) -> int:
    """Where a name that starts here ends: words with a capital, initials, and particles between them. `loosely`: one
    word in small letters may be one too. `start` itself if there is none.
    """
    end = at = start
    for count in range(most + 3):
        word = _PART.match(text, at)
        if not word:
            break
        plain = word[0].lower().removesuffix("'s")
        if len(word[0]) == 1 and word[0].isupper() and re.match(r" [^\W\d_]{2}", text[word.end() : word.end() + 3]):
            pass
        elif word[0][0].isupper() and plain not in _NOT_NAMES:
            end = word.end()
            if word[0].endswith("'s"):
                break
        elif loosely and count == 0 and plain not in _NOT_NAMES and len(plain) > 1:
            return word.end()
        elif not _PARTICLE.fullmatch(plain):
            break
        if text[word.end() : word.end() + 1] != " ":
            break
        at = word.end() + 1
    return end


def _said_possible(reading: Reading) -> bool:
    return not _CUE_WORDS.isdisjoint(reading.words) or _has_fields(reading)


def _has_fields(reading: Reading) -> bool:
    return (":" in reading.text or "=" in reading.text) and (
        not _FIELD_WORDS.isdisjoint(reading.words) or "from:" in reading.lower or "to:" in reading.lower
    )


def _said(reading: Reading) -> Iterator[Hit]:
    for word in reading.words & _CUE_WORDS:
        for cue, kind in _CUES[word]:
            for start, end in _places(reading.lower, cue):
                if hit := _AFTER[kind](reading, cue, start, end):
                    yield hit
    if _has_fields(reading):
        yield from _fields(reading)


def _after_title(reading: Reading, cue: str, start: int, end: int) -> Hit | None:
    """With a capital or not at all: `miss the point`, `ms of delay`; MS Word is none, MR SMITH is one."""
    text = reading.text
    first = end + (2 if text[end : end + 2] == ". " else 1)
    if not text[start].isupper() or text[end : end + 1] not in (" ", ".") or text[first - 1 : first] != " ":
        return None
    first = _past_titles(text, first)
    if text[start:end].isupper() and not text[first : first + 3].isupper():
        return None
    last = _written(text, first, most=3)
    return _hit(text, first, last) if last > first else None


def _after_self(reading: Reading, cue: str, start: int, end: int) -> Hit | None:
    text = reading.text
    first = end + _gap(text, end, " :")
    if first == end or (cue.startswith("name ") and not _WHOSE.search(reading.before(start, 12))):
        return None
    last = _written(text, first, loosely=True)
    return _hit(text, first, last) if last > first else None


def _after_greeting(reading: Reading, cue: str, start: int, end: int) -> Hit | None:
    text = reading.text
    first = end + _gap(text, end, " ,")
    if first == end or not text[first : first + 1].isupper():
        return None
    last = _called(text, first, sure=cue == "dear")
    return _hit(text, first, last) if last else None


def _after_close(reading: Reading, cue: str, start: int, end: int) -> Hit | None:
    text = reading.text
    close = _CLOSED_BY.match(text, end)
    last = _called(text, close.end(), sure="\n" in close[0], close=True) if close else 0
    return _hit(text, close.end(), last) if close and last else None


_AFTER: dict[str, Callable[[Reading, str, int, int], Hit | None]] = {
    "title": _after_title, "self": _after_self, "am": _after_greeting, "greeting": _after_greeting,
    "close": _after_close,
}  # fmt: skip


def _places(lower: str, word: str) -> Iterator[tuple[int, int]]:
    at = lower.find(word)
    while at >= 0:
        end = at + len(word)
        if not (lower[at - 1 : at].isalnum() or lower[end : end + 1].isalnum()):
            yield at, end
        at = lower.find(word, end)


def _past_titles(text: str, at: int) -> int:
    """`Prof. Dr. Schmidt`: where the name begins."""
    for _ in range(3):
        if not (word := _TITLE.match(text, at)) or word[1].lower() not in _TITLES:
            break
        at = word.end()
    return at


def _gap(text: str, at: int, signs: str) -> int:
    """How many of the signs, at most two, stand here."""
    return (
        2
        if text[at : at + 2].strip(signs) == "" and len(text) > at + 2 and text[at + 1] in signs
        else int(text[at : at + 1] in signs and at < len(text))
    )


def _called(text: str, start: int, *, sure: bool, close: bool = False) -> int:
    """Where the name ends with which somebody is greeted, or that closes a letter; 0 if it is none."""
    end = _written(text, start, most=3)
    if end == start:
        return 0
    words = text[start:end].split()
    closed = text[end : end + 1] in ("", "\n", "\r", ",", "!", ".", ":", ";")
    known = _is_given(words[0]) or (len(words) > 1 and _is_family(words[-1]))
    told = sure and closed and (not close or len(words) > 1)
    return end if told or (known and (closed or len(words) > 1)) else 0


def _fields(reading: Reading) -> Iterator[Hit]:
    text, lower = reading.text, reading.lower
    for join in _FIELD_JOIN.finditer(text):
        field = _FIELD.search(lower[max(0, join.start() - 32) : join.start()])
        start = join.end()
        if not field or (end := _written(text, start)) == start:
            continue
        words = text[start:end].split()
        sure = _SURE_FIELDS.search(field["field"]) is not None
        closed = text[end : end + 1] in ("", "\n", ",", ";", '"', "'", "<", "(", "|", "}", "\r", "*")
        closed = closed or text[end : end + 2] in (" <", " (")
        if closed and (sure or (len(words) > 1 and _is_sure(words[0]))):
            yield _hit(text, start, end)


_CAPITAL = re.compile(r"[^\W\d_a-zß-öø-ÿ][^\W\d_’'-]+(?:[’'-][^\W\d_]+)*")
# Towns and lakes that begin with a word of their own.
_PLACE_BEFORE = re.compile(
    r"(?:san|los|las|saint|st\.|ste\.|santa|santo|são|el|fort|mount|mt\.|new|port|lake|cape|lady|king|queen"
    r"|university of|bay of|gulf of|of saint) $"
)
_PLACE_AFTER = re.compile(
    r" (?:street|st\b|road|avenue|ave\b|lane|drive|square|park|bay|beach|island|islands|river|valley|county|city"
    r"|airport|station|university"
    r"|college|school|hospital|church|cathedral|bridge|museum|institute|foundation|prize|award|theorem|law|test"
    r"|method|algorithm|effect"
    r"|ltd|inc|llc|gmbh|corp|plc|group|bank|novel|song)"
)
_SUFFIX = re.compile(
    r"(?:ov|ova|ev|eva|ski|ska|sky|skaya|sson|ssen|sen|dóttir|dottir|ović|ević|ic|ić|čić|ez|yan|ian|enko|shvili|idis"
    r"|poulos|akis|escu|elli|etti"
    r"|mann|berg|stein|quist|ström|ova|ová|ík|ák|ček)$"
)
_SAID_BY = re.compile(
    r"(?:\b(?:says|said|asked|told|replied|wrote|met|spoke (?:to|with)|talk(?:ed)? (?:to|with)|directed by:?"
    r"|written by|signed by|founders?:?"
    r"|colleague|friend|husband|wife|son|daughter|brother|sister|mother|father|boss|manager|doctor|player|producer"
    r"|customer|everyone calls me)"
    r"(?: [^\W\d_]+,)? {1,5})$"
)
# In a list of persons, after one who was recognised.
_BESIDE = (f"{COVER} and ", f"{COVER} und ")


def _known_possible(reading: Reading) -> bool:
    words = {word.removesuffix("'s") for word in _CAPITAL.findall(reading.text)}
    return not words.isdisjoint(_any_name())


@lru_cache(maxsize=1)
def _any_name() -> frozenset[str]:
    return _list("given") | _list("doubtful") | _list("family")


def _known(reading: Reading) -> Iterator[Hit]:
    """A given name that is hardly anything else, with what follows it; a doubtful one if a family name follows, an
    initial parts them, or the words before say that a person comes.
    """
    text = reading.text
    done = 0
    for word in _CAPITAL.finditer(text):
        start, first = word.start(), word[0].removesuffix("'s")
        if start < done or text[start - 1 : start] in ("@", "/", "_", "#", "-", ".", "&"):
            continue
        end = _written(text, start)
        parts = text[start:end].removesuffix("'s").split()
        if not parts or text[end : end + 1] in ("@", "/", "_"):
            continue
        before = reading.before(start, 32)
        if _PLACE_BEFORE.search(before) or _PLACE_AFTER.match(reading.after(start + len(first), 14)):
            done = end
            continue
        if _PLACE_AFTER.match(reading.after(end, 14)):
            continue
        beside = text[max(0, start - 3) : start] == f"{COVER}, " or text[max(0, start - 6) : start] in _BESIDE
        if _is_person(first, parts, before, beside=beside or text[end : end + 3] == f", {COVER}"):
            done = end
            yield _hit(text, start, end)


def _is_person(first: str, parts: list[str], before: str, *, beside: bool) -> bool:
    rest = [part for part in parts[1:] if len(part) > 2 and part[0].isupper()]
    initials = len([part for part in parts[1:] if len(part.rstrip(".")) == 1])
    if _is_sure(first):
        return len(rest) <= 3
    if rest and initials and len(rest) == 1:
        return _is_given(first) or _is_family(rest[-1]) or _SUFFIX.search(rest[-1]) is not None
    if rest and _is_given(first) and len(rest) <= 2:
        return _is_family(rest[-1]) or _SUFFIX.search(rest[-1]) is not None
    known = _is_given(first) or _is_family(first) or _SUFFIX.search(first) is not None
    return len(rest) <= 1 and known and (beside or _SAID_BY.search(before) is not None)


NAME_SAID = Recogniser("name said", _said_possible, _said)
NAME_KNOWN = Recogniser("name known", _known_possible, _known)
