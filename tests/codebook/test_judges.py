from datetime import timedelta

import pytest
from django.utils import timezone

from codebook.judges import reports as judges
from codebook.models import JudgeReport
from hitl.audit.models import AuditEvent
from hitl.models import Job, Message
from tests.factories.hitl import TenantFactory
from tests.factories.judging import Bench
from tests.factories.queues import JudgeVerdictFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def bench():
    return Bench()


def table(*counts, kappa=0.2):
    names = ("both_fail", "judge_alone", "people_alone", "both_pass")
    return {"table": dict(zip(names, counts, strict=True)), "kappa": {"value": kappa}}


@pytest.mark.parametrize(
    ("figures", "alarms"),
    [
        (table(10, 20, 10, 20), True),
        (table(10, 20, 10, 20, kappa=0.6), False),
        (table(10, 20, 10, 20, kappa=None), False),
        (table(10, 20, 9, 10), False),
        (table(2, 20, 2, 40), False),
        (table(20, 2, 40, 2), False),
    ],
)
def test_an_alarm_needs_enough_cases_and_enough_of_each_kind(figures, alarms):
    assert judges.is_alarming(figures) is alarms


class TestAlarms:
    def mails(self):
        return [message.payload for message in Message.objects.filter(channel="email").order_by("pk")]

    def test_the_owner_is_told_once_when_it_begins_and_once_when_it_is_over(self, bench):
        now = timezone.now()
        bench.both("reject", "accept", times=20)
        bench.both("accept", "reject", times=20)
        bench.both("accept", "accept", times=12)
        (report,) = bench.measure(now)
        assert report.alarmed
        (mail,) = self.mails()
        assert mail["to"] == bench.codebook.owner.email
        assert mail["subject"] == "grounded agrees too little with people"
        assert f"/codebooks/{bench.codebook.slug}/judges/{report.pk}/" in mail["body"]
        assert AuditEvent.objects.filter(action="judge.alarmed").count() == 1
        bench.measure(now + timedelta(hours=1))
        bench.measure(now + timedelta(days=1))
        assert len(self.mails()) == 1
        bench.both("reject", "reject", times=300)
        bench.both("accept", "accept", times=300)
        bench.measure(now + timedelta(days=2))
        assert not JudgeReport.objects.latest("pk").alarmed
        assert [mail["subject"] for mail in self.mails()][1:] == ["grounded agrees with people again"]

    def test_a_judge_that_agrees_alarms_nobody(self, bench):
        bench.both("reject", "reject", times=30)
        bench.both("accept", "accept", times=30)
        assert not bench.measure()[0].alarmed
        assert self.mails() == []


def test_one_report_a_day_is_kept_at_the_same_address(bench):
    bench.both("accept", "accept")
    now = timezone.now().replace(hour=10) + timedelta(days=1)
    (first,) = bench.measure(now)
    (again,) = bench.measure(now + timedelta(hours=2))
    assert (again.pk, again.computed_at) == (first.pk, now + timedelta(hours=2))
    assert len(bench.measure(now + timedelta(days=1))) == 2
    assert [one.computed_at for one in judges.history(first)] == [now + timedelta(hours=2), now + timedelta(days=1)]
    assert [one.computed_at for one in judges.latest(bench.codebook)] == [now + timedelta(days=1)]


class TestRefresh:
    def test_it_measures_when_there_is_something_and_hourly_at_most(self, bench):
        now = timezone.now()
        assert judges.refresh(now) == 0
        bench.both("accept", "accept")
        Bench()
        assert judges.refresh(now) == 1
        assert judges.refresh(now) == 0 or Job.objects.count() == 1
        Job.objects.all().delete()
        bench.measure(now)
        later = now + timedelta(hours=2)
        assert judges.refresh(later) == 0
        bench.both("accept", "accept")
        assert judges.refresh(now + timedelta(minutes=50)) == 0
        assert judges.refresh(later) == 1

    def test_the_window_moves_on_though_nothing_comes(self, bench):
        now = timezone.now()
        bench.both("accept", "accept")
        bench.measure(now)
        assert judges.refresh(now + timedelta(days=1, hours=1)) == 1

    def test_who_asks_while_it_is_measured_gets_that_job(self, bench):
        job = judges.measure_now(codebook=bench.codebook, by=bench.user)
        assert judges.measure_now(codebook=bench.codebook, by=bench.user) == job
        assert AuditEvent.objects.filter(action="judge.measured").count() == 1


def test_verdicts_wait_for_cases_of_the_codebooks_tenants(bench):
    JudgeVerdictFactory(case=None, tenant=bench.lane.tenant, external_case_id="later")
    JudgeVerdictFactory(case=None, tenant=TenantFactory(), external_case_id="later")
    assert judges.waiting(bench.codebook) == 1
