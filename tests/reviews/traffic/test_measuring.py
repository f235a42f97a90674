from datetime import timedelta

import pytest
from django.utils import timezone

from codebook.models import CategoryLink
from hitl.jobs import progress as jobs
from hitl.models import AuditEvent, Job, Message
from queues.models import TopicDwell
from queues.quarters import quarter_of
from reviews.models import TrafficReport
from reviews.traffic import reports
from tests.factories.codebook import published
from tests.factories.queues import lead_of
from tests.factories.sampling import Sample
from tests.factories.traces import SignalFactory, TraceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def sample():
    return Sample()


def result(sample, period="30d"):
    return sample.measure()[period].result


class TestTheRate:
    def test_each_label_counts_for_the_traces_it_stands_for(self, sample):
        sample.labelled("negative", fails=6, passes=4, chance=1)
        sample.labelled("random", fails=1, passes=9, chance=0.1)
        sample.traffic(3)
        whole = result(sample)["estimates"]["whole"]
        assert whole["rate"]["value"] == pytest.approx((6 + 10) / 110, abs=1e-6)
        assert whole["rate"]["stands_for"] == pytest.approx(110)
        assert whole["traffic"] == 23
        assert (whole["at_random"]["value"], whole["at_random"]["labels"]) == (0.1, 10)

    def test_what_chance_drew_is_in_the_random_sample_though_another_policy_came_first(self, sample):
        sample.drawn("negative", "reject", chance=1, policies={"negative": 1.0, "random": 0.5})
        sample.labelled("random", fails=0, passes=9, chance=0.5)
        kept = result(sample)["estimates"]["whole"]
        assert (kept["at_random"]["value"], kept["at_random"]["labels"]) == (0.1, 10)
        assert kept["rate"]["value"] == pytest.approx(1 / 19, abs=1e-6)

    def test_what_a_lead_sent_counts_nowhere(self, sample):
        sample.labelled("random", fails=2, passes=8)
        before = result(sample)
        sample.drawn("by_hand", "reject", chance=None, signals=[("implicit_copy", {"value": None})])
        after = result(sample)
        assert (before["by_hand"], after["by_hand"]) == (0, 1)
        assert after["estimates"]["whole"]["rate"] == before["estimates"]["whole"]["rate"]
        assert after["policies"] == before["policies"]
        assert after["signals"]["implicit_copy"]["precision"]["labels"] == 0

    def test_dropped_and_waiting_ones_are_told_apart(self, sample):
        sample.labelled("negative", fails=6, passes=4, chance=0.5)
        sample.drawn("negative", chance=0.5, dropped=True)
        sample.drawn("random", chance=0.5)
        kept = result(sample)["estimates"]["whole"]["rate"]
        assert (kept["dropped"], kept["waiting"], kept["drawn"]) == (1, 1, 12)
        assert kept["at_most"] - kept["at_least"] == pytest.approx(2 / 12, abs=1e-6)

    def test_by_topic_release_and_prompt_version_those_with_most_traffic_first(self, sample):
        sample.labelled("random", fails=1, passes=9, topic="refund", release="r1")
        sample.labelled("random", fails=5, passes=5, topic="late parcel", release="r1")
        sample.traffic(15, topic="late parcel", release="r1")
        kept = result(sample)["estimates"]
        assert [(one["name"], one["traffic"], one["rate"]["value"]) for one in kept["topic"]] == [
            ("late parcel", 25, 0.5), ("refund", 10, 0.1),
        ]  # fmt: skip
        assert [(one["name"], one["rate"]["value"]) for one in kept["release"]] == [("r1", 0.3)]
        assert kept["prompt_version"][0]["rate"]["labels"] == 20

    def test_only_traces_of_the_period_and_the_tenant(self, sample):
        sample.labelled("random", fails=1, passes=9)
        sample.labelled("random", fails=4, passes=0, at=sample.now - timedelta(days=45))
        Sample().labelled("random", fails=9, passes=0)
        reports = sample.measure()
        assert reports["30d"].result["estimates"]["whole"]["rate"]["labels"] == 10
        assert reports["90d"].result["estimates"]["whole"]["rate"]["failures"] == 5

    def test_an_answer_fails_by_rejection_or_category_and_says_nothing_in_quarantine(self, sample):
        old = sample.bench.version
        for verdict, keys in (("edit", ["tone"]), ("edit", []), ("accept", []), ("reject", ["tone"])):
            sample.drawn("random", verdict, *keys)
        kept = result(sample)
        assert (kept["estimates"]["whole"]["rate"]["failures"], kept["versions"]) == (2, ["Support answers: version 1"])
        new = published(codebook=sample.bench.codebook, keys=("tone", "source"))
        ids = {version.pk: {one.key: one for one in version.categories.all()} for version in (old, new)}
        CategoryLink.objects.all().delete()
        CategoryLink.objects.create(version=new, ancestor=ids[old.pk]["tone"], kind="removed")
        CategoryLink.objects.create(version=new, category=ids[new.pk]["tone"], kind="new")
        kept = result(sample)["estimates"]["whole"]["rate"]
        assert (kept["failures"], kept["unclear"], kept["labels"]) == (1, 1, 3)


