import pytest
from django.urls import reverse

from hitl.models import AuditEvent
from reviews.models import CaseRead, FailureMode, OpenCode
from tests.factories.hitl import grant
from tests.factories.queues import SlotFactory
from tests.factories.reading import Reading

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def reading():
    return Reading()


def url(reading, name="codebook_failures", *args):
    return reverse(name, args=[reading.codebook.slug, *args])


@pytest.fixture
def client(sign_in, reading):
    return sign_in(reading.owner)


class TestReadingCases:
    def test_the_next_case_its_decision_and_one_field(self, client, reading):
        reading.decided("reject")
        sampled = reading.decided("edit", lane=reading.sampled)
        page = client.get(url(reading)).content.decode()
        for words in (sampled.external_id, sampled.question, "duplicate payment", "random sample", "Another answer.",
                      "sample and 1 rejected or edited", "What went wrong, in your own words"):  # fmt: skip
            assert words in page

    def test_that_the_owner_was_shown_a_case_is_on_record(self, client, reading):
        case = reading.decided()
        client.get(url(reading))
        seen = AuditEvent.objects.get(action="case.seen", detail__as="owner of the codebook")
        assert (seen.actor_id, seen.subject) == (reading.owner.pk, f"case:{case.pk}")

    def test_a_note_is_saved_and_the_next_case_comes(self, client, reading):
        second, first = reading.decided(), reading.decided()
        there = client.post(url(reading, "codebook_code_case", first.pk), {"text": "No source"}, follow=True)
        assert second.external_id in there.content.decode()
        assert OpenCode.objects.get().text == "No source"

    def test_by_script_only_the_case_is_exchanged_and_the_note_joins_the_others(self, client, reading):
        second, first = reading.decided(), reading.decided()
        there = client.post(url(reading, "codebook_code_case", first.pk), {"text": "No <source>"}, headers=HTMX)
        page = there.content.decode()
        assert "<html" not in page
        assert second.external_id in page
        assert "afterbegin:#loose" in page
        assert "No &lt;source&gt;" in page

    def test_nothing_went_wrong_is_one_button(self, client, reading):
        case = reading.decided()
        client.post(url(reading, "codebook_code_case", case.pk), {"nothing": "1", "text": ""})
        assert CaseRead.objects.get().case == case
        assert not OpenCode.objects.exists()

    @pytest.mark.parametrize("headers", [{}, HTMX])
    def test_an_empty_note_is_refused_on_the_same_case(self, client, reading, headers):
        case = reading.decided()
        there = client.post(url(reading, "codebook_code_case", case.pk), {"text": " "}, headers=headers)
        assert "Write what went wrong" in there.content.decode()
        assert case.external_id in there.content.decode()

    def test_a_case_put_off_comes_later(self, client, reading):
        older, newer = reading.decided(), reading.decided()
        page = client.get(url(reading), {"not": f"{newer.pk},nonsense"}).content.decode()
        assert older.external_id in page
        assert newer.external_id not in page
        put_off = client.get(url(reading), {"not": f"{newer.pk},{older.pk}"}).content.decode()
        assert "You put off 2 cases" in put_off

    @pytest.mark.parametrize("headers", [{}, HTMX])
    def test_what_was_put_off_stays_so_while_reading_on(self, client, reading, headers):
        third, second, first = reading.decided(), reading.decided(), reading.decided()
        data = {"text": "x", "not": str(first.pk)}
        there = client.post(url(reading, "codebook_code_case", second.pk), data, headers=headers, follow=True)
        assert there.context["case"] == third

    def test_a_note_is_not_lost_to_the_wrong_button(self, client, reading):
        case = reading.decided()
        there = client.post(url(reading, "codebook_code_case", case.pk), {"text": "No source", "nothing": "1"})
        assert "You wrote a note" in there.content.decode()
        assert 'value="No source"' in there.content.decode()
        assert not CaseRead.objects.exists()

    def test_with_nothing_to_read_it_says_what_was_looked_at(self, client, reading):
        reading.decided("accept")
        page = client.get(url(reading)).content.decode()
        assert "Nothing waits to be read" in page
        assert "2,000 decisions" in page

    def test_hostile_text_stays_text(self, client, reading):
        case = reading.decided()
        case.draft = "<script>alert(1)</script>"
        case.save()
        reading.note("<img src=x onerror=alert(1)>", reading.decided())
        page = client.get(url(reading)).content.decode()
        assert "<script>alert" not in page
        assert "<img" not in page

    def test_a_case_still_to_be_decided_by_the_owner_is_not_there(self, client, reading):
        case = reading.decided()
        grant(reading.owner, "review_queue", reading.queue)
        SlotFactory(lane=reading.escalated, case=case, round=2, purpose="drift")
        assert client.get(url(reading, "codebook_code_case", case.pk)).status_code == 404

    def test_only_for_the_owner(self, sign_in, reading):
        for name, args in (("codebook_failures", ()), ("codebook_code_case", (reading.decided().pk,))):
            assert sign_in(reading.reviewer).get(url(reading, name, *args)).status_code == 404


