import pytest

from queues import terms
from queues.models import AssessmentRevision
from queues.triggers import DEFAULTS, AssessmentSettings
from tests.factories.hitl import TenantFactory, UserFactory
from tests.factories.queues import CalendarFactory, QueueFactory, RoutingRuleFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme")


def test_without_a_revision_the_defaults_hold(tenant):
    assert (terms.of(tenant).revision, terms.of(tenant).settings) == (None, DEFAULTS)


def test_the_latest_revision_of_this_tenant_holds(tenant):
    for owner, number, below in [(tenant, 1, 0.2), (tenant, 2, 0.3), (TenantFactory(), 3, 0.9)]:
        settings = AssessmentSettings.from_json({"low_confidence_below": below}).to_json()
        AssessmentRevision.objects.create(tenant=owner, number=number, settings=settings)
    found = terms.of(tenant)
    assert (found.revision, found.settings.low_confidence_below) == (2, 0.3)


def test_only_active_rules_of_active_queues_are_tried(tenant):
    RoutingRuleFactory(name="sleeps", is_active=False)
    RoutingRuleFactory(name="its queue sleeps", queue=QueueFactory(is_active=False))
    awake = RoutingRuleFactory(name="awake", languages=["fr"])
    awake.tenants.add(tenant)
    (rule,) = terms.of(tenant).rules.rules
    assert (rule.name, rule.tenants, rule.queue_id) == ("awake", {"acme"}, awake.queue_id)


def test_a_queues_deadline_comes_with_its_calendar(tenant):
    queue = QueueFactory(sla="business_days", sla_amount=1, calendar=CalendarFactory(time_zone="Europe/Berlin"))
    RoutingRuleFactory(queue=queue)
    found = terms.of(tenant).queues[queue.pk]
    assert (found.sla.words, found.calendar.time_zone) == ("1 working day", "Europe/Berlin")


def test_languages_are_those_that_rules_and_people_here_take(tenant):
    UserFactory(languages=["en", "de-AT"])
    UserFactory(languages=["pl"], is_active=False)
    RoutingRuleFactory(languages=["fr"])
    assert {"en", "de-AT", "fr"} <= terms.of(tenant).languages
    assert "pl" not in terms.of(tenant).languages


def test_reading_them_takes_a_fixed_number_of_statements(tenant, django_assert_max_num_queries):
    for _ in range(5):
        RoutingRuleFactory().tenants.add(tenant)
    with django_assert_max_num_queries(5):
        terms.of(tenant)
