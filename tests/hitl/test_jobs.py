import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from hitl.jobs import progress
from hitl.jobs.models import Job
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.jobs import work_off

pytestmark = pytest.mark.django_db

ran = []


def count_to(job_id, last):
    for step in range(last):
        progress.advance(job_id, step + 1, last)
    ran.append(last)
    progress.finish(job_id, {"sentence": f"Counted to {last}.", "url": "/x/", "link": "The numbers"})


def refuse(job_id):
    raise progress.JobFailed("There is nothing to count.")


def break_down(job_id):
    raise RuntimeError("secret detail")


def say_nothing(job_id):
    ran.append("nothing")


@pytest.fixture(autouse=True)
def _forget():
    ran.clear()


@pytest.fixture
def starter():
    return UserFactory()


def started(task, *args, user=None, tenant=None):
    return progress.start(
        kind="count", title="Counting", tenant=tenant, user=user, task=f"{__name__}.{task.__name__}", args=args
    )


def test_a_job_is_handed_to_the_worker_and_tells_how_far_it_is(starter):
    job = started(count_to, 3, user=starter)
    assert (job.state, OrmQ.objects.count()) == ("waiting", 1)
    work_off()
    job.refresh_from_db()
    assert (job.state, job.done, job.total, job.result["sentence"]) == ("done", 3, 3, "Counted to 3.")
    assert job.finished_at is not None


def test_a_job_and_its_task_are_there_together_or_not_at_all():
    def start_and_fail():
        with transaction.atomic():
            started(count_to, 3)
            return 1 / 0

    with pytest.raises(ZeroDivisionError):
        start_and_fail()
    assert (Job.objects.count(), OrmQ.objects.count()) == (0, 0)


def test_a_job_that_has_ended_is_not_run_again():
    job = started(count_to, 3)
    work_off()
    progress.run(job.pk, f"{__name__}.count_to", 3)
    assert ran == [3]


def test_a_task_that_says_nothing_is_done_when_it_returns():
    job = started(say_nothing)
    work_off()
    job.refresh_from_db()
    assert job.state == "done"


def test_a_job_that_cannot_be_done_says_why():
    job = started(refuse)
    work_off()
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "There is nothing to count.")


def test_a_job_that_breaks_down_says_so_in_words_and_to_the_log_in_full(caplog):
    job = started(break_down)
    work_off()
    job.refresh_from_db()
    assert (job.state, "secret" in job.error) == ("failed", False)
    assert "secret detail" in caplog.text


class TestAJobOfWhichThereIsOneAtATime:
    def once(self):
        return progress.start_once(
            kind="measure:7", title="Measuring", user=None, task=f"{__name__}.{say_nothing.__name__}"
        )

    def test_who_asks_again_gets_the_one_that_is_there(self):
        first, is_new = self.once()
        assert (is_new, self.once()) == (True, (first, False))
        assert OrmQ.objects.count() == 1

    def test_once_it_has_ended_there_may_be_another(self):
        first, _ = self.once()
        work_off()
        assert progress.running("measure:7") is None
        assert self.once()[0] != first

    def test_one_that_is_silent_for_hours_is_not_waited_for(self):
        first, _ = self.once()
        Job.objects.update(created_at=timezone.now() - progress.LOST_AFTER)
        assert self.once()[0] != first


class TestPage:
    def test_it_shows_a_bar_that_asks_again_until_the_job_has_ended(self, sign_in, starter):
        job = started(count_to, 4, user=starter)
        progress.advance(job.pk, 1, 4)
        client, url = sign_in(starter), reverse("job", args=[job.pk])
        page = client.get(url).text
        assert 'value="1" max="4"' in page
        assert f'hx-get="{reverse("job_progress", args=[job.pk])}"' in page
        assert '<meta http-equiv="refresh"' in page
        work_off()
        for answer in (client.get(url).text, client.get(reverse("job_progress", args=[job.pk])).text):
            assert "Counted to 4." in answer
            assert "The numbers" in answer
            assert "hx-trigger" not in answer
        assert "<html" not in client.get(reverse("job_progress", args=[job.pk])).text

    def test_only_the_starter_and_those_who_run_the_tenant_see_it(self, sign_in, starter):
        tenant = TenantFactory()
        job = started(count_to, 1, user=starter, tenant=tenant)
        lead = grant(UserFactory(), "lead_tenant", tenant)
        reviewer = grant(UserFactory(), "work_in_tenant", tenant)
        other_lead = grant(UserFactory(), "lead_tenant", TenantFactory())
        administrator = UserFactory(is_superuser=True)
        for name in ("job", "job_progress"):
            seen = {
                person: sign_in(person).get(reverse(name, args=[job.pk])).status_code
                for person in (starter, lead, administrator, reviewer, other_lead)
            }
            assert list(seen.values()) == [200, 200, 200, 404, 404]

    def test_what_a_job_says_is_shown_as_text(self, sign_in, starter):
        job = started(count_to, 1, user=starter)
        progress.fail(job.pk, "<script>alert(1)</script>")
        assert "&lt;script&gt;alert" in sign_in(starter).get(reverse("job", args=[job.pk])).text
