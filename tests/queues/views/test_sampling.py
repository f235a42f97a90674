from datetime import timedelta

import pytest
from django.utils import timezone

from hitl.models import AuditEvent, Job
from queues import rollups
from queues.models import Case, SamplingPlan, SamplingRun, Slot
from queues.sampling import dropping, mix, plans, running
from queues.sampling.form import SHARES
from queues.sampling.opening import Wanted, open_cases
from tests.factories.drawing import DriftReportFactory, SamplingPlanFactory
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.jobs import work_off
from tests.factories.queues import QueueFactory, RoutingRuleFactory
from tests.factories.traces import TraceFactory

pytestmark = pytest.mark.django_db

URL = "/tenants/acme/sampling/"


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme", name="Acme")


@pytest.fixture
def queue(tenant):
    return RoutingRuleFactory(queue=QueueFactory(name="Billing")).queue


@pytest.fixture
def lead(tenant, queue):
    return grant(grant(UserFactory(name="Lena Lead"), "lead_tenant", tenant), "lead_queue", queue)


@pytest.fixture
def client(sign_in, lead):
    return sign_in(lead)


def filled(client, **change):
    """The form as the page gives it, with a change."""
    page = client.get(URL)
    form = page.context["form"]
    given = {}
    for bound in form:
        value = bound.field.prepare_value(bound.value())
        if value is not None and value is not False:
            given[bound.name] = "on" if value is True else value
    plan = page.context["plan"]
    return given | {"after": plan.revision if plan else 0, "why": "A try."} | change


def traffic(tenant, count=30, **fields):
    return [TraceFactory(tenant=tenant, at=timezone.now() - timedelta(hours=1), **fields) for _ in range(count)]


class TestThePlan:
    def test_where_there_is_none_the_page_says_what_to_do_and_the_form_holds_a_good_one(self, client):
        page = client.get(URL)
        assert "Nothing of the traffic of Acme is looked at yet" in page.content.decode()
        assert {field.name: float(field.value()) for field in page.context["form"].shares} == {
            name: mix.DEFAULT[name] * 100 for name in SHARES
        }

    def test_is_saved_as_a_revision_with_its_reason_on_record(self, client, tenant, lead):
        saved = client.post(URL, filled(client, budget=40, why="We have two reviewers."))
        assert saved.status_code == 302
        plan = plans.current(tenant)
        assert (plan.revision, plan.budget, plan.by, plan.because) == (1, 40, lead, "We have two reviewers.")
        assert AuditEvent.objects.get(action="sampling.changed").actor == lead
        assert "We have two reviewers." in client.get(URL).content.decode()

    def test_the_form_as_it_is_changes_nothing_but_the_revision(self, client, tenant, queue):
        SamplingPlanFactory(tenant=tenant, judge="strict", hour=23, queue=queue)
        before = plans.fields_of(plans.current(tenant))
        client.post(URL, filled(client))
        assert plans.current(tenant).revision == 2
        assert plans.fields_of(plans.current(tenant)) == before

    def test_needs_a_reason(self, client):
        page = client.post(URL, filled(client, why=" "))
        assert page.status_code == 422
        assert "Say in a few words why" in page.content.decode()
        assert not SamplingPlan.objects.exists()

    @pytest.mark.parametrize(
        ("change", "field", "said"),
        [
            ({"random": 35}, None, "The shares come to 110%, not to 100%."),
            ({"random": 5, "stratified": 45}, None, "At least 10% is drawn at random, not 5%"),
            ({"budget": 0}, "budget", "greater than or equal to 1"),
            ({"latency_days": 7}, "latency_days", "At least a day more than the 7 days that are looked back on"),
            ({"width": 0}, "width", "More than 0."),
            ({"negative": "a lot"}, "negative", "Enter a number."),
        ],
    )
    def test_a_fault_is_named_at_its_field_and_nothing_is_saved(self, client, change, field, said):
        page = client.post(URL, filled(client, **change))
        assert page.status_code == 422
        form = page.context["form"]
        assert said in str(form.errors[field] if field else form.non_field_errors())
        assert not SamplingPlan.objects.exists()

    def test_what_was_typed_and_its_total_stand_there_still(self, client):
        page = client.post(URL, filled(client, random=35, why="Because."))
        assert (page.context["form"].total, page.context["why"]) == ("110", "Because.")

    def test_one_saved_in_the_meantime_is_not_overwritten(self, client, tenant):
        given = filled(client)
        SamplingPlanFactory(tenant=tenant)
        page = client.post(URL, given, follow=True)
        assert "Yours is not saved" in page.content.decode()
        assert SamplingPlan.objects.count() == 1

    def test_sends_only_to_queues_that_the_lead_runs(self, client, queue):
        other = QueueFactory(name="Secret plans")
        assert other.name not in client.get(URL).content.decode()
        assert client.post(URL, filled(client, queue=other.pk)).status_code == 422
        assert client.post(URL, filled(client, queue=queue.pk)).status_code == 302

    def test_a_queue_that_somebody_else_chose_keeps_its_name_to_itself(self, client, tenant):
        SamplingPlanFactory(tenant=tenant, queue=QueueFactory(name="Secret plans"))
        page = client.get(URL).content.decode()
        assert "Secret plans" not in page
        assert "a queue that you do not run" in page


