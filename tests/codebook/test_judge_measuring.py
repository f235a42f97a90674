from datetime import timedelta

import pytest
from django.utils import timezone

from codebook.judges import machine
from codebook.judges import measuring as judge_measuring
from codebook.models import CategoryLink, JudgeAudit
from hitl.models import Job
from queues import keeping, steering
from tests.factories.codebook import published
from tests.factories.judging import Bench

pytestmark = pytest.mark.django_db


@pytest.fixture
def bench():
    return Bench()


def test_a_judge_is_compared_with_the_answers_that_stand(bench):
    bench.both("reject", "reject", times=3)
    bench.both("reject", "accept", "tone")
    bench.both("accept", "accept", times=4)
    bench.both("accept", "edit")
    bench.both("accept", "reject", times=2)
    bench.judged(verdict="reject")
    result = bench.result()
    assert result["fails"]["table"] == {"both_fail": 4, "judge_alone": 0, "people_alone": 2, "both_pass": 5}
    assert (result["pairs"], result["judged"], result["differ"]) == (11, 12, 2)
    assert result["fails"]["raw"]["value"] == pytest.approx(5 / 12, abs=1e-6)
    assert result["fails"]["raw"]["n"] == 12
    assert result["fails"]["sensitivity"]["value"] == pytest.approx(4 / 6, abs=1e-6)
    assert result["versions"] == [1]
    assert "version 1" in result["versions_in_words"]


def test_each_judge_version_and_prompt_is_measured_on_its_own(bench):
    case = bench.judged(verdict="accept", judge_version="1")
    bench.judged(case, "reject", judge_version="2")
    bench.judged(case, "reject", judge_version="2", prompt="strict")
    bench.decided(case, "reject")
    reports = bench.measure()
    assert [(one.judge_version, one.prompt) for one in reports] == [("1", ""), ("2", ""), ("2", "strict")]
    assert [one.result["differ"] for one in reports] == [1, 0, 0]


def test_only_the_window_and_the_codebooks_own_queues_count(bench):
    now = timezone.now()
    bench.both("accept", "accept", given_at=now - timedelta(days=91))
    bench.both("accept", "accept", given_at=now - timedelta(days=89))
    Bench().both("reject", "reject", times=3)
    assert bench.result()["judged"] == 1


def test_what_reviewers_were_shown_is_no_measure_of_it(bench):
    sent = {"sent": {"judges": [{"name": "grounded"}]}}
    queue = bench.lane.queue
    early, middle, late = (timezone.now() + timedelta(minutes=n) for n in (-60, 0, 60))
    for at in (early, late):
        case = bench.judged(bench.case(assessment=sent))
        bench.decided(case, at=at)
    # Not sent with the case, so not on the screen; and an audit never shows it.
    bench.decided(bench.judged(), at=late)
    bench.decided(bench.judged(bench.case(assessment=sent)), purpose="judge_audit", at=late)
    assert (bench.result()["shown"], bench.result()["pairs"]) == (0, 4)
    steering.change_queue(queue=queue, by=None, fields={"shows_judge": True}, actor_name="test")
    assert (bench.result()["shown"], bench.result()["pairs"]) == (1, 3)
    assert early < middle < late


def test_switched_off_again_the_labels_of_then_stay_out(bench):
    sent = {"sent": {"judges": [{"name": "grounded"}]}}
    bench.decided(bench.judged(bench.case(assessment=sent)), at=timezone.now() - timedelta(hours=1))
    for shows in (True, False, True):
        steering.change_queue(queue=bench.lane.queue, by=None, fields={"shows_judge": shows}, actor_name="test")
    bench.lane.queue.refresh_from_db()
    assert (bench.result()["shown"], bench.result()["pairs"]) == (0, 1)


def test_by_category_it_is_there_or_not(bench):
    bench.both("reject", "reject", "tone", categories=["tone"], times=2)
    bench.both("reject", "reject", "source", categories=["tone"])
    bench.both("reject", "reject", categories=["tone"])
    bench.both("accept", "accept", times=3)
    bench.both("reject", "reject", "tone", categories=["made-up"])
    result = bench.result()
    tone, source = result["categories"]
    assert (tone["key"], source["key"]) == ("tone", "source")
    # The one rejected without naming a category says nothing of any.
    assert tone["table"] == {"both_fail": 2, "judge_alone": 1, "people_alone": 1, "both_pass": 3}
    assert source["table"] == {"both_fail": 0, "judge_alone": 0, "people_alone": 1, "both_pass": 6}
    assert (tone["raw"]["n"], tone["raw"]["value"]) == (8, 0.5)
    assert result["unknown_categories"] == [["made-up", 1]]


