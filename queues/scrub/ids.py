"""National ids (of persons, for tax, health and social security), by form, check digit, and the words around them."""

import re
from collections.abc import Iterator

from queues.scrub.id_forms import DIGITS, DOCUMENTS, LETTERED, Form
from queues.scrub.reading import COVER, Hit, Reading, Recogniser

# Searched a hundred times faster with the digit first and what may not stand before it after that.
_RUN = re.compile(r"\d(?<![\w@#+.]\d)(?<!\d[,:/-]\d)(?:[ ./:-]?\d){4,}(?![\w@%]|,\d)")
MOST_DIGITS = 40
_GROUPS = re.compile(r"\d+")
_LETTERS_NEAR = re.compile(r"\d(?:(?<=[A-Za-z]\d)|\d{0,17}(?=-?[A-Za-z])|\d(?= \d\d \d\d ))")
_SEPARATORS = re.compile(r"[ ./:-]+")
_WIDEST = 20
_AROUND = " \t\r\n.,;:!?\"'()"

_NAMES = (
    r"social security|sozialversicherungs\w*|rentenversicherungs\w*|social insurance|national insurance"
    r"|tax(?:payer)?(?:'s)?[ _-]?(?:id\w*|file|ref\w*)|steuer-?(?:id\w*|nummer|nr)|steuerliche id\w*"
    r"|krankenversicher\w*|versicherten-?(?:nummer|nr)|krankenkasse\w*|medicare|medicaid|provider identifier"
    r"|s[eé]curit[eé] sociale|num[eé]ro fiscal|num[eé]ro de s[eé]cu|c[oó]digo fiscal|identificaci[oó]n\w*"
    r"|seguridad social"
    r"|codice fiscale|cod\.? ?fisc\w*|pesel|burgerservice\w*|aadhaa?r|uidai|voter|personnummer|personnr|hetu"
    r"|henkil[oö]tunnus\w*|f[oø]dsels\w*|rodn[eé]\w* [cč][ií]sl\w*|kimlik\w*|tckn|resident registration|kennitala"
    r"|(?:national|citizen\w*|personal|identity|identification|resident)[ _-]?(?:id\w*|code|number|no|nr|card"
    r"|registration)"
    r"|(?:thai|swedish|finnish|korean|turkish|national|citizen) (?:national )?id|id (?:number|code|no)|cedula|c[eé]dula"
    r"|insurance number|ssn|nino|nhs|itin|tfn|npi|mbi|lanr|bsnr|insee|bsn|nric|egn|oib|rrn|kvnr|svnr|id-?nr|cpf|curp"
    r"|jmbg|pnr är|เลขบัตรประชาชน|เลขประจำตัวประชาชน|주민등록번호|身份证\w{0,2}|マイナンバー"
)
# Short ones are words of some language too: they count in capitals, or where it goes on as with a number.
_SHORT = "sin|ni|tin|nir|dni|nif|nie|cf|sofi|pan|fin|cnp|ahv|avs|pps|rut|epic|frn|cpr"
_CALLING = frozenset(_SHORT.split("|")) | frozenset((
    "social", "insurance", "tax", "taxpayer", "national", "personal", "citizen", "citizens", "identity",
    "identification", "resident", "voter", "medicare", "medicaid", "provider", "sécurité", "securite",
    "identificación", "identificacion", "seguridad", "codice", "fiscale", "fiscal", "pesel", "hetu", "kennitala",
    "cedula", "cédula", "id", "ssn", "nino", "nhs", "itin", "tfn", "npi", "mbi", "lanr", "bsnr", "insee", "bsn",
    "nric", "egn", "oib", "rrn", "kvnr", "svnr", "idnr", "id-nr", "cpf", "curp", "jmbg", "pnr", "aadhaar", "aadhar",
    "uidai", "tckn", "swedish", "finnish", "thai", "korean", "turkish", "personnummer", "personnr",
))  # fmt: skip
_STEMS = (
    "versicher", "steuer", "krankenkasse", "burgerservice", "henkil", "dsels", "kimlik", "rodn", "เลข", "주민",
    "身份证", "マイナンバー",
)  # fmt: skip
_JOIN = (
    r"(?:[ _-]?(?:numbers?|num|nummer|num[eé]ro|n[uú]mero|numaras[ıi]|nr|no|n°|id|code|card|\#)\b\.?)*"
    r"(?:[ _]?(?:is|ist|est|es|är|on file|of|lautet|var)\b)?[ \t:=#\"'*(_.-]{0,5}$"
)
_LABEL = re.compile(rf"(?:(?<![a-z])(?:{_NAMES}))(?: [a-z]{{1,12}}){{0,2}}?{_JOIN}")
_SHORT_LABEL = re.compile(rf"(?<![a-z])({_SHORT}){_JOIN}")
_LABEL_AFTER = re.compile(
    r"[ \t]?[(,]?[ \t]?(?:is|as|är|en|ist|est|=)? ?(?:my|your|his|her|mitt|mi|mon|meine?)? ?"
    rf"(?:{_NAMES}|{_SHORT}|id|pnr)\b"
)
_NOT_ONE = re.compile(
    r"(?:order|invoice|ticket|case|ref|reference|tracking|parcel|isbn|serial|phone|tel|fax|call|version|build|[$€£¥₹])"
    r"[\s:.=#\"'_()a-z-]{0,12}$"
)
_PHONE_AFTER = re.compile(r"\s?[-(\[,]?\s?(?:tel|phone|mobile?|cell|fax|office|desk|home|work|handy)\b")


