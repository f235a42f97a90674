"""Guarantee 9: nothing that a model wrote runs in a reviewer's browser or calls out of it.

Each of the hostile texts stands in every place that shows other people's words, in a real browser under the real CSP.
Each place is laid open, and each element in it touched, as a curious reviewer would. Then is counted what happened.
"""

import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from django.db import transaction
from django.utils import timezone
from django.utils.safestring import mark_safe
from playwright.sync_api import Page, expect

from codebook.models import Category, Comment, Disagreement
from codebook.rubric import authoring
from hitl.audit import log
from queues.intake import uploads
from queues.models import ConsentWithdrawal, Slot
from reviews import coding, reading
from reviews.models import Finding, Review
from tests.browser.conftest import Desk, enter, sign_in_by_cookie
from tests.factories.codebook import CodebookFactory, published
from tests.factories.intake import sent
from tests.factories.queues import CaseFactory, LaneFactory, QueueFactory, SlotFactory, lead_of
from tests.factories.seats import Seats
from tests.factories.traces import ComplaintFactory, SignalFactory, TraceFactory
from tests.guarantees.hostile import PAYLOADS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "owner"])]

EACH = 48
# What a text of any length does to a page is measured elsewhere (tests/hitl/test_rendering.py).
LONG = 800
PATIENCE = 60_000

REPORT = """
document.addEventListener("securitypolicyviolation", (one) => console.error(
    `CSP: ${one.violatedDirective} ${one.blockedURI} ${one.sample}`));
"""
TOUCH = """
() => {
  for (const one of document.querySelectorAll("details")) one.open = true;
  const foreign = ".draft *, .question *, .earlier *, .doc .text *, .doc h3, .tool *, blockquote *, .rich *, .prose *, "
    + ".panel *, .diff *, td *, th *, dd *, .reason *";
  for (const one of document.querySelectorAll(foreign)) {
    if (one.closest("form, label, nav") || one.matches("button, input, textarea, summary, a[href^='/']")) continue;
    for (const kind of ["mouseover", "pointerenter", "focus", "wheel", "click"]) {
      one.dispatchEvent(new Event(kind, { bubbles: true, cancelable: true }));
    }
  }
}
"""
# What no text may bring along: our own pages have none of it.
FOREIGN = """
() => [...document.querySelectorAll("*"), ...[...document.querySelectorAll("template")].flatMap(
    (one) => [...one.content.querySelectorAll("*")])].filter((one) =>
  one.matches("iframe, frame, object, embed, applet, base, img, video, audio, math, portal, style, foreignObject, "
    + "meta[http-equiv], svg:not(.meter), script:not([src^='/static/']), link:not([href^='/']), [style], "
    + "[href^='javascript' i], form:not([action^='/']):not([action='']):not(:not([action])), [ping], [accesskey], "
    + "[formaction]:not([formaction^='/']), [contenteditable], [hx-get]:not([hx-get^='/'], [hx-get^='?'])")
  || one.getAttributeNames().some((name) => name.startsWith("on") || name.startsWith("hx-on"))
).map((one) => one.outerHTML.slice(0, 200))
"""


