import pytest

from codebook.models import Category, CategoryLink, Comment, Version
from codebook.rubric import authoring
from codebook.rubric.authoring import Refused
from codebook.rubric.content import CONTENT
from hitl.models import AuditEvent
from tests.factories.codebook import CodebookFactory, published
from tests.factories.hitl import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def book():
    return CodebookFactory()


@pytest.fixture
def draft(book):
    return authoring.start_draft(codebook=book, by=book.owner)


def add(draft, **fields):
    return authoring.add_category(version=draft, by=draft.codebook.owner, fields=fields)


def save(category, **fields):
    return authoring.save_category(category=category, fields=fields, by=category.version.codebook.owner)


class TestADraft:
    def test_the_first_one_is_empty(self, draft):
        assert (draft.number, draft.state, draft.categories.count()) == (1, "draft", 0)

    def test_the_next_one_says_what_the_newest_version_says(self, book):
        before = published(codebook=book, keys=("tone", "format"))
        draft = authoring.start_draft(codebook=book, by=book.owner)
        assert draft.number == 2
        said = [[getattr(one, part) for part in CONTENT] for one in draft.categories.all()]
        assert said == [[getattr(one, part) for part in CONTENT] for one in before.categories.all()]

    def test_there_is_one_at_a_time(self, book, draft):
        assert authoring.start_draft(codebook=book, by=book.owner) == draft
        assert AuditEvent.objects.filter(action="codebook.draft_started").count() == 1

    def test_its_number_is_free_even_after_an_imported_version(self, book):
        Version.objects.create(codebook=book, number=1)
        book.versions.update(state="imported", published_at="2026-01-01T00:00Z", published_by=book.owner)
        assert authoring.start_draft(codebook=book, by=book.owner).number == 2

    def test_only_the_owner_writes_it(self, book, draft):
        category = add(draft, title="Tone")
        other = UserFactory()
        for attempt in (
            lambda: authoring.start_draft(codebook=book, by=other),
            lambda: authoring.add_category(version=draft, by=other),
            lambda: authoring.save_category(category=category, fields={"title": "Mine"}, by=other),
            lambda: authoring.remove_category(category=category, by=other),
            lambda: authoring.move_category(category=category, by=other, steps=1),
            lambda: authoring.append_example(category=category, field="edge_case", text="Mine", by=other),
            lambda: authoring.drop_draft(version=draft, by=other),
        ):
            with pytest.raises(Refused, match=f"Only {book.owner.name} writes"):
                attempt()
        assert Category.objects.get().title == "Tone"

    def test_it_is_dropped_with_what_was_said_of_it_and_the_published_stays(self, book):
        before = published(codebook=book, keys=("tone",))
        draft = authoring.start_draft(codebook=book, by=book.owner)
        Comment.objects.create(version=draft, author=book.owner, text="Why?", created_at="2026-01-01T00:00Z")
        CategoryLink.objects.create(version=draft, category=draft.categories.get(), kind="new")
        authoring.drop_draft(version=draft, by=book.owner)
        assert list(book.versions.all()) == [before]


class TestWriting:
    def test_what_was_typed_is_stored_part_by_part(self, draft):
        category = add(draft, title="Tone")
        save(category, definition="Rude.")
        save(category, edge_case="Curt,\r\nbut kind.")
        category.refresh_from_db()
        assert (category.definition, category.edge_case) == ("Rude.", "Curt,\nbut kind.")

    def test_of_two_tabs_the_last_word_on_each_part_stands(self, draft):
        category = add(draft, title="Tone", definition="One", edge_case="One")
        stale = Category.objects.get(pk=category.pk)
        save(category, definition="Two")
        save(stale, edge_case="Three")
        category.refresh_from_db()
        assert (category.definition, category.edge_case) == ("Two", "Three")

    def test_a_published_version_refuses_and_says_what_to_do(self, book):
        category = published(codebook=book, keys=("tone",)).categories.get()
        with pytest.raises(Refused, match=r"Version 1 was published meanwhile .* start the next draft"):
            save(category, definition="Late")

    def test_a_removed_category_refuses(self, draft):
        category = add(draft, title="Tone")
        authoring.remove_category(category=category, by=draft.codebook.owner)
        category.pk = category.pk or 1
        with pytest.raises(Refused, match="removed from the draft"):
            save(Category(pk=99, version=draft), definition="Late")

    def test_what_cannot_stand_is_told_and_the_rest_is_kept(self, draft):
        category = add(draft, title="Tone")
        saved = save(category, title="x" * 81, key="a b", definition="Rude.", edge_case="\x00")
        assert set(saved.refused) == {"title", "key", "edge_case"}
        assert "at most 80" in saved.refused["title"]
        category.refresh_from_db()
        assert (category.title, category.definition) == ("Tone", "Rude.")


