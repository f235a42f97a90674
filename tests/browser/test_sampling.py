"""The sampling page: a plan is filled in, tried and saved, with and without scripts."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from queues import rollups
from queues.models import Queue
from queues.sampling import dropping, plans, running
from tests.browser.conftest import sign_in_by_cookie, violations
from tests.factories.drawing import DriftReportFactory, SamplingPlanFactory
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.jobs import work_off
from tests.factories.queues import QueueFactory, RoutingRuleFactory
from tests.factories.traces import TraceFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "owner"])]

WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
TOPICS = ("refund", "delivery", "invoice", "password", "")


@pytest.fixture
def tenant(transactional_db):
    tenant = TenantFactory(slug="acme", name="Acme")
    RoutingRuleFactory(queue=QueueFactory(name="Billing"))
    now = timezone.now()
    for n in range(120):
        TraceFactory(
            tenant=tenant, at=now - timedelta(hours=1 + n), topic=TOPICS[n % 5], user_key=f"u-{n % 30}",
            is_negative=n % 9 == 0, weight=-1 if n % 9 == 0 else 0, scores={"strict": (n % 10) / 10} if n % 4 else {},
            input="Was I charged twice in October, and when do I get the second payment back to my account?",
        )  # fmt: skip
    return tenant


@pytest.fixture
def lead(tenant):
    return grant(grant(UserFactory(name="Lena Lead"), "lead_tenant", tenant), "lead_queue", Queue.objects.get())


def sampled(tenant):
    """A tenant in the middle of its work: two samples, a report, and something dropped."""
    plan = SamplingPlanFactory(tenant=tenant, budget=20, because="A good one to begin with.")
    now = timezone.now()
    DriftReportFactory(tenant=tenant, topic="refund", release="2026.11.2", score=0.41, wanted=5)
    for until in (now - timedelta(hours=30), now):
        running.keep(sample=running.sample(plan=plan, until=until, now=now), day=None, by=None, now=until)
    dropping.drop_overflow(queue_id=Queue.objects.get().pk, most=3, now=now)
    rollups.count_lanes(now)


def test_a_plan_is_tried_while_one_watches_and_then_saved(page: Page, live_server, tenant, lead):
    sign_in_by_cookie(page, lead, live_server.url)
    page.goto(f"{live_server.url}/tenants/acme/sampling/")
    total = page.locator("[data-total]")
    expect(total).to_have_text("100")
    page.get_by_label("Random").fill("35")
    expect(total).to_have_text("110")
    page.get_by_label("Negative feedback").fill("20")
    expect(total).to_have_text("100")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#trial progress")).to_be_visible()
    work_off()
    expect(page.locator("#trial")).to_contain_text("The first of each")
    assert plans.current(tenant) is None
    page.get_by_label("Why it changes").fill("More by chance at first.")
    page.get_by_role("button", name="Save as revision 1").click()
    expect(page.get_by_text("Saved as revision 1")).to_be_visible()
    assert plans.current(tenant).mix["random"] == 0.35


def test_it_works_without_scripts(browser, live_server, tenant, lead):
    page = browser.new_context(java_script_enabled=False).new_page()
    sign_in_by_cookie(page, lead, live_server.url)
    page.goto(f"{live_server.url}/tenants/acme/sampling/")
    page.get_by_label("Random").fill("35")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("The shares come to 110%, not to 100%.")).to_be_visible()
    page.get_by_label("Negative feedback").fill("20")
    page.get_by_role("button", name="Try it").click()
    work_off()
    page.get_by_role("link", name="Look again").click()
    expect(page.locator("#trial")).to_contain_text("The first of each")
    expect(page.get_by_label("Random")).to_have_value("35")
    page.get_by_label("Why it changes").fill("More by chance at first.")
    page.get_by_role("button", name="Save as revision 1").click()
    expect(page.get_by_text("Saved as revision 1")).to_be_visible()


@pytest.mark.parametrize(("scheme", "size"), [("light", WIDE), ("dark", WIDE), ("light", PHONE)])
def test_it_has_no_fault_that_axe_knows_and_never_scrolls_sideways(browser, live_server, tenant, lead, scheme, size):
    sampled(tenant)
    page = browser.new_context(color_scheme=scheme, viewport=size, reduced_motion="reduce").new_page()
    sign_in_by_cookie(page, lead, live_server.url)
    page.goto(f"{live_server.url}/tenants/acme/sampling/")
    for summary in page.locator("summary").all():
        if summary.is_visible() and summary.locator("xpath=..").get_attribute("open") is None:
            summary.click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
