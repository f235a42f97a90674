"""Addresses of machines, and wallets: IP, MAC, Bitcoin."""

import ipaddress
import re
from collections.abc import Iterator

from stdnum import bitcoin

from queues.scrub.reading import Hit, Reading, Recogniser

_V4 = re.compile(r"\d(?<![\w.:-]\d)(?<![^/]/\d)\d{0,2}\.(?:\d{1,3}\.){2}\d{1,3}(?![\w-]|\.\d)")
_V6 = re.compile(
    r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:|::)(?:[0-9A-Fa-f]{0,4}:){0,7}"
    r"(?:[0-9A-Fa-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?:%\w{1,16})?(?![\w:]|\.\d)"
)
# Four numbers with points between them are also a version, a section, a model.
_OTHER = re.compile(
    r"(?:\b(?:version|ver|release|build|firmware|driver|kernel|chrome|firefox|safari|edge|opera|section|sections"
    r"|chapter"
    r"|clause|paragraph|article|table|figure|annex|appendix|abschnitt|kapitel|ziffer|upgrade(?:d)? to|update(?:d)? to)"
    r"[\s:=#]{0,3}|\bv\.? ?|[§/-]\s?)$"
)
_CALLED = re.compile(
    r"\b(?:ip|ipv4|ip[ _-]?addr(?:ess)?e?|host|server|client|remote[ _]?addr|from|src|dst)\b[^.]{0,12}$"
)
_NOBODYS = ("0.", "127.", "255.")

_MAC = re.compile(
    r"(?<![\w:-])(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}(?![\w:-])"
    r"|(?<![\w:-])(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}(?![\w:-])"
)
_WALLET = re.compile(r"[13b](?<![A-Za-z0-9].)[0-9A-HJ-NP-Za-km-z]{25,73}(?![A-Za-z0-9])")


def _ip_possible(reading: Reading) -> bool:
    return (
        (reading.digits >= 4 and reading.text.count(".") >= 3) or "::" in reading.text or reading.text.count(":") >= 7
    )


def _ips(reading: Reading) -> Iterator[Hit]:
    if reading.text.count(".") >= 3:
        for found in _V4.finditer(reading.text):
            octets = [int(part) for part in found[0].split(".")]
            if max(octets) > 255 or found[0].startswith(_NOBODYS):
                continue
            before = reading.before(found.start(), 24)
            called = _CALLED.search(before) is not None
            if _OTHER.search(before) and not called:
                continue
            # 1.2.3.4 is rather a section than somebody's machine.
            if called or max(octets) > 9:
                yield Hit("ip", *found.span(), ".".join(map(str, octets)))
    if "::" in reading.text or reading.text.count(":") >= 7:
        for found in _V6.finditer(reading.text):
            # `text[::2]` is a slice.
            is_slice = reading.text[found.start() - 1 : found.start()] == "[" and len(found[0]) < 7
            if not is_slice and (value := _v6(found[0])):
                yield Hit("ip", *found.span(), value)


def _v6(written: str) -> str | None:
    # `std::map` and `12:30` are none.
    if written.count(":") < 3 and not re.search(r"[0-9A-Fa-f]{3}", written):
        return None
    try:
        address = ipaddress.IPv6Address(written.partition("%")[0])
    except ValueError:
        return None
    return None if address.is_unspecified or address.is_loopback else address.compressed


def _mac_possible(reading: Reading) -> bool:
    return reading.text.count(":") >= 5 or reading.text.count("-") >= 5


def _macs(reading: Reading) -> Iterator[Hit]:
    for found in _MAC.finditer(reading.text):
        value = re.sub(r"[:-]", "", found[0]).lower()
        # `01-02-03-04-05-06` may be anything; the address that all machines answer to is nobody's.
        if len(set(value)) > 1 and (":" in found[0] or not value.isdigit()):
            yield Hit("mac", *found.span(), value)


def _wallet_possible(reading: Reading) -> bool:
    return reading.digits >= 3 and len(reading.text) >= 26


def _wallets(reading: Reading) -> Iterator[Hit]:
    for found in _WALLET.finditer(reading.text):
        if bitcoin.is_valid(found[0]):
            yield Hit("wallet", *found.span(), found[0])


IP = Recogniser("ip", _ip_possible, _ips, 1)
MAC = Recogniser("mac", _mac_possible, _macs)
WALLET = Recogniser("wallet", _wallet_possible, _wallets, 3)