def storable(text: str) -> str:
    """As PostgreSQL can hold it: the doors take out what it cannot."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:LONG]


TEXTS = [storable(text) for _, text in PAYLOADS]


@dataclass
class Watched:
    """A page, and all that happened in it and should not have."""

    page: Page
    origin: str
    happened: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    went: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(REPORT)
        self.page.on("dialog", lambda dialog: (self.happened.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on("popup", lambda popup: self.happened.append(f"popup: {popup.url}"))
        self.page.on("download", lambda file: self.happened.append(f"download: {file.url}"))
        self.page.on("pageerror", lambda error: self.happened.append(f"error: {error}"))
        self.page.context.on("request", self.asked)
        self.page.on("console", self.told)
        self.page.on("framenavigated", lambda frame: self.went.append(urlsplit(frame.url).path))

    def asked(self, request) -> None:
        if not request.url.startswith(f"{self.origin}/"):
            self.happened.append(f"request: {request.url}")

    def told(self, message) -> None:
        if "CSP" in message.text or "Content Security Policy" in message.text:
            self.happened.append(message.text)

    def goes(self, path: str) -> None:
        answer = self.page.goto(f"{self.origin}{path}")
        assert answer.ok, f"{path} was answered {answer.status}"
        self.expected.append(urlsplit(path).path)
        self.look()

    def look(self) -> None:
        """Touches everything that stands there."""
        self.page.evaluate(TOUCH)
        self.page.wait_for_timeout(50)
        self.happened += self.page.evaluate(FOREIGN)
        if ran := self.page.evaluate("window.pwned"):
            self.happened.append(f"ran {ran} times on {self.page.url}")
        assert self.happened == []
        assert self.went == self.expected


@dataclass
class World:
    desk: Desk
    cases: list
    answers: list[str]
    upload: str


@pytest.fixture
def world(live_server, transactional_db) -> World:
    words = iter([text[:78] or "x" for text in TEXTS if text.startswith("<") and len(text) < 78])
    lane = LaneFactory(queue=QueueFactory(name=next(words), description=TEXTS[0], shows_judge=True))
    lane.tenant.name = next(words)
    lane.tenant.save()
    published(lane.queue, codebook=CodebookFactory(title=next(words)), keys=(next(words)[:40], "tone"))
    lead = lead_of(lane, name=next(words))
    parts = [TEXTS[start : start + EACH] for start in range(0, len(TEXTS), EACH)]
    cases = [case_of(lane, number, part) for number, part in enumerate(parts)]
    slots = [SlotFactory(lane=lane, case=case, reason=case.reason[:500]) for case in cases]
    with transaction.atomic():
        log.append_all(
            log.Entry("case.seen", text[:200], actor_name=text[:100], tenant_id=lane.tenant_id, detail={text: [text]})
            for text in TEXTS
        )
    desk = Desk(lane=lane, person=lead, url=f"{live_server.url}/review/", slots=slots)
    answers = ["\n\n".join(reversed(part)) for part in parts]
    return World(desk, cases, answers, upload_of(lane.tenant, lead))


def case_of(lane, number: int, part: list[str]):
    """A case in which each of the texts stands by itself in each list, and all of them together in each long text."""
    together = "\n\n".join(part)
    first, second, third, *_ = [text for text in part if text] * 3
    return CaseFactory(
        tenant=lane.tenant, queue=lane.queue, external_id=f"{number} {first}"[:200], question=together, draft=together,
        domain=first[:80], topic=second[:120], model=third[:120], prompt_version=second[:120], release=first[:120],
        trace_id=second[:200], user_key=first[:80], language=first[:35], policy=together, reason=together,
        conversation=[{"role": text[:40], "content": text} for text in part],
        evidence=[{"document_id": text[:500], "title": text[:500], "quote": text, "score": 0.5} for text in part],
        tool_results=[{"name": text, "status": text[:40], "output": {text: [text]}} for text in part],
        assessment={
            "reason": together, "outcome": "human", "risk": 3, "revision": None,
            "triggers": [{"key": "high_stakes", "because": text} for text in part],
            "sent": {"judges": [{"name": first, "verdict": second, "score": 0.5}], "metadata": {first: second}},
        },
        due_because=first[:200],
    )  # fmt: skip


def upload_of(tenant, lead) -> str:
    """A file of cases as its preview shows them, taken and refused; where it is shown."""
    content = json.dumps(sent()).encode()
    upload = uploads.bring(tenant=tenant, by=lead, name="cases.jsonl", content=content, now=timezone.now())
    upload.name = TEXTS[0][:200]
    row = upload.preview["rows"][0]
    upload.preview["rows"] = [dict.fromkeys(row, text) for text in TEXTS]
    upload.problems = [{"row": n, "case_id": text, "error": text} for n, text in enumerate(TEXTS)]
    upload.save()
    return f"/tenants/{tenant.slug}/uploads/{upload.pk}/"


@pytest.fixture
def watched(page: Page, world: World) -> Watched:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.set_default_timeout(PATIENCE)
    watching = Watched(page, world.desk.url.removesuffix("/review/"))
    enter(page, world.desk)
    watching.expected.append("/review/")
    return watching


def test_nothing_runs_calls_out_or_leads_away_on_the_review_screen(watched: Watched, world: World):
    """Every case is shown three ways: painted ahead out of a template, loaded, and edited with its difference drawn."""
    page = watched.page
    for decided, answer in enumerate(world.answers, 1):
        watched.look()
        watched.goes("/review/")
        page.locator(".case .answer").fill(answer)
        expect(page.locator(".case .diff ins").first).to_be_attached(timeout=PATIENCE)
        watched.look()
        slot = page.locator("#case > .case").get_attribute("data-slot")
        page.locator(".case .answer").press("Control+Enter")
        expect(page.locator(f'#case > .case[data-slot="{slot}"]')).to_have_count(0, timeout=PATIENCE)
        expect(page.locator("#status")).to_contain_text(f"{decided} today", timeout=PATIENCE)
    expect(page.get_by_text("Nothing waits for you")).to_be_visible(timeout=PATIENCE)
    watched.expected.append("/review/")  # The page asks again by itself when nothing is left.
    assert not Slot.objects.exclude(state="decided").exists()
    watched.goes("/decisions/")
    for slot in world.desk.slots[::4]:
        watched.goes(f"/decisions/{slot.pk}/")


def test_nothing_runs_calls_out_or_leads_away_on_a_leads_screens(watched: Watched, world: World):
    watched.look()
    lane = world.desk.lane
    for path in ("/", "/audit/", "/queues/", "/decisions/", world.upload):
        watched.goes(path)
    watched.goes(f"/tenants/{lane.tenant.slug}/uploads/")
    watched.goes(f"/queues/{lane.queue.slug}/")
    watched.goes(f"/codebooks/{lane.queue.codebook_use.codebook.slug}/")
    for case in world.cases:
        watched.goes(f"/cases/{case.pk}/")


@pytest.fixture
def owners(page: Page, live_server, transactional_db) -> tuple[Watched, list[str]]:
    """The screens of a codebook's owner, with a case that two decided differently, notes on it, and a draft."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.set_default_timeout(PATIENCE)
    seats = Seats()
    owner = seats.owner_works_here()
    together = "\n\n".join(TEXTS)
    seats.case = case_of(seats.lane, 1, TEXTS)
    SlotFactory(lane=seats.lane, case=seats.case)
    seats.decide(1, "reject", "tone")
    seats.decide(2, "edit", "hallucination")
    Review.objects.update(final_answer=together)
    for review in Review.objects.all():
        Finding.objects.bulk_create(Finding(review=review, kind="note", text=text or "x") for text in TEXTS)
    for text in TEXTS:
        coding.write_code(
            codebook=seats.codebook, case=seats.case, text=text.strip() or "x", by=owner, now=timezone.now()
        )
    draft = authoring.start_draft(codebook=seats.codebook, by=owner)
    for category, text in zip(draft.categories.all(), TEXTS, strict=False):
        Category.objects.filter(pk=category.pk).update(title=text[:80] or "x", definition=together, edge_case=together)
    Comment.objects.create(version=draft, author=seats.people[0], text=together, created_at=timezone.now())
    watching = Watched(page, live_server.url)
    sign_in_by_cookie(page, owner, live_server.url)
    at = f"/codebooks/{seats.codebook.slug}/"
    parts = ["", "draft/", "draft/preview/", "draft/publish/", "failures/", "alignment/", "batches/", "disagreements/"]
    parts.append(f"disagreements/{Disagreement.objects.get().pk}/")
    return watching, [at + part for part in parts]


