"""The demo's help desk in a browser: what is said on it is in hitl a moment later."""

import json
import threading
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from hitl.management.demo.help_desk import opening
from hitl.management.demo.help_desk.server import HelpDesk
from queues.models import Signal, Trace
from tests.browser.conftest import hush, violations
from tests.factories.hitl import TenantFactory
from tests.factories.traces import with_partition

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "owner"])]


@pytest.fixture
def desk(live_server, transactional_db, tmp_path):
    TenantFactory(slug="northlight", name="Northlight Energy")
    with_partition(timezone.now())
    beside, _ = opening.open_desk(folder=tmp_path, host="127.0.0.1", port=8000, hitl=live_server.url)
    told = json.loads(Path(beside.command[-1]).read_text())
    server = HelpDesk(told)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield told
    server.shutdown()
    server.server_close()


def came(page: Page, type: str, ref: str) -> Signal:
    for _ in range(100):
        if found := Signal.objects.filter(type=type, trace_ref=ref).first():
            return found
        page.wait_for_timeout(100)
    raise AssertionError(f"No {type} on {ref} came.")


def test_a_visitor_says_what_is_wrong_asks_again_and_it_is_all_here(page: Page, desk):
    faults = []
    page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
    page.goto(desk["origin"])
    page.get_by_role("button", name="Not helpful").nth(1).click()
    page.get_by_role("button", name="Allow all").click()
    page.get_by_role("checkbox", name="Made up").check()
    page.get_by_role("button", name="Send").click()
    wrong = came(page, "user_reason", desk["before"][1]["trace"])
    assert wrong.trace_id == Trace.objects.get(external_id=wrong.trace_ref).pk
    assert wrong.user_key.startswith("w-")

    page.get_by_label("Your question").fill("Until when do you need the reading of my meter?")
    page.get_by_role("button", name="Ask", exact=True).click()
    last = page.locator("[data-hitl-trace]").last
    expect(last).to_have_attribute("data-hitl-state", "streaming")
    page.get_by_role("button", name="Answer again").nth(3).click(timeout=15_000)
    again = last.get_attribute("data-hitl-trace")
    expect(page.locator("[data-hitl-trace]")).to_have_count(5)
    assert came(page, "implicit_regenerate", again).trace_id
    page.get_by_label("Say what you meant").first.fill("I mean the water meter.")
    page.get_by_label("Say what you meant").first.press("Enter")
    assert came(page, "implicit_followup", desk["before"][0]["trace"]).text == "I mean the water meter."
    assert faults == []
    hush(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 320])
def test_the_page_has_no_fault_that_axe_knows(browser, desk, scheme, width):
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True)
    page = context.new_page()
    page.goto(desk["origin"])
    expect(page.get_by_role("button", name="Correct it").first).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
