"""The owner of a codebook reads cases in a row without touching the mouse; the notes are all there."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from reviews.models import CaseRead, OpenCode
from tests.browser.conftest import sign_in_by_cookie, violations
from tests.factories.reading import Reading

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "owner"])]

NOTES = (
    "Promises a refund without any evidence",
    "Refund promised without evidence for it",
    "Answers in English, the customer wrote German",
    "Without evidence, a refund is promised",
    "Customer wrote German, answers in English",
    "Quotes a document that says nothing of it",
    "Rude to a customer who is upset",
    "The document quoted says nothing of it",
)


@pytest.fixture
def page_of_failures(live_server, transactional_db, page: Page) -> Page:
    reading = Reading()
    for number in range(12):
        reading.decided("reject" if number % 3 else "edit", lane=reading.sampled if number % 2 else reading.escalated)
    sign_in_by_cookie(page, reading.owner, live_server.url)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(live_server.url + reverse("codebook_failures", args=[reading.codebook.slug]))
    return page


def on_screen(page: Page) -> str:
    return page.locator("#coding-title").inner_text()


def press(page: Page, key: str, text: str = "") -> None:
    """Types into whatever has the cursor, presses the key, and waits for the next case."""
    before = on_screen(page)
    page.keyboard.type(text)
    page.keyboard.press(key)
    expect(page.locator("#coding-title")).not_to_have_text(before)
    expect(page.locator("#what")).to_be_focused()


def test_ten_cases_are_coded_by_keyboard_alone_and_then_grouped(page_of_failures: Page):
    page = page_of_failures
    expect(page.locator("#what")).to_be_focused()
    for number, note in enumerate(NOTES, 1):
        press(page, "Enter", note)
        expect(page.locator("#loose .code")).to_have_count(number)
    press(page, "Control+Enter")
    press(page, "Escape")
    assert sorted(OpenCode.objects.values_list("text", flat=True)) == sorted(NOTES)
    assert CaseRead.objects.count() == 9
    page.reload()
    assert violations(page) == []
    page.get_by_role("button", name="Group these").first.click()
    expect(page.get_by_text("went into")).to_be_visible()
    expect(page.locator("table a").first).to_be_visible()
    page.locator("table a").first.click()
    assert violations(page) == []


def test_an_empty_note_says_so_and_the_case_stays(page_of_failures: Page):
    page = page_of_failures
    before = on_screen(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Write what went wrong")
    assert on_screen(page) == before
    press(page, "Enter", "Now I know")
    assert OpenCode.objects.get().text == "Now I know"


def test_ticked_notes_stay_ticked_while_reading_on(page_of_failures: Page):
    page = page_of_failures
    press(page, "Enter", "The first note")
    page.locator("#loose input").check()
    page.locator("#what").click()
    press(page, "Enter", "The second note")
    expect(page.locator("#loose .code")).to_have_count(2)
    expect(page.locator("#loose input:checked")).to_have_count(1)