def test_nothing_runs_calls_out_or_leads_away_on_an_owners_screens(owners):
    watching, paths = owners
    for path in paths:
        watching.goes(path)


@pytest.fixture
def traffic(page: Page, live_server, transactional_db) -> tuple[Watched, list[str]]:
    """The pages of a tenant's traffic: traces with signals of every kind, complaints, and what users allow."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.set_default_timeout(PATIENCE)
    lane = LaneFactory()
    lead, tenant = lead_of(lane), lane.tenant
    parts = [TEXTS[start : start + EACH] for start in range(0, len(TEXTS), EACH)]
    traces = [trace_of(tenant, number, part) for number, part in enumerate(parts)]
    for text in TEXTS:
        SignalFactory(trace=traces[0], type="user_reason", reason="other", value=None, text=text, source=text[:20])
        SignalFactory(tenant=tenant, trace_ref=text[:200] or "x", source=text[:20])
        ConsentWithdrawal.objects.create(tenant=tenant, user_key=text[:80], at=timezone.now(), source=text[:120])
    SignalFactory(trace=traces[0], type="user_edit", value=1, text="\n\n".join(reversed(parts[0])))
    together, short = "\n\n".join(parts[0]), [text[:60] for text in parts[0]]
    complaint = ComplaintFactory(
        tenant=tenant,
        text=together,
        channel=short[0][:40],
        user_key=traces[0].user_key,
        external_id=short[1],
        tags=short,
    )
    done = {"state": "dismissed", "settled_at": timezone.now(), "settled_by": lead}
    settled = ComplaintFactory(tenant=tenant, text=together, because=together[:500], **done)
    watching = Watched(page, live_server.url)
    sign_in_by_cookie(page, lead, live_server.url)
    at = f"/tenants/{tenant.slug}/"
    pages = [
        "traces/",
        "traces/?order=time",
        "traces/waiting/",
        *(f"traces/{trace.pk}/" for trace in traces),
        "consent/",
    ]
    told = ["", "?state=settled", f"{complaint.pk}/", f"{complaint.pk}/?words=script", f"{settled.pk}/"]
    return watching, [*(at + one for one in pages), *(f"{at}complaints/{one}" for one in told)]


def trace_of(tenant, number: int, part: list[str]):
    """A trace in which each of the texts stands by itself in each list, and all of them together in each long text."""
    together = "\n\n".join(part)
    first, second, third, *_ = [text for text in part if text] * 3
    return TraceFactory(
        tenant=tenant, external_id=f"{number} {first}"[:200], input=together, output=together, topic=first[:120],
        domain=second[:80], language=first[:35], user_key=third[:80] or "u", session=first[:200], model=third[:120],
        prompt_version=second[:120], release=first[:120], signals=1, is_negative=True, weight=-1,
        conversation=[{"role": text[:40], "content": text} for text in part],
        documents=[{"document_id": text[:500], "title": text[:500], "quote": text, "score": 0.5} for text in part],
        tools=[{"name": text, "status": text[:40], "output": {text: [text]}} for text in part],
        scores=dict.fromkeys(part, 0.5), metadata={text: text for text in part},
    )  # fmt: skip


def test_nothing_runs_calls_out_or_leads_away_on_the_pages_of_the_traffic(traffic):
    watching, paths = traffic
    for path in paths:
        watching.goes(path)


def test_what_is_counted_here_would_be_noticed(watched: Watched, world: World, monkeypatch):
    """The same watch over a screen that believes what it shows: the policy of the browser stops the scripts, and says
    so, and what was slipped into the page is found in it.
    """
    monkeypatch.setattr(reading, "rich", lambda text: mark_safe(text))
    with pytest.raises(AssertionError, match="Content Security Policy"):
        watched.goes("/review/")
    assert watched.page.evaluate(FOREIGN)
