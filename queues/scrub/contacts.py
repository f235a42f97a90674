"""E-mail addresses and phone numbers."""

import re
from collections.abc import Iterator

import phonenumbers

from queues.scrub.reading import Hit, Reading, Recogniser

# Only the neighbourhood of an @ is looked at: a pattern that starts at the local part is quadratic on long words.
_AT = re.compile(r"@|%40| ?[\[({] ?at ?[\])}] ?")
_LOCAL_REVERSED = re.compile(r"[\w.+\-%'&!#$*/=?^`{|}~]{1,64}")
_DOMAIN = re.compile(
    r"(?:[\w-]{1,63}(?:\.| ?[\[({] ?dot ?[\])}] ?)){1,8}(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59})(?![\w@-])"
)
_DOT = re.compile(r" ?[\[({] ?dot ?[\])}] ?")
_LOCAL_JUNK = "-.'&!#$*/=?^`{|}~%"
_FILES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".ico", ".avif", ".css", ".js", ".ts", ".json", ".html")


def _email_possible(reading: Reading) -> bool:
    text, lower = reading.text, reading.lower
    return (
        "@" in text
        or "%40" in text
        or "at)" in lower
        or "at]" in lower
        or "at }" in lower
        or (" at " in lower and "[" in text)
    )


def _emails(reading: Reading) -> Iterator[Hit]:
    lower = reading.lower
    for at in _AT.finditer(lower):
        domain = _DOMAIN.match(lower, at.end())
        if not domain or domain[0].endswith(_FILES):
            continue
        local = _LOCAL_REVERSED.match(lower[max(0, at.start() - 64) : at.start()][::-1])
        if not local:
            continue
        name = local[0][::-1]
        # The name starts after whatever joins it to its surroundings: `to=ann@`, `/ann@`, `mailto?ann@`.
        name = re.split(r"[/=?{}|`*#$^!~]", name)[-1].lstrip(_LOCAL_JUNK).rstrip(".")
        if name and name != "git":
            value = f"{name}@{_DOT.sub('.', domain[0])}"
            yield Hit("email", at.start() - len(name), domain.end(), value)


# Digits as people group them. What joins them to a longer word, path or number disqualifies them: ids, hashes, URLs.
_NUMBER = r"(?:\+ ?|\+?\(\+?)?\d(?:(?: ?[()./\-]{1,2} ?| )?\d){5,19}"
_EXTENSION = r" ?(?:ext\.?|x|#|durchwahl|poste) ?\d{1,6}"
_RUN = re.compile(rf"(?<![\w#/=_.\-%&?@+~])(?<!\d,){_NUMBER}(?:{_EXTENSION}(?!\w))?", re.IGNORECASE)
_JOINED = re.compile(rf"(?<=[/=_.\-]){_NUMBER}")
_EXTENSION_END = re.compile(rf"{_EXTENSION}$", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_SEQUENCES = ("0123456789", "01234567890", "012345678")
_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d([-/. ])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])|"
    r"(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|[12]\d|3[01])\2(?:19|20)\d\d)(?!\d)"
)
_YEARS = re.compile(r"(?:1[5-9]|20|21)\d\d(?: ?[-/ ] ?(?:1[5-9]|20|21)\d\d)+")
_CLOCK = re.compile(r"\s?(?::\d\d|[ap]\.?m\b|uhr)")
_THOUSANDS = re.compile(r"\d{1,3}(?:([. ])\d{3})(?:\1\d{3})+")
_MACHINE = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_CODE_BEFORE = re.compile(r"(?:[A-Z]\d|\d[A-Z])[A-Z0-9]{0,4} $")
_SHAPE = re.compile(r"(?:\+?1[-. ]?)?(?:\(\d{3}\)[-. ]{0,2}\d{3}[-. ]\d{4}|\d{3}([-.])\d{3}\1\d{4})")
_SHAPE_SPACED = re.compile(r"(?:1 )?[2-9]\d\d[ -]\d{3}[ -]\d{4}")
_BRACKETS = re.compile(r"\(0?\d{1,4}\) ?\d{3,4}[- ]?\d{3,4}(?:[- ]?\d{2,4})?")
_TRUNK_GROUPS = re.compile(r"\(?0[1-9]\d{1,3}\)?(?:[ .\-/]{1,3}\d{2,4}){2,4}")
_TELLING = re.compile(r"\(?[01]?(?:\D*\d\d+)+")
_MONEY_BEFORE = re.compile(r"(?:[$€£¥₹]|\b(?:usd|eur|gbp|chf|inr|rs\.?)) ?$")
_MONEY_AFTER = re.compile(
    r" ?(?:[$€£¥₹%]|(?:usd|eur|gbp|chf|euro|dollars?|pounds?|users|people|rows|tokens|bytes|kwh|km|ms|px)\b)"
)
_LABEL_BEFORE = re.compile(
    r"(?:(?:\b|_)(?:tel|phone|ph|telephone|telefon(?:o|nummer|e)?|t[eé]l[eé]phone|t[eé]l|mobile?|mobil(?:nummer)?"
    r"|handy(?:nummer)?|cell(?:ular)?|cell ?phone|celular|m[oó]vil|portable|fax|whats ?app|wa\.me|sms|call(?:ed|ing)?"
    r"|dial|ring|rang|phoned|text(?:ed|ing)?|reach|contact|call ?back|hotline|messages?|answering|anrufen|rufnummer"
    r"|r[uü]ckruf|appel(?:er|ez))\b"
    r"(?:[ _]?(?:number|numbers|nummer|num[eé]ro|nr|no|me|us|him|her|them|back|line|at|on|is|to|under|unter|au|ist|est"
    r"|the|following|my|our|your|or|via|phone|mobile|cell|home|work)\b\.?)*"
    r"|\b(?:office|desk|home|work) ?[:=])"
    r"[\s:.=,;/\"'*_(>-]{0,8}$"
)
_LABEL_AFTER = re.compile(r"\s?[-(\[,]?\s?(?:tel|phone|mobile?|cell|fax|office|desk|home|work|handy|mobil|whatsapp)\b")
_OTHER_NUMBER = re.compile(
    r"(?:\b|_)(?:order|invoice|ticket|case|ref|reference|id|ids|tracking|parcel|shipment|isbn|issn|ean|upc|sku|serial"
    r"|policy|claim|booking|reservation|transaction|account|customer|contract|document|doc|article|item|part|batch"
    r"|build"
    r"|version|bestellung|rechnung|auftrag|kunde[nr]?|commande|facture|dossier|imei|vin|npi|ssn|tin|tax|vat|nhs|sin"
    r"|passport|licen[sc]e|meter|zip|code)s?"
    r"(?:[ _-]?(?:number|nummer|num[eé]ro|nr|no|id|code|is|#))*[\s:.=#\"'_()-]{0,4}$"
)


