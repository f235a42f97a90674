"""What a reviewer meets has no fault that axe knows, in the light, in the dark, and on a phone."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk, enter, violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "owner"])]

WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(params=[("light", WIDE), ("dark", WIDE), ("light", PHONE)], ids=["light", "dark", "phone"])
def there(request, browser, desk: Desk) -> Page:
    scheme, size = request.param
    context = browser.new_context(color_scheme=scheme, viewport=size, reduced_motion="reduce")
    yield enter(context.new_page(), desk)
    context.close()


def test_the_review_screen_with_all_that_opens_on_it(there: Page):
    assert violations(there) == []
    for key in ("i", "f", "d", "m", "?"):
        there.keyboard.press(key)
        assert violations(there) == [], key
        there.keyboard.press("Escape")
    there.keyboard.press("e")
    there.keyboard.type("Sorry! ")
    expect(there.locator(".diff ins")).to_be_visible()
    assert violations(there) == []


def test_the_pages_around_it(there: Page, desk: Desk):
    for _ in desk.slots:
        slot = there.locator("#case > .case").get_attribute("data-slot")
        there.keyboard.press("r")
        expect(there.locator(f"#case > .case[data-slot='{slot}']")).to_have_count(0)
    expect(there.get_by_text("Nothing waits for you")).to_be_visible()
    assert violations(there) == []
    book = desk.lane.queue.codebook_use.codebook
    for name, args in (("decisions", []), ("decision_amend", [desk.slots[0].pk]), ("codebook", [book.slug])):
        there.goto(desk.url.replace("/review/", reverse(name, args=args)))
        assert violations(there) == [], name


def test_the_page_never_scrolls_sideways_on_a_phone(there: Page):
    assert there.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_common_case_needs_no_scrolling(there: Page):
    if there.viewport_size == PHONE:
        pytest.skip("A phone scrolls.")
    for part in (".why", ".read", ".evidence"):
        assert there.locator(part).evaluate("one => one.scrollHeight <= one.clientHeight"), part
    assert there.evaluate("document.documentElement.scrollHeight <= innerHeight")
