import pytest
from django.utils import timezone

from queues import joining
from queues.models import JudgeVerdict
from tests.factories.queues import CaseFactory, JudgeVerdictFactory

pytestmark = pytest.mark.django_db


def waiting(case, **fields):
    return JudgeVerdictFactory(case=None, tenant=case.tenant, **fields)


def test_verdicts_find_a_case_that_came_at_the_same_moment_by_its_id_or_its_trace():
    case = CaseFactory(external_id="c-1", trace_id="t-1")
    waiting(case, external_case_id="c-1")
    waiting(case, trace_id="t-1", judge_version="2")
    waiting(case, external_case_id="another")
    assert joining.attach(timezone.now()) == 2
    assert JudgeVerdict.objects.filter(case=case).count() == 2
    assert joining.attach(timezone.now()) == 0


def test_of_two_that_a_case_cannot_both_have_the_first_is_joined_and_the_other_waits_on():
    case = CaseFactory(external_id="c-1", trace_id="t-1")
    first = waiting(case, external_case_id="c-1")
    other = waiting(case, trace_id="t-1")
    assert joining.attach(timezone.now()) == 1
    first.refresh_from_db()
    other.refresh_from_db()
    assert (first.case, other.case) == (case, None)
    assert joining.attach(timezone.now()) == 0


def test_a_stranger_s_case_is_not_theirs():
    case = CaseFactory(external_id="c-1")
    JudgeVerdictFactory(case=None, tenant=CaseFactory().tenant, external_case_id="c-1")
    assert joining.attach(timezone.now()) == 0
    assert not case.judge_verdicts.exists()
