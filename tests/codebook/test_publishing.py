import pytest
from django.utils import timezone

from codebook import files
from codebook.content import CONTENT
from codebook.models import Category, Codebook, Version
from codebook.publishing import NotPublishable, publish
from hitl.models import AuditEvent
from tests.factories.codebook import CodebookFactory
from tests.factories.hitl import UserFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def draft(codebook, *keys, number=1, **parts):
    version = Version.objects.create(codebook=codebook, number=number)
    for position, key in enumerate(keys, 1):
        Category.objects.create(version=version, position=position, **{part: f"{part} of {key}" for part in CONTENT}
            | {"key": key, "title": key.title()} | parts)  # fmt: skip
    return version


class TestPublishing:
    def test_it_freezes_the_version_with_its_hash_and_is_on_record(self):
        codebook = CodebookFactory()
        version = publish(version=draft(codebook, "tone", "format"), by=codebook.owner, now=NOW)
        assert (version.state, version.published_by, len(version.content_hash)) == ("published", codebook.owner, 64)
        assert AuditEvent.objects.get(action="codebook.published").detail["version"] == 1

    def test_only_the_owner_publishes(self):
        codebook = CodebookFactory()
        with pytest.raises(NotPublishable, match=f"Only {codebook.owner.name}"):
            publish(version=draft(codebook, "tone"), by=UserFactory(), now=NOW)

    def test_all_that_is_missing_is_named_at_once(self):
        codebook = CodebookFactory()
        version = draft(codebook, "tone", "format", definition="", edge_case=" ")
        with pytest.raises(NotPublishable) as refusal:
            publish(version=version, by=codebook.owner, now=NOW)
        for words in ("“Tone” has no definition and no edge case", "“Format” has no definition"):
            assert words in str(refusal.value)
        version.refresh_from_db()
        assert version.state == "draft"

    def test_two_categories_of_one_name_are_refused(self):
        codebook = CodebookFactory()
        version = draft(codebook, "tone", "format", title="Tone")
        with pytest.raises(NotPublishable, match="2 categories are called"):
            publish(version=version, by=codebook.owner, now=NOW)

    def test_a_codebook_without_a_category_is_refused(self):
        codebook = CodebookFactory()
        with pytest.raises(NotPublishable, match="no category"):
            publish(version=draft(codebook), by=codebook.owner, now=NOW)

    def test_a_version_that_changes_nothing_is_refused(self):
        codebook = CodebookFactory()
        publish(version=draft(codebook, "tone"), by=codebook.owner, now=NOW)
        with pytest.raises(NotPublishable, match="Nothing is different from version 1"):
            publish(version=draft(codebook, "tone", number=2), by=codebook.owner, now=NOW)


class TestAsAFile:
    def content(self, *keys):
        parts = [{part: f"{part} of {key}" for part in CONTENT} | {"key": key, "title": key} for key in keys]
        return {"slug": "support", "title": "Support", "categories": parts}

    def read(self, content, owner=None):
        return files.read_in(content=content, owner=owner or UserFactory(), now=NOW)

    def test_it_is_published_and_written_out_as_it_was_read(self):
        version = self.read(self.content("tone", "format"))
        assert version.state == "published"
        assert files.written_out(version) == self.content("tone", "format")

    def test_the_same_file_again_changes_nothing(self):
        first = self.read(self.content("tone"))
        assert self.read(self.content("tone")) == first

    def test_a_changed_file_is_the_next_version_of_the_same_owner(self):
        first = self.read(self.content("tone"))
        second = self.read(self.content("tone", "format"))
        assert (second.number, second.published_by) == (2, first.published_by)

    def test_what_is_no_codebook_is_refused_whole(self):
        with pytest.raises(files.Unreadable, match="Category 1 has “colour”"):
            self.read({"slug": "s", "title": "S", "categories": [{"key": "tone", "colour": "red"}]})
        assert not Codebook.objects.exists()
