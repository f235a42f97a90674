import re
from datetime import timedelta

import pytest
from django.urls import reverse

from hitl.models import AuditEvent, Job
from queues.models import SamplingPlan, SignalWeights
from queues.sampling import plans
from reviews.traffic import waiting
from tests.factories.hitl import TenantFactory
from tests.factories.queues import lead_of, reviewer_of
from tests.factories.sampling import Sample
from tests.factories.traces import SignalFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def sample():
    return Sample()


@pytest.fixture
def client(sample, sign_in):
    return sign_in(lead_of(sample.bench.lane))


def seen(client, name, sample, period=""):
    answer = client.get(reverse(name, args=[sample.tenant.slug]), {"period": period} if period else {})
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def said(answer):
    return " ".join(str(one) for one in answer.context["messages"])


def enough(sample):
    """Thirty labels of two policies, of which one finds far more, and signals on some."""
    sample.labelled("negative", fails=20, passes=10, chance=1.0, signals=[("implicit_regenerate", {"value": None})])
    sample.labelled("random", fails=1, passes=29, chance=0.05)
    return sample.measure()["30d"]


class TestEveryPage:
    @pytest.mark.parametrize("name", ["estimates", "sampling_yield", "signal_weights"])
    def test_is_for_those_who_run_the_tenant(self, sample, sign_in, name):
        url = reverse(name, args=[sample.tenant.slug])
        assert sign_in(reviewer_of(sample.bench.lane)).get(url).status_code == 404

    @pytest.mark.parametrize("name", ["estimates", "sampling_yield", "signal_weights"])
    def test_says_what_to_do_where_nothing_was_measured_or_sampled(self, client, sample, name):
        assert "Measure now" in seen(client, name, sample)
        sample.measure()
        assert "sampled" in seen(client, name, sample)

    @pytest.mark.parametrize("name", ["estimates", "sampling_yield", "signal_weights"])
    def test_takes_as_many_statements_with_many_as_with_few(self, client, sample, name, django_assert_max_num_queries):
        for times in (1, 20):
            sample.labelled("random", fails=times, passes=times, signals=[("implicit_copy", {"value": None})])
            for number in range(times):
                sample.drawn("negative", "reject", topic=f"topic {number}", release=f"r{number}")
            sample.measure()
            with django_assert_max_num_queries(14):
                seen(client, name, sample)

    def test_measuring_is_one_job_on_record_whoever_asks(self, client, sample, sign_in):
        url = reverse("traffic_measure", args=[sample.tenant.slug])
        assert client.post(url, {"page": "signal_weights"}).url == reverse("signal_weights", args=[sample.tenant.slug])
        sign_in(lead_of(sample.bench.lane)).post(url, {"page": "//elsewhere"})
        assert Job.objects.filter(kind=f"traffic:{sample.tenant.pk}").count() == 1
        assert AuditEvent.objects.filter(action="traffic.measured", tenant_id=sample.tenant.pk).count() == 1

    def test_the_period_is_chosen(self, client, sample):
        enough(sample)
        assert "Last 7 days" in seen(client, "estimates", sample, "7d")
        assert seen(client, "estimates", sample, "nonsense") == seen(client, "estimates", sample, "30d")


class TestEstimates:
    def test_the_rate_stands_with_its_interval_its_labels_and_the_random_draw_beside_it(self, client, sample):
        enough(sample)
        page = seen(client, "estimates", sample)
        # 20 of 30 for certain, and 1 of 30 that stand for 20 each.
        assert "6.3% of all answers fail" in page
        assert "60 labels, telling as much as" in page
        assert "3.3% by the random draw alone" in page
        assert "of 30 labels" in page
        assert "21 of 60 found a failure: that says where the sampler looks" in page
        assert "Labels of Support answers: version 1." in page

    def test_what_thinned_it_is_said(self, client, sample):
        sample.labelled("random", fails=2, passes=8, chance=0.5)
        for _ in range(3):
            sample.drawn("negative", chance=1.0, dropped=True)
        sample.drawn("random", chance=0.5)
        sample.drawn("by_hand", "reject", chance=None)
        sample.measure()
        page = seen(client, "estimates", sample)
        assert "3 were dropped unread. Negative feedback: of 3 picked cases, 3 were never looked at (3 as" in page
        assert "If all that nobody knows of passed," in page
        assert "1 wait to be read" in page
        assert "1 that a lead sent by hand is left out" in page

    def test_too_few_labels_say_how_many_are_missing(self, client, sample):
        sample.labelled("random", fails=1, passes=2)
        sample.measure()
        assert "7 labels too few to say anything." in seen(client, "estimates", sample)

    def test_hostile_names_are_shown_as_they_are(self, client, sample):
        sample.labelled("random", fails=1, passes=9, topic="<script>alert(1)</script>")
        sample.measure()
        answer = client.get(reverse("estimates", args=[sample.tenant.slug]))
        assert "<script>alert" not in answer.text
        assert "&lt;script&gt;alert(1)" in answer.text