class TestGroups:
    def test_ticked_notes_are_grouped_and_counted(self, client, reading):
        codes = [reading.note("Wrong tone"), reading.note("Tone is off")]
        page = client.post(
            url(reading, "codebook_failures_group"),
            {"code": [code.pk for code in codes], "title": "Tone"},
            follow=True,
        ).content.decode()
        assert "2 notes went into “Tone”" in page
        assert "cannot be said yet" in page
        assert FailureMode.objects.get().codes.count() == 2

    def test_alike_notes_are_proposed_with_one_button(self, client, reading):
        reading.note("Promises a refund without evidence")
        reading.note("Without evidence, promises a refund")
        page = client.get(url(reading)).content.decode()
        assert "Group these 2" in page

    def test_a_group_says_how_often_it_occurs_in_the_random_sample(self, client, reading):
        sampled = [reading.decided(lane=reading.sampled) for _ in range(2)]
        mode = reading.group("Tone", reading.note("Wrong tone", sampled[0]), reading.note("Rude"))
        reading.note("Something else", sampled[1])
        page = client.get(url(reading, "codebook_failure", mode.pk)).content.decode()
        assert "2 notes on 2 cases. In the random sample: 1 of 2, 50% (95%: 9% to 91%)" in page

    def test_what_can_be_done_with_a_group(self, client, reading):
        a, b = reading.note("a"), reading.note("b")
        mode, other = reading.group("One", a, b), reading.group("Two", reading.note("c"))
        here = url(reading, "codebook_failure", mode.pk)

        def press(do, **fields):
            return client.post(here, {"do": do, **fields}, follow=True).content.decode()

        assert "Saved." in press("rename", title="First", note="Words")
        assert "“Part”" in press("split", code=[b.pk], split_title="Part")
        assert "is in the draft" in press("promote")
        assert "a draft" in client.get(here).content.decode()
        assert "category already" in press("promote")
        assert "not whole" in press("nonsense")
        assert "Choose the group" in press("merge", into="x")
        assert "are in “Two” now" in press("merge", into=other.pk)
        assert client.get(here).status_code == 404
        gone = client.post(url(reading, "codebook_failure", other.pk), {"do": "dissolve"}, follow=True)
        assert "The group is gone; its 2 notes" in gone.content.decode()

    def test_a_group_of_another_codebook_is_not_there(self, client, reading):
        other = Reading()
        mode = other.group("Theirs", other.note("x"))
        assert client.get(url(reading, "codebook_failure", mode.pk)).status_code == 404


class TestHowMuchIsAsked:
    def test_the_page_asks_as_much_for_many_notes_as_for_few(self, client, reading, django_assert_max_num_queries):
        for number in range(6):
            reading.group(f"Group {number % 3}", reading.note(f"note {number} of many"))
            reading.note(f"another {number} thing altogether, {'xyzuvw'[number] * 9}")
        reading.decided()
        with django_assert_max_num_queries(38):
            client.get(url(reading))
        mode = FailureMode.objects.first()
        with django_assert_max_num_queries(15):
            client.get(url(reading, "codebook_failure", mode.pk))
