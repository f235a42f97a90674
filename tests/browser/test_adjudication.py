"""The owner goes through the disagreements by keyboard: one key a case, and nothing is said by accident."""

import pytest
from playwright.sync_api import Page, expect

from codebook.models import Adjudication
from tests.browser.conftest import sign_in_by_cookie, violations
from tests.factories.seats import Seats

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "owner"])]


@pytest.fixture
def seats(transactional_db):
    seats = Seats()
    seats.owner_works_here()
    for number in range(3):
        seats.disagree(external_id=f"chat-{number}")
    return seats


@pytest.fixture
def at_work(page: Page, seats, live_server) -> Page:
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in_by_cookie(page, seats.owner, live_server.url)
    page.goto(f"{live_server.url}/codebooks/{seats.codebook.slug}/disagreements/")
    page.get_by_role("link", name="Settle the first").click()
    on_screen(page, "chat-0")
    return page


def words():
    return list(Adjudication.objects.order_by("pk").values_list("label__verdict", flat=True))


def on_screen(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.wait_for_load_state("load")


def test_one_key_sides_with_a_decision_and_the_next_case_is_there(at_work: Page, seats):
    at_work.keyboard.press("1")
    on_screen(at_work, "chat-1")
    at_work.keyboard.press("2")
    on_screen(at_work, "chat-2")
    assert words() == ["reject", "edit"]
    assert Adjudication.objects.first().sided_with.user == seats.people[0]


def test_another_verdict_takes_its_categories_by_digit_and_enter_gives_it(at_work: Page, seats):
    at_work.keyboard.press("r")
    at_work.keyboard.press("3")
    at_work.keyboard.press("4")
    at_work.keyboard.press("4")
    at_work.keyboard.press("Enter")
    on_screen(at_work, "chat-1")
    word = Adjudication.objects.get()
    assert (word.label.verdict, word.sided_with) == ("reject", None)
    assert [given.category.key for given in word.label.given.all()] == ["wrong-source"]


def test_escape_takes_the_other_verdict_back_and_digits_side_again(at_work: Page):
    at_work.keyboard.press("a")
    at_work.keyboard.press("Escape")
    at_work.keyboard.press("1")
    on_screen(at_work, "chat-1")
    assert words() == ["reject"]


def test_an_edit_is_written_and_sent_with_control_and_enter(at_work: Page):
    at_work.keyboard.press("e")
    expect(at_work.locator("#final_answer")).to_be_focused()
    at_work.locator("#final_answer").fill("Two 1s and a 2 in the text side with nobody.")
    at_work.keyboard.press("Control+Enter")
    on_screen(at_work, "chat-1")
    assert words() == ["edit"]


def test_keys_in_a_note_are_letters_and_the_note_goes_along(at_work: Page):
    at_work.keyboard.press("n")
    expect(at_work.locator("#note")).to_be_focused()
    at_work.keyboard.type("1 and 2 are near; r, a, e too.")
    at_work.keyboard.press("Escape")
    at_work.keyboard.press("2")
    on_screen(at_work, "chat-1")
    assert Adjudication.objects.get().note == "1 and 2 are near; r, a, e too."


def test_enter_in_a_box_says_nothing(at_work: Page):
    at_work.locator("[name=category]").first.focus()
    at_work.keyboard.press("Enter")
    at_work.locator("#tell").focus()
    at_work.keyboard.press("Enter")
    at_work.wait_for_timeout(300)
    on_screen(at_work, "chat-0")
    assert words() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_everybody_can_use_it(at_work: Page, scheme, width, tmp_path):
    # Colours that are still on their way from light to dark are nobody's fault.
    at_work.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    at_work.set_viewport_size({"width": width, "height": 900})
    at_work.reload()
    assert violations(at_work) == []
    assert at_work.evaluate("document.documentElement.scrollWidth <= innerWidth")
    at_work.screenshot(path=tmp_path / "screen.png", full_page=True)
