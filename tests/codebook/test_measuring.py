"""The report on agreement: which labels are compared, and what is said of them."""

from datetime import timedelta
from itertools import count

import pytest
from django.utils import timezone

from codebook.agreement import measuring
from codebook.models import CategoryLink, Label, LabelBatch, LabelCategory
from codebook.versions import NoCodebook
from tests.factories.agreement import result_of
from tests.factories.codebook import CodebookFactory, published
from tests.factories.hitl import UserFactory
from tests.factories.queues import CaseFactory, LaneFactory, SlotFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()
SEATS = count(1)


class Labelled:
    """A queue with a codebook, and labels as a test words them."""

    def __init__(self):
        self.lane = LaneFactory()
        self.version = published(self.lane.queue, keys=("tone", "source", "rare"))
        self.people = {name: UserFactory(name=name) for name in ("Anna", "Ben", "Cleo")}

    def case(self):
        return CaseFactory(tenant=self.lane.tenant, queue=self.lane.queue)

    def give(self, case, who, verdict, *keys, version=None, purpose="first", at=NOW, round=1, **more):
        version = version or self.version
        batch, _ = LabelBatch.objects.get_or_create(
            version=version, queue=self.lane.queue, origin=case.origin, purpose=purpose, closed_at=None,
            defaults={"opened_at": NOW},
        )  # fmt: skip
        if who in self.people:
            user = self.people[who]
            slot = SlotFactory(case=case, lane=self.lane, round=round, seat=next(SEATS) % 30_000)
            rater = {"rater": "person", "user": user, "slot": slot}
        else:
            rater = {"rater": "judge" if who.startswith("judge") else "imported", "rater_name": who}
        label = Label.objects.create(
            case=case, round=round, batch=batch, version=version, verdict=verdict, created_at=at, **rater, **more
        )
        for category in version.categories.filter(key__in=keys):
            LabelCategory.objects.create(label=label, category=category, version_id=version.pk)
        return label

    def pair(self, first, second, **more):
        """A case that Anna and Ben decided: each a verdict and categories, as words."""
        case = self.case()
        for who, said in (("Anna", first), ("Ben", second)):
            self.give(case, who, *said.split(), **more)
        return case

    def report(self):
        return measuring.report(self.version.codebook_id)


@pytest.fixture
def world():
    return Labelled()


def of(report, key):
    return next(one for one in report["categories"] if one["key"] == key)


class TestWhatIsCompared:
    def test_cases_that_two_people_decided_in_one_round(self, world):
        world.pair("accept", "accept")
        world.pair("reject tone", "accept")
        world.give(world.case(), "Anna", "accept")
        report = world.report()
        assert (report["units"], report["labels"]) == (2, 4)
        assert report["verdict"]["percent"]["value"] == 0.5
        assert report["verdict"]["differ"] == 1

    def test_another_round_is_nobodys_second_opinion(self, world):
        case = world.case()
        world.give(case, "Anna", "accept")
        world.give(case, "Ben", "reject", round=2, purpose="relabel")
        world.give(case, "Cleo", "reject", round=3, purpose="adjudication")
        assert world.report()["units"] == 0

    def test_a_judge_and_what_was_undone_or_amended_do_not_count(self, world):
        case = world.case()
        world.give(case, "Anna", "accept")
        world.give(case, "judge-1", "reject")
        world.give(case, "Ben", "reject", undone_at=NOW)
        world.give(case, "Cleo", "reject", is_amendment=True)
        assert world.report()["units"] == 0

    def test_an_imported_rater_does_with_the_later_of_two_answers(self, world):
        case = world.case()
        world.give(case, "Anna", "accept")
        world.give(case, "old hand", "reject")
        older = published(codebook=world.version.codebook, keys=("tone",))
        world.give(case, "old hand", "accept", version=older)
        report = world.report()
        assert (report["units"], report["labels"], report["verdict"]["percent"]["value"]) == (1, 2, 1)
        assert {rater["name"] for rater in report["raters"]} == {"", "old hand"}

    def test_nothing_published_is_nothing_to_measure(self):
        with pytest.raises(NoCodebook):
            measuring.report(CodebookFactory().pk)


