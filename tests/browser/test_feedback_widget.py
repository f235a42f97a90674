"""The feedback widget on a page of another origin, under a strict policy: what a visitor does is found in the database.

The page is a shop's, served by a server of its own; hitl knows it by its origin alone.
"""

import re
from collections.abc import Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from hitl.access import tokens
from queues.models import IntakeSettings, Signal, Trace
from tests.browser.conftest import AXE, RULES, hush
from tests.browser.shop import ANSWER, Shop
from tests.factories.hitl import TenantFactory
from tests.factories.traces import TraceFactory, with_partition

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "owner"])]

QUEUE = "Object.keys(localStorage).find((name) => name.includes('queue'))"


@pytest.fixture
def shop(live_server, transactional_db):
    with_partition(timezone.now())
    tenant = TenantFactory(slug="acme")
    shop = Shop(live_server.url)
    IntakeSettings.objects.create(tenant=tenant, origins=[shop.origin])
    shop.token = tokens.issue(tenant=tenant, name="page", scopes=["feedback"])[1]
    TraceFactory(tenant=tenant, external_id="t-1", output=ANSWER)
    yield shop
    shop.server.shutdown()


@pytest.fixture
def visit(page: Page, shop: Shop) -> Iterator[Page]:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.refusals = []
    page.on("console", lambda said: page.refusals.append(said.text) if said.type in ("error", "warning") else None)
    page.goto(shop.origin)
    expect(button(page, "Helpful")).to_be_visible()
    yield page
    hush(page)


def button(page: Page, name: str):
    return page.get_by_role("button", name=name, exact=True).first


def agree(page: Page, *uses: str) -> None:
    """Opens the notice, ticks these uses, and says yes."""
    button(page, "What is kept?").click()
    for use in uses:
        page.get_by_role("checkbox", name=re.compile(use)).check()
    page.get_by_role("button", name="Allow what I ticked" if uses else "Allow all").click()
    page.wait_for_timeout(50)


def sent(page: Page, *types: str) -> list[Signal]:
    """The signals of these types, once they are all in the database."""
    for _ in range(100):
        found = [list(Signal.objects.filter(type=one).order_by("at")) for one in types]
        if all(found):
            return [one for of_type in found for one in of_type]
        page.wait_for_timeout(100)
    raise AssertionError(f"Of {types}, these came: {list(Signal.objects.values_list('type', flat=True))}")


