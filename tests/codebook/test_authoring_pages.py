import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from codebook.labels import counting, labelling
from codebook.models import Category, Codebook, Comment, Version
from codebook.rubric import authoring, files, lineage
from codebook.rubric.content import CONTENT
from codebook.rubric.draft_page import digest
from codebook.rubric.lineage import Origin
from codebook.rubric.publishing import publish
from codebook.versions import rubric
from tests.factories.codebook import CodebookFactory, published
from tests.factories.hitl import UserFactory, grant
from tests.factories.queues import LaneFactory, SlotFactory, lead_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def complete(draft, *keys):
    for key in keys:
        authoring.add_category(
            version=draft, by=draft.codebook.owner,
            fields={part: f"{part} of {key}" for part in CONTENT} | {"key": key, "title": key.title()},
        )  # fmt: skip
    return draft


@pytest.fixture
def book():
    """One published version, with the categories tone and format."""
    book = CodebookFactory(slug="support", title="Support answers")
    publish(
        version=complete(authoring.start_draft(codebook=book, by=book.owner), "tone", "format"), by=book.owner,
        now=timezone.now(),
    )  # fmt: skip
    return book


@pytest.fixture
def owner(book, sign_in):
    return sign_in(book.owner)


@pytest.fixture
def draft(book):
    return authoring.start_draft(codebook=book, by=book.owner)


@pytest.fixture
def reader(book, sign_in):
    return sign_in(grant(UserFactory(name="Robin Reader"), "read_codebook", book))


def url(name, *args):
    return reverse(name, args=["support", *args])


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


class TestTheRubric:
    def test_it_shows_the_version_in_use_and_leads_on(self, owner, draft):
        page = owner.get(url("codebook"))
        assert "Version 1, published" in text(page)
        assert "definition of tone" in text(page)
        for name in ("codebook_draft", "codebook_versions", "codebook_settings"):
            assert url(name) in page.content.decode()

    def test_a_reader_of_one_codebook_is_led_to_it(self, reader):
        assert reader.get(reverse("codebooks")).url == url("codebook")

    def test_a_lead_sees_the_list_and_may_make_one(self, sign_in):
        lead = sign_in(lead_of(LaneFactory()))
        assert reverse("codebook_new") in lead.get(reverse("codebooks")).content.decode()
        answer = lead.post(reverse("codebook_new"), {"title": "Claims", "slug": "claims"})
        assert answer.url == reverse("codebook_draft", args=["claims"])
        assert Version.objects.get(codebook__slug="claims").state == "draft"

    def test_a_short_name_that_is_taken_is_said(self, book, sign_in):
        answer = sign_in(lead_of(LaneFactory())).post(reverse("codebook_new"), {"title": "Claims", "slug": "support"})
        assert answer.status_code == 422
        assert "There is a codebook “support” already" in text(answer)


class TestTheDraft:
    def test_where_there_is_none_the_owner_starts_one_and_a_reader_is_told(self, owner, reader):
        assert "Start a draft" in text(owner.get(url("codebook_draft")))
        assert "Start a draft" not in text(reader.get(url("codebook_draft")))
        assert owner.post(url("codebook_draft")).url == url("codebook_draft")
        assert "Draft of version 2" in text(reader.get(url("codebook_draft")))

    def test_the_owner_has_a_field_for_every_part_and_sees_what_is_missing(self, owner, draft):
        authoring.add_category(version=draft, by=draft.codebook.owner, fields={"title": "Voice"})
        page = owner.get(url("codebook_draft"))
        assert "Missing: What it is, Clearly one, Clearly not one, Looks like one, is not" in text(page)
        assert "1 of 3 categories still lacks a part" in text(page)
        for category in draft.categories.all():
            for part in CONTENT:
                assert f'id="c{category.pk}-{part}"' in page.content.decode()

    def test_a_reader_reads_it_and_has_no_field(self, reader, draft):
        page = reader.get(url("codebook_draft")).content.decode()
        assert "definition of tone" in page
        assert 'name="definition"' not in page
        assert url("codebook_publish") not in page

    def test_what_others_wrote_runs_nowhere(self, owner, reader, draft):
        bad = "<script>alert(1)</script>"
        draft.categories.update(definition=bad, title=bad[:80])
        Comment.objects.create(version=draft, author=draft.codebook.owner, text=bad, created_at=timezone.now())
        publish_page, compare = url("codebook_publish"), url("codebook_compare")
        for client, page in ((owner, url("codebook_draft")), (reader, url("codebook_draft")), (owner, publish_page),
                             (reader, compare), (reader, url("codebook_preview"))):  # fmt: skip
            assert bad not in client.get(page).content.decode()

    def test_the_preview_shows_it_as_the_review_screen_will(self, reader, draft):
        page = reader.get(url("codebook_preview")).content.decode()
        assert page.count('class="cat"') == 2
        assert '<kbd aria-hidden="true">1</kbd> Tone' in page


