import pytest
from django.utils import timezone
from guardian.shortcuts import assign_perm

from codebook.doors import codebooks
from codebook.models import Codebook, Comment
from codebook.rubric import authoring, commenting, owning
from codebook.rubric.authoring import Refused
from hitl.models import AuditEvent
from tests.factories.codebook import CodebookFactory, published
from tests.factories.hitl import UserFactory, grant
from tests.factories.queues import LaneFactory, lead_of, reviewer_of

pytestmark = pytest.mark.django_db
NOW = timezone.now()


class TestMakingOne:
    def test_whoever_leads_a_queue_and_administrators_may(self):
        for number, person in enumerate((lead_of(LaneFactory()), UserFactory(is_superuser=True))):
            book = owning.create_codebook(owner=person, slug=f"book-{number}", title=" Book ")
            assert (book.owner, book.title) == (person, "Book")
        assert AuditEvent.objects.filter(action="codebook.created").count() == 2

    def test_nobody_else_may(self):
        for person in (UserFactory(), reviewer_of(LaneFactory())):
            with pytest.raises(Refused, match="those who lead a queue"):
                owning.create_codebook(owner=person, slug="book", title="Book")

    @pytest.mark.parametrize(
        ("slug", "title", "sentence"),
        [("a b", "T", "Short name: letters"), ("a", "", "between 1 and 120"), ("taken", "T", "“taken” already")],
    )
    def test_what_cannot_be_is_said(self, slug, title, sentence):
        CodebookFactory(slug="taken")
        with pytest.raises(Refused, match=sentence):
            owning.create_codebook(owner=UserFactory(is_superuser=True), slug=slug, title=title)
        assert Codebook.objects.count() == 1


class TestChangingIt:
    def test_title_and_days_change_and_are_on_record(self):
        book = CodebookFactory(title="Old")
        fields = {"title": "New", "batch_days": 90}
        assert owning.change_codebook(codebook=book, by=book.owner, fields=fields) == ["title"]
        assert AuditEvent.objects.get(action="codebook.changed").detail == {"fields": ["title"]}
        assert owning.change_codebook(codebook=book, by=book.owner, fields=fields) == []

    def test_it_is_for_its_owner_and_administrators(self):
        book = CodebookFactory()
        owning.change_codebook(codebook=book, by=UserFactory(is_superuser=True), fields={"title": "New"})
        with pytest.raises(Refused, match="Only"):
            owning.change_codebook(codebook=book, by=UserFactory(), fields={"title": "Mine"})


class TestHandingItOver:
    @pytest.fixture
    def lane(self):
        return LaneFactory()

    @pytest.fixture
    def book(self, lane):
        return published(lane.queue).codebook

    def test_it_goes_to_one_who_may_read_it_and_the_one_before_still_may(self, book, lane):
        before, heir = book.owner, reviewer_of(lane)
        owning.hand_over(codebook=book, to=heir, by=before)
        book.refresh_from_db()
        assert book.owner == heir
        assert book in codebooks(before)
        assert AuditEvent.objects.get(action="codebook.handed_over").detail == {"before": before.pk, "to": heir.pk}

    def test_an_administrator_finds_an_owner_for_that_of_one_who_left(self, book, lane):
        book.owner.is_active = False
        book.owner.save()
        heir = reviewer_of(lane)
        owning.hand_over(codebook=book, to=heir, by=UserFactory(is_superuser=True))
        assert Codebook.objects.get().owner == heir

    def test_the_heirs_are_those_who_may_read_it(self, book, lane):
        reader, root = grant(UserFactory(), "read_codebook", book), UserFactory(is_superuser=True)
        heirs = {reviewer_of(lane), lead_of(lane), reader, root}
        UserFactory()
        reviewer_of(LaneFactory())
        reviewer_of(lane, is_active=False)
        assert set(owning.heirs(book)) == heirs

    def test_not_to_a_stranger_nor_to_one_who_left_nor_by_another(self, book, lane):
        for heir in (UserFactory(), reviewer_of(lane, is_active=False)):
            with pytest.raises(Refused, match=f"It stays with {book.owner.name}"):
                owning.hand_over(codebook=book, to=heir, by=book.owner)
        with pytest.raises(Refused, match="already"):
            owning.hand_over(codebook=book, to=book.owner, by=book.owner)
        with pytest.raises(Refused, match="Only"):
            owning.hand_over(codebook=book, to=reviewer_of(lane), by=reviewer_of(lane))


class TestComments:
    @pytest.fixture
    def draft(self):
        book = CodebookFactory()
        draft = authoring.start_draft(codebook=book, by=book.owner)
        authoring.add_category(version=draft, by=book.owner, fields={"title": "Tone"})
        return draft

    def reader(self, draft):
        person = UserFactory()
        assign_perm("read_codebook", person, draft.codebook)
        return person

    def say(self, draft, text="Why?", by=None, category=None):
        by = by or self.reader(draft)
        return commenting.comment(version=draft, category=category, text=text, by=by, now=NOW)

    def test_readers_say_it_of_the_draft_or_of_a_category(self, draft):
        category = draft.categories.get()
        assert self.say(draft, " Why? ", category=category).text == "Why?"
        assert self.say(draft).category is None

    def test_strangers_do_not_and_nothing_is_no_comment(self, draft):
        for text, by, sentence in (
            ("Why?", UserFactory(), "not yours to read"),
            (" \x00", None, "nothing in it"),
            ("x" * 5001, None, "at most 5,000"),
        ):
            with pytest.raises(Refused, match=sentence):
                self.say(draft, text, by)
        assert not Comment.objects.exists()

    def test_not_of_a_category_of_another_version_nor_of_a_published_version(self, draft):
        other = published(keys=("tone",))
        with pytest.raises(Refused, match="removed from the draft"):
            self.say(draft, category=other.categories.get())
        with pytest.raises(Refused, match="was published"):
            self.say(other)

    def test_the_owner_settles_it_once(self, draft):
        said = self.say(draft)
        with pytest.raises(Refused, match="Only"):
            commenting.resolve_comment(comment=said, by=said.author, now=NOW)
        for _ in range(2):
            commenting.resolve_comment(comment=said, by=draft.codebook.owner, now=NOW)
        said.refresh_from_db()
        assert said.resolved_at == NOW
        assert AuditEvent.objects.filter(action="codebook.comment_resolved").count() == 1