def _possible(reading: Reading) -> bool:
    return True


def _may_be_called(reading: Reading) -> bool:
    return not _CALLING.isdisjoint(reading.words) or any(stem in reading.lower for stem in _STEMS)


def _called(reading: Reading, start: int, end: int) -> bool:
    before = reading.before(start, 56)
    if _LABEL.search(before):
        return True
    if short := _SHORT_LABEL.search(before):
        place = start - len(before) + short.start(1)
        word = reading.text[place : place + len(short[1])]
        if (word.isupper() and word != "NI") or re.search(r"[:=#]|n(?:umber|ummer|r|o)\b", before[short.end(1) :]):
            return True
    return _LABEL_AFTER.match(reading.after(end, 40)) is not None


def _tells(form: Form, written: str, reading: Reading, *, alone: bool) -> bool:
    """Whether a number of this form may count with no word that says so."""
    if form.distinct:
        return True
    home = form.country in reading.regions
    in_groups = _SEPARATORS.search(written) is not None
    if form.strong:
        return home or alone
    return (home or alone) and (in_groups or (alone and home))


def _numbers(reading: Reading, *, called: bool) -> Iterator[Hit]:
    for run in _RUN.finditer(reading.text):
        groups = list(_GROUPS.finditer(run[0]))
        digits = sum(len(group[0]) for group in groups)
        if called and digits <= 18 and _called(reading, *run.span()):
            yield Hit("national_id", *run.span(), "".join(group[0] for group in groups))
        elif 9 <= digits <= MOST_DIGITS:
            yield from _in_groups(run[0], run.start(), groups, reading)


def _in_groups(run: str, start: int, groups: list[re.Match[str]], reading: Reading) -> Iterator[Hit]:
    """Of what begins and ends with a group: the first and longest that is an id, and then what comes after it."""
    done = 0
    for first, begins in enumerate(groups):
        if begins.start() < done:
            continue
        for last in reversed(groups[first:]):
            if hit := _number(run[begins.start() : last.end()], start + begins.start(), reading):
                done = last.end()
                yield hit
                break


def _number(written: str, start: int, reading: Reading) -> Hit | None:
    compact = _SEPARATORS.sub("", written)
    if len(compact) not in DIGITS:
        return None
    end = start + len(written)
    alone = _alone(reading, start, end)
    for form in DIGITS.get(len(compact), ()):
        if form.written.fullmatch(written) and len(set(compact)) > 2 and form.holds(compact):
            if not _tells(form, written, reading, alone=alone) or _NOT_ONE.search(reading.before(start, 32)):
                continue
            if not _PHONE_AFTER.match(reading.after(end, 12)):
                return Hit("national_id", start, end, compact)
    return None


def _alone(reading: Reading, start: int, end: int) -> bool:
    """Whether the number is all that is said."""
    return (
        len(reading.text) - reading.label < 40
        and not reading.text[reading.label : start].strip(_AROUND)
        and not reading.text[end:].strip(_AROUND)
    )


def _lettered(reading: Reading, *, called: bool) -> Iterator[Hit]:
    text = reading.text
    done = -1
    for digits in _LETTERS_NEAR.finditer(text):
        if digits.start() < done:
            continue
        start = digits.start()
        while (
            start > digits.start() - _WIDEST
            and start
            and (text[start - 1].isalnum() or (text[start - 1] in "-+" and text[start - 2 : start - 1].isdigit()))
        ):
            start -= 1
        if start and (text[start - 1] in "_@#./-" + COVER or text[start - 1].isalnum()):
            continue
        for at in (start, start - 3):
            if (
                at >= 0
                and (at == start or re.match(r"[A-Za-z]{2} ", text[at:start]))
                and (hit := _lettered_at(at, reading, called=called))
            ):
                done = hit.end
                yield hit
                break


def _lettered_at(start: int, reading: Reading, *, called: bool) -> Hit | None:
    window = reading.text[start : start + 24].upper()
    for kind, forms in (("national_id", LETTERED), ("document", DOCUMENTS)):
        for form in forms:
            found = form.written.match(window)
            if (
                not found
                or window[found.end() : found.end() + 1].isalnum()
                or window[found.end() : found.end() + 1] == "_"
            ):
                continue
            compact = found[0] if form.signed else _SEPARATORS.sub("", found[0])
            end = start + found.end()
            alone = _alone(reading, start, end)
            # Small letters are how a program writes an id of its own.
            spelt = alone or reading.text[start:end].isupper()
            tells = spelt and form.holds(compact) and _tells(form, found[0], reading, alone=alone)
            if tells or (called and kind == "national_id" and _called(reading, start, end)):
                return Hit(kind, start, end, compact)
    return None


def _ids(reading: Reading) -> Iterator[Hit]:
    called = _may_be_called(reading)
    yield from _lettered(reading, called=called)
    if reading.has_long_number:
        yield from _numbers(reading, called=called)


NATIONAL_ID = Recogniser("national_id", _possible, _ids, 4)
