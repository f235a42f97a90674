"""Reviewers at work, over HTTP as a browser would: signed in, with CSRF, reading the next case out of the HTML."""

import http.client
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from statistics import quantiles
from urllib.parse import urlencode

from hitl.management.bench.story import PASSWORD

_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_CASE = re.compile(r'data-slot="(\d+)" data-token="(\d+)"')
_ACTION = re.compile(r'action="(/slots/\d+/decide/[^"]*)"')
_VERSION = re.compile(r'name="version" value="(\d+)"')
_CATEGORY = re.compile(r'name="category" value="(\d+)"')
_STATIC = re.compile(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"')
_IMPORT = re.compile(r'from "\./([^"]+)"')
_ON_DECK = re.compile(r'<template id="on-deck">(.*?)</template>', re.DOTALL)
_REPLACE = re.compile(r'<template id="replace">(.*?)</template>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Shown:
    """A case as the page shows it."""

    slot: int
    token: int
    action: str
    version: int
    categories: tuple[str, ...]

    @classmethod
    def read(cls, html: str) -> "Shown | None":
        case = _CASE.search(html)
        if not case:
            return None
        action, version = _ACTION.search(html), _VERSION.search(html)
        if not action or not version:
            raise RuntimeError("The page has no form to decide with.")
        return cls(int(case[1]), int(case[2]), action[1], int(version[1]), tuple(_CATEGORY.findall(html)))


@dataclass
class Session:
    """One reviewer's browser: a connection, cookies, the case on the screen and the one on deck."""

    email: str
    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    received: int = 0
    requests: int = 0
    current: Shown | None = None
    on_deck: Shown | None = None

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def fetch(self, method: str, path: str, form: dict[str, object] | None = None, **headers: str) -> str:
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **headers}
        body = None
        if form is not None:
            body = urlencode({"csrfmiddlewaretoken": self.csrf, **form}, doseq=True)
            sent |= {"Content-Type": "application/x-www-form-urlencoded", "Referer": f"http://127.0.0.1:{self.port}/"}
        self.connection.request(method, path, body, sent)
        response = self.connection.getresponse()
        text = response.read()
        self.requests += 1
        self.received += len(text)
        for name, value in response.headers.items():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        if response.status >= 400:
            raise RuntimeError(f"{method} {path} was answered {response.status}: {text[:300].decode(errors='replace')}")
        return text.decode()

    def sign_in(self) -> None:
        page = self.fetch("GET", "/login/")
        found = _CSRF.search(page)
        assert found
        self.csrf = found[1]
        self.fetch("POST", "/login/", {"username": self.email, "password": PASSWORD})
        if "session" not in self.cookies:
            raise RuntimeError(f"{self.email} could not sign in.")

    def open(self, path: str = "/review/") -> None:
        # A server closes a connection that was idle for a while.
        self.connection.close()
        page = self.fetch("GET", path)
        self.csrf = (_CSRF.search(page) or [None, self.csrf])[1] or self.csrf
        deck = _ON_DECK.search(page)
        self.on_deck = Shown.read(deck[1]) if deck else None
        self.current = Shown.read(page[: deck.start()] if deck else page)

    def first_page(self) -> dict[str, int]:
        """Bytes of the page and of the styles and scripts it names, as they travel (compressed), and their number."""
        compressed = {"Accept-Encoding": "br, gzip"}
        page = self.fetch("GET", "/review/")
        files = set(_STATIC.findall(page))
        for path in [path for path in files if path.endswith(".js")]:
            folder = path.rpartition("/")[0]
            files |= {f"{folder}/{name}" for name in _IMPORT.findall(self.raw(path, {}).decode())}
        sizes = [len(self.raw(path, compressed)) for path in sorted(files)]
        return {"html": len(self.raw("/review/", compressed)), "styles_and_scripts": sum(sizes), "files": len(sizes)}

    def raw(self, path: str, headers: dict[str, str]) -> bytes:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.connection.request("GET", path, headers={"Cookie": cookies, **headers})
        return self.connection.getresponse().read()

    def decide(self) -> float:
        """Decides the case on the screen and has the next one there; the milliseconds of the one request."""
        case, ahead = self.current, self.on_deck
        if case is None:
            raise RuntimeError("There is no case on the screen.")
        reject = case.slot % 5 == 0
        form: dict[str, object] = {
            "token": case.token,
            "version": case.version,
            "handling_ms": 4000,
            "verdict": "reject" if reject else "accept",
            "category": list(case.categories[:2]) if reject else [],
        }
        if ahead:
            form |= {"next_slot": ahead.slot, "next_token": ahead.token}
        began = time.perf_counter()
        html = self.fetch("POST", case.action, form, **{"X-Review": "1"})
        took = (time.perf_counter() - began) * 1000
        if 'class="notice alarm"' in html:
            raise RuntimeError(f"The decision on {case.slot} was refused: {html[:500]}")
        replace, deck = _REPLACE.search(html), _ON_DECK.search(html)
        self.current = Shown.read(replace[1]) if replace else ahead
        self.on_deck = Shown.read(deck[1]) if deck else None
        return took


@dataclass(frozen=True, slots=True)
class Work:
    """What a crew of reviewers did. Times in ms of a decision with the next case in hand."""

    reviewers: int
    decisions: int
    seconds: float
    p50: float
    p95: float
    p99: float
    handed_out_twice: int
    acknowledged: frozenset[int]

    @property
    def rate(self) -> float:
        return self.decisions / self.seconds


def work(sessions: list[Session], decisions: int) -> Work:
    """Each session decides its share; a barrier lets all begin at once."""
    share = decisions // len(sessions)
    barrier = threading.Barrier(len(sessions) + 1)
    times: list[list[float]] = [[] for _ in sessions]
    shown: list[list[int]] = [[] for _ in sessions]
    done: list[list[int]] = [[] for _ in sessions]
    faults: list[Exception] = []

    def sit(place: int) -> None:
        session = sessions[place]
        try:
            session.open()
            barrier.wait()
            for _ in range(share):
                if session.current is None:
                    break
                slot = session.current.slot
                shown[place].append(slot)
                times[place].append(session.decide())
                done[place].append(slot)
        except Exception as fault:
            faults.append(fault)
            barrier.abort()

    threads = [threading.Thread(target=sit, args=(place,)) for place in range(len(sessions))]
    for thread in threads:
        thread.start()
    try:
        barrier.wait()
    except threading.BrokenBarrierError:
        raise faults[0] from None
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if faults:
        raise faults[0]
    flat = [one for some in times for one in some]
    cuts = quantiles(flat, n=100, method="inclusive")
    twice = Counter(slot for some in shown for slot in some)
    return Work(
        reviewers=len(sessions),
        decisions=len(flat),
        seconds=seconds,
        p50=cuts[49],
        p95=cuts[94],
        p99=cuts[98],
        handed_out_twice=sum(1 for times_shown in twice.values() if times_shown > 1),
        acknowledged=frozenset(slot for some in done for slot in some),
    )