class TestPolicies:
    def test_each_policy_is_credited_with_all_that_it_picked(self, sample):
        sample.drawn("drift", "reject", chance=1, policies={"drift": 1.0, "negative": 1.0})
        sample.labelled("drift", fails=0, passes=3, chance=1)
        sample.labelled("negative", fails=1, passes=0, chance=1)
        plan = sample.plan()
        sample.run(plan, negative=(10, 4), drift=(4, 4))
        sample.run(plan, negative=(10, 6))
        kept = result(sample)["policies"]
        assert kept["drift"]["found"]["value"] == 0.25
        assert (kept["negative"]["found"]["labels"], kept["negative"]["found"]["value"]) == (2, 1.0)
        assert (kept["drift"]["alone"], kept["negative"]["alone"]) == (0, 1)
        assert (kept["negative"]["wanted"], kept["negative"]["picked"]) == (20, 10)


class TestSignals:
    def test_each_kind_is_measured_on_its_own_and_by_chance(self, sample):
        down, up = ("user_rating", {"value": 1}), ("user_rating", {"value": 5})
        sample.drawn("negative", "reject", chance=1, signals=[down])
        sample.drawn("random", "accept", chance=0.25, signals=[down, up])
        sample.drawn("random", "accept", signals=[up, ("user_rating", {"value": 3})])
        sample.drawn("random", "reject", signals=[("user_reason", {"value": None, "reason": "refused"})])
        trace = TraceFactory(tenant=sample.tenant)
        SignalFactory(trace=trace, type="user_rating", value=2)
        kept = result(sample)["signals"]
        assert sorted(kept) == ["user_rating:down", "user_rating:up", "user_reason:refused"]
        assert (kept["user_rating:down"]["came"], kept["user_rating:down"]["precision"]["labels"]) == (3, 2)
        assert kept["user_rating:down"]["precision"]["value"] == pytest.approx(1 / 5)
        assert kept["user_reason:refused"]["precision"]["value"] == 1

    def test_a_trace_counts_once_for_a_kind(self, sample):
        copied = ("implicit_copy", {"value": None})
        sample.drawn("random", "accept", signals=[copied, copied, copied])
        assert result(sample)["signals"]["implicit_copy"]["precision"]["labels"] == 1

    def test_withdrawn_ones_edits_of_nothing_and_usual_stays_say_nothing(self, sample):
        TopicDwell.objects.create(tenant=sample.tenant, topic="refund", median=20, count=9, at=sample.now)
        sample.drawn("random", "accept", signals=[
            ("implicit_copy", {"value": None, "withdrawn_at": sample.now}), ("user_edit", {"value": 0}),
            ("implicit_dwell", {"value": 30}),
        ])  # fmt: skip
        sample.drawn("random", "reject", signals=[("implicit_dwell", {"value": 90})])
        kept = result(sample)["signals"]
        assert sorted(kept) == ["implicit_dwell"]
        assert (kept["implicit_dwell"]["came"], kept["implicit_dwell"]["precision"]["labels"]) == (2, 1)


class TestKeeping:
    def test_one_report_a_day_and_period(self, sample):
        sample.labelled("random", fails=1, passes=2)
        morning = timezone.now().replace(hour=6)
        for later in (timedelta(), timedelta(hours=2), timedelta(days=1)):
            sample.measure(morning + later)
        assert TrafficReport.objects.filter(tenant=sample.tenant, period="30d").count() == 2

    def test_it_is_measured_again_where_something_came_but_once_an_hour(self, sample):
        assert reports.refresh(timezone.now()) == 0
        sample.drawn("random", "reject")
        assert reports.refresh(timezone.now()) == 1
        assert reports.refresh(timezone.now()) == 0, "it waits already"
        job = Job.objects.get(kind=f"traffic:{sample.tenant.pk}")
        jobs.run(job.pk, reports.TASK, sample.tenant.pk)
        job.refresh_from_db()
        assert (job.state, job.result["sentence"]) == ("done", "1 sampled cases were looked through.")
        later = timezone.now() + timedelta(minutes=61)
        assert reports.refresh(later) == 0, "nothing came"
        sample.drawn("random", "reject")
        assert reports.refresh(timezone.now() + timedelta(minutes=30)) == 0
        assert reports.refresh(later) == 1

    def test_when_a_quarter_is_over_its_leads_are_told_once(self, sample):
        lead = lead_of(sample.bench.lane)
        now = quarter_of(timezone.now()).begins + timedelta(days=3)
        before = now - timedelta(days=20)
        sample.labelled("random", fails=1, passes=1, at=before)
        for later in (now, now + timedelta(days=1)):
            sample.measure(later)
        (event,) = AuditEvent.objects.filter(action="traffic.proposed")
        assert event.detail["told"] == 1
        message = Message.objects.get(key=f"traffic:{sample.tenant.pk}")
        assert lead.email in str(message.url) + str(message.payload)
        assert f"/tenants/{sample.tenant.slug}/signals/?period=" in str(message.payload)

    def test_a_quarter_without_a_sample_is_no_news(self, sample):
        lead_of(sample.bench.lane)
        sample.measure()
        assert not AuditEvent.objects.filter(action="traffic.proposed").exists()
