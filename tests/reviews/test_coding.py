import pytest

from codebook.models import Version
from hitl.models import AuditEvent
from queues.models import Lane
from reviews import coding, deciding, promoting
from reviews.figures import failures
from reviews.given import Invalid
from reviews.models import CaseRead, FailureMode, OpenCode
from tests.factories.hitl import TenantFactory, grant
from tests.factories.queues import LaneFactory, SlotFactory, reviewer_of
from tests.factories.reading import NOW, Reading

pytestmark = pytest.mark.django_db


@pytest.fixture
def reading():
    return Reading()


class TestWhatAReviewerNames:
    def test_it_is_a_note_on_the_case_in_the_same_breath(self, reading):
        case = reading.decided(named="Invents a phone number, call +49 170 1234567")
        code = OpenCode.objects.get()
        assert (code.case, code.codebook, code.author) == (case, reading.codebook, reading.reviewer)
        assert code.text == code.finding.text
        assert "1234567" not in code.text

    def test_a_decision_that_names_none_costs_no_statement(self, reading, django_assert_num_queries):
        with django_assert_num_queries(0):
            OpenCode.objects.bulk_create(iter(()))
        reading.decided()
        assert not OpenCode.objects.exists()

    def test_other_findings_are_no_notes(self, reading):
        reading.decided()
        assert not OpenCode.objects.exists()

    def test_what_was_taken_back_is_not_shown(self, reading):
        case = reading.decided(named="Invents a phone number")
        deciding.undo(user=reading.reviewer, slot_id=case.slots.get().pk)
        assert OpenCode.objects.count() == 1
        assert failures.codes(reading.owner, reading.codebook) == []
        assert not failures.standing(reading.codebook).exists()


class TestReading:
    def test_the_random_sample_comes_first_then_what_was_rejected_or_edited_newest_first(self, reading):
        reading.decided("accept")
        older = reading.decided("reject")
        sampled = reading.decided("accept", lane=reading.sampled)
        newer = reading.decided("edit")
        found = []
        while (waiting := failures.waiting(reading.owner, reading.codebook, skipped=found)).first:
            found.append(waiting.first)
        assert found == [sampled.pk, newer.pk, older.pk]
        assert (waiting.sampled, waiting.failed) == (1, 2)

    def test_a_note_scrubs_and_the_case_does_not_come_again(self, reading):
        case = reading.decided()
        code = reading.note("  Gave away jane.doe@example.org \x00", case)
        assert "jane.doe" not in code.text
        assert failures.waiting(reading.owner, reading.codebook).first is None
        assert AuditEvent.objects.get(action="case.coded").subject == f"case:{case.pk}"

    def test_nothing_wrong_is_said_too_and_counts_as_read(self, reading):
        case = reading.decided("accept", lane=reading.sampled)
        coding.nothing_wrong(codebook=reading.codebook, case=case, by=reading.owner, now=NOW)
        assert CaseRead.objects.get().in_random_sample
        assert not OpenCode.objects.exists()
        assert failures.waiting(reading.owner, reading.codebook).first is None

    def test_an_empty_note_is_refused(self, reading):
        with pytest.raises(Invalid, match="Write what went wrong"):
            reading.note("   ")
        with pytest.raises(Invalid, match="at most 2,000"):
            reading.note("x" * 2_001)
        assert not CaseRead.objects.exists()

    def test_a_case_of_another_tenant_is_neither_read_nor_quoted(self, reading):
        elsewhere = LaneFactory(queue=reading.queue, tenant=TenantFactory(), stream=Lane.Stream.RANDOM)
        reading.decided(lane=elsewhere, named="Secret", reviewer=reviewer_of(elsewhere))
        assert failures.waiting(reading.owner, reading.codebook).first is None
        found = failures.analysis(reading.owner, reading.codebook)
        assert (list(found.loose), found.elsewhere) == ([], 1)

    def test_a_case_that_the_owner_may_still_decide_is_kept_from_them(self, reading):
        case = reading.decided(named="What a colleague saw")
        grant(reading.owner, "review_queue", reading.queue)
        SlotFactory(lane=reading.escalated, case=case, round=2, purpose="relabel")
        assert failures.waiting(reading.owner, reading.codebook).first is None
        assert failures.codes(reading.owner, reading.codebook) == []