class TestCategories:
    def test_given_or_not_over_the_cases_that_both_decided(self, world):
        world.pair("reject tone", "reject tone source")
        world.pair("accept", "accept")
        world.pair("reject tone", "accept")
        report = world.report()
        tone, source = of(report, "tone"), of(report, "source")
        assert tone["percent"]["value"] == pytest.approx(2 / 3)
        assert (tone["given"], tone["differ"], tone["alpha"]["n"]) == (3, 1, 3)
        assert (source["given"], source["differ"]) == (1, 1)
        assert [one["key"] for one in report["disagreements"]] == ["tone", "source", "rare"]

    def test_rejecting_without_a_category_says_nothing_of_any(self, world):
        world.pair("reject tone", "reject")
        world.pair("accept", "accept")
        report = world.report()
        assert of(report, "tone")["alpha"]["n"] == 1
        assert report["any"]["alpha"]["n"] == 1
        assert report["verdict"]["alpha"]["n"] == 2

    def test_what_is_in_quarantine_is_left_out_and_named(self, world):
        for _ in range(3):
            world.pair("reject tone", "accept")
        newer = published(world.lane.queue, codebook=world.version.codebook, keys=("tone", "source", "rare"))
        for key, kind in (("tone", "reworded"), ("source", "same"), ("rare", "same")):
            CategoryLink.objects.create(
                version=newer, category=newer.categories.get(key=key), kind=kind,
                ancestor=world.version.categories.get(key=key),
            )  # fmt: skip
        world.version = newer
        world.pair("reject tone", "reject tone")
        report = world.report()
        tone, source = of(report, "tone"), of(report, "source")
        assert (tone["alpha"]["n"], tone["versions"], tone["quarantined"]) == (1, [2], [1])
        assert (source["alpha"]["n"], source["versions"]) == (4, [1, 2])
        assert "version 1 but for Tone (in quarantine)" in report["versions_in_words"]
        assert [one["number"] for one in report["versions_apart"]] == [1, 2]

    def test_the_confused_pair_is_named(self, world):
        for _ in range(3):
            world.pair("reject tone", "reject source")
        world.pair("reject tone", "accept")
        report = world.report()
        assert report["confusion"] == [{"a": "source", "b": "tone", "titles": ["Source", "Tone"], "n": 3}]
        confused = [(one["key"], one["n"]) for one in of(report, "tone")["confused"]]
        assert confused == [("source", 3), ("", 1)]

    def test_a_category_that_nobody_gave_is_undefined_in_words(self, world):
        world.pair("accept", "accept")
        world.pair("accept", "accept")
        figure = of(world.report(), "rare")["alpha"]
        assert figure["value"] is None
        assert "cannot be told from chance" in figure["reason"]


class TestParts:
    def test_by_queue_batch_month_and_pair(self, world):
        for age in (0, 40):
            for _ in range(2):
                world.pair("accept", "accept", at=NOW - timedelta(days=age))
                world.pair("reject tone", "reject tone", at=NOW - timedelta(days=age))
        report = world.report()
        (queue,) = report["queues"]
        assert (queue["name"], queue["units"], queue["verdict"]["alpha"]["value"]) == (world.lane.queue.name, 8, 1)
        batch = LabelBatch.objects.get()
        assert report["batches"][str(batch.pk)]["units"] == 8
        assert [month["verdict"]["n"] for month in report["months"]] == [4, 4]
        assert report["rolling"][-1]["verdict"]["n"] == 4
        (pair,) = report["pairs"]
        assert (pair["units"], pair["agreed"], pair["verdict"]["value"]) == (8, 8, 1)
        people = {report["raters"][pair[side]]["user"] for side in "ab"}
        assert people == {world.people["Anna"].pk, world.people["Ben"].pk}

    def test_three_people_on_one_case_are_three_pairs(self, world):
        for verdict in ("accept", "reject", "edit"):
            case = world.case()
            for who in ("Anna", "Ben", "Cleo"):
                world.give(case, who, verdict)
        report = world.report()
        assert (report["units"], report["labels"], len(report["pairs"])) == (3, 9, 3)
        assert report["verdict"]["raters_pairs"] == 3

    def test_progress_ends_where_it_said_it_would(self, world):
        told = []
        measuring.report(world.version.codebook_id, progress=lambda done, total: told.append((done, total)))
        assert told[-1][0] == told[-1][1] == len(told) - 1


def test_the_report_that_other_tests_use_has_the_same_shape(world):
    world.pair("reject tone", "reject source")
    world.pair("accept", "reject tone")
    raters = [(world.people[name], [world.lane.queue]) for name in ("Anna", "Ben")]
    made = result_of(world.version.codebook, queues=[world.lane.queue], raters=raters)
    real = world.report()

    def shape(node):
        if isinstance(node, dict):
            return {key: shape(value) for key, value in node.items() if key not in ("batches", "reason")}
        return [shape(node[0])] if isinstance(node, list) and node and isinstance(node[0], dict) else None

    for one in (made, real):
        one["categories"] = [one["categories"][0] | {"confused": []}]
        one["disagreements"] = one["confusion"] = []
    assert shape(made) == shape(real)
