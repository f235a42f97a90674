"""A reviewer in a real browser, signed in, with a queue of cases before them."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from hitl.models import User
from queues.models import Lane, Slot
from tests.factories.codebook import published
from tests.factories.queues import LaneFactory, SlotFactory, reviewer_of

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page as it is now, a line for each fault."""
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(document, { runOnly: rules })", RULES)
    return [f"{one['id']}: {node['html'][:160]}" for one in found["violations"] for node in one["nodes"]]


def hush(page: Page) -> None:
    """Nothing more comes from the page: what it says as it is closed would meet a database that is being emptied."""
    page.context.route("**/api/**", lambda route: route.abort())
    page.wait_for_timeout(300)


@dataclass
class Desk:
    """The lane with its cases, the person at work, and the address of their review screen."""

    lane: Lane
    person: object
    url: str
    slots: list[Slot]


@pytest.fixture
def desk(live_server, transactional_db) -> Desk:
    lane = LaneFactory()
    published(lane.queue)
    slots = [SlotFactory(lane=lane, priority=10 + place) for place in range(4)]
    return Desk(lane=lane, person=reviewer_of(lane), url=f"{live_server.url}/review/", slots=slots)


def sign_in_by_cookie(page: Page, person: User, url: str) -> None:
    client = Client()
    client.force_login(person, backend="hitl.access.sessions.Backend")
    page.context.add_cookies([{"name": "session", "value": client.cookies["session"].value, "url": url}])


def enter(page: Page, desk: Desk) -> Page:
    """Signs the person in, and opens the review screen."""
    sign_in_by_cookie(page, desk.person, desk.url)
    page.goto(desk.url)
    expect(page.locator(".case")).to_be_visible()
    return page


@pytest.fixture
def at_desk(page: Page, desk: Desk) -> Page:
    page.set_viewport_size({"width": 1440, "height": 900})
    return enter(page, desk)
