"""Guarantee 9: nothing that a model wrote runs in a reviewer's browser or calls out of it."""

import pytest
from playwright.sync_api import Page, expect

from queues.models import Case, Slot
from tests.browser.conftest import Desk, desk, enter  # noqa: F401
from tests.factories.queues import CaseFactory, SlotFactory
from tests.guarantees.hostile import PAYLOADS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "owner"])]

A_CASE = 12
LONGEST = 20_000
# What would run or load, were it an element of the page.
ALIVE = """() => {
  const foreign = /^\\s*(javascript|data|vbscript):/i;
  const lives = 'script, iframe, img, object, embed, link, style, base, meta, video, audio, source, template, math';
  return [...document.querySelectorAll('#case *')].filter((one) =>
    one.matches(lives)
    || [...one.attributes].some(({ name, value }) => name.startsWith('on') || name === 'style' || foreign.test(value))
    || (one.matches('a') && !/^(#|[/]codebooks[/])/.test(one.getAttribute('href')))
    || (one.matches('form') && !/^[/]slots[/]/.test(one.getAttribute('action')))
  ).map((one) => one.outerHTML.slice(0, 200));
}"""


def storable(text: str) -> str:
    """As the intake would store it: PostgreSQL takes neither NUL nor half a character."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()[:LONGEST]


def hostile(desk: Desk, texts: list[str]) -> Case:  # noqa: F811
    first = texts[0]
    return CaseFactory(
        tenant=desk.lane.tenant,
        queue=desk.lane.queue,
        external_id=storable(first)[:150] + f" {id(texts)}",
        question=first,
        draft="\n\n".join(texts),
        conversation=[{"role": text[:40], "content": text} for text in texts],
        evidence=[{"document_id": text[:200], "title": text[:200], "quote": text, "score": 0.5} for text in texts],
        tool_results=[{"name": text[:100], "status": text[:40], "output": text} for text in texts[:3]],
        policy=first,
        reason=first,
        topic=first[:100],
        model=first[:100],
    )


def test_no_hostile_text_runs_or_calls_out_on_the_review_screen(page: Page, desk: Desk):  # noqa: F811
    texts = [storable(text) for _, text in PAYLOADS]
    Slot.objects.all().delete()
    for at in range(0, len(texts), A_CASE):
        case = hostile(desk, texts[at : at + A_CASE])
        SlotFactory(lane=desk.lane, case=case, reason=case.reason[:400])
    home = desk.url.removesuffix("/review/")
    foreign: list[str] = []
    dialogs: list[str] = []
    page.on("request", lambda request: request.url.startswith(home) or foreign.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    enter(page, desk)
    seen = 0
    while page.locator("#case > .case").count():
        seen += 1
        slot = page.locator("#case > .case").get_attribute("data-slot")
        assert page.evaluate(ALIVE) == [], slot
        page.locator(".earlier > summary").click()
        page.keyboard.press("a")
        expect(page.locator(f"#case > .case[data-slot='{slot}']")).to_have_count(0)
        expect(page.locator("#status")).to_contain_text(f"{seen} today", timeout=30_000)
    assert seen == -(-len(texts) // A_CASE)
    assert (foreign, dialogs, page.evaluate("window.pwned ?? 0")) == ([], [], 0)
