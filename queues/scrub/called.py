"""Values that only the words before them tell: passports, licences, id cards, number plates, dates of birth."""

import re
from collections.abc import Iterator

from queues.scrub.reading import Hit, Reading, Recogniser

_JOIN = (
    r"(?:'?s)?(?:[ _-]?(?:numbers?|num|nummern?|num[eé]ro|n[uú]mero|numaras[ıi]|numara|nr|no|id|code)\b\.?"
    r"|[ _]?(?:n°|\#))*"
    r"(?:[ _]?(?:is|are|ist|est|es|è|var|als)\b)?[\s:=#\"'*(]{0,5}"
)
_PAPERS = (
    r"passports?|reisepass|passeport|pasaporte|passaporto|paszport\w*|pasaport|paspoort"
    r"|driver'?s?[ _-]?licen[sc]es?|driving[ _-]?licen[sc]es?|licen[sc]e|f[uü]hrerschein|permis de conduire"
    r"|carnet de conducir"
    r"|permiso de conducir|patente(?: di guida)?|rijbewijs|k[oö]rkort|prawo jazdy"
    r"|id[ _-]?cards?|identity[ _-]?cards?|personalausweis\w*|ausweis\w*|carte d'identit[eé]|carta d'identit[aà]"
    r"|dowod\w*"
    r"|dow[oó]d osobisty"
)
_PAPER = re.compile(
    rf"(?<![a-z])(?:{_PAPERS})(?![a-rt-z]){_JOIN}(?P<value>[a-z0-9](?:[ .-]?[a-z0-9])*)(?![\w@])(?!\.\d)"
)
_ALSO = re.compile(r"(?:,| and| und| et| y) (?P<value>[a-z0-9]{6,14})(?!\w)")
_LONGEST = 22
_PAPER_WORDS = frozenset(
    [
        "passport",
        "passports",
        "reisepass",
        "reisepassnummer",
        "passeport",
        "pasaporte",
        "passaporto",
        "paszport",
        "paszportu",
        "pasaport",
        "paspoort",
        "license",
        "licenses",
        "licence",
        "licences",
        "führerschein",
        "führerscheinnummer",
        "fuhrerschein",
        "permis",
        "permiso",
        "carnet",
        "patente",
        "rijbewijs",
        "körkort",
        "korkort",
        "prawo",
        "id",
        "id-card",
        "identity",
        "personalausweis",
        "personalausweisnummer",
        "ausweis",
        "ausweisnummer",
        "identité",
        "identite",
        "identità",
        "dowód",
        "dowod",
        "driver's",
    ]
)

_PLATES = (
    r"(?:licen[sc]e|number|registration|vehicle) plate|licence plate|plate|(?:vehicle )?registration|kennzeichen"
    r"|autokennzeichen|vehicles?|immatriculation|plaque|matr[ií]cula|targa|plaka(?:s[ıi])?|kenteken|tablica"
    r"|registreringsnummer"
)
_PLATE = re.compile(rf"(?<![a-z])(?:{_PLATES}){_JOIN}(?P<value>(?=\w))")
_PLATE_FORM = re.compile(
    r"(?=[A-Z0-9 ·-]*\d)(?=[A-Z0-9 ·-]*[A-Z])(?:[A-Z]{1,4}|\d{1,4})[ ·-]?(?:[A-Z]{1,3}"
    r"|\d{1,4})(?:[ ·-]?(?:[A-Z]{1,3}|\d{1,4})){0,2}"
    r"(?![\w-])"
)
# As on cars since 2001: the only form of a plate that tells itself in running text.
_PLATE_GB = re.compile(r"\d\d [A-HJ-PR-Z]{3}(?![\w-])")
_PLATE_LETTERS = re.compile(r"(?:^|[^\w-])[A-HJ-PR-Y]{2}$")
_PLATE_WORDS = frozenset(
    [
        "plate",
        "plates",
        "registration",
        "kennzeichen",
        "autokennzeichen",
        "vehicle",
        "vehicles",
        "immatriculation",
        "plaque",
        "matrícula",
        "matricula",
        "targa",
        "plaka",
        "plakası",
        "plakasi",
        "kenteken",
        "tablica",
        "registreringsnummer",
    ]
)

