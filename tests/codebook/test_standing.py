from datetime import UTC, datetime
from itertools import count

import pytest
from django.utils import timezone

from codebook.models import Category, CategoryLink, Version
from codebook.standing import Link, follow, standing, words
from codebook.versions import NoCodebook, Rubric
from tests.factories.codebook import CodebookFactory, published

WHEN = datetime(2026, 10, 1, tzinfo=UTC)
IDS = count(1000)


def edition(number, *keys, **definitions):
    """A published version; its id is its number, its categories are called by their keys."""
    categories = tuple(
        Category(
            pk=next(IDS), version_id=number, key=key, title=key.title(), definition=definitions.get(key, "as ever")
        )
        for key in keys
    )
    return Rubric(number, 1, "support", "Support", number, WHEN, categories)


def ids(rubric, *keys):
    by_key = {category.key: category.pk for category in rubric.categories}
    found = tuple(by_key[key] for key in keys)
    return found if len(keys) != 1 else found[0]


def followed(links, *versions, imported=()):
    return follow(links, versions, {version.id: version.number for version in versions} | {pk: pk for pk in imported})


class TestTwoVersions:
    def setup_method(self):
        self.one, self.two = edition(1, "tone", "made-up"), edition(2, "tone", "made-up")
        self.old, self.new = ids(self.one, "tone"), ids(self.two, "tone")

    def link(self, kind, carried=False):
        return followed([Link(2, self.new, self.old, kind, carried)], self.one, self.two)

    def test_the_same_counts_by_itself(self):
        found = self.link("same")
        assert found.counts_as[self.old] == self.new
        assert found.judged_under[self.new] == {1, 2}

    @pytest.mark.parametrize("kind", ["reworded", "merged"])
    def test_other_words_count_only_once_carried_over(self, kind):
        assert self.old not in self.link(kind).counts_as
        assert self.link(kind).judged_under[self.new] == {2}
        assert self.link(kind).quarantined[self.new] == {1}
        assert self.link(kind, carried=True).counts_as[self.old] == self.new
        assert self.link(kind, carried=True).judged_under[self.new] == {1, 2}
        assert not self.link(kind, carried=True).quarantined[self.new]

    def test_a_part_of_a_split_never_counts(self):
        assert self.old not in self.link("split", carried=True).counts_as

    def test_a_new_category_is_not_judged_by_what_came_before_and_nothing_of_it_is_in_quarantine(self):
        found = followed([Link(2, self.new, None, "new"), Link(2, None, self.old, "removed")], self.one, self.two)
        assert self.old not in found.counts_as
        assert found.judged_under[self.new] == {2}
        assert not found.quarantined[self.new]

    def test_the_newest_counts_as_itself(self):
        assert followed([], self.one, self.two).counts_as[self.new] == self.new


class TestWithoutLinksOnRecord:
    def test_equal_key_and_equal_words_are_the_same(self):
        one, two = edition(1, "tone"), edition(2, "tone")
        assert followed([], one, two).counts_as[ids(one, "tone")] == ids(two, "tone")

    def test_equal_key_in_other_words_is_reworded(self):
        one, two = edition(1, "tone"), edition(2, "tone", tone="something else")
        found = followed([], one, two)
        assert ids(one, "tone") not in found.counts_as
        assert found.quarantined[ids(two, "tone")] == {1}

    def test_what_the_owner_said_of_a_category_is_not_guessed_at(self):
        one, two = edition(1, "tone"), edition(2, "tone")
        old, new = ids(one, "tone"), ids(two, "tone")
        assert old not in followed([Link(2, new, None, "new")], one, two).counts_as
        assert old not in followed([Link(2, None, old, "removed")], one, two).counts_as


class TestAChain:
    def test_a_label_counts_as_far_as_every_step_holds(self):
        one, two, three = edition(1, "a"), edition(2, "b"), edition(3, "c")
        a, b, c = ids(one, "a"), ids(two, "b"), ids(three, "c")
        held = followed([Link(2, b, a, "same"), Link(3, c, b, "reworded", carried=True)], one, two, three)
        assert held.counts_as == {a: c, b: c, c: c}
        assert held.judged_under[c] == {1, 2, 3}
        broken = followed([Link(2, b, a, "reworded"), Link(3, c, b, "same")], one, two, three)
        assert broken.counts_as == {b: c, c: c}
        assert broken.judged_under[c] == {2, 3}
        assert broken.quarantined[c] == {1}

    def test_removed_and_added_again_starts_anew(self):
        one, two, three = edition(1, "a", "x"), edition(2, "x"), edition(3, "a", "x")
        found = followed([], one, two, three)
        assert ids(one, "a") not in found.counts_as
        assert found.judged_under[ids(three, "a")] == {3}
        assert found.judged_under[ids(three, "x")] == {1, 2, 3}

    def test_a_merge_is_judged_only_where_all_its_parts_count(self):
        one, two = edition(1, "a", "b"), edition(2, "c")
        (a, b), c = ids(one, "a", "b"), ids(two, "c")
        half = followed([Link(2, c, a, "merged", carried=True), Link(2, c, b, "merged")], one, two)
        assert half.counts_as == {a: c, c: c}
        assert half.judged_under[c] == {2}
        whole = followed([Link(2, c, a, "merged", carried=True), Link(2, c, b, "merged", carried=True)], one, two)
        assert whole.counts_as == {a: c, b: c, c: c}
        assert whole.judged_under[c] == {1, 2}

    def test_a_merge_with_something_newer_is_not_judged_by_what_did_not_know_that_part(self):
        one, two, three = edition(1, "a"), edition(2, "a", "b"), edition(3, "c")
        (a, b), c = ids(two, "a", "b"), ids(three, "c")
        links = [Link(3, c, a, "merged", carried=True), Link(3, c, b, "merged", carried=True)]
        assert followed(links, one, two, three).judged_under[c] == {2, 3}

    def test_both_parts_of_a_split_are_judged_by_the_newest_alone(self):
        one, two = edition(1, "a"), edition(2, "b", "c")
        a, (b, c) = ids(one, "a"), ids(two, "b", "c")
        found = followed([Link(2, b, a, "split"), Link(2, c, a, "split")], one, two)
        assert a not in found.counts_as
        assert found.judged_under == {b: frozenset({2}), c: frozenset({2})}
        assert found.quarantined == {b: frozenset({1}), c: frozenset({1})}

    def test_a_label_counts_for_one_category_at_most(self):
        one, two = edition(1, "a"), edition(2, "b", "c")
        a, (b, c) = ids(one, "a"), ids(two, "b", "c")
        same_wins = followed([Link(2, b, a, "merged", carried=True), Link(2, c, a, "same")], one, two)
        assert same_wins.counts_as[a] == c
        assert same_wins.judged_under[b] == {2}
        carried_twice = [Link(2, b, a, "merged", carried=True), Link(2, c, a, "reworded", carried=True)]
        assert a not in followed(carried_twice, one, two).counts_as


