import pytest

from codebook.models import Category, Version
from codebook.rubric import compare, lineage
from codebook.rubric.lineage import Origin
from tests.factories.codebook import CodebookFactory, published


def category(key, definition="", **parts):
    return Category(key=key, title=parts.pop("title", key.title()), definition=definition, **parts)


def compared(before, after, **origins):
    return compare.compare(before, after, {key: Origin(kind, tuple(of)) for key, (kind, *of) in origins.items()})


class TestOneCategory:
    def test_what_changed_is_shown_word_by_word_and_the_rest_is_not(self):
        found = compared(
            [category("tone", "It is rude.")], [category("tone", "It is very rude.")], tone=("reworded", "tone")
        )
        (tone,) = found.told
        assert [(part.words, part.has_changed) for part in tone.parts][1:3] == [("Title", False), ("What it is", True)]
        (definition,) = tone.changed
        assert [(op.kind, op.text) for op in definition.ops] == [
            ("same", "It is "),
            ("added", "very "),
            ("same", "rude."),
        ]
        assert "<ins>" in definition.html

    def test_one_that_stays_is_named_and_not_told(self):
        found = compared([category("tone", "Rude.")], [category("tone", "Rude.")], tone=("same", "tone"))
        assert (found.told, [one.title for one in found.same]) == ((), ["Tone"])

    def test_one_that_is_new_and_one_that_is_gone_are_told_whole(self):
        found = compared([category("format", "A list.")], [category("tone", "Rude.")], tone=("new",))
        assert [(one.title, one.state, one.came) for one in found.told] == [
            ("Tone", "added", "New"),
            ("Format", "removed", "Removed"),
        ]
        assert found.told[1].parts[2].ops[0].kind == "removed"

    def test_one_by_another_key_is_shown_against_what_it_was(self):
        found = compared([category("tone", "Rude.")], [category("voice", "Rude.")], voice=("reworded", "tone"))
        assert [(one.state, [part.name for part in one.changed]) for one in found.told] == [
            ("changed", ["key", "title"])
        ]

    def test_a_part_is_shown_against_what_it_was_part_of_and_says_so(self):
        before = [category("tone", "Rude or curt.")]
        after = [category("tone", "Rude."), category("curt", "Curt.")]
        found = compared(before, after, tone=("split", "tone"), curt=("split", "tone"))
        assert [(one.title, one.state, one.came) for one in found.told] == [
            ("Tone", "changed", "Split from “Tone”"),
            ("Curt", "changed", "Split from “Tone”"),
        ]

    def test_a_merged_one_is_shown_against_the_most_alike(self):
        before = [category("format", "No list."), category("tone", "Rude or curt.")]
        (found,) = compared(
            before, [category("manner", "Rude or curt, both.")], manner=("merged", "format", "tone")
        ).told
        assert found.came == "Merged from “Format” and “Tone”"
        assert "Rude or curt" in found.parts[2].ops[0].text

    def test_another_order_is_told(self):
        tone, form = category("tone"), category("format")
        same = {"tone": ("same", "tone"), "format": ("same", "format")}
        assert compared([tone, form], [form, tone], **same).has_other_order
        assert not compared([tone, form], [tone, category("new"), form], **same).has_other_order


@pytest.mark.django_db
class TestVersionsFarApart:
    def link(self, version, category, ancestor, kind):
        version.links.create(
            category=version.categories.get(key=category), kind=kind,
            ancestor=Category.objects.get(version__number=version.number - 1, key=ancestor),
        )  # fmt: skip

    def test_a_category_is_followed_through_all_versions_between(self):
        book = CodebookFactory()
        first, second, third = (published(codebook=book, keys=keys) for keys in (("a",), ("b",), ("b", "c")))
        self.link(second, "b", "a", "reworded")
        for part in ("b", "c"):
            self.link(third, part, "b", "split")
        assert compare.traced(first, third) == {"b": Origin("split", ("a",)), "c": Origin("split", ("a",))}
        assert compare.traced(first, second) == {"b": Origin("reworded", ("a",))}

    def test_one_that_was_removed_and_came_back_is_new(self):
        book = CodebookFactory()
        first, _, third = (published(codebook=book, keys=keys) for keys in (("a",), ("b",), ("a",)))
        assert compare.traced(first, third) == {"a": lineage.NEW}

    def test_an_imported_version_stands_beside_the_others(self):
        book = CodebookFactory()
        first = published(codebook=book, keys=("a",))
        published(codebook=book, keys=("b",))
        imported = Version.objects.create(codebook=book, number=3)
        Category.objects.create(version=imported, key="a", title="A", position=1)
        imported.state = "imported"
        assert compare.traced(first, imported) == {"a": Origin("same", ("a",))}