class TestTyping:
    @pytest.fixture
    def tone(self, draft):
        return draft.categories.get(key="tone")

    def send(self, client, category, fields, headers=None):
        return client.post(url("codebook_category", category.pk), fields, headers=headers or {})

    def test_one_part_is_saved_while_it_is_typed(self, owner, tone):
        answer = self.send(owner, tone, {"definition": "Rude."}, HTMX)
        assert re.search(r"Saved \d\d:\d\d", text(answer))
        tone.refresh_from_db()
        assert tone.definition == "Rude."

    def test_what_is_missing_follows(self, owner, tone):
        assert "Missing: What it is" in text(self.send(owner, tone, {"definition": " "}, HTMX))

    def test_a_proposed_key_follows_the_title_on_the_screen_too(self, owner, draft):
        owner.post(url("codebook_category_new"))
        answer = self.send(owner, draft.categories.last(), {"title": "Too long"}, HTMX)
        assert 'value="too-long"' in answer.content.decode()
        again = self.send(owner, draft.categories.last(), {"title": "Too long"}, HTMX)
        assert "too-long" not in again.content.decode()

    def test_without_javascript_the_form_says_only_what_was_typed_into_it(self, owner, tone):
        """Another tab saved the definition after this form was shown."""
        shown = {part: getattr(tone, part) for part in CONTENT}
        form = shown | {f"was_{part}": digest(shown[part]) for part in CONTENT} | {"edge_case": "Curt,\r\nbut kind."}
        Category.objects.filter(pk=tone.pk).update(definition="From the other tab.")
        assert self.send(owner, tone, form).url == f"{url('codebook_draft')}#category-{tone.pk}"
        tone.refresh_from_db()
        assert (tone.definition, tone.edge_case) == ("From the other tab.", "Curt,\nbut kind.")

    def test_what_cannot_be_saved_is_said_and_shown_back(self, owner, tone):
        answer = self.send(owner, tone, {"title": "x" * 81}, HTMX)
        assert answer.status_code == 422
        assert "at most 80" in text(answer)
        answer = self.send(owner, tone, {"title": "x" * 81, "definition": "Rude."})
        assert "x" * 81 in answer.content.decode()
        tone.refresh_from_db()
        assert tone.definition == "Rude."

    def test_what_is_typed_after_publishing_is_refused_and_shown_back(self, owner, draft, tone):
        self.send(owner, tone, {"definition": "Rude."})
        publish(version=draft, by=draft.codebook.owner, now=timezone.now())
        answer = self.send(owner, tone, {"definition": "Late <b>word</b>."})
        assert answer.status_code == 409
        assert "Version 2 was published meanwhile" in text(answer)
        assert "Late &lt;b&gt;word" in answer.content.decode()
        assert "still stands in its field" in text(self.send(owner, tone, {"definition": "Late."}, HTMX))

    def test_what_is_typed_into_a_removed_category_is_shown_back(self, owner, tone):
        owner.post(url("codebook_category_remove", tone.pk))
        answer = self.send(owner, tone, {"definition": "Late word."})
        assert answer.status_code == 409
        assert "Late word." in text(answer)

    def test_a_category_of_another_codebook_is_not_there(self, owner, sign_in):
        other = published(keys=("tone",)).categories.get()
        assert self.send(owner, other, {"definition": "Mine"}).status_code == 404

    def test_a_reader_types_nothing(self, reader, tone):
        assert self.send(reader, tone, {"definition": "Mine"}).status_code == 404


class TestOrder:
    def test_categories_move_go_and_come(self, owner, draft):
        tone, form = draft.categories.all()
        owner.post(url("codebook_category_move", form.pk), {"to": "up"})
        assert [one.key for one in draft.categories.all()] == ["format", "tone"]
        assert owner.post(url("codebook_category_remove", tone.pk)).url == url("codebook_draft")
        added = owner.post(url("codebook_category_new")).url
        assert added.endswith(f"#category-{draft.categories.get(key='category').pk}")

    def test_the_draft_is_dropped(self, owner, draft):
        owner.post(url("codebook_draft_drop"))
        assert [one.number for one in Version.objects.all()] == [1]


