import pytest
from django.utils import timezone

from codebook.adjudication.adjudicating import NotSettled, adjudicate
from codebook.labels import labelling
from codebook.models import Adjudication, CategoryLink, Disagreement, FinalLabel, Label
from codebook.standing import standing
from hitl.models import AuditEvent, Message
from queues.models import Outcome, Slot
from reviews.given import Given, Invalid
from reviews.settling import settle, siding_with
from tests.factories.codebook import published
from tests.factories.hitl import grant
from tests.factories.queues import SlotFactory
from tests.factories.seats import Seats

pytestmark = pytest.mark.django_db


@pytest.fixture
def seats():
    seats = Seats()
    seats.found = seats.disagree()
    return seats


def word(seats, verdict="accept", *keys, **more):
    version = more.pop("version", seats.version)
    return adjudicate(
        **{
            "case": seats.case, "round": 1, "codebook": seats.codebook, "version_id": version.pk, "verdict": verdict,
            "category_ids": [version.categories.get(key=key).pk for key in keys], "sided_with": None, "note": "",
            "by": seats.owner, "now": timezone.now(),
        }
        | more
    )  # fmt: skip


class TestTheLastWord:
    def test_is_a_label_in_a_round_of_its_own_and_the_answer_on_the_case(self, seats):
        said = word(seats, "reject", "hallucination", "tone")
        label = Label.objects.get(pk=said.label_id)
        assert (label.round, label.user, label.batch.purpose, label.version) == (
            2, seats.owner, "adjudication", seats.version,
        )  # fmt: skip
        assert sorted(label.given.values_list("category__key", flat=True)) == ["hallucination", "tone"]
        assert FinalLabel.objects.get(case=seats.case).label == label

    def test_leaves_what_the_others_said_as_it_was_and_settles_it(self, seats):
        before = list(Label.objects.order_by("pk").values())
        word(seats, sided_with=Label.objects.get(user=seats.people[0]))
        assert list(Label.objects.filter(round=1).order_by("pk").values()) == before
        seats.found.refresh_from_db()
        assert seats.found.settled_at

    def test_tells_the_producer_nothing_by_itself(self, seats):
        messages = Message.objects.count()
        word(seats, "accept")
        assert Outcome.objects.get(case=seats.case).verdict == "reject"
        assert Message.objects.count() == messages

    def test_is_on_record_without_saying_which(self, seats):
        word(seats, "reject", "tone")
        event = AuditEvent.objects.get(action="case.adjudicated")
        assert (event.subject, event.actor_id) == (f"case:{seats.case.pk}", seats.owner.pk)
        assert event.detail["verdict"] == "reject"

    def test_is_no_decision_that_its_owner_could_undo_as_a_reviewer(self, seats, sign_in):
        word(seats)
        page = sign_in(seats.owner).get("/decisions/").content.decode()
        assert seats.case.external_id not in page

    def test_scrubs_the_note(self, seats):
        said = word(seats, note="Ask rosa.diaz@example.com")
        assert "rosa.diaz" not in said.note


class TestItIsRefused:
    def test_to_anybody_but_the_owner(self, seats):
        with pytest.raises(NotSettled, match="has the last word"):
            word(seats, by=seats.people[0])

    def test_in_a_second_tab(self, seats):
        word(seats)
        with pytest.raises(NotSettled, match="settled this case"):
            word(seats, "reject")
        assert Adjudication.objects.get().label.verdict == "accept"

    def test_under_a_version_that_is_no_longer_the_newest(self, seats):
        published(codebook=seats.codebook)
        with pytest.raises(labelling.WrongVersion):
            word(seats)

    def test_with_a_category_of_another_version(self, seats):
        older = seats.version.categories.first().pk
        newer = published(codebook=seats.codebook)
        with pytest.raises(labelling.WrongVersion):
            word(seats, version=newer, category_ids=[older])

    def test_while_the_owner_may_yet_be_asked_to_decide_the_case(self, seats):
        SlotFactory(lane=seats.lane, case=seats.case, round=2, purpose="relabel")
        grant(seats.owner_works_here(), "review_queue", seats.lane.queue)
        with pytest.raises(NotSettled, match="kept from you"):
            word(seats)
        assert not Adjudication.objects.exists()


class TestACorrection:
    def test_follows_the_first_word_which_is_taken_back_and_stays_on_record(self, seats):
        first = word(seats, "accept")
        second = word(seats, "reject", corrects=first.label_id)
        taken_back = Label.objects.get(pk=first.label_id)
        assert taken_back.undone_at
        assert second.label.pk != taken_back.pk
        assert Label.objects.get(pk=second.label_id).follows == taken_back
        assert FinalLabel.objects.get(case=seats.case).label_id == second.label_id
        assert Slot.objects.filter(case=seats.case, purpose="adjudication").count() == 1
        assert AuditEvent.objects.filter(action="case.adjudication_corrected").count() == 1

    def test_of_two_in_two_tabs_the_second_is_refused(self, seats):
        first = word(seats, "accept")
        word(seats, "reject", corrects=first.label_id)
        with pytest.raises(NotSettled):
            word(seats, "edit", corrects=first.label_id)


class TestWithTheAnswer:
    def settle(self, seats, given, tell=False, side=None):
        return settle(
            case=type(seats.case).objects.select_related("tenant").get(pk=seats.case.pk), round=1,
            codebook=seats.codebook, given=given, sided_with=side, note="", tell=tell, by=seats.owner,
            now=timezone.now(),
        )  # fmt: skip

    def given(self, seats, verdict, **more):
        return Given(verdict=Label.Verdict(verdict), version_id=seats.version.pk, **more)

    def test_siding_with_an_edit_takes_its_text_and_its_categories(self, seats):
        label = Label.objects.get(user=seats.people[1])
        given = siding_with(label, standing(seats.codebook.pk))
        said = self.settle(seats, given, side=label)
        assert said.label.review.final_answer == "Another answer."
        assert set(said.label.given.values_list("category__key", flat=True)) == {"hallucination"}

    def test_a_decision_in_words_that_have_changed_since_cannot_be_sided_with(self, seats):
        newer = published(codebook=seats.codebook)
        CategoryLink.objects.bulk_create(
            CategoryLink(version=newer, category=one, ancestor=seats.version.categories.get(key=one.key), kind=kind)
            for one in newer.categories.all()
            for kind in ["reworded" if one.key == "tone" else "same"]
        )
        stands = standing(seats.codebook.pk)
        with pytest.raises(NotSettled, match="“Tone” means something else in version 2"):
            siding_with(Label.objects.get(user=seats.people[0]), stands)
        given = siding_with(Label.objects.get(user=seats.people[1]), stands)
        assert given.category_ids == {newer.categories.get(key="hallucination").pk}

    def test_the_producer_is_told_where_the_owner_wants_it(self, seats):
        self.settle(seats, self.given(seats, "accept"), tell=True)
        outcome = Outcome.objects.get(case=seats.case)
        assert (outcome.verdict, outcome.final_answer, outcome.revision) == ("accept", seats.case.draft, 2)
        assert AuditEvent.objects.get(action="case.adjudicated").detail["producer_told"] is True

    def test_and_not_where_nothing_differs_from_what_it_was_told(self, seats):
        self.settle(seats, self.given(seats, "reject"), tell=True)
        assert Outcome.objects.get(case=seats.case).revision == 1

    def test_an_edit_without_a_change_settles_nothing(self, seats):
        with pytest.raises(Invalid):
            self.settle(seats, self.given(seats, "edit", final_answer=seats.case.draft))
        assert Disagreement.objects.filter(settled_at=None).exists()
