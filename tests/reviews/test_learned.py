from datetime import timedelta

import pytest
from django.utils import timezone

from codebook.adjudication import spot_checks
from codebook.adjudication.adjudicating import adjudicate
from codebook.models import SpotCheck
from tests.factories.queues import SlotFactory
from tests.factories.seats import Seats

pytestmark = pytest.mark.django_db
HERE = "/decisions/learned/"


@pytest.fixture
def seats():
    seats = Seats()
    seats.disagree(question="Am I charged twice?")
    return seats


def settle(seats, verdict="reject", *keys):
    return adjudicate(
        case=seats.case, round=1, codebook=seats.codebook, version_id=seats.version.pk, verdict=verdict,
        category_ids=[seats.version.categories.get(key=key).pk for key in keys], sided_with=None,
        note="Blunt is not rude.", by=seats.owner, now=timezone.now(),
    )  # fmt: skip


def page(sign_in, person):
    return sign_in(person).get(HERE).content.decode()


def test_before_the_owner_has_had_a_word_there_is_nothing(sign_in, seats):
    for person in seats.people:
        assert seats.case.external_id not in page(sign_in, person)


def test_each_reads_their_own_decision_the_last_word_and_why(sign_in, seats):
    settle(seats, "reject", "wrong-source")
    first, second = (page(sign_in, person) for person in seats.people)
    for shown in (first, second):
        assert "Am I charged twice?" in shown
        assert "Blunt is not rude." in shown
        assert "Wrong Source" in shown
    assert "Tone" in first
    assert "Hallucination" in second


def test_and_nothing_of_what_a_colleague_said_nor_who_it_was(sign_in, seats):
    settle(seats, "reject", "wrong-source")
    first, second = (page(sign_in, person) for person in seats.people)
    assert "Sven Second" not in first
    assert "Hallucination" not in first
    assert "Edited" not in first
    assert "Fiona First" not in second
    assert "Tone" not in second


def test_where_it_ended_as_they_said_it_says_so(sign_in, seats):
    settle(seats, "reject", "tone")
    assert "as you said" in page(sign_in, seats.people[0])
    assert "as you said" not in page(sign_in, seats.people[1])


def test_a_decision_that_the_owner_looked_over_and_agreed_with_is_there_too(sign_in, seats):
    seats.owner_works_here()
    spot_checks.draw(timezone.now() + timedelta(days=1))
    spot = SpotCheck.objects.get(reviewer=seats.people[0])
    assert seats.case.external_id not in page(sign_in, seats.people[0])
    spot_checks.check(spot=spot, agrees=True, by=seats.owner, now=timezone.now())
    assert "As you said" in page(sign_in, seats.people[0])


def test_not_while_they_may_be_asked_about_the_case_again(sign_in, seats):
    settle(seats)
    SlotFactory(lane=seats.lane, case=seats.case, round=3, purpose="drift", reserved_for=seats.people[0])
    assert seats.case.external_id not in page(sign_in, seats.people[0])


def test_a_grant_that_is_withdrawn_takes_it_with_it(sign_in, seats):
    settle(seats)
    seats.lane.tenant.tenantuserpermission_set.filter(user=seats.people[0]).delete()
    assert seats.case.external_id not in page(sign_in, seats.people[0])
