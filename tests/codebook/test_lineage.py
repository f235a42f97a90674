import pytest

from codebook.models import Category, CategoryLink
from codebook.rubric import authoring, lineage
from codebook.rubric.authoring import Refused
from codebook.rubric.lineage import Hint, Origin, complete, faults, propose
from hitl.models import AuditEvent
from tests.factories.codebook import CodebookFactory, published
from tests.factories.hitl import UserFactory

TONE = "The answer is rude, curt or condescending towards the customer"


def category(key, definition="", **parts):
    return Category(key=key, title=parts.pop("title", key.title()), definition=definition, **parts)


class TestProposing:
    def test_the_same_key_and_words_are_the_same_and_other_words_reworded(self):
        before = [category("tone", TONE), category("format", "Not a list.")]
        after = [category("tone", TONE), category("format", "Not a table.")]
        assert propose(before, after).origins == {
            "tone": Origin("same", ("tone",)),
            "format": Origin("reworded", ("format",)),
        }

    @pytest.mark.parametrize("part", ["title", "definition", "positive_example", "negative_example", "edge_case"])
    def test_any_part_that_changed_makes_it_reworded(self, part):
        changed = category("tone")
        setattr(changed, part, "Other words")
        assert propose([category("tone")], [changed]).origins["tone"].kind == "reworded"

    def test_another_key_is_new_and_what_nothing_came_from_is_removed(self):
        found = propose([category("tone")], [category("voice")])
        assert (found.origins, found.removed) == ({"voice": Origin("new")}, ("tone",))

    def test_a_first_version_is_all_new(self):
        assert propose([], [category("tone")]).origins == {"tone": Origin("new")}


class TestHints:
    def hints(self, before, after):
        return propose(before, after).hints

    def test_much_the_same_words_beside_what_stays_look_like_a_split(self):
        part = category("curt", "The answer is curt towards the customer")
        found = self.hints([category("tone", TONE)], [category("tone", f"{TONE}."), part])
        assert found == (Hint("split", "curt", ("tone",)),)

    def test_words_of_what_is_gone_look_like_another_name_for_it(self):
        assert self.hints([category("tone", TONE)], [category("voice", TONE)]) == (
            Hint("reworded", "voice", ("tone",)),
        )

    def test_words_of_two_of_which_one_is_gone_look_like_a_merge(self):
        other = "A price, date or number in the answer is wrong"
        found = self.hints(
            [category("tone", TONE), category("numbers", other)], [category("tone", f"{TONE}. {other}")]
        )  # fmt: skip
        assert found == (Hint("merged", "tone", ("tone", "numbers")),)

    def test_unlike_words_and_very_few_words_say_nothing(self):
        assert self.hints([category("tone", TONE)], [category("tone", TONE), category("numbers", "A wrong date")]) == ()
        assert self.hints([category("tone", "Rude")], [category("voice", "Rude")]) == ()


class TestWhatCannotBe:
    BEFORE = [category("tone", TONE), category("format", "Not a list.")]

    def faults(self, after, **origins):
        return " ".join(faults(self.BEFORE, after, origins, 3))

    def test_what_is_in_order_has_no_fault(self):
        after = [category("tone", "Rude."), category("curt"), category("format", "Not a list."), category("other")]
        assert not self.faults(
            after,
            tone=Origin("split", ("tone",)),
            curt=Origin("split", ("tone",)),
            format=Origin("same", ("format",)),
            other=Origin("new"),
        )

    @pytest.mark.parametrize(
        ("origin", "sentence"),
        [
            (Origin("same", ("tone",)), "“Tone” cannot be the same: “What it is” changed"),
            (Origin("reworded"), "“Tone” is reworded: say of one earlier category"),
            (Origin("reworded", ("tone", "format")), "say of one earlier category"),
            (Origin("merged", ("tone",)), "“Tone” is merged: say of two or more"),
            (Origin("merged", ("tone", "tone")), "“Tone” is merged: say of two or more"),
            (Origin("split"), "“Tone” is split: say of the category it was part of"),
            (Origin("new", ("tone",)), "Only one can be"),
            (Origin("reworded", ("voice",)), "“voice”, which version 3 does not have"),
            (Origin("better", ("tone",)), "none of same, reworded, split, merged, new"),
            (Origin("removed", ("tone",)), "none of same"),
        ],
    )
    def test_each_kind_names_as_many_as_it_can_come_from(self, origin, sentence):
        assert sentence in self.faults([category("tone", "Rude.")], tone=origin)

    def test_a_category_of_which_nothing_is_said_is_named(self):
        assert "It is not said how “Tone” came about" in self.faults([category("tone")])

    def test_a_key_that_is_not_there_is_named(self):
        assert "“voice” came about, which this version does not have" in self.faults([], voice=Origin("new"))

    def test_a_split_has_two_parts(self):
        assert "two parts or more" in self.faults([category("tone")], tone=Origin("split", ("tone",)))

    def test_what_was_split_is_not_also_the_same(self):
        after = [category("tone", TONE), category("curt")]
        found = self.faults(after, tone=Origin("same", ("tone",)), curt=Origin("split", ("tone",)))
        assert "say of each that it is split from it" in found

    def test_two_cannot_each_be_reworded_from_one(self):
        after = [category("tone"), category("voice")]
        found = self.faults(after, tone=Origin("reworded", ("tone",)), voice=Origin("reworded", ("tone",)))
        assert "“Tone” and “Voice” all come from “Tone”" in found

    def test_a_circle_of_splits_is_named(self):
        parts = {"tone": "format", "format": "tone", "curt": "tone", "list": "format"}
        found = self.faults(
            [category(key) for key in parts], **{key: Origin("split", (of,)) for key, of in parts.items()}
        )  # fmt: skip
        assert "split in a circle: “Tone” from “Format” from “Tone”" in found