_MONTHS = (
    r"jan(?:uary|uar|vier)?|feb(?:ruary|ruar)?|f[eé]vr(?:ier)?|mar(?:ch|s|zo)?|m[aä]rz|apr(?:il)?|avr(?:il)?|ma[iyj]"
    r"|may"
    r"|jun[ei]?|juin|jul[yi]?|juillet|aug(?:ust)?|ao[uû]t|sep(?:t|tember|tembre)?|o[ck]t(?:ober|obre)?|nov(?:ember"
    r"|embre)?"
    r"|de[cz](?:ember)?|d[eé]c(?:embre)?|enero|febrero|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre"
    r"|diciembre"
)
_YEAR = r"(?:19[1-9]\d|20[0-4]\d)"
_DAY = (
    rf"(?P<value>\d{{1,2}} ?[./-] ?\d{{1,2}} ?[./-] ?(?:{_YEAR}|\d\d)|{_YEAR}[./-]\d{{1,2}}[./-]\d{{1,2}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|er|\.)?(?: of| de)?[ -](?:{_MONTHS})\.?,?(?: de| of)?[ -]{_YEAR}"
    rf"|(?:{_MONTHS})\.? \d{{1,2}}(?:st|nd|rd|th)?,? {_YEAR})(?!\d)"
)
_BORN = re.compile(
    r"(?<![a-z])(?:born(?: on)?|birth[ _-]?(?:date|day)|birthday|date[ _]of[ _]birth|d\.?o\.?b\.?|geboren(?: am)?"
    r"|geb\.(?: am)?"
    r"|geburts(?:datum|tag)|n[eé]e? le|date de naissance|nacid[oa](?: el)?|fecha de nacimiento|nat[oa] il"
    r"|data di nascita"
    r"|geboortedatum|data urodzenia|data de nascimento|f[oö]delsedatum)"
    rf"\??(?: ?\([dmyjat./ -]{{8,12}}\))?[\s:=,.?\"'*(-]{{0,5}}(?:(?:it'?s|is|was|ist|war|est|es|on|am|le|el"
    rf"|the) ){{0,2}}{_DAY}"
)
_BIRTH_WORDS = frozenset(
    [
        "born",
        "birth",
        "birthdate",
        "birthday",
        "dob",
        "d",
        "b",
        "geboren",
        "geb",
        "geburtsdatum",
        "geburtstag",
        "né",
        "née",
        "ne",
        "nee",
        "naissance",
        "nacido",
        "nacida",
        "nacimiento",
        "nato",
        "nata",
        "nascita",
        "geboortedatum",
        "urodzenia",
        "nascimento",
        "födelsedatum",
        "fodelsedatum",
    ]
)


def _papers_possible(reading: Reading) -> bool:
    return not _PAPER_WORDS.isdisjoint(reading.words)


def _papers(reading: Reading) -> Iterator[Hit]:
    for found in _PAPER.finditer(reading.lower):
        value = _number(reading.text[found.start("value") : found.end("value")])
        if not value:
            continue
        start = found.start("value")
        yield Hit("document", start, start + len(value), re.sub(r"\W", "", value).upper())
        if (also := _ALSO.match(reading.lower, start + len(value))) and _number(also["value"]) == also["value"]:
            yield Hit("document", *also.span("value"), also["value"].upper())


def _number(written: str) -> str:
    """As much of what follows a label as is its number: it has digits, and ends with the last group that has some."""
    kept: list[str] = []
    for part in re.findall(r"[A-Za-z0-9]+[ .-]?", written[: _LONGEST + 1]):
        if not any(c.isdigit() for c in part) and (len(part) > 4 or not part.isupper()):
            break
        kept.append(part)
    while kept and not any(c.isdigit() for c in kept[-1]):
        kept.pop()
    value = "".join(kept).rstrip(" .-")
    digits = sum(c.isdigit() for c in value)
    return value if digits >= 4 and 5 <= len(value) <= _LONGEST else ""


def _plates_possible(reading: Reading) -> bool:
    return not _PLATE_WORDS.isdisjoint(reading.words) or (
        "GB" in reading.regions and _PLATE_GB.search(reading.text) is not None
    )


def _plates(reading: Reading) -> Iterator[Hit]:
    for found in _PLATE.finditer(reading.lower):
        start = found.start("value")
        if written := _PLATE_FORM.match(reading.text, start):
            yield Hit("plate", start, written.end(), re.sub(r"\W", "", written[0]))
    if "GB" in reading.regions:
        for found in _PLATE_GB.finditer(reading.text):
            year = int(found[0][:2])
            if not (2 <= year <= 29 or 51 <= year <= 79):
                continue
            if letters := _PLATE_LETTERS.search(reading.text[max(0, found.start() - 3) : found.start()]):
                yield Hit("plate", found.start() - 2, found.end(), f"{letters[0][-2:]}{found[0]}".replace(" ", ""))


def _births_possible(reading: Reading) -> bool:
    return not _BIRTH_WORDS.isdisjoint(reading.words)


def _births(reading: Reading) -> Iterator[Hit]:
    for found in _BORN.finditer(reading.lower):
        yield Hit("birthdate", *found.span("value"), re.sub(r"[\W_]+", "-", found["value"]))


DOCUMENT = Recogniser("document", _papers_possible, _papers, 4)
PLATE = Recogniser("plate", _plates_possible, _plates, 1)
BIRTHDATE = Recogniser("birthdate", _births_possible, _births, 3)
