import csv
import json
import re

import pytest
from django.urls import reverse

from codebook.models import QueueCodebook, SubjectiveCategory
from hitl.audit.models import AuditEvent
from hitl.models import Job
from tests.factories.agreement import FIGURE, reported
from tests.factories.codebook import published
from tests.factories.hitl import UserFactory
from tests.factories.queues import LaneFactory, lead_of, reviewer_of

pytestmark = pytest.mark.django_db


class Reported:
    """Two queues with one codebook; Anna works in the first, Ben in the second."""

    def __init__(self):
        self.lanes = [LaneFactory(), LaneFactory()]
        self.codebook = published(self.lanes[0].queue, keys=("tone", "source")).codebook
        QueueCodebook.objects.create(queue=self.lanes[1].queue, codebook=self.codebook)
        self.anna = reviewer_of(self.lanes[0], name="Anna Arnold")
        self.ben = reviewer_of(self.lanes[1], name="Ben Brown")
        self.queues = [lane.queue for lane in self.lanes]

    def report(self, **more):
        raters = [(self.anna, [self.queues[0]]), (self.ben, [self.queues[1]])]
        return reported(self.codebook, queues=self.queues, raters=raters, **more)

    def url(self, name="codebook_agreement", **more):
        return reverse(name, kwargs={"slug": self.codebook.slug, **more})


@pytest.fixture
def world():
    return Reported()


def seen(client, url):
    answer = client.get(url)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.text)


class TestThePage:
    def test_without_a_report_it_says_what_to_do(self, world, sign_in):
        page = seen(sign_in(world.codebook.owner), world.url())
        assert "Nothing has been measured yet" in page
        assert "Measure now" in page

    def test_every_figure_comes_with_its_interval_and_its_cases(self, world, sign_in):
        world.report()
        page = seen(sign_in(world.codebook.owner), world.url())
        assert "0.40 to 0.55" in page
        assert page.count('class="interval"') == 4
        assert "version 1" in page
        assert "over 80 labels of 40 cases" in page
        assert "style=" not in page

    def test_the_undefined_is_said_and_never_a_number(self, world, sign_in):
        nothing = {"value": None, "low": None, "high": None, "n": 0, "reason": "No item has ratings by two raters."}
        world.report(figure=nothing)
        page = seen(sign_in(world.codebook.owner), world.url())
        assert "cannot be said yet" in page
        assert "No item has ratings by two raters." in page
        assert "0.00" not in page

    def test_under_the_threshold_it_says_what_to_do(self, world, sign_in):
        world.report(confused=[{"key": "source", "title": "Source", "n": 7}])
        page = seen(sign_in(world.codebook.owner), world.url())
        assert "What to do, the most disputed first" in page
        assert "the 9 cases in dispute" in page
        assert "the other most often gave" in page
        assert "(7 times)" in page
        assert "Accept it as subjective" in page

    def test_what_is_read_the_same_asks_for_nothing(self, world, sign_in):
        world.report(figure={"value": 0.9, "low": 0.85, "high": 0.95, "n": 40})
        assert "What to do" not in seen(sign_in(world.codebook.owner), world.url())

    def test_newer_labels_are_counted(self, world, sign_in):
        world.report(newest_label=0)
        assert "No label came since." in seen(sign_in(world.codebook.owner), world.url())

    def test_it_takes_few_questions_to_the_database(self, world, sign_in, django_assert_max_num_queries):
        world.report()
        client = sign_in(world.codebook.owner)
        with django_assert_max_num_queries(24):
            client.get(world.url())


class TestNames:
    def test_the_owner_sees_all(self, world, sign_in):
        world.report()
        page = seen(sign_in(world.codebook.owner), world.url())
        assert "Anna Arnold and Ben Brown" in page
        assert all(queue.name in page for queue in world.queues)

    def test_a_lead_sees_those_of_their_queue_and_a_letter_for_the_others(self, world, sign_in):
        world.report()
        page = seen(sign_in(lead_of(world.lanes[0])), world.url())
        assert "Anna Arnold and Reviewer B" in page
        assert world.queues[1].name not in page
        assert "And 1 queue that is not yours to see" in page

    @pytest.mark.parametrize("name", ["codebook_agreement", "codebook_agreement_category", "codebook_agreement_file"])
    def test_a_reviewer_sees_themselves_and_letters(self, world, sign_in, name):
        world.report()
        more = {"codebook_agreement_category": {"key": "tone"}, "codebook_agreement_file": {"kind": "json"}}
        page = seen(sign_in(world.anna), world.url(name, **more.get(name, {})))
        assert "Reviewer B" in page
        assert "You" in page
        assert "Ben Brown" not in page
        assert world.queues[1].name not in page


