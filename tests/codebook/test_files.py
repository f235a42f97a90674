import pytest
from django.utils import timezone

from codebook.models import Category, Codebook, Version
from codebook.rubric import authoring, files, lineage
from codebook.rubric.content import CONTENT
from codebook.rubric.files import Unreadable
from codebook.rubric.lineage import Origin
from codebook.rubric.publishing import NotPublishable, publish
from tests.factories.hitl import UserFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def content(*keys, **more):
    """A file's content; `more`: what its categories came from, by key."""
    rows = [{part: f"{part} of {key}" for part in CONTENT} | {"key": key, "title": key} for key in keys]
    for row in rows:
        if row["key"] in more:
            how, *of = more[row["key"]]
            row["from"] = {"how": how, "of": of}
    return {"slug": "support", "title": "Support", "categories": rows}


def read(told, owner=None):
    return files.read_in(content=told, owner=owner or UserFactory(), now=NOW)


class TestPublishedFromAFile:
    def test_it_is_published_and_written_out_as_it_was_read(self):
        version = read(content("tone", "format"))
        assert version.state == "published"
        assert files.written_out(version) == content("tone", "format")

    def test_the_same_file_again_changes_nothing(self):
        first = read(content("tone"))
        assert read(content("tone")) == first

    def test_a_changed_file_is_the_next_version_of_the_same_owner(self):
        first = read(content("tone"))
        second = read(content("tone", "format"))
        assert (second.number, second.published_by) == (2, first.published_by)

    def test_it_waits_for_a_draft_that_is_being_written(self):
        first = read(content("tone"))
        authoring.start_draft(codebook=first.codebook, by=first.published_by)
        with pytest.raises(Unreadable, match="Publish or drop it first"):
            read(content("format"))

    def test_a_draft_without_a_category_is_in_nobodys_way(self):
        book = Codebook.objects.create(slug="support", title="Support", owner=UserFactory())
        authoring.start_draft(codebook=book, by=book.owner)
        version = files.read_in_as_draft(content=content("tone"), by=book.owner)
        assert (version.number, version.categories.count()) == (1, 1)


class TestHowCategoriesCameAbout:
    def test_it_is_said_in_the_file_and_goes_out_again(self):
        read(content("tone", "format"))
        told = content("tone", "curt", tone=("split", "tone"), curt=("split", "tone"))
        version = read(told)
        assert lineage.said(version) == {key: Origin("split", ("tone",)) for key in ("tone", "curt")}
        assert files.written_out(version) == told

    def test_where_nothing_was_published_before_it_is_of_elsewhere(self):
        version = read(content("tone", "curt", tone=("split", "manner"), curt=("split", "manner")))
        assert lineage.said(version) == {"tone": Origin("new"), "curt": Origin("new")}

    def test_the_same_file_read_again_is_not_measured_against_its_own_version(self):
        read(content("tone", "format"))
        told = content("voice", "format", voice=("reworded", "tone"))
        assert read(told) == read(told)

    @pytest.mark.parametrize(
        ("told", "sentence"),
        [
            (content("voice", voice=("reworded", "manner")), "“manner”, which version 1 does not have"),
            (content("tone", tone=("same", "format")), "cannot be the same"),
            (content("tone", "format", tone=("split", "format"), format=("split", "tone")), "split in a circle"),
            (content("tone", tone=("improved", "tone")), "how is one of same, reworded, split, merged, new"),
            (content("tone", tone=("merged", "tone")), "two or more earlier categories"),
        ],
    )
    def test_what_cannot_be_is_refused_with_a_sentence_and_changes_nothing(self, told, sentence):
        read(content("tone", "format") | {"note": "first"})
        with pytest.raises(Unreadable, match=sentence):
            read(told)
        assert Version.objects.count() == 1

    def test_a_circle_is_refused_in_a_first_version_too(self):
        told = content("a", "b", "c", a=("split", "b"), b=("split", "c"), c=("split", "a"))
        with pytest.raises(Unreadable, match="“a” from “b” from “c” from “a”"):
            read(told)
        assert not Codebook.objects.exists()