class TestCompleting:
    BEFORE = [category("tone", TONE), category("format", "Not a list.")]

    def test_what_nothing_was_said_of_is_proposed(self):
        assert complete(self.BEFORE, [category("tone", TONE)], {}) == {"tone": Origin("same", ("tone",))}

    def test_what_another_was_split_from_is_a_part_as_well(self):
        after = [category("tone", TONE), category("curt")]
        found = complete(self.BEFORE, after, {"curt": Origin("split", ("tone",))})
        assert found["tone"] == Origin("split", ("tone",))
        assert not faults(self.BEFORE, after, found)


@pytest.mark.django_db
class TestSayingIt:
    @pytest.fixture
    def book(self):
        book = CodebookFactory()
        published(codebook=book, keys=("tone", "format"))
        return book

    @pytest.fixture
    def draft(self, book):
        return authoring.start_draft(codebook=book, by=book.owner)

    def say(self, draft, key, kind, *ancestors, by=None):
        lineage.set_origin(
            category=draft.categories.get(key=key),
            kind=kind,
            ancestors=[draft.codebook.versions.get(number=1).categories.get(key=one) for one in ancestors],
            by=by or draft.codebook.owner,
        )

    def test_the_last_word_stands_and_is_on_record(self, draft):
        self.say(draft, "tone", "reworded", "tone")
        self.say(draft, "tone", "merged", "tone", "format")
        assert lineage.said(draft) == {"tone": Origin("merged", ("tone", "format"))}
        assert {link.confirmed_by for link in draft.links.all()} == {draft.codebook.owner}
        assert AuditEvent.objects.filter(action="codebook.origin_said").count() == 2

    def test_the_same_is_taken_back_once_the_words_change(self, draft):
        self.say(draft, "tone", "same", "tone")
        one = draft.categories.get(key="tone")
        authoring.save_category(category=one, fields={"definition": "Rude."}, by=draft.codebook.owner)
        assert lineage.said(draft) == {}

    def test_the_same_is_refused_where_the_words_differ(self, draft):
        draft.categories.filter(key="tone").update(definition="Rude.")
        with pytest.raises(Refused, match="cannot be the same"):
            self.say(draft, "tone", "same", "tone")
        assert not CategoryLink.objects.exists()

    def test_only_categories_of_the_version_before_are_ancestors(self, draft):
        for stranger in (published(keys=("tone",)).categories.get(), draft.categories.get(key="format")):
            with pytest.raises(Refused, match="not of version 1"):
                lineage.set_origin(
                    category=draft.categories.get(key="tone"), kind="reworded", ancestors=[stranger],
                    by=draft.codebook.owner,
                )  # fmt: skip

    def test_two_are_not_split_from_each_other(self, draft):
        self.say(draft, "tone", "split", "format")
        with pytest.raises(Refused, match="cannot each be split from the other"):
            self.say(draft, "format", "split", "tone")

    def test_only_the_owner_says_it(self, draft):
        with pytest.raises(Refused, match="Only"):
            self.say(draft, "tone", "same", "tone", by=UserFactory())
