from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from codebook.labels import counting, labelling
from codebook.models import CategoryLink, Relabel, RelabelSlot
from codebook.versions import rubric
from hitl.jobs.models import Job
from tests.factories.codebook import CodebookFactory, published
from tests.factories.hitl import UserFactory, grant
from tests.factories.jobs import work_off
from tests.factories.queues import LaneFactory, SlotFactory, lead_of, reviewer_of

pytestmark = pytest.mark.django_db
NOW = timezone.now()


class Book:
    """Two labels under version 1, one of which gave tone; one under version 2, where tone has other words."""

    def __init__(self):
        self.lane = LaneFactory()
        self.codebook = CodebookFactory(slug="support")
        self.owner = self.codebook.owner
        self.reader = reviewer_of(self.lane, name="Rita Reader")
        self.one = published(self.lane.queue, codebook=self.codebook, keys=["tone", "other", "gone"])
        self.label(self.one, "tone", "gone")
        self.batch = self.label(self.one, "other").batch
        self.two = published(codebook=self.codebook, keys=["tone", "other", "fresh"])
        self.old, self.new = (version.categories.get(key="tone") for version in (self.one, self.two))
        self.link = CategoryLink.objects.create(version=self.two, category=self.new, ancestor=self.old, kind="reworded")
        self.label(self.two, "tone")
        counting.count(NOW)

    def label(self, version, *keys):
        categories = version.categories.filter(key__in=keys).values_list("pk", flat=True)
        return labelling.give(
            slot=SlotFactory(lane=self.lane), queue_id=self.lane.queue_id, origin="escalation", user=self.reader,
            stamp=rubric(version.pk), verdict="reject", category_ids=list(categories), now=NOW,
        )  # fmt: skip

    def url(self, name, *args):
        return reverse(f"codebook_{name}", args=["support", *args])

    @property
    def carry(self):
        return self.url("carry", self.new.pk, self.old.pk)


@pytest.fixture
def book():
    return Book()


def text(response):
    return " ".join(response.content.decode().split())


class TestWhatCounts:
    def test_each_category_says_how_it_came_about_what_counts_and_what_is_in_quarantine(self, book, sign_in):
        response = sign_in(book.reader).get(book.url("standing"))
        tone, other, fresh = response.context["rows"]
        assert (tone.counted, tone.given, tone.under, tone.since) == (
            1, 1, "version 2", "In these words since version 2."
        )  # fmt: skip
        assert [(out.number, out.labels, out.given) for out in tone.out] == [(1, 2, 1)]
        assert [step.words for step in tone.steps] == ["in other words than “Tone”"]
        assert (other.counted, other.given, other.out, other.since) == (3, 1, [], "The same since version 1.")
        assert (fresh.counted, fresh.out, fresh.since) == (1, [], "New in version 2.")
        assert "version 2; version 1 but for Tone (in quarantine)" in text(response)

    def test_a_reader_is_offered_nothing_to_do(self, book, sign_in):
        said = text(sign_in(book.reader).get(book.url("standing")))
        assert "Carry over" not in said
        assert "Order a relabel" not in said

    def test_nothing_published_says_what_has_to_happen(self, sign_in):
        codebook = CodebookFactory(slug="support")
        response = sign_in(codebook.owner).get(reverse("codebook_standing", args=["support"]))
        assert "Nothing is published yet" in text(response)

    def test_what_was_not_counted_yet_is_said(self, book, sign_in):
        book.batch.version.batches.all()
        counting.BatchCount.objects.all().delete()
        assert "counted within the minute" in text(sign_in(book.owner).get(book.url("standing")))


class TestCarryingOver:
    def test_the_owner_sees_both_wordings_and_carries_over_with_a_reason(self, book, sign_in):
        client = sign_in(book.owner)
        assert book.carry in text(client.get(book.url("standing")))
        assert client.get(book.carry).status_code == 200
        response = client.post(book.carry, {"because": "Only a comma."}, follow=True)
        assert response.redirect_chain[-1][0] == book.url("standing")
        assert not response.context["rows"][0].out
        assert "Carried over by" in text(response)
        assert "Only a comma." in text(response)
        client.post(book.url("carry_back", book.new.pk, book.old.pk))
        assert client.get(book.url("standing")).context["rows"][0].out

    def test_without_a_reason_nothing_happens(self, book, sign_in):
        assert sign_in(book.owner).post(book.carry, {"because": " "}).status_code == 422
        assert not CategoryLink.objects.exclude(carried_at=None).exists()

    def test_what_cannot_be_carried_over_is_said_on_the_page(self, book, sign_in):
        other = [version.categories.get(key="other").pk for version in (book.two, book.one)]
        response = sign_in(book.owner).post(book.url("carry", *other), {"because": "Why not."})
        assert response.status_code == 422
        assert "count by themselves" in text(response)

    def test_two_categories_that_have_nothing_to_do_with_each_other_have_no_page(self, book, sign_in):
        fresh = book.two.categories.get(key="fresh")
        assert sign_in(book.owner).get(book.url("carry", fresh.pk, book.old.pk)).status_code == 404


