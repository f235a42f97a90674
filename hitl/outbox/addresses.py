"""Which addresses hitl may call. An address comes from a tenant or a producer, so it may point anywhere: at this
machine, at a neighbour inside the network, at the cloud's metadata.

It is read by one parser (`parse`), and what that understood is what is connected to. Its name is resolved once, right
before connecting, and the connection goes to the very number that was checked: another answer a moment later changes
nothing. HITL_OUTBOX_ALLOW_PRIVATE opens private networks and this machine; metadata and the like stay closed.
"""

import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

import idna
from django.conf import settings

LONGEST: Final = 500
Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


class Refused(ValueError):
    """hitl does not send there; the text is the sentence to show."""


class Unknown(Refused):
    """The name has no address."""


@dataclass(frozen=True, slots=True)
class Address:
    """A web address taken apart. `host` is in ASCII and lower case, without brackets; `target` is path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.target}"


def parse(url: str) -> Address:
    """The address, if it may be called as far as can be told without a look-up. Raises Refused."""
    if not url or len(url) > LONGEST:
        raise Refused(f"An address has 1 to {LONGEST} characters.")
    if _STRANGE.search(url):
        raise Refused("The address holds a space, a backslash or an invisible character. Remove it.")
    try:
        parts = urlsplit(url)
        port, name = parts.port, parts.hostname or ""
    except ValueError:
        raise Refused("The address is not well formed. It should look like https://example.com/hooks.") from None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not name:
        raise Refused("An address starts with https:// (or http://) and a host, like https://example.com/hooks.")
    if "@" in parts.netloc:
        raise Refused("The address holds a name or password. Remove it: webhooks are known by their signature.")
    if port is not None and port not in _PORTS.values() and not 1024 <= port <= 65535:
        raise Refused(f"Port {port} is not for web servers. Use 80, 443, or one from 1024 up.")
    target = quote(parts.path or "/", safe=_PATH) + (f"?{quote(parts.query, safe=_PATH + '?')}" if parts.query else "")
    address = Address(scheme, _host(name), port or _PORTS[scheme], target)
    if len(address.url) > LONGEST:
        raise Refused(f"An address has 1 to {LONGEST} characters.")
    return address


def check(url: str) -> Address:
    """The address, looked up once, as when a person saves it. Raises Refused; Unknown when its name has no address."""
    address = parse(url)
    resolve(address)
    return address


def resolve(address: Address) -> list[str]:
    """The numbers that may be connected to, looked up now. Raises Refused if there are none, Unknown for no name."""
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unknown(f"The name {address.host} is not known here. Check its spelling.") from None
    numbers = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    allowed = [number for number in numbers if not why_not(_ip(number))]
    if not allowed:
        raise Refused(_sentence(address.host, why_not(_ip(numbers[0])) if numbers else "no address"))
    return allowed


def why_not(ip: Ip | None) -> str:
    """What forbids this number, in words; empty if it may be called."""
    if ip is None:
        return "a special address"
    if isinstance(ip, ipaddress.IPv6Address):
        for carrier in _CARRY_IPV4:
            if ip in carrier:
                return why_not(ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF))
    if any(ip in network for network in _NEVER):
        return "an address for machinery, not for receivers"
    if any(ip in network for network in _PRIVATE):
        return "" if settings.OUTBOX_ALLOW_PRIVATE else "a private address, or this machine"
    if isinstance(ip, ipaddress.IPv6Address) and ip not in _GLOBAL_IPV6:
        return "an address for machinery, not for receivers"
    return "" if ip.is_global else "a special address"


def _host(name: str) -> str:
    name = name.rstrip(".").lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode()
        except idna.IDNAError:
            raise Refused("The address has a host name that cannot exist. Check its spelling.") from None
    if ":" in name or _ENDS_IN_A_NUMBER.search(name):
        # `0177.1`, `2130706433` and `0x7f000001` are this machine to some readers, and nothing to others.
        ip = _ip(name)
        if ip is None:
            raise Refused("Write a numeric address as four plain numbers, like 192.0.2.7, or use a host name.")
        if reason := why_not(ip):
            raise Refused(_sentence(name, reason))
        return str(ip)
    if (name == "localhost" or name.endswith(".localhost")) and not settings.OUTBOX_ALLOW_PRIVATE:
        raise Refused(_sentence(name, "this machine"))
    if not _NAME.fullmatch(name):
        raise Refused("The address has a host name that cannot exist. Check its spelling.")
    return name


def _ip(number: str) -> Ip | None:
    try:
        return None if "%" in number else ipaddress.ip_address(number)
    except ValueError:
        return None


def _sentence(host: str, reason: str) -> str:
    return f"{host} is {reason}, where hitl does not send."


def _networks(text: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(word) for word in text.split()]


_PORTS: Final = {"http": 80, "https": 443}
_PATH: Final = "/%:@!$&'()*+,;=~-._"
_STRANGE: Final = re.compile(r"[\x00-\x20\x7f-\xa0\\\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ud800-\udfff]")
_NAME: Final = re.compile(
    r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
_ENDS_IN_A_NUMBER: Final = re.compile(r"(^|\.)(\d+|0x[0-9a-f]*)$")
_PRIVATE: Final = _networks("10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 172.16.0.0/12 192.168.0.0/16 ::1/128 fc00::/7")
# Also the metadata services of clouds that put them inside a private range.
_NEVER: Final = _networks(
    "0.0.0.0/8 169.254.0.0/16 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 "
    "224.0.0.0/4 240.0.0.0/4 100.100.100.200/32 168.63.129.16/32 fd00:ec2::254/128 fd20:ce::254/128 "
    "2001::/23 2001:db8::/32 2002::/16 3fff::/20"
)
_GLOBAL_IPV6: Final = ipaddress.IPv6Network("2000::/3")
# An IPv4 address in other clothes: mapped, and NAT64's well-known prefix.
_CARRY_IPV4: Final = (ipaddress.IPv6Network("::ffff:0:0/96"), ipaddress.IPv6Network("64:ff9b::/96"))