def requests(page: Page) -> list[str]:
    """Those that go to hitl from now on."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/" in request.url else None)
    return asked


def select(page: Page, text: str) -> None:
    page.evaluate(
        """text => {
          const node = document.querySelector("[data-hitl-trace] p").firstChild, at = node.data.indexOf(text);
          getSelection().setBaseAndExtent(node, at, node, at + text.length);
        }""",
        text,
    )


def add_answer(page: Page, **detail: str) -> None:
    page.evaluate("detail => dispatchEvent(new CustomEvent('add-answer', { detail }))", detail)


class TestBeforeThePersonAgreed:
    def test_nothing_is_sent_whatever_they_do(self, visit: Page):
        asked = requests(visit)
        select(visit, ANSWER)
        visit.keyboard.press("Control+c")
        for name in ("Another answer", "This helped", "Copy", "Helpful"):
            button(visit, name).click()
        visit.wait_for_timeout(2500)
        visit.goto("about:blank")
        assert asked == []
        assert Signal.objects.count() == 0

    def test_the_notice_says_what_is_kept_and_nothing_is_ticked(self, visit: Page):
        button(visit, "Not helpful").click()
        for words in ("The shop", "For 30 days", "visitor-7", "your own work", "Change your mind here"):
            expect(visit.get_by_text(words).first).to_be_visible()
        assert visit.get_by_role("checkbox", checked=True).count() == 0
        expect(visit.get_by_role("button", name="Allow nothing")).to_be_visible()

    def test_saying_no_is_kept_and_can_be_changed(self, visit: Page):
        button(visit, "What is kept?").click()
        visit.get_by_role("button", name="Allow nothing").click()
        expect(visit.get_by_text("Nothing is sent")).to_be_visible()
        visit.reload()
        expect(button(visit, "Feedback is off")).to_be_visible()
        button(visit, "Helpful").click()
        visit.get_by_role("button", name="Allow all").click()
        assert [one.value for one in sent(visit, "user_rating")] == [5]


class TestWhoAgreed:
    def test_gives_a_thumb_a_reason_and_a_correction_under_the_consent_they_gave(self, visit: Page):
        button(visit, "Not helpful").click()
        visit.get_by_role("checkbox", name=re.compile("Checking")).check()
        visit.get_by_role("checkbox", name=re.compile("Training")).check()
        visit.get_by_role("button", name="Allow what I ticked").click()
        # What they wanted to say before they were asked is not asked of them again.
        visit.get_by_role("checkbox", name="Made up").check()
        visit.get_by_role("checkbox", name="Too long").check()
        visit.get_by_label("In your own words").press_sequentially("It takes five days.")
        visit.get_by_role("button", name="Send").click()
        expect(visit.get_by_role("status").first).to_have_text("Thank you")
        button(visit, "Correct it").click()
        text = visit.get_by_label("The answer as it should be")
        expect(text).to_have_value(ANSWER)
        expect(visit.get_by_role("button", name="Send")).to_be_disabled()
        text.fill(ANSWER.replace("three", "five"))
        visit.get_by_role("button", name="Send").click()
        found = sent(visit, "user_rating", "user_reason", "user_edit")
        trace = Trace.objects.get()
        assert {(one.trace_id, one.user_key, one.source) for one in found} == {(trace.pk, "visitor-7", "page")}
        assert {(one.may_evaluate, one.may_retrieve, one.may_train) for one in found} == {(True, False, True)}
        rating, made_up, too_long, edit = found
        assert rating.value == 1
        assert (made_up.reason, made_up.text) == ("hallucination", "It takes five days.")
        assert (too_long.reason, too_long.text) == ("too_long", "")
        assert edit.text == ANSWER.replace("three", "five")
        assert edit.difference
        assert (trace.is_negative, trace.is_edited) == (True, True)
        assert visit.refusals == []

    def test_copies_whole_or_in_part(self, visit: Page):
        agree(visit)
        select(visit, ANSWER)
        visit.keyboard.press("Control+c")
        select(visit, "charged twice")
        visit.keyboard.press("Control+c")
        select(visit, ANSWER)
        button(visit, "Copy").click()
        visit.wait_for_timeout(1600)
        assert sorted(one.text for one in sent(visit, "implicit_copy")) == ["", "", "charged twice"]

    def test_changes_a_copy_where_they_pasted_it_and_nothing_around_it_is_taken(self, visit: Page):
        agree(visit)
        select(visit, ANSWER)
        visit.keyboard.press("Control+c")
        reply = visit.locator("#reply")
        reply.fill("Dear Mia, \n")
        reply.press("End")
        reply.press("Control+v")
        expect(reply).to_have_value(re.compile("three days"))
        visit.wait_for_timeout(100)
        reply.evaluate("one => one.value = one.value.replace('three', 'five')")
        reply.blur()
        (one,) = sent(visit, "implicit_copy_edit")
        assert one.text == ANSWER.replace("three", "five")

    def test_writes_around_a_copy_and_that_is_theirs(self, visit: Page):
        agree(visit)
        select(visit, ANSWER)
        visit.keyboard.press("Control+c")
        reply = visit.locator("#reply")
        reply.focus()
        reply.press("Control+v")
        reply.press_sequentially(" My number is 4711.")
        reply.blur()
        button(visit, "This helped").click()
        sent(visit, "implicit_accept", "implicit_copy")
        assert not Signal.objects.filter(type="implicit_copy_edit").exists()

    def test_says_by_what_they_do_how_it_was(self, visit: Page):
        agree(visit)
        button(visit, "This helped").click()
        button(visit, "Another answer").click()
        visit.get_by_label("Ask again").fill("No, I meant November.")
        visit.get_by_label("Ask again").press("Enter")
        accept, again, followup = sent(visit, "implicit_accept", "implicit_regenerate", "implicit_followup")
        assert {accept.trace_id, again.trace_id, followup.trace_id} == {Trace.objects.get().pk}
        assert followup.text == "No, I meant November."

    def test_looks_at_an_answer_and_leaves_one_that_is_still_written(self, visit: Page):
        agree(visit)
        add_answer(visit, trace="t-2", state="streaming")
        visit.wait_for_timeout(2500)
        visit.goto(visit.url + "elsewhere")
        dwell, abandon = sent(visit, "implicit_dwell", "implicit_abandon")
        assert (dwell.trace_ref, abandon.trace_ref) == ("t-1", "t-2")
        assert 1 <= dwell.value <= 10

    def test_gives_feedback_on_answers_that_come_later(self, visit: Page):
        agree(visit)
        add_answer(visit, trace="t-2", state="streaming")
        visit.wait_for_timeout(100)
        assert visit.get_by_role("button", name="Helpful", exact=True).count() == 1
        visit.evaluate("document.querySelector('[data-hitl-trace=t-2]').removeAttribute('data-hitl-state')")
        visit.get_by_role("button", name="Helpful", exact=True).nth(1).click()
        assert [one.trace_ref for one in sent(visit, "user_rating")] == ["t-2"]

    def test_takes_the_thumb_back_within_a_moment_and_only_the_last_counts(self, visit: Page):
        agree(visit)
        button(visit, "Helpful").click()
        button(visit, "Not helpful").click()
        assert [one.value for one in sent(visit, "user_rating")] == [1]

    def test_changes_their_mind_and_nothing_more_is_sent(self, visit: Page):
        agree(visit)
        button(visit, "Helpful").click()
        button(visit, "Feedback settings").click()
        for box in visit.get_by_role("checkbox").all():
            box.uncheck()
        asked = requests(visit)
        visit.get_by_role("button", name="Allow nothing").click()
        button(visit, "This helped").click()
        visit.wait_for_timeout(2500)
        assert asked == []
        assert Signal.objects.count() == 0

    def test_is_offline_for_a_while_and_nothing_is_lost(self, visit: Page):
        agree(visit)
        visit.route("**/api/v1/feedback", lambda route: route.abort())
        button(visit, "Helpful").click()
        visit.wait_for_timeout(2000)
        assert Signal.objects.count() == 0
        visit.unroute("**/api/v1/feedback")
        visit.reload()
        assert [one.value for one in sent(visit, "user_rating")] == [5]

    def test_does_not_hear_the_answer_and_nothing_is_stored_twice(self, visit: Page):
        agree(visit)

        lost = []

        def lose_the_answer(route):
            route.fetch()
            route.abort()
            lost.append(route)

        visit.route("**/api/v1/feedback", lose_the_answer)
        button(visit, "Helpful").click()
        sent(visit, "user_rating")
        while not lost:
            visit.wait_for_timeout(50)
        visit.unroute("**/api/v1/feedback")
        with visit.expect_response("**/api/v1/feedback") as told:
            visit.reload()
        assert told.value.json()["signals"]["duplicates"] >= 1
        assert Signal.objects.filter(type="user_rating").count() == 1
        expect(visit.locator("body")).to_be_visible()
        assert visit.evaluate(f"localStorage[{QUEUE}]") == "[]"

    def test_is_asked_to_wait_and_waits(self, visit: Page, shop: Shop):
        IntakeSettings.objects.update(feedback_per_minute=0)
        agree(visit)
        with visit.expect_response("**/api/v1/feedback") as told:
            button(visit, "Helpful").click()
        assert told.value.status == 429
        more = requests(visit)
        visit.wait_for_timeout(2500)
        assert more == []


class TestTheWidgetItself:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1200, 320])
    def test_has_no_fault_that_axe_knows(self, browser, shop: Shop, scheme, width):
        context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True)
        page = context.new_page()
        page.goto(shop.origin)
        faults = {"closed": found(page)}
        button(page, "Not helpful").click()
        faults["consent"] = found(page)
        page.get_by_role("button", name="Allow all").click()
        faults["reasons"] = found(page)
        button(page, "Correct it").click()
        faults["edit"] = found(page)
        assert [one for state in faults.values() for one in state] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        hush(page)
        context.close()

    def test_works_by_keyboard_and_gives_the_focus_back(self, visit: Page):
        focused = "document.activeElement.shadowRoot?.activeElement?.textContent"
        to(visit, "Not helpful")
        visit.keyboard.press("Enter")
        expect(visit.get_by_role("checkbox", name=re.compile("Checking"))).to_be_focused()
        visit.keyboard.press("Space")
        expect(visit.get_by_role("button", name="Allow what I ticked")).to_be_visible()
        visit.keyboard.press("Escape")
        assert visit.evaluate(focused) == "What is kept?"
        visit.keyboard.press("Enter")
        to(visit, "Allow all")
        visit.keyboard.press("Enter")
        assert visit.evaluate(focused) == "Feedback settings"

    def test_takes_on_none_of_the_pages_rules_and_gives_it_none(self, visit: Page):
        look = "one => { const s = getComputedStyle(one); return [s.letterSpacing, s.textTransform, s.fontSize] }"
        assert button(visit, "Helpful").evaluate(look) == ["normal", "none", "14px"]
        assert visit.evaluate("document.adoptedStyleSheets.length") == 0
        assert visit.refusals == []

    def test_opens_the_notice_by_itself_where_the_page_wants_that(self, page: Page, shop: Shop):
        shop.more = "data-ask"
        page.goto(shop.origin)
        expect(page.get_by_text("Before anything is sent")).to_be_visible()
        page.get_by_role("button", name="Allow nothing").click()
        page.reload()
        expect(button(page, "Feedback is off")).to_be_visible()
        expect(page.get_by_text("Before anything is sent")).to_be_hidden()

    def test_speaks_the_pages_language(self, page: Page, shop: Shop):
        shop.more = """data-texts='{"up": "Hilfreich"}'"""
        page.goto(shop.origin)
        expect(button(page, "Hilfreich")).to_be_visible()


def to(page: Page, name: str) -> None:
    """Presses Tab until the button of this name has the focus."""
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.shadowRoot?.activeElement?.textContent") == name:
            return
    raise AssertionError(f"No Tab leads to {name}")


def found(page: Page) -> list[str]:
    """What axe finds in our part of the page; the rest is made to be ugly."""
    page.evaluate(AXE)
    rules = "rules => axe.run('hitl-feedback', { runOnly: rules })"
    found = page.evaluate(rules, RULES)
    assert found["passes"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found["violations"] for node in one["nodes"]]