def test_a_judge_that_names_no_category_is_not_measured_on_any(bench):
    bench.both("accept", "reject", "tone")
    assert bench.result()["categories"] == []


def test_labels_in_quarantine_do_not_count(bench):
    old = bench.version
    for judge, human, keys in (
        ("reject", "accept", ["tone"]),
        ("accept", "accept", []),
        ("reject", "reject", ["tone"]),
    ):
        bench.decided(bench.judged(verdict=judge, categories=["tone"] if keys else []), human, *keys)
    new = published(codebook=bench.codebook, keys=("tone", "source"))
    ids = {version.pk: {one.key: one for one in version.categories.all()} for version in (old, new)}
    assert ids[new.pk]["tone"].pk != ids[old.pk]["tone"].pk
    before = bench.result()
    assert before["pairs"] == 3
    CategoryLink.objects.all().delete()
    CategoryLink.objects.create(version=new, ancestor=ids[old.pk]["tone"], kind="removed")
    CategoryLink.objects.create(version=new, category=ids[new.pk]["tone"], kind="new")
    result = bench.result()
    assert (result["pairs"], result["in_quarantine"]) == (2, 1)
    assert result["categories"][0]["kappa"]["n"] == 0


@pytest.mark.parametrize(
    ("verdict", "score", "categories", "fails"),
    [
        ("accept", 0.0, ["tone"], False),
        ("reject", 1.0, [], True),
        ("", 0.49, [], True),
        ("", 0.5, ["tone"], False),
        ("", None, ["tone"], True),
        ("", None, [], None),
    ],
)
def test_what_a_judge_says(verdict, score, categories, fails):
    assert judge_measuring.judge_fails(verdict, score, categories) is fails


def test_a_case_judged_in_two_positions_counts_once_and_tells_the_bias(bench):
    for first, second, times in (("accept", "reject", 3), ("accept", "accept", 2)):
        for _ in range(times):
            case = bench.judged(verdict=first, position="first")
            bench.judged(case, second, position="second")
            bench.decided(case)
    result = bench.result()
    assert (result["judged"], result["pairs"]) == (5, 5)
    assert (result["position"]["flips"]["value"], result["position"]["prefers"]["value"]) == (0.6, 1)


def test_length_is_that_of_the_draft(bench):
    for draft, judge in (("short", "accept"), ("long " * 90, "reject")):
        for _ in range(4):
            bench.decided(bench.judged(bench.case(draft=draft), judge))
    passes, _ = bench.result()["length"]
    assert (passes["short"]["value"], passes["long"]["value"], passes["difference"]["value"]) == (0, 1, 1)


def test_audits_say_how_often_people_disagree_with_what_was_kept(bench):
    now = timezone.now()
    queue = bench.lane.queue
    queue.judge_first, queue.judge_audit_share = "grounded", 1
    queue.save()
    for human in (["accept"], ["accept"], ["edit"], ["reject"], ["accept", "tone"], None):
        case = bench.judged(bench.case(state="machine"), judge_version="2")
        keeping.keep([keeping.Kept(case.pk, queue.pk, case.judge_verdicts.get().pk, "Sure.")], now=now)
        machine.label_all(now)
        if human:
            self_label(bench, JudgeAudit.objects.get(slot__case=case).slot, human)
    (audit,) = bench.result()["audits"]
    (stratum,) = audit["strata"]
    assert (stratum["verdict"], stratum["labels"], stratum["asked"], stratum["decided"]) == ("accept", 6, 6, 5)
    assert (stratum["disagreed"], stratum["edited"]) == (2, 1)
    assert audit["rate"]["value"] == pytest.approx(0.4)
    assert audit["rate"]["low"] < 0.4 < audit["rate"]["high"]


def self_label(bench, slot, human):
    """The audit's own slot is decided: the label stands on it."""
    verdict, *keys = human
    label = bench.decided(slot.case, verdict, *keys, purpose="judge_audit")
    JudgeAudit.objects.filter(slot=slot).update(slot=label.slot)


def test_the_worker_says_what_came_of_it(bench):
    bench.both("accept", "accept")
    job = Job.objects.create(kind="judges", title="x", state="running")
    judge_measuring.run(job.pk, bench.codebook.pk)
    job.refresh_from_db()
    assert (job.state, job.result["sentence"]) == ("done", "1 were measured.")


def test_ten_times_the_verdicts_take_as_many_statements(bench, django_assert_max_num_queries):
    bench.both("accept", "accept", times=2)
    for times in (1, 20):
        bench.both("reject", "accept", times=times)
        with django_assert_max_num_queries(14):
            judge_measuring.measure(bench.codebook, now=timezone.now())