class TestMeasuring:
    def test_a_lead_and_the_owner_may_ask_for_it_and_see_how_far_it_is(self, world, sign_in):
        for person in (world.codebook.owner, lead_of(world.lanes[0])):
            assert sign_in(person).post(world.url("codebook_agreement_measure")).status_code == 302
        job = Job.objects.get()
        assert f'id="job-{job.pk}"' in seen(sign_in(world.codebook.owner), world.url())

    def test_a_reviewer_may_not(self, world, sign_in):
        client = sign_in(world.anna)
        assert "Measure now" not in seen(client, world.url())
        assert client.post(world.url("codebook_agreement_measure")).status_code == 404


class TestACategory:
    def test_its_figures_pairs_and_partners(self, world, sign_in):
        world.report(confused=[{"key": "source", "title": "Source", "n": 7}])
        page = seen(sign_in(world.codebook.owner), world.url("codebook_agreement_category", key="tone"))
        for words in ("Krippendorff's alpha", "Cohen's kappa", "Gwet's AC1", "0.40 to 0.55", "Anna Arnold", "Source"):
            assert words in page.replace("&#x27;", "'")

    @pytest.mark.parametrize("key", ["nothing", "measure"])
    def test_one_that_is_not_in_the_report_is_not_there(self, world, sign_in, key):
        world.report()
        client = sign_in(world.codebook.owner)
        assert client.get(world.url("codebook_agreement_category", key=key)).status_code == 404


class TestSubjective:
    def accept(self, world, client, **more):
        url = world.url("codebook_agreement_subjective", key="tone")
        return client.post(url, {"because": "Tone is a matter of taste.", "weight": "0.5", **more})

    def test_the_owner_accepts_it_with_a_reason_and_takes_it_back(self, world, sign_in):
        world.report()
        client = sign_in(world.codebook.owner)
        self.accept(world, client)
        assert "subjective, weight 0.50" in seen(client, world.url())
        category = seen(client, world.url("codebook_agreement_category", key="tone"))
        assert "Tone is a matter of taste." in category
        client.post(world.url("codebook_agreement_subjective", key="tone"), {"withdraw": "1"})
        assert "subjective, weight" not in seen(client, world.url())
        kept = SubjectiveCategory.objects.get()
        assert (kept.withdrawn_by, kept.because) == (world.codebook.owner, "Tone is a matter of taste.")
        actions = AuditEvent.objects.filter(subject=f"codebook:{world.codebook.pk}").values_list("action", flat=True)
        assert sorted(actions) == ["category.accepted_as_subjective", "category.not_subjective"]

    @pytest.mark.parametrize("change", [{"because": " "}, {"weight": "2"}, {"weight": ""}])
    def test_a_reason_and_a_weight_are_needed(self, world, sign_in, change):
        world.report()
        assert self.accept(world, sign_in(world.codebook.owner), **change).status_code == 422
        assert not SubjectiveCategory.objects.exists()

    def test_nobody_else_has_this_word(self, world, sign_in):
        world.report()
        for person in (world.anna, lead_of(world.lanes[0]), UserFactory(is_superuser=True)):
            assert self.accept(world, sign_in(person)).status_code == 404

    def test_said_again_the_new_weight_holds(self, world, sign_in):
        world.report()
        client = sign_in(world.codebook.owner)
        self.accept(world, client)
        self.accept(world, client, weight="0.25")
        assert SubjectiveCategory.objects.get(withdrawn_at=None).weight == 0.25


class TestTheFile:
    def test_json_holds_every_figure_and_names_the_versions(self, world, sign_in):
        world.report()
        told = json.loads(seen(sign_in(world.codebook.owner), world.url("codebook_agreement_file", kind="json")))
        assert told["versions"] == [1]
        assert told["categories"][0]["alpha"] == FIGURE
        assert (told["pairs"][0]["a"], told["pairs"][0]["b"]) == ("Anna Arnold", "Ben Brown")

    def test_the_table_has_a_row_for_each_and_no_cell_that_starts_a_formula(self, world, sign_in):
        world.anna.name = "=cmd()"
        world.anna.save()
        world.report()
        answer = sign_in(world.codebook.owner).get(world.url("codebook_agreement_file", kind="csv"))
        rows = list(csv.DictReader(answer.text.removeprefix("\ufeff").splitlines()))
        tone = next(row for row in rows if (row["of"], row["what"], row["figure"]) == ("category", "tone", "alpha"))
        assert (tone["value"], tone["low"], tone["high"], tone["n"], tone["versions"]) == (
            "0.5",
            "0.4",
            "0.55",
            "40",
            "1",
        )
        assert any(row["what"].startswith("'=cmd()") for row in rows)

    def test_before_anything_was_measured_there_is_none(self, world, sign_in):
        client = sign_in(world.codebook.owner)
        assert client.get(world.url("codebook_agreement_file", kind="json")).status_code == 404
