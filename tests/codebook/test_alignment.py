from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from codebook.adjudication import alignment, alignment_measuring
from codebook.adjudication.alignment import NotOpened
from codebook.models import AlignmentSession
from hitl.jobs import progress
from hitl.models import AuditEvent, Job
from tests.factories.hitl import grant
from tests.factories.queues import reviewer_of
from tests.factories.seats import Seats

pytestmark = pytest.mark.django_db


@pytest.fixture
def seats():
    """Two agreed once, and differed on tone twice, on the verdict once."""
    seats = Seats()
    seats.owner_works_here()
    seats.decide(1, "accept")
    seats.decide(2, "accept")
    for first, second in (
        (("accept",), ("reject",)),
        (("reject", "tone"), ("reject",)),
        (("reject",), ("reject", "tone")),
    ):
        seats.another()
        seats.decide(1, *first)
        seats.decide(2, *second)
    return seats


def open_session(seats, **more):
    return alignment.open_session(codebook=seats.codebook, by=seats.owner, now=timezone.now(), **more)


def measured(session):
    job = Job.objects.filter(kind=f"alignment:{session.pk}").latest("pk")
    progress.run(job.pk, alignment.TASK, session.pk)
    assert Job.objects.get(pk=job.pk).state == "done"
    session.refresh_from_db()
    return session


class TestASession:
    def test_has_the_disagreements_of_the_period_on_its_agenda_the_most_confused_first(self, seats):
        session = open_session(seats)
        ids = list(seats.codebook.disagreements.order_by("pk").values_list("pk", flat=True))
        assert session.agenda == [ids[1], ids[2], ids[0]]
        assert session.since == session.until - timedelta(days=30)
        assert AuditEvent.objects.filter(action="alignment.opened").exists()

    def test_the_next_begins_where_it_ended(self, seats):
        first = open_session(seats)
        alignment.close(session=first, by=seats.owner, now=timezone.now())
        with pytest.raises(NotOpened, match="Nobody has disagreed since"):
            open_session(seats)
        seats.disagree()
        assert open_session(seats).since == first.until

    def test_there_is_one_at_a_time(self, seats):
        open_session(seats)
        with pytest.raises(NotOpened, match="A session is open"):
            open_session(seats)

    def test_is_the_owners_to_open_and_to_close(self, seats):
        with pytest.raises(NotOpened, match="has the last word"):
            alignment.open_session(codebook=seats.codebook, by=seats.people[0], now=timezone.now())
        session = open_session(seats)
        with pytest.raises(NotOpened, match="has the last word"):
            alignment.close(session=session, by=seats.people[0], now=timezone.now())

    def test_closes_once(self, seats):
        session = open_session(seats)
        alignment.close(session=session, by=seats.owner, now=timezone.now())
        with pytest.raises(NotOpened):
            alignment.close(session=session, by=seats.owner, now=timezone.now())


class TestAgreementAroundIt:
    def test_before_is_measured_of_the_verdict_and_of_what_the_agenda_is_about(self, seats):
        session = measured(open_session(seats))
        verdict, tone = session.before["figures"]
        # Accept-accept, accept-reject, reject-reject twice: 3 of 4 agree, chance is 1/2·1/4 + 1/2·3/4 = 1/2.
        assert (verdict["of"], verdict["n"], verdict["value"]) == ("Verdict", 4, pytest.approx(0.5))
        assert (tone["of"], tone["n"]) == ("“Tone”", 4)
        assert session.before["versions"] == [1]
        assert session.after is None

    def test_after_is_of_what_was_decided_after_it_was_closed_and_again_each_day(self, seats):
        session = measured(open_session(seats))
        alignment.close(session=session, by=seats.owner, now=timezone.now())
        for verdict in ("accept", "reject"):
            seats.another()
            seats.decide(1, verdict)
            seats.decide(2, verdict)
        assert alignment.follow(timezone.now()) == 0
        assert alignment.follow(timezone.now() + timedelta(days=1)) == 1
        session = measured(session)
        assert [(one["n"], one["value"]) for one in session.after["figures"][:1]] == [(2, pytest.approx(1.0))]
        assert alignment.follow(timezone.now()) == 0
        assert alignment.follow(timezone.now() + timedelta(days=91)) == 0

    def test_undefined_is_said_and_never_shown_as_a_number(self, seats, sign_in):
        session = open_session(seats)
        alignment.close(session=session, by=seats.owner, now=timezone.now())
        alignment_measuring.run(Job.objects.latest("pk").pk, session.pk)
        page = sign_in(seats.owner).get(reverse("codebook_alignment", args=[seats.codebook.slug, session.pk]))
        assert "cannot be said yet" in page.content.decode()


class TestItsPage:
    def url(self, seats, session):
        return reverse("codebook_alignment", args=[seats.codebook.slug, session.pk])

    def test_one_click_opens_it(self, sign_in, seats):
        answer = sign_in(seats.owner).post(reverse("codebook_alignments", args=[seats.codebook.slug]))
        assert answer.url == self.url(seats, AlignmentSession.objects.get())

    def test_shows_the_agenda_to_all_who_may_see_the_cases_without_names(self, sign_in, seats):
        session = open_session(seats)
        page = sign_in(reviewer_of(seats.lane)).get(self.url(seats, session)).content.decode()
        assert "“Tone” or not" in page
        assert seats.case.external_id in page
        assert not {person.name for person in seats.people if person.name in page}
        assert AuditEvent.objects.filter(action="case.seen", detail__contains={"as": "alignment"}).count() == 3

    def test_says_how_many_lie_elsewhere(self, sign_in, seats):
        session = open_session(seats)
        reader = grant(reviewer_of(), "read_codebook", seats.codebook)
        page = sign_in(reader).get(self.url(seats, session)).content.decode()
        assert seats.case.external_id not in page
        assert "3 of them lie in queues or tenants that you may not see" in page

    def test_shows_no_case_that_the_reader_may_yet_decide(self, sign_in):
        seats = Seats(raters=3)
        seats.decide(1, "accept")
        seats.decide(2, "reject")
        session = open_session(seats)
        page = sign_in(seats.people[2]).get(self.url(seats, session)).content.decode()
        assert seats.case.external_id not in page
        assert "or are yours to decide yet" in page

    def test_the_owner_writes_what_was_agreed_and_closes_it(self, sign_in, seats):
        session = open_session(seats)
        client = sign_in(seats.owner)
        client.post(self.url(seats, session), {"note": "Blunt is not rude."})
        client.post(self.url(seats, session), {"note": "Blunt is not rude.", "close": "1"})
        session.refresh_from_db()
        assert session.closed_at
        assert "Blunt is not rude." in sign_in(seats.people[0]).get(self.url(seats, session)).content.decode()
        assert sign_in(seats.people[0]).post(self.url(seats, session), {"note": "x"}).status_code == 404