class TestADraftFromAFile:
    def draft(self, told, by=None, codebook=None):
        return files.read_in_as_draft(content=told, by=by or UserFactory(), codebook=codebook)

    def test_it_may_be_incomplete(self):
        told = content("tone")
        told["categories"][0] |= {"definition": "", "edge_case": None}
        version = self.draft(told)
        assert (version.state, version.number, version.categories.get().edge_case) == ("draft", 1, "")

    def test_what_it_says_of_how_categories_came_about_is_kept_for_publishing(self):
        first = read(content("tone", "format"))
        version = self.draft(content("voice", voice=("merged", "tone", "format")), first.published_by)
        publish(version=version, by=first.published_by, now=NOW)
        assert lineage.said(version) == {"voice": Origin("merged", ("tone", "format"))}

    def test_it_is_the_owners_alone(self):
        read(content("tone"))
        with pytest.raises(Unreadable, match="Only"):
            self.draft(content("format"))

    def test_the_file_of_another_codebook_is_refused(self):
        book = Codebook.objects.create(slug="claims", title="Claims", owner=UserFactory())
        with pytest.raises(Unreadable, match="of the codebook “support”; this one is “claims”"):
            self.draft(content("tone"), book.owner, book)


class TestWhatIsNoCodebook:
    @pytest.mark.parametrize(
        ("told", "sentence"),
        [
            ({}, "a slug, a title and a list of categories"),
            ({"slug": "s", "title": "S", "categories": [{"key": "tone", "colour": "red"}]}, "Category 1 has “colour”"),
            ({"slug": "s", "title": "S", "categories": ["tone"]}, "Category 1 is no object"),
            ({"slug": "s", "title": "S", "categories": [{"key": "t", "title": ["T"]}]}, "title is no text"),
            ({"slug": "s", "title": "S", "categories": [{"key": "a b"}]}, "Category 1: Key: letters"),
            ({"slug": "s", "title": "S", "categories": [{"key": "t", "title": "x" * 81}]}, "at most 80"),
            ({"slug": "s", "title": "S", "categories": [{"key": "t"}, {"key": "T"}]}, "2 categories have the key “t”"),
            ({"slug": "a b", "title": "S", "categories": []}, "The slug “a b” cannot be"),
            ({"slug": "s", "title": " ", "categories": []}, "between 1 and 120"),
            ({"slug": "s", "title": "S", "note": 3, "categories": []}, "note is no text"),
            ({"slug": "s", "title": "S", "categories": [{"key": "t", "from": "tone"}]}, "from is to be written"),
        ],
    )
    def test_it_is_refused_whole(self, told, sentence):
        with pytest.raises(Unreadable, match=sentence):
            read(told)
        assert not Codebook.objects.exists()

    def test_what_is_missing_is_refused_by_publishing(self):
        with pytest.raises(NotPublishable, match="“t” has no title and no definition"):
            read({"slug": "s", "title": "S", "categories": [{"key": "t"}]})
        assert not Category.objects.exists()


class TestYaml:
    def test_what_is_written_is_read_again(self):
        version = read(content("tone") | {"note": "Why: it was time.\nTwice."})
        assert files.from_yaml(files.as_yaml(version).encode()) == content("tone") | {"note": version.note}

    @pytest.mark.parametrize(
        ("raw", "sentence"),
        [
            (b"\xff\xfe", "no text in UTF-8"),
            (b"slug: [", "Line "),
            (b"- tone", "a slug, a title"),
            (b"slug: a\nslug: b", "there twice"),
            (b"#" * (files.LONGEST_FILE + 1), "at most 2,000,000"),
        ],
    )
    def test_what_is_none_is_refused_with_its_place(self, raw, sentence):
        with pytest.raises(Unreadable, match=sentence):
            files.from_yaml(raw)

    def test_a_bomb_of_aliases_does_not_go_off(self):
        bomb = "a: &a [x, x]\n" + "".join(
            f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=False)
        )
        told = files.from_yaml(f"{bomb}slug: s\ntitle: S\ncategories: [{{key: *i}}]".encode())
        with pytest.raises(Unreadable, match="key is no text"):
            read(told)
