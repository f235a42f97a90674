from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from codebook.agreement import measured
from codebook.models import AgreementReport, CategoryLink
from hitl.audit.models import AuditEvent
from hitl.jobs import progress
from hitl.models import Job
from tests.codebook.test_measuring import Labelled
from tests.factories.agreement import reported, result_of
from tests.factories.codebook import published

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def world():
    world = Labelled()
    world.pair("reject tone", "accept")
    return world


@pytest.fixture
def codebook(world):
    return world.version.codebook


def test_measuring_is_a_job_on_record_whose_end_is_a_report(codebook):
    job = measured.measure_now(codebook=codebook, by=codebook.owner)
    assert AuditEvent.objects.filter(action="agreement.measured", subject=f"codebook:{codebook.pk}").count() == 1
    progress.run(job.pk, measured.TASK, codebook.pk)
    job.refresh_from_db()
    report = measured.latest(codebook)
    assert (job.state, job.done) == (Job.State.DONE, job.total)
    assert "2 labels, cases in them: 1" in job.result["sentence"]
    assert report.result["units"] == 1
    assert report.versions == [1]
    assert not measured.is_stale(report)


def test_it_is_not_measured_twice_at_once(codebook):
    first = measured.measure_now(codebook=codebook, by=codebook.owner)
    assert measured.measure_now(codebook=codebook, by=codebook.owner) == first
    assert measured.running(codebook) == first
    assert measured.refresh(NOW) == 0


def test_a_job_that_was_lost_is_not_waited_for_for_ever(codebook):
    lost = measured.measure_now(codebook=codebook, by=codebook.owner)
    Job.objects.filter(pk=lost.pk).update(created_at=NOW - timedelta(hours=7))
    assert measured.measure_now(codebook=codebook, by=codebook.owner) != lost


class TestStale:
    def test_once_a_label_came(self, world, codebook):
        report = reported(codebook)
        assert not measured.is_stale(report)
        assert measured.newer_labels(report) == 0
        world.pair("accept", "accept")
        assert measured.is_stale(report)
        assert measured.newer_labels(report) == 2

    def test_once_other_labels_count(self, world, codebook):
        imported = world.version
        newer = published(world.lane.queue, codebook=codebook, keys=("tone", "source", "rare"))
        link = CategoryLink.objects.create(
            version=newer, category=newer.categories.get(key="tone"), ancestor=imported.categories.get(key="tone"),
            kind="reworded",
        )  # fmt: skip
        report = reported(codebook)
        assert not measured.is_of_other_words(report)
        CategoryLink.objects.filter(pk=link.pk).update(
            carried_at=NOW, carried_by=codebook.owner, carried_because="It means the same."
        )
        assert measured.is_of_other_words(report)
        assert measured.is_stale(report)


class TestTheChore:
    def test_measures_what_was_never_measured(self, codebook):
        assert measured.refresh(NOW) == 1

    def test_leaves_a_codebook_without_labels_alone(self, world, codebook):
        published(codebook=None)
        assert measured.refresh(NOW) == 1

    def test_measures_again_after_new_labels_once_an_hour_at_most(self, world, codebook):
        reported(codebook, at=NOW - timedelta(minutes=50))
        world.pair("accept", "accept")
        assert measured.refresh(NOW) == 0
        assert measured.refresh(NOW + timedelta(minutes=15)) == 1

    def test_leaves_a_report_that_holds_alone(self, codebook):
        reported(codebook, at=NOW - timedelta(days=9))
        assert measured.refresh(NOW) == 0


def test_of_old_reports_the_last_of_each_month_stays(codebook, monkeypatch):
    monkeypatch.setattr(measured, "KEPT", 2)
    months = [(2026, 1, 3), (2026, 1, 28), (2026, 2, 5), (2026, 2, 20), (2026, 3, 1), (2026, 3, 2)]
    for year, month, day in months:
        reported(codebook, at=datetime(year, month, day, tzinfo=UTC))
    now = datetime(2026, 4, 1, tzinfo=UTC)
    latest = measured.keep(codebook=codebook, newest_label=1, result=result_of(codebook), now=now)
    kept = AgreementReport.objects.order_by("pk").values_list("computed_at__month", "computed_at__day")
    assert list(kept) == [(1, 28), (2, 20), (3, 1), (3, 2), (4, 1)]
    assert measured.latest(codebook) == latest