class TestComments:
    def test_a_reader_says_something_and_the_owner_settles_it(self, owner, reader, draft):
        tone = draft.categories.get(key="tone")
        reader.post(url("codebook_comment"), {"category": tone.pk, "text": "What of irony?"})
        reader.post(url("codebook_comment"), {"text": "All good else."})
        page = owner.get(url("codebook_draft"))
        assert "2 comments to settle" in text(page)
        assert "Robin Reader" in text(page)
        owner.post(url("codebook_comment_resolve", Comment.objects.get(category=tone).pk))
        assert "1 comment to settle" in text(owner.get(url("codebook_draft")))

    @pytest.mark.parametrize("category", ["0", "x", "9" * 30])
    def test_of_a_category_that_is_not_there_nothing_is_said(self, reader, draft, category):
        assert reader.post(url("codebook_comment"), {"category": category, "text": "?"}).status_code == 404

    def test_where_the_draft_is_gone_the_reader_is_told(self, reader):
        answer = reader.post(url("codebook_comment"), {"text": "Late"}, follow=True)
        assert "There is no draft any more" in text(answer)


class TestPublishing:
    def form(self, client, **answers):
        page = client.get(url("codebook_publish")).context["page"]
        form = {"looked": page.looked, "note": "Why"}
        for row in page.rows:
            form[f"how-{row.category.pk}"] = row.origin.kind
            form[f"from-{row.category.pk}"] = list(row.origin.ancestors)
        return form | answers

    def test_what_is_in_the_way_is_listed(self, owner, draft):
        assert "Nothing is different from version 1" in text(owner.get(url("codebook_publish")))
        draft.categories.filter(key="tone").update(edge_case="")
        assert "“Tone” has no edge case" in text(owner.get(url("codebook_publish")))

    def test_what_is_different_and_how_it_came_about_is_shown(self, owner, draft):
        draft.categories.filter(key="tone").update(definition="definition of the tone")
        page = owner.get(url("codebook_publish"))
        assert "<ins>" in page.content.decode()
        assert [(row.category.key, row.origin.kind) for row in page.context["page"].rows] == [
            ("tone", "reworded"),
            ("format", "same"),
        ]

    def test_it_is_published_as_it_was_confirmed(self, owner, draft):
        complete(draft, "curt")
        tone, _, curt = draft.categories.all()
        split = {f"how-{one.pk}": "split" for one in (tone, curt)} | {
            f"from-{one.pk}": ["tone"] for one in (tone, curt)
        }
        assert owner.post(url("codebook_publish"), self.form(owner, **split)).url == url("codebook")
        version = Version.objects.get(number=2)
        assert (version.state, version.note) == ("published", "Why")
        assert lineage.said(version)["curt"] == Origin("split", ("tone",))
        assert version.links.filter(confirmed_by=draft.codebook.owner).count() == 3

    def test_what_cannot_be_is_said_and_what_was_chosen_stays_chosen(self, owner, draft):
        complete(draft, "curt")
        curt = draft.categories.get(key="curt")
        answers = {f"how-{curt.pk}": "split", f"from-{curt.pk}": ["tone"]}
        answer = owner.post(url("codebook_publish"), self.form(owner, **answers))
        assert answer.status_code == 422
        assert "say of each that it is split from it" in text(answer)
        chosen = {row.category.key: row.origin for row in answer.context["page"].rows}
        assert chosen["curt"] == Origin("split", ("tone",))
        draft.refresh_from_db()
        assert draft.state == "draft"

    def test_what_another_tab_typed_meanwhile_is_looked_at_first(self, owner, draft):
        complete(draft, "curt")
        form = self.form(owner)
        draft.categories.filter(key="curt").update(definition="Changed meanwhile")
        assert "changed since you opened this page" in text(owner.post(url("codebook_publish"), form))

    def test_the_second_of_two_tabs_is_told(self, owner, draft):
        complete(draft, "curt")
        form = self.form(owner)
        owner.post(url("codebook_publish"), form)
        assert "published or dropped meanwhile" in text(owner.post(url("codebook_publish"), form, follow=True))

    def test_nonsense_in_the_form_is_refused(self, owner, draft):
        complete(draft, "curt")
        curt = draft.categories.get(key="curt")
        for how, of in (("nonsense", []), ("reworded", ["nothing-there"]), ("merged", ["tone"])):
            form = self.form(owner, **{f"how-{curt.pk}": how, f"from-{curt.pk}": of})
            assert owner.post(url("codebook_publish"), form).status_code == 422


