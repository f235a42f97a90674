"""A reviewer clears a queue by keyboard; whatever goes wrong, what they wrote is still there."""

import re
from contextlib import contextmanager

import pytest
from django.contrib.sessions.models import Session
from django.db import connections
from playwright.sync_api import Page, expect

from codebook.models import Label
from queues.models import Slot
from reviews.models import Finding, Review, SavedDraft
from tests.browser.conftest import Desk, enter
from tests.factories.queues import reviewer_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "owner"])]


def painted(page: Page) -> int:
    return int(page.locator("#case > .case").get_attribute("data-slot"))


def changes_from(page: Page, slot: int) -> None:
    expect(page.locator("#case > .case")).not_to_have_attribute("data-slot", str(slot))


def press(page: Page, key: str) -> int:
    """Decides with a key and waits for the next case; returns the slot that was decided."""
    slot = painted(page)
    page.keyboard.press(key)
    changes_from(page, slot)
    return slot


def settled(page: Page, decisions: int) -> None:
    """Waits until the server has confirmed so many decisions."""
    expect(page.locator("#status")).to_contain_text(f"{decisions} today")


@contextmanager
def withheld(privilege: str):
    """The database refuses the app something it needs: an error of the server as real as any."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"revoke {privilege} from hitl_app")
        yield
        cursor.execute(f"grant {privilege} to hitl_app")


def test_a_queue_is_cleared_by_keyboard_alone(at_desk: Page, desk: Desk):
    given = {press(at_desk, key): key for key in "ara"}
    given[painted(at_desk)] = "r"
    at_desk.keyboard.press("r")
    expect(at_desk.get_by_text("Nothing waits for you")).to_be_visible()
    expect(at_desk.get_by_text("You decided 4 cases today")).to_be_visible()
    assert {label.slot_id: label.verdict[0] for label in Label.objects.all()} == given
    assert set(given) == {slot.pk for slot in desk.slots}


def test_the_next_case_is_painted_before_the_server_has_answered(at_desk: Page, desk: Desk):
    at_desk.route("**/decide/*", lambda route: (at_desk.wait_for_timeout(600), route.continue_()))
    first = press(at_desk, "a")
    assert not Label.objects.filter(slot=first).exists()
    settled(at_desk, 1)
    spent = at_desk.evaluate("performance.getEntriesByName('keystroke-to-case').map((one) => one.duration)")
    print(f"\nkeystroke to next case painted: {', '.join(f'{one:.0f} ms' for one in spent)}")


def test_two_quick_decisions_wait_for_each_other_and_both_arrive(at_desk: Page, desk: Desk):
    at_desk.route("**/decide/*", lambda route: (at_desk.wait_for_timeout(300), route.continue_()))
    first = press(at_desk, "a")
    second = press(at_desk, "r")
    settled(at_desk, 2)
    assert list(Label.objects.order_by("pk").values_list("slot", "verdict")) == [(first, "accept"), (second, "reject")]


def test_when_the_first_of_two_quick_decisions_fails_the_second_is_not_made_either(at_desk: Page, desk: Desk):
    at_desk.route("**/decide/*", lambda route: (at_desk.wait_for_timeout(300), route.abort()))
    first = press(at_desk, "a")
    second = painted(at_desk)
    at_desk.keyboard.press("r")
    expect(at_desk.locator("#notices")).to_contain_text("cannot be reached")
    assert painted(at_desk) == first
    at_desk.unroute("**/decide/*")
    assert (press(at_desk, "a"), press(at_desk, "r")) == (first, second)
    settled(at_desk, 2)
    assert list(Label.objects.order_by("pk").values_list("slot", "verdict")) == [(first, "accept"), (second, "reject")]


def test_digits_give_categories_and_findings_travel_with_the_decision(at_desk: Page, desk: Desk):
    at_desk.keyboard.press("2")
    at_desk.keyboard.press("x")
    at_desk.keyboard.press("1")
    at_desk.keyboard.press("f")
    at_desk.keyboard.type("Promises what only billing may promise")
    at_desk.keyboard.press("Escape")
    press(at_desk, "r")
    settled(at_desk, 1)
    label = Label.objects.get()
    assert [given.category.key for given in label.given.all()] == ["unsupported-claim"]
    found = dict(Finding.objects.values_list("kind", "text"))
    assert found == {"incorrect_evidence": "", "new_failure_mode": "Promises what only billing may promise"}
    assert Finding.objects.get(kind="incorrect_evidence").document_id == "ledger-7731"


def test_single_keys_never_decide_inside_a_text_field(at_desk: Page, desk: Desk):
    slot = painted(at_desk)
    at_desk.keyboard.press("n")
    at_desk.keyboard.type("A rare case: 1 2 3, x and u?")
    assert at_desk.locator("[name=note]").input_value() == "A rare case: 1 2 3, x and u?"
    assert painted(at_desk) == slot
    assert at_desk.locator("[name=category]:checked").count() == 0
    assert not at_desk.locator("#keys").evaluate("dialog => dialog.open")
    assert not Label.objects.exists()


def test_a_key_that_is_held_down_decides_one_case(at_desk: Page, desk: Desk):
    slot = painted(at_desk)
    at_desk.keyboard.down("a")
    changes_from(at_desk, slot)
    for _ in range(5):
        at_desk.keyboard.down("a")  # the browser repeats the key
    at_desk.keyboard.up("a")
    settled(at_desk, 1)
    at_desk.wait_for_load_state("networkidle")
    at_desk.wait_for_timeout(500)
    assert Label.objects.count() == 1


def test_an_edit_is_made_in_place_shown_as_a_difference_and_sent_with_ctrl_enter(at_desk: Page, desk: Desk):
    slot = painted(at_desk)
    at_desk.keyboard.press("e")
    at_desk.keyboard.type("Sorry! ")
    expect(at_desk.locator(".diff ins")).to_contain_text("Sorry!")
    at_desk.keyboard.press("Control+Enter")
    changes_from(at_desk, slot)
    settled(at_desk, 1)
    assert Label.objects.get().verdict == "edit"
    assert Review.objects.get().final_answer.startswith("Sorry! You were charged twice.")


def test_an_edit_that_changes_nothing_is_not_sent(at_desk: Page, desk: Desk):
    slot = painted(at_desk)
    at_desk.keyboard.press("e")
    at_desk.keyboard.press("Control+Enter")
    expect(at_desk.locator("#notices")).to_contain_text("still as it was drafted")
    assert painted(at_desk) == slot


def test_when_the_server_cannot_be_reached_case_and_text_come_back_and_can_be_sent_again(at_desk: Page, desk: Desk):
    slot = painted(at_desk)
    at_desk.keyboard.press("3")
    at_desk.keyboard.press("e")
    at_desk.keyboard.type("Sorry! ")
    at_desk.context.set_offline(True)
    at_desk.keyboard.press("Control+Enter")
    expect(at_desk.locator("#notices")).to_contain_text("cannot be reached")
    assert painted(at_desk) == slot
    assert at_desk.locator(".answer").input_value().startswith("Sorry! ")
    assert at_desk.locator("[name=category]:checked").count() == 1
    at_desk.context.set_offline(False)
    at_desk.keyboard.press("Control+Enter")
    changes_from(at_desk, slot)
    settled(at_desk, 1)
    assert Label.objects.get().slot_id == slot


def test_a_case_that_a_colleague_took_is_not_decided_and_its_text_is_kept(at_desk: Page, desk: Desk):
    slot = painted(at_desk)
    at_desk.keyboard.press("e")
    at_desk.keyboard.type("Sorry! ")
    Slot.objects.filter(pk=slot).update(
        holder=desk.person.__class__.objects.exclude(pk=desk.person.pk).first(), lease_token=99
    )
    at_desk.keyboard.press("Control+Enter")
    expect(at_desk.locator("#notices")).to_contain_text("no longer yours")
    assert painted(at_desk) != slot
    assert not Label.objects.exists()
    assert SavedDraft.objects.get(slot=slot).content["final_answer"].startswith("Sorry! ")


def test_half_written_text_is_there_again_after_a_reload_and_in_another_browser(at_desk: Page, desk: Desk, browser):
    at_desk.keyboard.press("n")
    at_desk.keyboard.type("Ask billing")
    expect(at_desk.locator(".saved")).to_have_text("Saved")
    at_desk.reload()
    assert at_desk.locator("[name=note]").input_value() == "Ask billing"
    elsewhere = enter(browser.new_context().new_page(), desk)
    assert elsewhere.locator("[name=note]").input_value() == "Ask billing"
    elsewhere.context.close()


def test_the_last_decision_is_taken_back_and_the_case_is_as_it_was_left(at_desk: Page, desk: Desk):
    at_desk.keyboard.press("1")
    first = press(at_desk, "r")
    settled(at_desk, 1)
    second = painted(at_desk)
    at_desk.keyboard.press("u")
    expect(at_desk.locator("#case > .case")).to_have_attribute("data-slot", str(first))
    assert at_desk.locator("[name=category]:checked").count() == 1
    press(at_desk, "a")
    assert painted(at_desk) == second
    settled(at_desk, 1)
    assert [(one.verdict, one.undone_at is None) for one in Label.objects.order_by("pk")] == [
        ("reject", False),
        ("accept", True),
    ]


def test_a_case_is_deferred_with_a_reason_from_the_keyboard(at_desk: Page, desk: Desk):
    slot = painted(at_desk)
    at_desk.keyboard.press("d")
    at_desk.keyboard.type("Billing answers tomorrow")
    at_desk.keyboard.press("Enter")
    changes_from(at_desk, slot)
    assert Slot.objects.get(pk=slot).state == "deferred"


def test_every_action_shows_its_key(at_desk: Page, desk: Desk):
    at_desk.keyboard.press("?")
    expect(at_desk.locator("#keys")).to_be_visible()
    listed = set("".join(at_desk.locator("#keys kbd").all_inner_texts()))
    on_buttons = {one.get_attribute("data-key") for one in at_desk.locator("#case [data-key]").all()}
    assert {key.upper() for key in on_buttons if key.isalpha()} <= listed


class TestWithoutJavaScript:
    @pytest.fixture
    def plain(self, browser, desk: Desk) -> Page:
        context = browser.new_context(java_script_enabled=False)
        yield enter(context.new_page(), desk)
        context.close()

    def test_a_case_is_accepted_and_the_next_one_is_there(self, plain: Page, desk: Desk):
        first = painted(plain)
        plain.get_by_role("button", name="Accept").click()
        assert painted(plain) != first
        assert Label.objects.get().slot_id == first

    def test_a_case_is_edited_with_category_and_note(self, plain: Page, desk: Desk):
        plain.locator("label.cat").first.click()
        plain.locator("summary", has_text="Note").click()
        plain.locator("[name=note]").fill("Ask billing")
        plain.get_by_text("Edit the answer").click()
        plain.locator(".answer").fill("We are checking it.")
        plain.get_by_role("button", name="Send this answer").click()
        assert Review.objects.get().final_answer == "We are checking it."
        assert Label.objects.get().given.count() == 1
        assert Finding.objects.get().text == "Ask billing"

    def test_what_is_refused_is_on_the_page_again_with_the_reason(self, plain: Page, desk: Desk):
        slot = painted(plain)
        plain.get_by_text("Edit the answer").click()
        plain.locator(".answer").fill("   ")
        plain.get_by_role("button", name="Send this answer").click()
        expect(plain.locator("#notices")).to_contain_text("empty")
        assert painted(plain) == slot

    def test_a_decision_is_taken_back(self, plain: Page, desk: Desk):
        first = painted(plain)
        plain.get_by_role("button", name="Reject").click()
        plain.get_by_role("button", name=re.compile("Undo")).first.click()
        assert painted(plain) == first


class TestWhatTheServerRefuses:
    def test_a_case_on_deck_that_a_colleague_took_is_replaced_by_the_next(self, at_desk: Page, desk: Desk):
        first = painted(at_desk)
        on_deck = Slot.objects.exclude(pk=first).get(state="held")
        Slot.objects.filter(pk=on_deck.pk).update(holder=reviewer_of(desk.lane), lease_token=99)
        at_desk.keyboard.press("a")
        settled(at_desk, 1)
        assert painted(at_desk) not in (first, on_deck.pk)
        assert Label.objects.get().slot_id == first

    def test_who_was_signed_out_meanwhile_loses_nothing(self, at_desk: Page, desk: Desk):
        slot = painted(at_desk)
        at_desk.keyboard.press("n")
        at_desk.keyboard.type("Ask billing")
        at_desk.keyboard.press("Escape")
        Session.objects.all().delete()
        at_desk.keyboard.press("a")
        expect(at_desk.locator("#notices")).to_contain_text("signed out")
        assert painted(at_desk) == slot
        assert at_desk.locator("[name=note]").input_value() == "Ask billing"

    def test_an_error_of_the_server_gives_the_case_back(self, at_desk: Page, desk: Desk):
        slot = painted(at_desk)
        at_desk.keyboard.press("2")
        with withheld("insert on codebook_label"):
            at_desk.keyboard.press("a")
            expect(at_desk.locator("#notices")).to_contain_text("error 500")
        assert painted(at_desk) == slot
        assert at_desk.locator("[name=category]:checked").count() == 1
        press(at_desk, "a")
        settled(at_desk, 1)
        assert Label.objects.get().given.count() == 1