class TestGroups:
    def test_a_share_is_of_the_random_sample_that_was_read_and_of_nothing_else(self, reading):
        sampled = [reading.decided(lane=reading.sampled) for _ in range(4)]
        notes = [reading.note("No evidence", case) for case in sampled[:2]]
        coding.nothing_wrong(codebook=reading.codebook, case=sampled[2], by=reading.owner, now=NOW)
        notes += [reading.note("No evidence either") for _ in range(3)]
        notes.append(reading.note("And again no evidence", sampled[0]))
        reading.group("No evidence", *notes)
        one = reading.groups()["No evidence"]
        assert (one.codes, one.cases) == (6, 5)
        assert (one.share.n, round(one.share.share, 3)) == (3, 0.667)
        assert 0 < one.share.low < one.share.share < one.share.high < 1

    def test_before_anything_of_it_was_read_there_is_no_share(self, reading):
        reading.group("No evidence", reading.note("No evidence"))
        assert reading.groups()["No evidence"].share is None

    def test_a_name_that_is_there_takes_more_notes_in(self, reading):
        first = reading.group("No evidence", reading.note("one"))
        again = reading.group("  no  EVIDENCE ", reading.note("two"))
        assert first == again
        assert reading.groups()["No evidence"].codes == 2

    def test_notes_of_another_codebook_are_refused(self, reading):
        other = Reading()
        with pytest.raises(Invalid, match="not of this codebook"):
            reading.group("Mine now", other.note("theirs"))
        for title, codes, words in (("", [reading.note("a")], "a name"), ("Empty", [], "Tick the notes")):
            with pytest.raises(Invalid, match=words):
                reading.group(title, *codes)

    def test_it_is_renamed_but_not_to_the_name_of_another(self, reading):
        one, _ = reading.group("One", reading.note("a")), reading.group("Two", reading.note("b"))
        coding.rename(mode=one, title="First", note="What it is.", by=reading.owner)
        assert FailureMode.objects.get(pk=one.pk).note == "What it is."
        with pytest.raises(Invalid, match="a group “two” already"):
            coding.rename(mode=one, title="two", note="", by=reading.owner)

    def test_two_are_merged_and_a_part_is_split_off(self, reading):
        a, b, c = reading.note("a"), reading.note("b"), reading.note("c")
        one, two = reading.group("One", a, b), reading.group("Two", c)
        coding.merge(mode=two, into=one, by=reading.owner)
        assert {title: one.codes for title, one in reading.groups().items()} == {"One": 3}
        coding.split(mode=one, codes=[b.pk], title="Other", by=reading.owner, now=NOW)
        assert {title: one.codes for title, one in reading.groups().items()} == {"One": 2, "Other": 1}
        with pytest.raises(Invalid, match="name of its own"):
            coding.split(mode=one, codes=[a.pk], title="one", by=reading.owner, now=NOW)
        with pytest.raises(Invalid, match="Choose another"):
            coding.merge(mode=one, into=one, by=reading.owner)

    def test_dissolved_its_notes_stay(self, reading):
        mode = reading.group("One", reading.note("a"))
        assert coding.dissolve(mode=mode, by=reading.owner) == 1
        assert OpenCode.objects.get().mode is None

    def test_each_step_is_on_record_without_a_word_of_what_was_noted(self, reading):
        one = reading.group("Hidden words", reading.note("a"))
        two = reading.group("Two", reading.note("b"))
        coding.rename(mode=one, title="Hidden again", note="", by=reading.owner)
        coding.merge(mode=two, into=one, by=reading.owner)
        coding.dissolve(mode=one, by=reading.owner)
        events = AuditEvent.objects.filter(subject=f"codebook:{reading.codebook.pk}", action__startswith="failure.")
        assert sorted(events.values_list("action", flat=True)) == [
            "failure.dissolved", "failure.grouped", "failure.grouped", "failure.merged", "failure.renamed",
        ]  # fmt: skip
        assert "Hidden" not in str(list(events.values_list("detail", flat=True)))


class TestPromoting:
    def test_it_becomes_a_category_of_the_draft_with_two_of_its_notes(self, reading):
        codes = [reading.note(text) for text in ("First words", "Second words", "Third words")]
        mode = reading.group("Tone!", *codes)
        category = promoting.promote(mode=mode, codes=codes, by=reading.owner)
        assert category.version.state == Version.State.DRAFT
        assert category.key not in ("tone", "")
        assert (category.title, category.positive_example) == ("Tone!", "First words\n\nSecond words")
        mode.refresh_from_db()
        assert mode.promoted_to == category
        assert {code.case_id for code in mode.codes.all()} == {code.case_id for code in codes}
        with pytest.raises(Invalid, match="a category already"):
            promoting.promote(mode=mode, codes=codes, by=reading.owner)
