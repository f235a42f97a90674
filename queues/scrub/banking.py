"""Payment cards, IBANs, and account, sort and routing numbers that are called so."""

import re
from collections.abc import Iterator

from stdnum import iban, luhn

from queues.scrub.reading import Hit, Reading, Recogniser

# Found far faster with the digit first and what may not stand before it after that.
_GROUPS = re.compile(r"\d(?<![\w.@#]\d)(?:(?:[ -]{0,2}\d){11,31}|\d{3}(?:\.\d{4}){3})(?![\w@]|\.\d)")
_GROUP = re.compile(r"\d+")
_ISSUER = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})$|5[1-5]\d{14}$|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}$|3[47]\d{13}$"
    r"|3(?:0[0-5]|[689]\d)\d{11,16}$|6(?:011|4[4-9]\d|5\d\d)\d{12,15}$|35(?:2[89]|[3-8]\d)\d{12,15}$"
    r"|(?:5[0678]|6\d)\d{10,17}$|9792\d{12}$|220[0-4]\d{12,15}$|(?:2131|1800)\d{11}$"
)
_CARD_LABEL = re.compile(
    r"(?:card|visa|maestro|amex|master|american express|diners|discover|jcb|credit|debit|karte|carte|tarjeta)"
)
_CARD_NUMBER_LABEL = re.compile(
    r"(?:card|karten?|carte|tarjeta|visa|mastercard|amex|maestro)[ _]?(?:number|nummer|num|nr|no|#)?\.?"
    r"[\s:=#\"'(-]{0,4}(?:is )?$"
)


def _card_possible(reading: Reading) -> bool:
    return reading.has_long_number


def _card_at(groups: list[re.Match[str]], first: int, reading: Reading, offset: int) -> Hit | None:
    """The longest card that starts at this group and ends with a group."""
    digits, best = "", None
    start = offset + groups[first].start()
    labelled = _CARD_LABEL.search(reading.before(start, 48)) is not None
    called_so = _CARD_NUMBER_LABEL.search(reading.before(start, 32)) is not None
    for group in groups[first:]:
        digits += group[0]
        if len(digits) > 19:
            break
        if len(digits) < 12 or len(set(digits)) < 2:
            continue
        known = luhn.is_valid(digits) and (_ISSUER.match(digits) is not None or (labelled and len(digits) in (15, 16)))
        # Twelve and thirteen digits are too often the number of something else.
        if (known and (labelled or len(digits) > 13)) or (called_so and len(digits) > 12):
            best = Hit("card", start, offset + group.end(), digits)
    return best


def _cards(reading: Reading) -> Iterator[Hit]:
    for run in _GROUPS.finditer(reading.text):
        groups = list(_GROUP.finditer(run[0]))
        first = 0
        while first < len(groups):
            hit = _card_at(groups, first, reading, run.start())
            if hit is None:
                first += 1
                continue
            yield hit
            while first < len(groups) and run.start() + groups[first].start() < hit.end:
                first += 1


_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[ -]?\d{2}(?:[ -]{0,2}[A-Za-z0-9]){11,30}")
_IBAN_LABEL = re.compile(r"\biban\b[^a-z0-9]{0,4}(?:(?:number|nummer|no|nr|is|ist|est|code)\b[^a-z0-9]{0,4})*$")
_SEPARATORS = re.compile(r"[ -]+")


def _iban_possible(reading: Reading) -> bool:
    return reading.digits >= 8


def _ibans(reading: Reading) -> Iterator[Hit]:
    for found in _IBAN.finditer(reading.text):
        candidate = found[0]
        word_end = reading.text[found.end() : found.end() + 1].isalnum()
        while len(candidate) >= 15:
            compact = _SEPARATORS.sub("", candidate)
            whole = not word_end and not reading.text[found.start() + len(candidate) :][:1].isalnum()
            if whole and len(compact) >= 15 and iban.is_valid(compact):
                yield Hit("iban", found.start(), found.start() + len(candidate), compact.upper())
                break
            candidate, word_end = candidate[:-1].rstrip(" -"), False
        else:
            # Called an IBAN and mistyped: still near enough to the real one.
            if _IBAN_LABEL.search(reading.before(found.start(), 32)):
                named = re.match(r"[A-Za-z0-9]+(?:[ -][A-Za-z0-9]*\d[A-Za-z0-9]*)*", found[0])
                if named:
                    yield Hit("iban", found.start(), found.start() + named.end(), _SEPARATORS.sub("", named[0]).upper())


_ACCOUNT_WORDS = (
    "acc", "a/c", "routing", "sort", "aba", "bsb", "iban", "konto", "blz", "bankleitzahl", "compte", "cuenta", "rib",
    "bank",
)  # fmt: skip
_JOINER = r"(?:[ _]?(?:numbers?|num|nummer|num[eé]ro|n[úu]mero|no|nr|n°|code|id|#)\b\.?)"
_IS = r"[\s:=#\"'*(]{0,4}(?:(?:is|ist|est|es|ending in)\b[\s:\"']{0,3})?"
_ACCOUNT = re.compile(
    rf"(?:"
    rf"(?<![a-z])(?:bank[ _]?account|account|acct|acc|a/c|konto|compte|cuenta|rib|bank){_JOINER}{{1,2}}{_IS}"
    rf"|(?<![a-z])(?:bank[ _]?account|kontonummer|bankleitzahl|kontonr|acct|a/c){_IS}"
    rf"|(?<![a-z])(?:routing|sort|transit){_JOINER}{{1,2}}{_IS}|(?<![a-z])(?:bsb|blz|aba"
    rf"|bankleitzahl){_JOINER}{{0,2}}{_IS}"
    rf")(?P<number>\d(?:[ \-./]?\d){{4,22}})(?![\w@]|[.,:]\d)"
)
_BARE_ACCOUNT = re.compile(
    rf"(?<![a-z])(?:account|acct|konto|compte|cuenta){_IS}(?P<number>\d(?:[ \-]?\d){{7,16}})(?![\w@]|[.,:]\d)"
)


def _account_possible(reading: Reading) -> bool:
    return reading.has_long_number and any(word in reading.lower for word in _ACCOUNT_WORDS)


def _accounts(reading: Reading) -> Iterator[Hit]:
    for pattern in (_ACCOUNT, _BARE_ACCOUNT):
        for found in pattern.finditer(reading.lower):
            yield Hit("account", found.start("number"), found.end("number"), "".join(_GROUP.findall(found["number"])))


CARD = Recogniser("card", _card_possible, _cards, 12)
IBAN = Recogniser("iban", _iban_possible, _ibans, 8)
ACCOUNT = Recogniser("account", _account_possible, _accounts, 5)
