import pytest
from django.urls import reverse

from codebook.models import Adjudication, Label
from hitl.models import AuditEvent
from queues.models import Outcome
from tests.factories.codebook import published
from tests.factories.hitl import grant
from tests.factories.seats import Seats

pytestmark = pytest.mark.django_db


@pytest.fixture
def seats():
    seats = Seats()
    seats.owner_works_here()
    seats.found = seats.disagree(question="charged twice?")
    return seats


@pytest.fixture
def owner(sign_in, seats):
    return sign_in(seats.owner)


def index(seats):
    return reverse("codebook_disagreements", args=[seats.codebook.slug])


def page(seats, found=None):
    return reverse("codebook_adjudicate", args=[seats.codebook.slug, (found or seats.found).pk])


def form(seats, **more):
    return {"version": seats.version.pk, "note": ""} | more


def label(seats, person):
    return Label.objects.get(case=seats.case, user=seats.people[person], undone_at=None, is_amendment=False)


class TestTheList:
    def test_says_what_each_is_about_and_what_is_confused_most(self, owner, seats):
        shown = owner.get(index(seats)).content.decode()
        assert seats.case.external_id in shown
        assert "“Hallucination” or “Tone”" in shown
        assert "1 open" in shown

    def test_can_be_narrowed_to_a_category_a_queue_and_two_people(self, owner, seats):
        one, other = sorted(person.pk for person in seats.people)
        for query, there in [
            ("category=tone", True), ("category=wrong-source", False), (f"queue={seats.lane.queue.slug}", True),
            ("queue=elsewhere", False), (f"pair={one}-{other}", True), ("pair=1-999999", False),
            ("state=settled", False), ("order=confused", True), ("category=%00", False),
        ]:  # fmt: skip
            shown = owner.get(f"{index(seats)}?{query}").content.decode()
            assert (seats.case.external_id in shown) is there, query

    def test_says_how_many_lie_where_the_owner_may_not_look(self, owner, seats):
        seats.lane.tenant.tenantuserpermission_set.filter(user=seats.owner).delete()
        shown = owner.get(index(seats)).content.decode()
        assert seats.case.external_id not in shown
        assert "0 open; 1 more lie" in shown
        assert owner.get(page(seats)).status_code == 404

    def test_nor_where_they_may_yet_decide(self, owner, seats):
        third = seats.case.slots.get(seat=2)
        third.pk, third.seat, third.state, third.decided_by, third.decided_at = None, 3, "open", None, None
        third.save()
        grant(seats.owner, "review_queue", seats.lane.queue)
        shown = owner.get(index(seats)).content.decode()
        assert "1 more come when their cases are no longer yours to decide" in shown
        assert owner.get(page(seats)).status_code == 404

    def test_before_anything_is_published_nobody_disagrees(self, owner, seats):
        empty = type(seats.codebook).objects.create(slug="empty", title="Empty", owner=seats.owner)
        assert "Nobody disagrees" in owner.get(reverse("codebook_disagreements", args=[empty.slug])).content.decode()

    def test_is_the_owners_alone(self, sign_in, seats):
        assert sign_in(seats.people[0]).get(index(seats)).status_code == 404
        assert sign_in(seats.people[0]).get(page(seats)).status_code == 404


