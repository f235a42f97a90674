"""Keys, tokens, passwords: by a vendor's prefix, by their form, or by what stands before them."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from math import log2

from queues.scrub.reading import Hit, Reading, Recogniser

_EDGE = r"(?<![A-Za-z0-9_])"
_PEM = r"[A-Za-z0-9+/=\s:,\\.()-]"
# Mark -> needle -> pattern: a text without the mark is spared the needles, one without the needle the pattern.
_FORMS: dict[str, dict[str, str]] = {
    "": {
        "eyJ": r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,4}",
        "AKIA": r"AKIA[A-Z0-9]{16}(?![A-Za-z0-9])",
        "ASIA": r"ASIA[A-Z0-9]{16}(?![A-Za-z0-9])",
        "AIza": r"AIza[A-Za-z0-9_-]{33,}",
        "ya29.": r"ya29\.[A-Za-z0-9_-]{20,}",
        "hooks.slack.com/": r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{20,}",
        "SG.": r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
        "hvs.": r"hvs\.[A-Za-z0-9_-]{20,}",
        ":AA": r"\d{8,10}:AA[A-Za-z0-9_-]{32,}",
    },
    "-": {
        "-----BEGIN ": rf"-----BEGIN [A-Z ]{{0,30}}PRIVATE KEY(?: BLOCK)?-----{_PEM}*?"
        rf"(?:-----END [A-Z ]{{0,30}}-----|(?!{_PEM})|\Z)",
        "GOCSPX-": r"GOCSPX-[A-Za-z0-9_-]{20,}",
        "xox": r"xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{10,}",
        "xapp-": r"xapp-[A-Za-z0-9-]{20,}",
        "sk-": r"sk-[A-Za-z0-9_-]{18,}",
        "pk-lf-": r"pk-lf-[a-f0-9-]{36}",
        "glpat-": r"glpat-[A-Za-z0-9_.-]{20,}",
        "pypi-": r"pypi-AgE[A-Za-z0-9_-]{40,}",
        "xai-": r"xai-[A-Za-z0-9]{40,}",
        "NRAK-": r"NRAK-[A-Z0-9]{27}",
        "AGE-SECRET-KEY-": r"AGE-SECRET-KEY-1[A-Z0-9]{50,}",
    },
    "_": {
        "hitl_": r"hitl_[A-Za-z0-9_-]{16,}",
        "gh": r"gh[pousr]_[A-Za-z0-9]{30,}",
        "github_pat_": r"github_pat_[A-Za-z0-9_]{20,}",
        "_live_": r"(?:sk|rk|pk|ak)_live_[A-Za-z0-9]{10,}",
        "_test_": r"(?:sk|rk|pk|ak)_test_[A-Za-z0-9]{10,}",
        "whsec_": r"whsec_[A-Za-z0-9+/=_-]{20,}",
        "hf_": r"hf_[A-Za-z0-9]{30,}",
        "gsk_": r"gsk_[A-Za-z0-9]{40,}",
        "npm_": r"npm_[A-Za-z0-9]{36}",
        "lsv2_": r"lsv2_(?:pt|sk)_[A-Za-z0-9_]{32,}",
        "shp": r"shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}",
        "_v1_": r"do[opr]_v1_[a-f0-9]{64}",
        "gls": r"gls[ac]_[A-Za-z0-9_]{32,}",
        "sntry": r"sntry[su]_[A-Za-z0-9_+/=]{40,}",
        "lin_api_": r"lin_api_[A-Za-z0-9]{40,}",
        "r8_": r"r8_[A-Za-z0-9]{37}",
        "figd_": r"figd_[A-Za-z0-9_-]{36,}",
        "secret_": r"secret_[A-Za-z0-9]{40,}",
    },
}
_VENDORS = {
    mark: {needle: re.compile(_EDGE + form) for needle, form in forms.items()} for mark, forms in _FORMS.items()
}
_URL_LOGIN = re.compile(r"://([^\s/@:\x00?#]{0,128}:[^\s/@\x00]{1,256})@")
_BEARER = re.compile(r"(?<![a-z])(?:bearer|basic)\s{1,3}([\w.~+/=-]{12,})", re.IGNORECASE)

# Words after which a secret may stand. A password may be any word, so it counts by how it is written; a key, a secret
# or a token must look random.
_PASSWORDS = (
    "password", "passwd", "passwort", "mot de passe", "contraseña", "pwd", "passphrase", "passcode", "kennwort",
)  # fmt: skip
_SECRETS = ("secret", "token", "key", "credential", "authorization", "signature", "sessionid", "session id")
_NEEDLES = (
    "passw", "passp", "passc", "de passe", "pwd", "kennwort", "contrase", "secret", "token", "key", "credential",
    "authorization", "signature", "session", "bearer ", "basic ",
)  # fmt: skip
_TAIL = re.compile(
    r"(?:[_ -]?(?:id|key|token|value|hash|string))?s?[\"'`*)\]]{0,3}"
    r"(?P<join>\s{0,3}(?:=>|:=|[:=])\s{0,3}|\s{1,2}(?:is|was|ist|lautet|est|es)\s{1,2}(?:now\s)?:?\s{0,2})"
    r"(?:(?:bearer|basic|token|digest|apikey)\s{1,2})?"
    r"(?:\"(?P<double>[^\"\n\x00]{4,256})\"|'(?P<single>[^'\n\x00]{4,256})'"
    r"|[\"'`*]{0,3}(?P<value>[^\s\"'`,;<>\x00()\[\]{}]{4,512}))",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"[<${*\[%]|(?:x{4,}|\.{3,}|\*{3,}|none|null|true|false|undefined|n/a|todo|https?://)", re.IGNORECASE
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_IN_A_WORD = re.compile(r"[a-z]$")
_COMPOUND = re.compile(
    r"(?:api|access|secret|private|client|auth|account|shared|encryption|signing|license|app|my|db|user)[ _-]?$"
)


def _occurs(needles: Iterable[str], text: str) -> bool:
    for needle in needles:  # noqa: SIM110 (any() with a generator costs twice as much, on every text there is)
        if needle in text:
            return True
    return False


def _possible(reading: Reading) -> bool:
    text = reading.text
    if _occurs(_NEEDLES, reading.lower) or ("://" in text and "@" in text):
        return True
    return any(mark in text and _occurs(vendors, text) for mark, vendors in _VENDORS.items())


def _bits(value: str) -> float:
    """Shannon entropy, bits per character."""
    return -sum(n / len(value) * log2(n / len(value)) for n in Counter(value).values())


def _looks_random(value: str) -> bool:
    digits = sum(c.isdigit() for c in value)
    mixed = sum(c.isupper() for c in value[1:]) >= 2 and any(c.islower() for c in value)
    return len(value) >= 16 and (digits >= 2 or mixed) and not value.isdigit() and _bits(value) >= 3.0


def _looks_chosen(value: str) -> bool:
    """No plain word: `password: reset` is a sentence, `password: Tr0ub4dor` is not."""
    if value.isdigit():
        return True
    return len(value) >= 5 and (
        any(c.isdigit() for c in value)
        or (any(c.isupper() for c in value[1:]) and any(c.islower() for c in value))
        or any(not c.isalnum() and c not in "-./'_" for c in value)
    )


def _secret_at(text: str, after: int, *, password: bool) -> tuple[int, str] | None:
    """The secret that follows a word which ends at `after`, and where it starts."""
    tail = _TAIL.match(text, after)
    if not tail:
        return None
    group = tail.lastgroup or "value"
    value = tail[group] if group != "value" else tail[group].rstrip(".:?)*")
    if len(value) < 4 or _PLACEHOLDER.match(value) or text.startswith("(", tail.end()):
        return None
    if password:
        as_code = group != "value" or (tail["join"].strip() in ("=", ":=", "=>") and not tail["join"][-1:].isspace())
        return (tail.start(group), value) if as_code or _looks_chosen(value) else None
    return (tail.start(group), value) if _looks_random(value) else None


def _labelled(reading: Reading) -> Iterator[Hit]:
    text, lower = reading.text, reading.lower
    for word in _PASSWORDS + _SECRETS:
        at = lower.find(word)
        while at >= 0:
            before = lower[max(0, at - 12) : at]
            compound = _COMPOUND.search(before) is not None
            if compound or not _IN_A_WORD.search(before):
                found = _secret_at(text, at + len(word), password=word in _PASSWORDS)
                # `key: <uuid>` is the key of a row, `api_key: <uuid>` is not.
                if found and (compound or word != "key" or not _UUID.fullmatch(found[1])):
                    yield Hit("key", found[0], found[0] + len(found[1]), found[1])
            at = lower.find(word, at + len(word))


def _keys(reading: Reading) -> Iterator[Hit]:
    text = reading.text
    for mark, vendors in _VENDORS.items():
        for needle, pattern in vendors.items() if mark in text else ():
            if needle in text:
                yield from (Hit("key", *found.span(), found[0]) for found in pattern.finditer(text))
    if "://" in text and "@" in text:
        yield from (Hit("key", *found.span(1), found[1]) for found in _URL_LOGIN.finditer(text))
    if "bearer " in reading.lower or "basic " in reading.lower:
        for found in _BEARER.finditer(text):
            if any(c.isdigit() for c in found[1]) or len(found[1]) >= 24:
                yield Hit("key", *found.span(1), found[1])
    yield from _labelled(reading)


KEY = Recogniser("key", _possible, _keys)