class TestTheMix:
    def test_what_each_policy_found_costs_and_could_have(self, client, sample):
        enough(sample)
        page = seen(client, "sampling_yield", sample)
        assert "Negative feedback 66.7%" in page
        assert "1.5 1.2 to 2" in page
        assert "30% 40%" in page
        assert "It picked nothing in this time" in page
        assert "Take this mix" in page

    def test_a_lead_takes_it_and_it_is_on_record_with_the_figures(self, client, sample):
        report = enough(sample)
        sample.plan()
        url = reverse("sampling_yield_take", args=[sample.tenant.slug])
        answer = client.post(url, {"report": report.pk, "revision": 1}, follow=True)
        assert "The next sample is drawn by this mix" in said(answer)
        plan = plans.current(sample.tenant)
        assert (plan.revision, plan.mix["negative"], plan.mix["random"]) == (2, 0.4, 0.15)
        assert plan.because.startswith("By what the labels found")
        assert plan.measured["policies"]["negative"]["found"]["failures"] == 20
        event = AuditEvent.objects.filter(action="sampling.changed").order_by("-id").first()
        assert event.detail["revision"] == 2

    def test_a_plan_that_was_changed_in_the_meantime_stays(self, client, sample):
        report = enough(sample)
        sample.plan()
        url = reverse("sampling_yield_take", args=[sample.tenant.slug])
        answer = client.post(url, {"report": report.pk, "revision": 0}, follow=True)
        assert "changed in the meantime. Nothing was saved" in said(answer)
        assert SamplingPlan.objects.filter(tenant=sample.tenant).count() == 1

    def test_without_a_proposal_there_is_nothing_to_take(self, client, sample):
        sample.labelled("random", fails=1, passes=2)
        report = sample.measure()["30d"]
        page = seen(client, "sampling_yield", sample)
        assert "Take this mix" not in page
        assert "Missing labels, of 30 each" in page
        url = reverse("sampling_yield_take", args=[sample.tenant.slug])
        client.post(url, {"report": report.pk, "revision": 0})
        assert not SamplingPlan.objects.filter(tenant=sample.tenant).exists()

    def test_a_report_of_another_tenant_is_not_there(self, client, sample):
        other = Sample()
        report = enough(other)
        for name in ("sampling_yield_take", "signal_weights_take"):
            url = reverse(name, args=[sample.tenant.slug])
            assert client.post(url, {"report": report.pk, "revision": 0}).status_code == 404
            assert client.post(url, {"report": "x" * 40, "revision": "²"}).status_code == 404


class TestSignals:
    def test_each_stands_with_its_precision_its_weight_and_a_proposal(self, client, sample):
        enough(sample)
        page = seen(client, "signal_weights", sample)
        assert "Of all traffic 6.3% fails" in page
        assert "Asked for another answer 30 30 of 30 66.7%" in page
        assert "67% of its traces fail, 6% of all traffic." in page
        assert "Never came in this time, and stay as they are: thumbs down" in page

    def test_a_lead_takes_one_or_all_and_the_traces_are_weighed_anew(self, client, sample):
        report = enough(sample)
        url = reverse("signal_weights_take", args=[sample.tenant.slug])
        answer = client.post(url, {"report": report.pk, "revision": 0, "kind": "implicit_copy"}, follow=True)
        assert "Nothing of this is proposed any more" in said(answer)
        sample.labelled("random", fails=12, passes=3, chance=1.0, signals=[("implicit_copy", {"value": None})])
        report = sample.measure()["30d"]
        client.post(url, {"report": report.pk, "revision": 0, "kind": "implicit_copy", "because": "Copied in anger"})
        first = SignalWeights.objects.get(tenant=sample.tenant)
        assert (first.revision, list(first.weights), first.because) == (1, ["implicit_copy"], "Copied in anger")
        assert first.weights["implicit_copy"] < 0
        assert first.measured["signals"]["implicit_copy"]["labels"] == 15
        event = AuditEvent.objects.get(action="signals.weighed")
        assert event.detail["weights"] == first.weights
        assert Job.objects.filter(kind=f"reweigh:{sample.tenant.pk}").count() == 1

    def test_who_comes_second_is_told(self, client, sample):
        sample.labelled("random", fails=12, passes=3, chance=1.0, signals=[("implicit_copy", {"value": None})])
        sample.labelled("random", fails=1, passes=29, chance=1.0)
        report = sample.measure()["30d"]
        url = reverse("signal_weights_take", args=[sample.tenant.slug])
        for _ in range(2):
            answer = client.post(url, {"report": report.pk, "revision": 7}, follow=True)
        assert "The weights were changed in the meantime" in said(answer)
        assert not SignalWeights.objects.filter(tenant=sample.tenant).exists()

    def test_signals_that_wait_for_their_trace_are_counted_by_age(self, client, sample):
        SignalFactory(tenant=sample.tenant)
        SignalFactory(tenant=sample.tenant)
        SignalFactory(tenant=TenantFactory())
        assert "Signals wait for their trace: 2 came less than an hour ago." in seen(client, "signal_weights", sample)

    def test_where_they_are_too_many_to_count_at_once_the_measured_ones_are_told(self, client, sample, monkeypatch):
        monkeypatch.setattr(waiting, "COUNTED", 1)
        for hours in (0, 2, 30):
            SignalFactory(tenant=sample.tenant, received_at=sample.now - timedelta(hours=hours))
        assert "More than a thousand signals wait" in seen(client, "signal_weights", sample)
        sample.measure()
        page = seen(client, "signal_weights", sample)
        assert "When this was measured, signals waited for their trace: 1 came less than an hour ago, 1 came" in page
