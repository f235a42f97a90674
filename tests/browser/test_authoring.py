"""The owner types a draft in a real browser: it is kept at once, nothing typed is lost, and axe finds no fault."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from codebook.models import Comment
from codebook.rubric import authoring
from tests.browser.conftest import sign_in_by_cookie, violations
from tests.factories.codebook import CodebookFactory, published

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "owner"])]


@pytest.fixture
def draft(live_server, transactional_db):
    book = CodebookFactory(slug="support")
    published(codebook=book, keys=("tone", "format", "source"))
    draft = authoring.start_draft(codebook=book, by=book.owner)
    Comment.objects.create(version=draft, author=book.owner, text="Why?", created_at=timezone.now())
    return draft


def enter(page: Page, live_server, draft, name="codebook_draft") -> Page:
    sign_in_by_cookie(page, draft.codebook.owner, live_server.url)
    page.goto(f"{live_server.url}{reverse(name, args=['support'])}")
    return page


@pytest.fixture
def editor(page, live_server, draft):
    return enter(page, live_server, draft)


def first(page, part):
    return page.locator(f".card [name={part}]").first


def test_what_is_typed_is_kept_and_said_to_be(editor, draft):
    first(editor, "definition").press_sequentially("Rude.")
    expect(editor.locator(".saved").first).to_have_text(re.compile(r"Saved \d\d:\d\d"))
    assert draft.categories.first().definition == "Rude."
    expect(editor.locator(".missing").first).not_to_contain_text("What it is")


def test_what_is_typed_while_the_server_is_away_is_sent_when_it_is_back(editor, draft):
    editor.context.set_offline(True)
    first(editor, "definition").press_sequentially("Rude.")
    expect(editor.locator(".saved").first).to_have_text("Kept in this tab; not yet on the server")
    editor.context.set_offline(False)
    expect(editor.locator(".saved").first).to_have_text(re.compile("Saved"), timeout=15_000)
    assert draft.categories.first().definition == "Rude."


def test_what_was_typed_and_not_sent_is_there_after_a_reload(editor, draft):
    """The page goes away in the pause before it would have been sent."""
    editor.route("**/categories/**", lambda route: route.abort())
    first(editor, "definition").press_sequentially("Rude.")
    editor.unroute("**/categories/**")
    editor.reload()
    expect(first(editor, "definition")).to_have_value("Rude.")
    expect(editor.locator(".saved").first).to_have_text(re.compile("Saved"))
    assert draft.categories.first().definition == "Rude."


def test_a_refusal_says_why_and_leaves_what_was_typed(editor, draft):
    first(editor, "key").fill("format")
    expect(editor.locator(".saved").first).to_contain_text("“format” is the key of “Format”")
    expect(first(editor, "key")).to_have_value("format")


def test_typing_into_a_version_that_was_published_meanwhile_is_refused_and_left(editor, draft):
    draft.state, draft.published_at, draft.published_by = "published", timezone.now(), draft.codebook.owner
    draft.content_hash = "x"
    draft.save()
    first(editor, "definition").press_sequentially("Late.")
    expect(editor.locator(".saved").first).to_contain_text("published meanwhile")
    expect(first(editor, "definition")).to_have_value("Late.")


def test_a_new_categorys_key_follows_its_title_but_not_over_what_is_typed(editor, draft):
    editor.get_by_role("button", name="Add a category").click()
    card = editor.locator(".card").last
    card.locator("[name=title]").press_sequentially("Too long")
    expect(card.locator("[name=key]")).to_have_value("too-long")
    card.locator("[name=key]").fill("length")
    expect(card.locator(".saved")).to_have_text(re.compile("Saved"))
    card.locator("[name=title]").press_sequentially(" an answer")
    card.locator("[name=title]").blur()
    expect(card.locator(".saved")).to_have_text(re.compile("Saved"))
    expect(card.locator("[name=key]")).to_have_value("length")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_its_pages_have_no_fault(browser, live_server, draft, scheme, width):
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 900}, reduced_motion="reduce"
    )
    page = context.new_page()
    authoring.add_category(version=draft, by=draft.codebook.owner, fields={"title": "Voice"})
    for name in (
        "codebook", "codebook_draft", "codebook_preview", "codebook_publish", "codebook_versions", "codebook_compare",
        "codebook_import", "codebook_settings",
    ):  # fmt: skip
        enter(page, live_server, draft, name)
        assert violations(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    context.close()