class TestATrial:
    def test_shows_what_would_be_picked_and_stores_nothing(self, client, tenant):
        traffic(tenant, 30, input="Where is <b>my</b> parcel?")
        asked = client.post(URL, filled(client, budget=10, **{"try": "1"}))
        job = Job.objects.get()
        assert f"?trial={job.pk}" in asked.content.decode()
        work_off()
        page = client.get(f"{URL}?trial={job.pk}")
        assert page.context["trial"].found["picked"] == 10
        assert page.context["form"]["budget"].value() == 10
        text = page.content.decode()
        assert "Where is &lt;b&gt;my&lt;/b&gt; parcel?" in text
        assert "10 cases, of 30 traces" in text
        assert (SamplingPlan.objects.count(), SamplingRun.objects.count(), Case.objects.count()) == (0, 0, 0)

    def test_htmx_gets_the_fragment_alone(self, client, tenant):
        client.post(URL, filled(client, **{"try": "1"}))
        fragment = client.get(f"{URL}?trial={Job.objects.get().pk}", headers={"HX-Request": "true"})
        assert fragment.content.decode().lstrip().startswith('<section class="panel stack" id="trial"')

    def test_what_was_tried_can_be_saved_from_there(self, client, tenant):
        client.post(URL, filled(client, budget=12, **{"try": "1"}))
        work_off()
        form = client.get(f"{URL}?trial={Job.objects.get().pk}").context["form"]
        assert form["budget"].value() == 12

    def test_somebody_elses_is_not_shown(self, client, tenant, sign_in):
        client.post(URL, filled(client, budget=12, **{"try": "1"}))
        other = sign_in(grant(UserFactory(), "lead_tenant", tenant))
        assert "trial_job" not in other.get(f"{URL}?trial={Job.objects.get().pk}").context

    def test_a_mix_with_a_fault_is_not_tried(self, client):
        assert client.post(URL, filled(client, random=35, **{"try": "1"})).status_code == 422
        assert not Job.objects.exists()


class TestDrawing:
    def test_by_hand_makes_a_sample_and_the_page_tells_of_it(self, client, tenant, queue):
        SamplingPlanFactory(tenant=tenant, budget=10)
        traffic(tenant, 30)
        assert client.post(f"{URL}draw/").status_code == 302
        assert "Waiting for the worker" in client.get(URL).content.decode()
        work_off()
        rollups.count_lanes(timezone.now())
        page = client.get(URL).content.decode()
        assert "10 cases of 30 new traces" in page
        assert "negative feedback found 0 of 3" in " ".join(page.split())
        assert Slot.objects.count() == 10
        assert "by hand, Lena Lead" in page

    def test_without_a_plan_nothing_is_drawn(self, client):
        page = client.post(f"{URL}draw/", follow=True)
        assert "There is no sampling plan yet" in page.content.decode()
        assert not Job.objects.exists()


class TestTheRest:
    def test_reports_queues_and_what_was_dropped(self, client, tenant, queue):
        SamplingPlanFactory(tenant=tenant)
        DriftReportFactory(tenant=tenant, topic="Refund", wanted=7)
        traces = traffic(tenant, 3)
        open_cases(
            [Wanted(one, "negative", {"negative": 1.0}, 1.0) for one in traces], tenant=tenant, now=timezone.now()
        )
        dropping.drop_overflow(queue_id=queue.pk, most=1, now=timezone.now())
        page = " ".join(client.get(URL).content.decode().split())
        assert "Topic Refund" in page
        assert "0 of 7" in page
        assert "Negative feedback: of 3 picked cases, 1 was never looked at" in page
        assert '50 <div class="meta">assumed: 0 decided so far' in page
        assert f"trace:{traces[0].external_id}" in page or f"trace:{traces[1].external_id}" in page

    def test_nobody_else_comes_in(self, sign_in, tenant, queue):
        for user in (
            UserFactory(),
            grant(UserFactory(), "work_in_tenant", tenant),
            grant(UserFactory(), "lead_queue", queue),
        ):
            client = sign_in(user)
            assert client.get(URL).status_code == 404
            assert client.post(f"{URL}draw/").status_code == 404

    def test_it_takes_few_statements_however_much_there_is(self, client, tenant, queue, django_assert_max_num_queries):
        plan = SamplingPlanFactory(tenant=tenant, budget=20)
        for n in range(4):
            traffic(tenant, 20)
            DriftReportFactory(tenant=tenant)
            until = timezone.now() + timedelta(seconds=n)
            running.keep(
                sample=running.sample(plan=plan, until=until, now=until), day=None, by=None, now=timezone.now()
            )
        dropping.drop_overflow(queue_id=queue.pk, most=30, now=timezone.now())
        with django_assert_max_num_queries(26):
            client.get(URL)