class TestKeys:
    def test_one_is_proposed_and_follows_the_title(self, draft):
        category = add(draft)
        assert category.key == "category"
        assert save(category, title="Wrong Source!").category.key == "wrong-source"

    def test_one_that_was_chosen_stays(self, draft):
        category = add(draft, title="Tone")
        save(category, key="manner")
        assert save(category, title="Voice").category.key == "manner"

    def test_one_that_was_published_stays(self, book):
        published(codebook=book, keys=("tone",))
        category = authoring.start_draft(codebook=book, by=book.owner).categories.get()
        assert save(category, title="Voice").category.key == "tone"

    def test_a_second_of_the_same_title_gets_another(self, draft):
        add(draft, title="Tone")
        assert add(draft, title="Tone").key == "tone-2"

    def test_one_that_another_has_is_refused_with_its_name_whatever_its_case(self, draft):
        add(draft, title="Tone")
        other = add(draft, title="Format")
        assert "“tone” is the key of “Tone”" in save(other, key="TONE").refused["key"]
        with pytest.raises(Refused, match="another category"):
            add(draft, title="Voice", key="Tone")


class TestOrder:
    def test_a_category_moves_and_stops_at_the_ends(self, draft):
        first, second = add(draft, title="A"), add(draft, title="B")
        for category, steps, order in ((second, -1, "BA"), (second, -1, "BA"), (second, 1, "AB"), (first, 1, "BA")):
            authoring.move_category(category=category, by=draft.codebook.owner, steps=steps)
            assert "".join(one.title for one in draft.categories.all()) == order

    def test_one_is_removed_with_its_comments(self, draft):
        category = add(draft, title="A")
        Comment.objects.create(
            version=draft, category=category, author=draft.codebook.owner, text="?", created_at="2026-01-01T00:00Z"
        )
        authoring.remove_category(category=category, by=draft.codebook.owner)
        assert not draft.categories.exists()
        assert not Comment.objects.exists()


class TestAnExampleFromElsewhere:
    def append(self, category, text, field="positive_example"):
        return authoring.append_example(category=category, field=field, text=text, by=category.version.codebook.owner)

    def test_it_goes_below_what_stands_there(self, draft):
        category = add(draft, title="Tone", positive_example="“Whatever.”\n")
        assert self.append(category, " “No.” ").positive_example == "“Whatever.”\n\n“No.”"
        assert AuditEvent.objects.get(action="codebook.example_added").detail["part"] == "Clearly one"

    def test_the_same_twice_is_there_once(self, draft):
        category = add(draft, title="Tone")
        self.append(category, "“No.”", "edge_case")
        assert self.append(category, "“No.”", "edge_case").edge_case == "“No.”"

    def test_the_record_holds_no_word_of_it(self, draft):
        self.append(add(draft, title="Tone"), "Mrs Kim’s letter")
        assert "Kim" not in str(list(AuditEvent.objects.values_list("detail", flat=True)))

    def test_not_into_a_published_version_nor_an_unknown_part(self, book):
        category = published(codebook=book, keys=("tone",)).categories.get()
        with pytest.raises(Refused, match="published"):
            self.append(category, "“No.”")
        with pytest.raises(ValueError, match="definition"):
            self.append(category, "“No.”", "definition")