class TestVersions:
    @pytest.fixture
    def second(self, book, draft):
        complete(draft, "curt")
        draft.categories.filter(key="tone").update(definition="definition of the tone")
        draft.categories.get(key="format").delete()
        return publish(version=draft, by=book.owner, now=timezone.now(), note="Shorter")

    def test_they_are_listed(self, reader, second):
        page = text(reader.get(url("codebook_versions")))
        assert second.content_hash[:8] in page
        assert "Shorter" in page

    def test_their_labels_are_counted_batch_by_batch_beside_the_page(self, reader, book):
        slot = SlotFactory()
        version = book.versions.get()
        label = labelling.give(
            slot=slot, queue_id=slot.lane.queue_id, origin="escalation", user=book.owner, stamp=rubric(version.pk),
            verdict="accept", category_ids=[], now=timezone.now(),
        )  # fmt: skip
        assert "being counted" in text(reader.get(url("codebook_versions")))
        counting.count_batch(batch_id=label.batch_id, newest_label=label.pk, now=timezone.now())
        (line,) = reader.get(url("codebook_versions")).context["versions"]
        assert (line.labels_words, line.categories) == ("1", 2)

    def test_one_says_how_its_categories_came_about(self, reader, second):
        page = text(reader.get(url("codebook_version", 2)))
        assert "Reworded definition of the tone" in page
        assert "New definition of curt" in page
        assert "Removed with it: Format" in page
        first = text(reader.get(url("codebook_version", 1)))
        assert "New" not in first

    def test_two_are_compared_whichever_is_named_first(self, reader, second):
        forth, back = (text(reader.get(url("codebook_compare"), {"from": a, "to": b})) for a, b in ((1, 2), (2, 1)))
        assert "From version 1 to 2" in forth
        assert "3 categories are different, 0 the same" in forth
        assert back == forth

    @pytest.mark.parametrize(
        "query", [{"from": "x"}, {"from": "7", "to": "9"}, {"from": "9" * 40}, {"from": 1, "to": 1}]
    )
    def test_versions_that_are_not_there_compare_nothing(self, reader, second, query):
        assert reader.get(url("codebook_compare"), query).status_code == 200

    def test_one_is_downloaded_and_read_in_again(self, reader, second):
        answer = reader.get(url("codebook_file", 2))
        assert answer["Content-Disposition"] == 'attachment; filename="support-2.yaml"'
        assert files.from_yaml(answer.content) == files.written_out(second) | {"note": "Shorter"}

    def test_the_draft_has_its_own_page(self, reader, draft):
        assert reader.get(url("codebook_version", 2)).url == url("codebook_draft")
        assert reader.get(url("codebook_version", 7)).status_code == 404

    def test_no_page_asks_the_database_more_often_for_more_versions(self, reader, book, django_assert_max_num_queries):
        for keys in (("a",), ("b",), ("c",), ("d",)):
            published(codebook=book, keys=keys)
        with django_assert_max_num_queries(14):
            reader.get(url("codebook_versions"))


class TestAFile:
    def bring(self, client, content, name="support.yaml"):
        return client.post(url("codebook_import"), {"file": SimpleUploadedFile(name, content)})

    def test_it_becomes_the_draft(self, owner, book):
        told = files.as_yaml(book.versions.get()).replace("definition of tone", "Rude.")
        assert self.bring(owner, told.encode()).url == url("codebook_draft")
        assert authoring.draft_of(book).categories.get(key="tone").definition == "Rude."

    def test_what_is_none_is_refused_with_its_place(self, owner, draft):
        draft.categories.all().delete()
        for raw, said in ((b"slug: [", "Line 1"), (b"slug: other\ntitle: T\ncategories: []", "this one is “support”")):
            answer = self.bring(owner, raw)
            assert answer.status_code == 422
            assert said in text(answer)

    def test_a_draft_that_is_being_written_is_not_overwritten(self, owner, book, draft):
        answer = self.bring(owner, files.as_yaml(book.versions.get(number=1)).encode())
        assert "There is a draft already" in text(answer)
        assert draft.categories.count() == 2


class TestSettings:
    def test_the_owner_renames_it_and_an_administrator_too(self, owner, book, sign_in):
        for client, title in ((owner, "Answers"), (sign_in(UserFactory(is_superuser=True)), "Replies")):
            client.post(url("codebook_settings"), {"title": title, "batch_days": 30})
            book.refresh_from_db()
            assert (book.title, book.batch_days) == (title, 30)

    def test_what_cannot_be_is_said(self, owner, book):
        assert owner.post(url("codebook_settings"), {"title": " ", "batch_days": 0}).status_code == 422
        assert Codebook.objects.get().batch_days == 90

    def test_it_is_handed_to_one_of_those_who_may_read_it(self, owner, book):
        heir = grant(UserFactory(), "read_codebook", book)
        assert owner.post(url("codebook_settings"), {"to": UserFactory().pk}).status_code == 422
        owner.post(url("codebook_settings"), {"to": heir.pk})
        book.refresh_from_db()
        assert book.owner == heir
        assert owner.get(url("codebook")).status_code == 200
        assert owner.get(url("codebook_settings")).status_code == 404