def _phone_possible(reading: Reading) -> bool:
    return reading.has_long_number


def _e164(number: str, region: str | None) -> str | None:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    return f"+{parsed.country_code}{parsed.national_number}" if phonenumbers.is_valid_number(parsed) else None


def _written_as_in(region: str, run: str, digits: str) -> bool:
    """Where national numbers begin with a trunk 0, a number without it is more likely a number of something else; in
    North America, where they don't, their grouping tells them.
    """
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    if metadata and metadata.country_code == 1:
        return bool(_SHAPE.fullmatch(run) or _SHAPE_SPACED.fullmatch(run))
    return digits.startswith("0") or not metadata or metadata.national_prefix != "0"


def _national(run: str, digits: str, regions: tuple[str, ...], *, labelled: bool) -> str | None:
    for region in regions:
        if (labelled or _written_as_in(region, run, digits)) and (number := _e164(digits, region)):
            return number
    return None


def _is_other_number(run: str, digits: str, reading: Reading, start: int, end: int, *, labelled: bool) -> bool:
    """A date, a time, an amount, a range of years, an address of a machine, a part of something longer."""
    after = reading.after(end, 12)
    return bool(
        _DATE.search(run)
        or _YEARS.fullmatch(run)
        or _MACHINE.fullmatch(run)
        or _CLOCK.match(after)
        or _MONEY_AFTER.match(after)
        or _MONEY_BEFORE.search(reading.before(start, 5))
        or re.match(r"[,.:/]\d|[\w@%]|-\d", after)
        or len(set(digits)) < 3
        or digits.startswith("000")
        or (not labelled and _THOUSANDS.fullmatch(run))
        or (not run.startswith("+") and _CODE_BEFORE.search(reading.text[max(0, start - 8) : start]))
    )


def _phone_value(run: str, digits: str, reading: Reading, start: int, *, labelled: bool) -> str | None:
    groups = len(_DIGITS.findall(run))
    if run.startswith(("+", "(+")) or (digits.startswith("00") and len(digits) >= 11):
        # `+44 (0)20`: the zero is for callers at home.
        dialled = "".join(_DIGITS.findall(re.sub(r"\(0\)", "", run))).removeprefix("00")
        if valid := _e164(f"+{dialled}", None):
            return valid
        shaped = 9 <= len(dialled) <= 15 and groups > 1 and (run.startswith(("+", "(+")) or groups > 3)
        return f"+{dialled}" if labelled or shaped else None
    if labelled:
        return _national(run, digits, reading.regions, labelled=True) or digits
    if _OTHER_NUMBER.search(reading.before(start, 40)):
        return None
    if _SHAPE.fullmatch(run):
        return _national(run, digits, reading.regions, labelled=False) or digits
    if _TELLING.fullmatch(run) and digits not in _SEQUENCES:
        valid = _national(run, digits, reading.regions, labelled=False)
        if valid and len(digits) >= 8 and (groups > 1 or (digits.startswith("0") and len(digits) >= 10)):
            return valid
    if _BRACKETS.fullmatch(run) or (10 <= len(digits) <= 12 and _TRUNK_GROUPS.fullmatch(run)):
        return digits
    return None


def _phones(reading: Reading) -> Iterator[Hit]:
    for pattern in (_RUN, _JOINED):
        for found in pattern.finditer(reading.text):
            start, end = found.span()
            if found[0].startswith("(") and ")" not in found[0]:
                start += 1
            run = _EXTENSION_END.sub("", reading.text[start:end])
            digits = "".join(_DIGITS.findall(run))
            called = _LABEL_BEFORE.search(reading.before(start, 48)) is not None
            if pattern is _JOINED and not called:
                continue
            labelled = called or _LABEL_AFTER.match(reading.after(end, 14)) is not None
            if not 6 <= len(digits) <= 17 or _is_other_number(run, digits, reading, start, end, labelled=labelled):
                continue
            if value := _phone_value(run, digits, reading, start, labelled=labelled):
                yield Hit("phone", start, end, value)


EMAIL = Recogniser("email", _email_possible, _emails)
PHONE = Recogniser("phone", _phone_possible, _phones, 6)
