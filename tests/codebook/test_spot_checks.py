from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from codebook.adjudication import spot_checks
from codebook.models import Adjudication, Label, SpotCheck
from hitl.models import AuditEvent
from tests.factories.seats import Seats

pytestmark = pytest.mark.django_db


@pytest.fixture
def seats():
    """Three cases, each decided by the first and the second reviewer; the owner may see them."""
    seats = Seats()
    seats.owner_works_here()
    for _ in range(3):
        seats.disagree()
    return seats


def tomorrow():
    return timezone.now() + timedelta(days=1)


class TestTheDraw:
    def test_takes_two_decisions_of_yesterday_of_every_reviewer(self, seats):
        assert spot_checks.draw(tomorrow()) == 4
        assert (
            sorted(SpotCheck.objects.values_list("reviewer__name", flat=True))
            == ["Fiona First"] * 2 + ["Sven Second"] * 2
        )

    def test_once_a_day_however_often_it_runs(self, seats):
        spot_checks.draw(tomorrow())
        assert spot_checks.draw(tomorrow() + timedelta(minutes=1)) == 0

    def test_none_of_today(self, seats):
        assert spot_checks.draw(timezone.now()) == 0

    def test_the_same_ones_whoever_draws_and_others_on_another_day(self):
        labels = list(range(1, 200))
        day = timezone.now().date()
        assert spot_checks.chosen(day, labels) == spot_checks.chosen(day, labels[::-1])
        assert spot_checks.chosen(day, labels) != spot_checks.chosen(day + timedelta(days=1), labels)

    def test_none_that_was_taken_back_or_is_an_amendment(self, seats):
        Label.objects.filter(user=seats.people[0]).update(undone_at=timezone.now())
        spot_checks.draw(tomorrow())
        assert not SpotCheck.objects.filter(reviewer=seats.people[0]).exists()

    def test_none_of_cases_that_the_owner_may_not_see(self, seats):
        seats.lane.tenant.tenantuserpermission_set.filter(user=seats.owner).delete()
        assert spot_checks.draw(tomorrow()) == 0

    def test_none_of_the_owners_own(self, seats):
        seats.codebook.owner = seats.people[0]
        seats.codebook.save()
        spot_checks.draw(tomorrow())
        assert not SpotCheck.objects.filter(reviewer=seats.people[0]).exists()


class TestTheOwner:
    @pytest.fixture
    def spot(self, seats):
        spot_checks.draw(tomorrow())
        return SpotCheck.objects.filter(reviewer=seats.people[0]).first()

    @pytest.fixture
    def owner(self, sign_in, seats):
        return sign_in(seats.owner)

    def url(self, seats, spot):
        return reverse("codebook_spot_check", args=[seats.codebook.slug, spot.pk])

    def index(self, owner, seats):
        return owner.get(reverse("codebook_spot_checks", args=[seats.codebook.slug])).content.decode()

    def test_sees_the_decision_and_agrees_with_one_key(self, owner, seats, spot):
        page = owner.get(self.url(seats, spot)).content.decode()
        assert "Fiona First" in page
        assert "Sven Second" not in page
        assert 'data-key="y"' in page
        answer = owner.post(self.url(seats, spot), {"side": spot.label_id, "version": seats.version.pk})
        assert answer.status_code == 302
        spot.refresh_from_db()
        assert (spot.agrees, spot.adjudication) == (True, None)
        assert not Adjudication.objects.exists()
        assert AuditEvent.objects.filter(action="case.spot_checked").count() == 1

    def test_or_decides_otherwise_which_is_the_last_word(self, owner, seats, spot):
        owner.post(self.url(seats, spot), {"verdict": "accept", "version": seats.version.pk, "note": "It was fine."})
        spot.refresh_from_db()
        assert (spot.agrees, spot.adjudication.label.verdict) == (False, "accept")
        assert spot.label.case.disagreements.get().settled_at

    def test_only_once(self, owner, seats, spot):
        said = {"side": spot.label_id, "version": seats.version.pk}
        owner.post(self.url(seats, spot), said)
        assert owner.post(self.url(seats, spot), said).status_code == 409

    def test_a_word_that_is_refused_leaves_the_check_open(self, owner, seats, spot):
        assert owner.post(self.url(seats, spot), {"verdict": "edit", "version": seats.version.pk}).status_code == 409
        spot.refresh_from_db()
        assert spot.checked_at is None
        assert not Adjudication.objects.exists()

    def test_sees_how_often_they_agreed_with_interval_and_n(self, owner, seats, spot):
        assert "cannot be said yet" in self.index(owner, seats)
        owner.post(self.url(seats, spot), {"side": spot.label_id, "version": seats.version.pk})
        assert "1 of 1, 100% (95%: 21% to 100%)" in self.index(owner, seats)

    def test_alone(self, sign_in, seats, spot):
        client = sign_in(seats.people[0])
        assert client.get(self.url(seats, spot)).status_code == 404
        assert client.get(reverse("codebook_spot_checks", args=[seats.codebook.slug])).status_code == 404
