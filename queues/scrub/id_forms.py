"""What national ids look like, country by country, and how their check digits hold. Called by `ids`.

A number of digits alone flooded every text with false finds: about every tenth run of nine digits holds some country's
check. So a form says how much it tells by itself: `distinct` ones count wherever they stand, `strong` ones in the
countries a tenant lives in, and all of them where the words before them say what they are.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from stdnum import luhn, verhoeff
from stdnum.au import tfn
from stdnum.be import nn
from stdnum.bg import egn
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.ch import ssn as ahv
from stdnum.cn import ric
from stdnum.cz import rc
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.ee import ik
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.hr import oib
from stdnum.ie import pps
from stdnum.in_ import epic, pan
from stdnum.is_ import kennitala
from stdnum.it import codicefiscale
from stdnum.kr import rrn
from stdnum.mx import curp
from stdnum.my import nric as mykad
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.pt import nif
from stdnum.ro import cnp
from stdnum.se import personnummer
from stdnum.si import emso
from stdnum.th import pin
from stdnum.tr import tckimlik
from stdnum.us import ssn
from stdnum.za import idnr as za_id

Check = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Form:
    """`written` is the whole of it as the country writes it; `holds` takes it without separators. `grouped`: it counts
    without a word before it only if it is written in groups. `signed`: its sign is part of it.
    """

    country: str
    written: re.Pattern[str]
    holds: Check
    distinct: bool = False
    strong: bool = False
    grouped: bool = False
    signed: bool = False


def _form(country: str, written: str, holds: Check, **tells: bool) -> Form:
    return Form(country, re.compile(written), holds, **tells)


def _date(text: str) -> bool:
    """Whether YYMMDD or DDMMYY can be a day."""
    first, month, last = int(text[:2]), int(text[2:4]), int(text[4:6])
    return 1 <= month <= 12 and (1 <= first <= 31 or 1 <= last <= 31)


def _kr(digits: str) -> bool:
    """Of a resident; those of foreigners, and all since 2020, have no check digit."""
    return _date(digits) and digits[6] in "12345678" and (rrn.is_valid(digits) or digits[6] in "5678")


def _itin(digits: str) -> bool:
    """The groups that the tax office has given out; it has no check digit."""
    group = int(digits[3:5])
    return digits[0] == "9" and (50 <= group <= 65 or 70 <= group <= 99) and group not in (89, 93)


def _medicare_au(digits: str) -> bool:
    weights = (1, 3, 7, 9, 1, 3, 7, 9)
    held = sum(int(d) * w for d, w in zip(digits[:8], weights, strict=True)) % 10
    return digits[0] in "23456" and held == int(digits[8])


def _npi(digits: str) -> bool:
    return digits[0] in "12" and luhn.is_valid(f"80840{digits}")


def _aadhaar(digits: str) -> bool:
    return digits[0] in "23456789" and digits != digits[::-1] and verhoeff.is_valid(digits)


def _health_de(compact: str) -> bool:
    """Krankenversichertennummer: the letter as two digits, then weights 1 and 2 in turn, sums of digits."""
    digits = f"{ord(compact[0].upper()) - 64:02d}{compact[1:9]}"
    products = (int(d) * (1 + at % 2) for at, d in enumerate(digits))
    return sum(p // 10 + p % 10 for p in products) % 10 == int(compact[9])


def _pension_de(compact: str) -> bool:
    """Versicherungsnummer of the pension insurance."""
    day = int(compact[2:4])
    if not (1 <= (day if day <= 31 else day - 50) <= 31 and 1 <= int(compact[4:6]) <= 12):
        return False
    digits = f"{compact[:8]}{ord(compact[8].upper()) - 64:02d}{compact[9:11]}"
    weights = (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)
    products = (int(d) * w for d, w in zip(digits, weights, strict=True))
    return sum(p // 10 + p % 10 for p in products) % 10 == int(compact[11])


def _nric_sg(compact: str) -> bool:
    """NRIC and FIN: prefixes T and G count 4 more, M counts 3 more."""
    prefix, digits, letter = compact[0].upper(), compact[1:8], compact[8].upper()
    held = sum(int(d) * w for d, w in zip(digits, (2, 7, 6, 5, 4, 3, 2), strict=True))
    held += {"T": 4, "G": 4, "M": 3}.get(prefix, 0)
    if prefix == "M":
        return letter == "XWUTRQPNJLK"[10 - held % 11]
    return letter == ("JZIHGFEDCBA" if prefix in "ST" else "XWUTRQPNMLK")[held % 11]


def _nino(compact: str) -> bool:
    return compact[:2].upper() not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


def _machine_readable(compact: str) -> bool:
    """Check digit 7-3-1 of passports and id cards (ICAO 9303)."""
    values = (int(c, 36) * (7, 3, 1)[at % 3] for at, c in enumerate(compact[:-1]))
    return any(c.isdigit() for c in compact[1:-1]) and sum(values) % 10 == int(compact[-1])


_any = bool
_hetu = partial(hetu.is_valid, allow_temporary=True)

# By number of digits.
DIGITS: dict[int, tuple[Form, ...]] = {
    9: (
        _form("US", r"\d{3}-\d{2}-\d{4}", ssn.is_valid, distinct=True),
        _form("US", r"9\d{2}-\d{2}-\d{4}", _itin, distinct=True),
        _form("US", r"\d{3} \d{2} \d{4}", ssn.is_valid, grouped=True),
        _form("US", r"9\d{8}|9\d\d \d\d \d{4}", _itin),
        _form("CA", r"\d{3}(?P<sep>[ -])\d{3}(?P=sep)\d{3}|\d{9}", sin.is_valid, grouped=True),
        _form("AU", r"\d{3} \d{3} \d{3}|\d{9}", tfn.is_valid, grouped=True),
        _form("NL", r"\d{9}|\d{4}[.]\d{2}[.]\d{3}", bsn.is_valid, grouped=True),
        _form("PT", r"\d{9}|\d{3} \d{3} \d{3}", nif.is_valid, grouped=True),
        _form("CL", r"\d{1,2}\.\d{3}\.\d{3}-\d", _any, distinct=True),
    ),
    10: (
        _form("GB", r"\d{3} ?\d{3} ?\d{4}", nhs.is_valid, grouped=True),
        _form("AU", r"\d{4}(?P<sep>[ -]?)\d{5}(?P=sep)\d", _medicare_au, grouped=True),
        _form("US", r"\d{10}|\d{4}-\d{3}-\d{3}", _npi, grouped=True),
        _form("SE", r"\d{6}-\d{4}", lambda d: _date(d) and luhn.is_valid(d), distinct=True),
        _form("SE", r"\d{10}", lambda d: _date(d) and luhn.is_valid(d), strong=True),
        _form("DK", r"\d{6}-\d{4}", lambda d: cpr.is_valid(d) and _date(d), grouped=True),
        _form("IS", r"\d{6}-?\d{4}", kennitala.is_valid, strong=True),
        _form("CZ", r"\d{6}/\d{4}", rc.is_valid, distinct=True),
        _form("SK", r"\d{10}", rc.is_valid, strong=True),
        _form("BG", r"\d{10}", egn.is_valid, strong=True),
    ),
    11: (
        _form("DE", r"\d{11}|\d{2} \d{3} \d{3} \d{3}", idnr.is_valid, strong=True),
        _form("PL", r"\d{11}", pesel.is_valid, strong=True),
        _form("TR", r"\d{11}", tckimlik.is_valid, strong=True),
        _form("NO", r"\d{6} ?\d{5}", fodselsnummer.is_valid, strong=True),
        _form("BR", r"\d{3}\.\d{3}\.\d{3}-\d{2}", cpf.is_valid, distinct=True),
        _form("BR", r"\d{11}", cpf.is_valid, strong=True),
        _form("BE", r"\d{2}\.\d{2}\.\d{2}[- ]\d{3}[.-]\d{2}", nn.is_valid, distinct=True),
        _form("BE", r"\d{11}", nn.is_valid, strong=True),
        _form("EE", r"[1-6]\d{10}", ik.is_valid, strong=True),
        _form("LT", r"[1-6]\d{10}", ik.is_valid, strong=True),
        _form("HR", r"\d{11}", oib.is_valid),
    ),
    12: (
        _form("IN", r"\d{4}(?P<sep>[ :-])\d{4}(?P=sep)\d{4}|\d{12}", _aadhaar, grouped=True),
        _form("SE", r"(?:19|20)\d{6}-\d{4}", personnummer.is_valid, distinct=True),
        _form("SE", r"(?:18|19|20)\d{10}", lambda d: _date(d[2:]) and luhn.is_valid(d[2:]), strong=True),
        _form("MY", r"\d{6}-\d{2}-\d{4}", mykad.is_valid, distinct=True),
    ),
    13: (
        _form("CH", r"756([. ]?)\d{4}\1\d{4}\1\d{2}", ahv.is_valid, distinct=True),
        _form("KR", r"\d{6}-[1-8]\d{6}", _date, distinct=True),
        _form("KR", r"\d{13}", _kr, strong=True),
        _form("ZA", r"\d{13}|\d{6} \d{4} \d{3}", za_id.is_valid, strong=True),
        _form("RO", r"[1-9]\d{12}", cnp.is_valid, strong=True),
        _form("TH", r"[1-8]-\d{4}-\d{5}-\d{2}-\d", pin.is_valid, distinct=True),
        _form("TH", r"[1-8]\d{12}", pin.is_valid, strong=True),
        _form("SI", r"\d{13}", emso.is_valid, strong=True),
        _form("PK", r"\d{5}-\d{7}-\d", _any, distinct=True),
    ),
    15: (_form("FR", r"[12378] ?\d{2} ?\d{2} ?\d{2} ?\d{3} ?\d{3} ?\d{2}", nir.is_valid, distinct=True),),
    18: (_form("CN", r"\d{18}", ric.is_valid, distinct=True),),
}  # fmt: skip

# With letters in them. Those that are made to be told apart count anywhere, the others in their countries and alone.
LETTERED: tuple[Form, ...] = (
    _form("GB", r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]", _nino, distinct=True),
    _form("ES", r"\d{7,8}-?[A-HJ-NP-TV-Z]", lambda c: dni.is_valid(c.zfill(9)), strong=True),
    _form("ES", r"[XYZ]-?\d{7}-?[A-HJ-NP-TV-Z]", nie.is_valid, distinct=True),
    _form("IT", r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]", codicefiscale.is_valid, distinct=True),
    _form("SG", r"[STFGM]\d{7}[A-Z]", _nric_sg, distinct=True),
    _form("FI", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]", _hetu, distinct=True, signed=True),
    _form("DE", r"\d{2} ?\d{6} ?[A-Z] ?\d{3}", _pension_de, distinct=True),
    _form("DE", r"[A-Z]\d{9}", _health_de, strong=True),
    _form("IN", r"[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]", pan.is_valid, distinct=True),
    _form("IN", r"[A-Z]{3}\d{7}", epic.is_valid, strong=True),
    _form("IE", r"\d{7}[A-W][A-IW]?", pps.is_valid, strong=True),
    _form("MX", r"[A-Z]{4}\d{6}[HM][A-Z]{5}[0-9A-Z]\d", curp.is_valid, distinct=True),
    _form("FR", r"[12]\d{4}2[AB]\d{8}", nir.is_valid, distinct=True),
    _form("CN", r"\d{17}X", ric.is_valid, distinct=True),
    _form("US", r"[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?"
          r"[AC-HJKMNP-RT-Y]{2}\d{2}", _any, distinct=True),
)  # fmt: skip
# Passports, id cards and licences whose form tells them.
DOCUMENTS: tuple[Form, ...] = (
    _form(
        "GB", r"[A-Z9]{5}\d[0156]\d[0-3]\d\d[A-Z9]{2}[0-9A-Z]{3}"
        r"|[A-Z]{4,5}\d{6,7}[A-Z9]{2}\d[A-Z]{2}", _any, distinct=True),
    _form("DE", r"[CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ]{7,8}\d", _machine_readable, strong=True),
)  # fmt: skip