class TestImported:
    """Version 9 is imported: its category 7 means something that a published version says."""

    def test_it_counts_for_what_its_category_means_today(self):
        one, two = edition(1, "a"), edition(2, "a")
        found = followed([Link(9, 7, ids(one, "a"), "same")], one, two, imported=[9])
        assert found.counts_as[7] == ids(two, "a")
        assert found.judged_under[ids(two, "a")] == {1, 2, 9}

    def test_it_is_in_quarantine_with_the_words_it_was_linked_to(self):
        one, two = edition(1, "a"), edition(2, "a", a="something else")
        found = followed([Link(9, 7, ids(one, "a"), "same")], one, two, imported=[9])
        assert 7 not in found.counts_as
        assert found.quarantined[ids(two, "a")] == {1, 9}

    def test_other_words_count_only_once_carried_over(self):
        one = edition(1, "a")
        loose = followed([Link(9, 7, ids(one, "a"), "reworded")], one, imported=[9])
        assert 7 not in loose.counts_as
        assert loose.judged_under[ids(one, "a")] == {1}
        assert followed([Link(9, 7, ids(one, "a"), "reworded", True)], one, imported=[9]).counts_as[7] == ids(one, "a")

    def test_what_it_never_linked_is_not_judged_by_it(self):
        one = edition(1, "a", "b")
        assert followed([Link(9, 7, ids(one, "a"), "same")], one, imported=[9]).judged_under[ids(one, "b")] == {1}


class TestWords:
    def test_all_versions_count(self):
        assert words(followed([], edition(1, "a"), edition(2, "a"), edition(3, "a"))) == "versions 1, 2 and 3"
        assert words(followed([], edition(1, "a"))) == "version 1"

    def test_what_is_in_quarantine_is_said_with_its_categories(self):
        one, two, three = (edition(n, "tone", "made-up", tone="old" if n == 1 else "new") for n in (1, 2, 3))
        assert words(followed([], one, two, three)) == "versions 2 and 3; version 1 but for Tone (in quarantine)"

    def test_many_categories_are_counted(self):
        keys = ["a", "b", "c", "d", "e"]
        found = followed([], edition(1, *keys, "same"), edition(2, *keys, "same", **dict.fromkeys(keys, "new")))
        assert words(found) == "version 2; version 1 but for A, B, C and 2 more (in quarantine)"

    def test_a_version_of_which_nothing_counts_is_in_quarantine_altogether(self):
        found = followed([], edition(1, "a", "b"), edition(2, "a", "b", a="new", b="new"))
        assert words(found) == "version 2; version 1 (in quarantine)"

    def test_imported_versions_say_so(self):
        one = edition(1, "a")
        found = followed([Link(9, 7, ids(one, "a"), "same")], one, imported=[9])
        assert words(found) == "versions 1 and 9 (imported)"


@pytest.mark.django_db
class TestFromTheDatabase:
    def test_nothing_published_is_no_codebook(self):
        with pytest.raises(NoCodebook):
            standing(CodebookFactory().pk)

    def test_links_of_a_draft_say_nothing_yet(self, django_assert_max_num_queries):
        one = published(keys=["tone"])
        two = published(codebook=one.codebook, keys=["tone"])
        old, new = one.categories.get(), two.categories.get()
        CategoryLink.objects.create(version=two, category=new, ancestor=old, kind="reworded")
        draft = Version.objects.create(codebook=one.codebook, number=3)
        later = Category.objects.create(version=draft, key="tone", title="Tone", position=1)
        CategoryLink.objects.create(version=draft, category=later, ancestor=new, kind="same")
        found = standing(one.codebook_id)
        assert found.newest.id == two.pk
        assert found.counts_as == {new.pk: new.pk}
        assert found.numbers == {one.pk: 1, two.pk: 2, draft.pk: 3}
        with django_assert_max_num_queries(2):
            standing(one.codebook_id)

    def test_carried_over_is_seen_at_once(self):
        one = published(keys=["tone"])
        two = published(codebook=one.codebook, keys=["tone"])
        old, new = one.categories.get(), two.categories.get()
        link = CategoryLink.objects.create(version=two, category=new, ancestor=old, kind="reworded")
        link.carried_at, link.carried_by, link.carried_because = timezone.now(), one.codebook.owner, "Only a comma."
        link.save()
        assert standing(one.codebook_id).counts_as[old.pk] == new.pk