class TestRelabels:
    def test_ordered_on_the_page_and_followed_there(self, book, sign_in):
        client = sign_in(book.owner)
        response = client.post(book.url("relabel", book.new.pk), {"percent": "100", "reason": "Sarcasm."})
        assert response.url == reverse("job", args=[Job.objects.get().pk])
        work_off()
        counting.count(NOW)
        said = text(client.get(book.url("standing")))
        assert "100.0% of 2" in said
        assert "0 of 2 decided" in said
        order = Relabel.objects.get()
        client.post(book.url("relabel_cancel", order.pk))
        work_off()
        assert not RelabelSlot.objects.exists()
        assert "cancelled" in text(client.get(book.url("standing")))

    @pytest.mark.parametrize("percent", ["0", "101", "-1", "many", ""])
    def test_a_share_that_is_none_is_refused_with_the_reason_kept(self, book, sign_in, percent):
        response = sign_in(book.owner).post(
            book.url("relabel", book.new.pk), {"percent": percent, "reason": "Sarcasm is in it now."}
        )
        assert response.status_code == 422
        assert "Sarcasm is in it now." in text(response)
        assert not Relabel.objects.exists()

    def test_nothing_in_quarantine_is_said(self, book, sign_in):
        other = book.two.categories.get(key="other")
        response = sign_in(book.owner).post(book.url("relabel", other.pk), {"percent": "50", "reason": "So."})
        assert "nothing to decide again" in text(response)

    def test_an_order_of_another_codebook_cannot_be_cancelled_here(self, book, sign_in):
        foreign = published(codebook=CodebookFactory())
        order = Relabel.objects.create(
            codebook=foreign.codebook, category=foreign.categories.first(), share=Decimal(1), affected=1, reason="So.",
            ordered_by=foreign.codebook.owner, ordered_at=NOW,
        )  # fmt: skip
        assert sign_in(book.owner).post(book.url("relabel_cancel", order.pk)).status_code == 404


class TestBatches:
    def test_listed_with_filters(self, book, sign_in):
        client = sign_in(book.reader)
        listed = client.get(book.url("batches")).context["batches"]
        assert [batch.version_id for batch in listed] == [book.two.pk, book.one.pk]
        for query, found in (
            ("version=1", 1), ("state=open", 2), ("state=closed", 0), (f"queue={book.lane.queue.slug}&version=2", 1),
            ("version=nonsense", 2), ("queue=elsewhere", 2),
        ):  # fmt: skip
            assert len(client.get(f"{book.url('batches')}?{query}").context["batches"]) == found, query

    def test_those_of_queues_that_one_does_not_work_in_are_only_counted(self, book, sign_in):
        response = sign_in(book.owner).get(book.url("batches"))
        assert not list(response.context["batches"])
        assert "2 batches are of queues that you do not work in" in text(response)
        assert sign_in(book.owner).get(book.url("batch", book.batch.pk)).status_code == 404

    def test_one_says_what_became_of_its_labels(self, book, sign_in):
        page = sign_in(book.reader).get(book.url("batch", book.batch.pk)).context["page"]
        assert [(said.title, said.state, said.given) for said in page.says] == [
            ("Tone", "quarantine", 1), ("Other", "counts", 1), ("Fresh", "unknown", 0),
        ]  # fmt: skip
        assert page.gone == [("Gone", 1)]

    def test_agreement_that_cannot_be_said_is_said_so(self, book, sign_in):
        said = text(sign_in(book.reader).get(book.url("batch", book.batch.pk)))
        assert "Cannot be said yet" in said

    def test_names_are_for_the_owner_and_who_runs_the_queue(self, book, sign_in):
        url, other = book.url("batch", book.batch.pk), reviewer_of(book.lane)
        grant(book.owner, "review_queue", book.lane.queue)
        assert "Rita Reader" not in text(sign_in(other).get(url))
        assert "1 person." in text(sign_in(other).get(url))
        for who in (lead_of(book.lane), book.owner, UserFactory(is_superuser=True)):
            assert "Rita Reader" in text(sign_in(who).get(url))

    def test_closed_by_hand_by_who_runs_the_queue(self, book, sign_in):
        close = book.url("batch_close", book.batch.pk)
        assert sign_in(book.reader).post(close).status_code == 404
        response = sign_in(lead_of(book.lane)).post(close, follow=True)
        assert "closed by hand" in text(response)
        assert "already" in text(sign_in(lead_of(book.lane)).post(close, follow=True))

    def test_one_that_was_not_counted_yet_says_so(self, book, sign_in):
        counting.BatchCount.objects.all().delete()
        assert "Not counted yet" in text(sign_in(book.reader).get(book.url("batch", book.batch.pk)))
