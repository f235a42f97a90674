import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from codebook.models import Codebook, Version
from codebook.rubric import authoring, files
from codebook.rubric.content import CONTENT
from hitl.models import User
from tests.factories.hitl import UserFactory

pytestmark = pytest.mark.django_db


def content(**definitions):
    rows = [
        {part: f"{part} of {key}" for part in CONTENT} | {"key": key, "title": key.title(), "definition": words}
        for key, words in definitions.items()
    ]
    return {"slug": "support", "title": "Support", "categories": rows}


def read(told):
    owner = User.objects.filter(email="ada@example.org").first() or UserFactory(email="ada@example.org", name="Ada")
    return files.read_in(content=told, owner=owner, now=timezone.now())


@pytest.fixture
def run(capsys):
    def ran(*words):
        call_command("codebook", *words)
        return capsys.readouterr().out

    return ran


class TestDiff:
    @pytest.fixture
    def book(self):
        read(content(tone="It is rude.", format="No list."))
        return read(content(tone="It is very rude.", style="No list at all.", format="No list.")).codebook

    def test_the_two_newest_are_told_word_by_word(self, book, run):
        said = run("diff", "support")
        assert "support: version 1 (published) to 2 (published)" in said
        assert "Tone (tone): reworded\n  What it is:\n    It is {+very +}rude." in said
        assert "Style (style): new" in said
        assert "The same: Format" in said

    def test_any_two_are_compared_the_older_first(self, book, run):
        authoring.start_draft(codebook=book, by=book.owner)
        assert run("diff", "support", "3", "1").startswith("support: version 1 (published) to 3 (draft)")
        assert run("diff", "support", "1") == run("diff", "support", "1", "3")

    def test_what_is_not_there_is_said_with_what_is(self, book, run):
        for words, sentence in (
            (("support", "7"), "no version 7. There are: 1, 2"),
            (("claims",), "no codebook claims. There are: support"),
        ):
            with pytest.raises(CommandError, match=sentence):
                run("diff", *words)

    def test_one_version_compares_with_nothing(self, run):
        read(content(tone="Rude."))
        with pytest.raises(CommandError, match="nothing to compare"):
            run("diff", "support")


class TestExport:
    def test_what_is_written_is_read_in_again(self, run, tmp_path):
        first = read(content(tone="Rude."))
        file = tmp_path / "support.yaml"
        file.write_text(run("export", "support"))
        assert "says the same. Nothing was changed" in run("import", str(file))
        assert Version.objects.get() == first

    def test_a_version_is_chosen_by_number(self, run):
        read(content(tone="Rude."))
        read(content(tone="Very rude."))
        assert "definition: Rude." in run("export", "support", "--version", "1")
        assert "definition: Very rude." in run("export", "support")

    def test_where_nothing_is_published_it_says_so(self, run):
        Codebook.objects.create(slug="support", title="Support", owner=UserFactory())
        with pytest.raises(CommandError, match="No version of support is published"):
            run("export", "support")


class TestImport:
    @pytest.fixture
    def file(self, tmp_path):
        file = tmp_path / "support.yaml"
        file.write_text(
            "slug: support\ntitle: Support\ncategories:\n  - {key: tone, title: Tone, definition: Rude., "
            "positive_example: a, negative_example: b, edge_case: c}\n"
        )
        return file

    def test_a_new_codebook_is_whoevers_it_is_said_to_be(self, run, file):
        UserFactory(email="ada@example.org")
        assert "version 1 is published" in run("import", str(file), "--owner", "Ada@example.org")
        assert Codebook.objects.get().owner.email == "ada@example.org"

    def test_it_becomes_the_draft_that_its_owner_publishes(self, run, file):
        book = read(content(tone="Other words.")).codebook
        assert "version 2 is a draft. Ada publishes it" in run("import", str(file), "--draft")
        assert authoring.draft_of(book).categories.get().definition == "Rude."

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [((), "Say whose it is with --owner"), (("--owner", "x@example.org"), "Nobody here has the address")],
    )
    def test_a_new_one_has_an_owner_who_is_here(self, run, file, words, sentence):
        with pytest.raises(CommandError, match=sentence):
            run("import", str(file), *words)
        assert not Codebook.objects.exists()

    def test_a_file_takes_no_codebook_from_its_owner(self, run, file):
        read(content(tone="Other words."))
        UserFactory(email="ben@example.org")
        with pytest.raises(CommandError, match="support is Ada's"):
            run("import", str(file), "--owner", "ben@example.org")

    def test_what_cannot_be_read_is_said(self, run, file, tmp_path):
        file.write_text("slug: [")
        with pytest.raises(CommandError, match=r"Line 1.*Nothing was changed"):
            run("import", str(file))
        with pytest.raises(CommandError, match="cannot be read: No such file"):
            run("import", str(tmp_path / "nothing.yaml"))