class TestTheCase:
    def test_shows_the_decisions_side_by_side_with_their_differences_in_words(self, owner, seats):
        shown = owner.get(page(seats)).content.decode()
        for words in (
            "Fiona First",
            "Sven Second",
            "only here",
            "not “Tone”",
            "Another answer",
            "charged twice?",
        ):
            assert words in shown
        assert AuditEvent.objects.filter(action="case.seen", actor_id=seats.owner.pk).exists()

    def test_siding_with_one_settles_it_and_brings_the_next(self, owner, seats):
        first = seats.found
        second = seats.disagree()
        side = Label.objects.get(case=first.case, user=seats.people[0])
        answer = owner.post(page(seats, first), form(seats, side=side.pk, note="The tone was the trouble."))
        assert answer.url == page(seats, second)
        word = Adjudication.objects.get()
        assert (word.sided_with, word.label.verdict, word.note) == (side, "reject", "The tone was the trouble.")

    def test_the_next_is_the_next_of_those_that_were_asked_for(self, owner, seats):
        seats.another()
        seats.decide(1, "accept")
        seats.decide(2, "reject")
        first, second = seats.found, seats.disagree()
        answer = owner.post(f"{page(seats, first)}?category=tone", form(seats, verdict="accept"))
        assert answer.url == f"{page(seats, second)}?category=tone"

    def test_after_the_last_the_list_says_that_it_is_empty(self, owner, seats):
        answer = owner.post(page(seats), form(seats, verdict="accept"), follow=True)
        assert "Nobody disagrees" in answer.content.decode()

    def test_another_verdict_with_other_categories(self, owner, seats):
        source = seats.version.categories.get(key="wrong-source").pk
        owner.post(page(seats), form(seats, verdict="edit", final_answer="The right answer.", category=[source]))
        word = Adjudication.objects.get()
        assert word.sided_with is None
        assert word.label.review.final_answer == "The right answer."
        assert [given.category_id for given in word.label.given.all()] == [source]

    def test_the_producer_hears_of_it_only_where_the_box_is_ticked(self, owner, seats):
        owner.post(page(seats), form(seats, verdict="accept"))
        assert Outcome.objects.get(case=seats.case).revision == 1
        seats.disagree()
        found = seats.case.disagreements.get()
        owner.post(page(seats, found), form(seats, verdict="accept", tell="on"))
        assert Outcome.objects.get(case=seats.case).verdict == "accept"

    def test_a_second_tab_is_refused_and_keeps_what_was_typed(self, owner, seats):
        owner.post(page(seats), form(seats, verdict="accept"))
        answer = owner.post(page(seats), form(seats, verdict="reject", note="As I said"))
        assert answer.status_code == 409
        shown = answer.content.decode()
        assert "settled this case" in shown
        assert "As I said" in shown

    def test_what_was_settled_can_be_corrected(self, owner, seats):
        owner.post(page(seats), form(seats, verdict="accept"))
        word = Adjudication.objects.get()
        assert "is the last word" in owner.get(page(seats)).content.decode()
        owner.post(page(seats), form(seats, verdict="reject", corrects=word.label_id))
        word.refresh_from_db()
        assert word.label.verdict == "reject"

    def test_a_newer_version_sends_the_owner_back_to_its_categories(self, owner, seats):
        published(codebook=seats.codebook)
        for given in ({"verdict": "accept"}, {"side": label(seats, 0).pk}):
            answer = owner.post(page(seats), form(seats, **given))
            assert answer.status_code == 409
            assert "newer version" in answer.content.decode()
        assert not Adjudication.objects.exists()

    @pytest.mark.parametrize("given", [{}, {"side": "x"}, {"side": 10**9}, {"verdict": "maybe"}, {"verdict": "edit"}])
    def test_what_cannot_be_read_is_refused_in_words(self, owner, seats, given):
        answer = owner.post(page(seats), form(seats, **given))
        assert answer.status_code == 409
        assert 'role="alert"' in answer.content.decode()


def test_a_disagreement_becomes_an_edge_case_of_the_draft_in_one_click(owner, seats):
    url = reverse("codebook_edge_case", args=[seats.codebook.slug, seats.found.pk])
    answer = owner.post(url, {"category": "tone", "text": "Blunt, yet asked to be."}, follow=True)
    assert answer.redirect_chain[0][0] == page(seats)
    assert "It stands in the draft" in answer.content.decode()
    draft = seats.codebook.versions.get(state="draft")
    assert "Blunt, yet asked to be." in draft.categories.get(key="tone").edge_case
