import re

import pytest
from django.urls import reverse

from hitl.models import Job
from tests.factories.hitl import UserFactory, grant
from tests.factories.judging import Bench
from tests.factories.queues import JudgeVerdictFactory, LaneFactory, SlotFactory, lead_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def bench():
    return Bench()


def seen(client, name, *args):
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


class TestAllJudges:
    def test_without_any_it_says_what_to_do(self, bench, sign_in):
        page = seen(sign_in(bench.user), "codebook_judges", bench.codebook.slug)
        assert "No judge has been measured yet" in page
        assert "/api/v1/signals" in page

    def test_each_stands_with_its_figures_and_their_intervals(self, bench, sign_in):
        bench.both("reject", "accept", times=30, judge="harsh")
        bench.both("accept", "reject", times=30, judge="harsh")
        bench.both("reject", "reject", times=2, judge="kind", judge_version="7", prompt="p1")
        JudgeVerdictFactory(case=None, tenant=bench.lane.tenant, external_case_id="later")
        bench.measure()
        page = seen(sign_in(bench.user), "codebook_judges", bench.codebook.slug)
        assert "harsh agrees too little with people on: Fails." in page
        assert "kind 7 (prompt p1)" in page
        assert "cannot be said yet" in page
        assert "1 verdict waits for a case" in page
        assert "version 1" in page

    def test_many_judges_take_as_many_statements_as_one(self, bench, sign_in, django_assert_max_num_queries):
        client = sign_in(bench.user)
        for many in (1, 5):
            for number in range(many):
                bench.both("accept", "accept", judge=f"judge {number}")
            bench.measure()
            with django_assert_max_num_queries(15):
                seen(client, "codebook_judges", bench.codebook.slug)

    def test_who_leads_or_owns_has_it_measured_and_nobody_else(self, bench, sign_in):
        url = reverse("codebook_judges_measure", args=[bench.codebook.slug])
        assert sign_in(bench.user).post(url).status_code == 404
        for person in (lead_of(bench.lane), bench.codebook.owner):
            assert sign_in(person).post(url).status_code == 302
        assert Job.objects.filter(kind__startswith="judges:").count() == 1


class TestOneJudge:
    def test_all_of_it_on_one_page(self, bench, sign_in):
        bench.both("reject", "reject", "tone", categories=["tone"], times=3)
        bench.both("accept", "accept", times=3)
        case = bench.judged(verdict="accept", position="first")
        bench.judged(case, "reject", position="second")
        bench.decided(case, "reject")
        (report,) = bench.measure()
        page = seen(sign_in(bench.user), "codebook_judge", bench.codebook.slug, report.pk)
        for words in ("7 cases judged", "Tone", "Verdict flips", "Where they differ"):
            assert words in page
        assert case.external_id in page

    def test_only_cases_that_the_viewer_may_see_are_named(self, bench, sign_in):
        elsewhere = Bench(lane=LaneFactory(queue=bench.lane.queue), version=bench.version)
        elsewhere.both("accept", "reject", times=2)
        bench.both("accept", "reject")
        (report,) = bench.measure()
        page = seen(sign_in(bench.user), "codebook_judge", bench.codebook.slug, report.pk)
        assert "And 2 more, older, not yours to see" in page
        reader = grant(UserFactory(), "read_codebook", bench.codebook)
        page = seen(sign_in(reader), "codebook_judge", bench.codebook.slug, report.pk)
        assert "3, older, not yours to see" in page

    def test_a_case_that_the_viewer_may_still_decide_is_kept_from_them(self, bench, sign_in):
        case = bench.judged(verdict="accept")
        bench.decided(case, "reject")
        other = type(bench)(lane=bench.lane, version=bench.version).user
        SlotFactory(lane=bench.lane, case=case, purpose="relabel", round=2)
        (report,) = bench.measure()
        page = seen(sign_in(other), "codebook_judge", bench.codebook.slug, report.pk)
        assert case.external_id not in page
        assert "1, older, not yours to see, or still yours to decide" in page

    def test_a_report_of_another_codebook_is_not_there(self, bench, sign_in):
        other = Bench()
        other.both("accept", "accept")
        (report,) = other.measure()
        url = reverse("codebook_judge", args=[bench.codebook.slug, report.pk])
        assert sign_in(bench.user).get(url).status_code == 404

    def test_it_takes_few_statements(self, bench, sign_in, django_assert_max_num_queries):
        bench.both("accept", "reject", times=10)
        (report,) = bench.measure()
        client = sign_in(bench.user)
        with django_assert_max_num_queries(16):
            seen(client, "codebook_judge", bench.codebook.slug, report.pk)
