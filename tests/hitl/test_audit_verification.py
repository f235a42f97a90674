import gzip
import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

from hitl.audit import copies, export, keys, log, notes, reading, sealing
from hitl.audit.merkle import Tree
from hitl.audit.verification import Report, verify
from hitl.models import AuditEvent

pytestmark = pytest.mark.usefixtures("audit_alone")

DIGEST = f"sha256('\\x00'::bytea || convert_to({reading.LINE}, 'UTF8'))"

DETAIL = {"ratio": 1.50, "large": 12345678901234567890, "é": ['"', "\n", None, True]}


def record(*subjects: str) -> None:
    with transaction.atomic():
        log.append_all([log.Entry("case.decided", subject, detail=DETAIL) for subject in subjects])


@pytest.fixture
def sealed():
    """Seven events under three checkpoints, copied outside."""
    for subjects in (("case:0", "case:1", "case:2"), ("case:3", "case:4"), ("case:5", "case:6")):
        record(*subjects)
        sealing.seal()


def as_owner(*statements: str) -> None:
    with connections["owner"].cursor() as owner:
        for statement in statements:
            owner.execute(statement)


def id_of(subject: str) -> str:
    return str(AuditEvent.objects.get(subject=subject).pk)


def prove(*, outside: bool = True) -> Report:
    source = reading.Live()
    return verify(source, [keys.own_public_key(source.origin)], copies.Copied(copies.path()) if outside else None)


def first(report: Report) -> str:
    assert not report.good
    return report.faults[0].sentence


def reseal_like_an_administrator(*, with_the_key: bool) -> None:
    """Make rows, leaves, tree and checkpoints fit again, as far as the database goes."""
    as_owner(
        f"update audit_event set digest = {DIGEST}",
        "update audit_leaf set leaf = digest from audit_event where id = event_id",
    )
    with connections["owner"].cursor() as owner:
        owner.execute("select origin from audit_tree")
        [origin] = owner.fetchone()
        owner.execute("select leaf from audit_leaf order by position")
        leaves = [bytes(leaf) for (leaf,) in owner.fetchall()]
        owner.execute("select size from audit_checkpoint order by size")
        for (size,) in owner.fetchall():
            tree = Tree()
            for leaf in leaves[:size]:
                tree.add(leaf)
            if with_the_key:
                note = notes.sign(notes.Note(origin, size, tree.root()), keys.signing_key())
                owner.execute(
                    "update audit_checkpoint set root = %s, note = %s where size = %s", [tree.root(), note, size]
                )


class TestALogThatHolds:
    def test_is_proved_whole(self, sealed):
        report = prove()
        assert report.good
        assert (report.events, report.signed, report.checkpoints, report.copied) == (7, 7, 3, 7)
        assert report.rest.count == 0

    def test_before_anything_was_recorded(self):
        assert verify(reading.Live(), [notes.PublicKey("x", bytes(32))]).good

    def test_what_is_not_sealed_yet_is_counted_and_not_blamed(self, sealed):
        record("case:7", "case:8")
        report = prove()
        assert report.good
        assert report.rest.count == 2
        assert report.rest.since is not None

    def test_over_more_rows_than_are_read_at_once(self, sealed, monkeypatch):
        for chunk in (1, 2, 3, 5):
            monkeypatch.setattr(reading, "CHUNK", chunk)
            assert prove().good

    def test_whatever_the_time_zone_and_style_of_the_session(self, sealed):
        with connection.cursor() as cursor:
            cursor.execute("set timezone = 'Asia/Kathmandu'; set datestyle = 'SQL, DMY'; set bytea_output = 'escape'")
            try:
                assert prove().good
            finally:
                cursor.execute("reset timezone; reset datestyle; reset bytea_output")


class TestTheFirstBadRowIsNamed:
    @pytest.mark.parametrize(
        "change",
        [
            "subject = 'case:9'",
            "action = 'case.seen'",
            "actor_id = 3",
            "actor_name = 'x'",
            "tenant_id = 1",
            "queue_id = 1",
            "detail = '{}'",
            "at = at + interval '1 microsecond'",
            "tx = '5'",
        ],
    )
    def test_when_one_was_changed(self, sealed, change):
        bad = id_of("case:3")
        as_owner(f"update audit_event set {change} where subject = 'case:3'")
        assert first(prove()) == f"Event {bad} (place 3) has been changed: it is not what was sealed."

    def test_when_several_were(self, sealed):
        as_owner("update audit_event set tenant_id = 9 where subject in ('case:5', 'case:2')")
        report = prove()
        assert [fault.position for fault in report.faults] == [2, 5]

    def test_when_its_digest_was_made_to_fit(self, sealed):
        bad = id_of("case:3")
        as_owner(
            "update audit_event set subject = 'x' where subject = 'case:3'", f"update audit_event set digest = {DIGEST}"
        )
        assert f"Event {bad} (place 3) has been changed" in first(prove())

    def test_when_it_was_deleted(self, sealed):
        bad = id_of("case:4")
        as_owner("delete from audit_event where subject = 'case:4'")
        assert first(prove()) == f"Event {bad} (place 4) has been deleted."

    def test_when_its_leaf_was_deleted_too(self, sealed):
        as_owner("delete from audit_leaf where position = 4", "delete from audit_event where subject = 'case:4'")
        assert first(prove()) == "The event at place 4 is missing."

    def test_when_the_later_ones_were_moved_up_into_the_gap(self, sealed):
        bad = id_of("case:5")
        as_owner(
            "delete from audit_leaf where position = 4",
            "delete from audit_event where subject = 'case:4'",
            "update audit_leaf set position = -position where position > 4",
            "update audit_leaf set position = -position - 1 where position < 0",
            "update audit_tree set size = 6, subtrees = subtrees[1:2]",
        )
        assert f"Event {bad} (place 4) has been rewritten together with its seal" in first(prove())

    def test_when_two_were_put_in_another_order(self, sealed):
        bad = id_of("case:6")
        as_owner(
            "update audit_leaf set position = -1 where position = 5",
            "update audit_leaf set position = 5 where position = 6",
            "update audit_leaf set position = 6 where position = -1",
        )
        assert f"Event {bad} (place 5)" in first(prove())
        assert "places 5 to 6" in first(prove(outside=False))

    def test_when_all_was_made_to_fit_but_for_the_signatures(self, sealed):
        as_owner("update audit_event set detail = '{}' where subject = 'case:3'")
        bad = id_of("case:3")
        reseal_like_an_administrator(with_the_key=False)
        assert f"Event {bad} (place 3) has been rewritten together with its seal" in first(prove())
        assert "places 3 to 4 have been rewritten" in first(prove(outside=False))

    def test_when_all_was_made_to_fit_with_the_stolen_key(self, sealed):
        as_owner("update audit_event set detail = '{}' where subject = 'case:3'")
        bad = id_of("case:3")
        reseal_like_an_administrator(with_the_key=True)
        assert prove(outside=False).good, "the database alone cannot tell"
        assert f"Event {bad} (place 3) has been rewritten together with its seal" in first(prove())

    def test_when_the_newest_were_cut_off(self, sealed):
        as_owner(
            "delete from audit_leaf where position >= 5",
            "delete from audit_event where subject in ('case:5', 'case:6')",
            "delete from audit_checkpoint where size > 5",
            "update audit_tree set size = 5, subtrees = subtrees[1:2]",
        )
        assert prove(outside=False).good, "the database alone cannot tell"
        assert "it ends after 5 events" in first(prove())
        assert prove().faults[0].position == 5

    def test_when_all_of_it_is_gone(self, sealed):
        as_owner("truncate audit_event, audit_leaf, audit_checkpoint")
        assert "it ends after 0 events" in first(prove(outside=False))
        as_owner("update audit_tree set size = 0, subtrees = '{}'")
        assert "it ends after 0 events, and the copy kept outside has signed checkpoints over 7" in first(prove())

    def test_when_a_row_was_slipped_in_behind_the_seal(self, sealed):
        as_owner(
            "insert into audit_event (id, at, tx, action, subject, digest) "
            "select uuid7(at), at, tx, action, 'case:99', digest from audit_event where subject = 'case:1'"
        )
        sealing.seal()
        assert f"Event {id_of('case:99')} was put in behind what was sealed" in first(prove())

    def test_when_a_checkpoint_was_changed_or_taken_away(self, sealed):
        as_owner("update audit_checkpoint set note = replace(note, E'\\n5\\n', E'\\n6\\n') where size = 5")
        assert "wrong signature" in first(prove())
        as_owner("delete from audit_checkpoint where size = 5")
        assert prove().good, "the later ones cover the same events"
        as_owner("delete from audit_checkpoint")
        assert "No checkpoint is signed" in first(prove(outside=False))

    def test_when_the_copy_outside_was_tampered_with(self, sealed):
        lines = copies.path().read_text().splitlines(keepends=True)
        copies.path().write_text("".join([lines[0], lines[2]]))
        assert "line 2: what it holds is not what was signed" in first(prove())
        copies.path().write_text("".join([lines[0], lines[1].replace("\\n5\\n", "\\n6\\n"), lines[2]]))
        assert "line 2: The checkpoint of 6 events has a wrong signature" in first(prove())

    def test_when_the_copy_is_of_another_log(self, sealed):
        as_owner("update audit_tree set origin = 'another'")
        assert not prove().good


class TestAnExport:
    @pytest.fixture
    def file(self, sealed, tmp_path) -> Path:
        record("case:7")
        export.write(tmp_path / "log.ndjson.gz", reading.Live())
        return tmp_path / "log.ndjson.gz"

    @pytest.fixture
    def public(self) -> notes.PublicKey:
        return keys.own_public_key(reading.Live().origin)

    def rewrite(self, file: Path, change) -> Path:
        lines = gzip.decompress(file.read_bytes()).decode().splitlines(keepends=True)
        plain = file.with_suffix(".changed")
        plain.write_text("".join(change(lines)))
        return plain

    def test_proves_itself(self, file, public):
        report = verify(export.Export(file), [public], copies.Copied(copies.path()))
        assert report.good
        assert (report.events, report.signed, report.rest.count) == (7, 7, 1)

    def test_is_proved_without_any_database(self, file, public, tmp_path, django_db_blocker):
        (tmp_path / "key").write_text(f"{public}\n")
        out = io.StringIO()
        with django_db_blocker.block():
            call_command("audit", "verify", "--export", str(file), "--public-key", str(tmp_path / "key"), stdout=out)
        assert "7 sealed events read" in out.getvalue()
        assert "The log holds" in out.getvalue()

    def test_is_json_a_line_each(self, file):
        lines = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
        assert [line["event"]["subject"] for line in lines if "event" in line] == [
            f"case:{number}" for number in range(7)
        ]
        assert lines[-1] == {"end": {"events": 7, "unsealed": 1}}

    def test_with_a_changed_line_names_it(self, file, public):
        changed = self.rewrite(file, lambda lines: [line.replace("case:3", "case:8") for line in lines])
        assert "(place 3) has been changed" in first(verify(export.Export(changed), [public]))

    def test_with_a_line_taken_out_names_the_gap(self, file, public):
        changed = self.rewrite(file, lambda lines: [line for line in lines if '"case:3"' not in line])
        assert "The event at place 3 is missing" in first(verify(export.Export(changed), [public]))

    def test_with_lines_in_another_order_names_the_first(self, file, public):
        changed = self.rewrite(file, lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]])
        assert "The event at place 1 is missing" in first(verify(export.Export(changed), [public]))

    def test_that_breaks_off_says_so(self, file, public):
        changed = self.rewrite(file, lambda lines: lines[:4])
        assert "breaks off after line 4" in first(verify(export.Export(changed), [public]))
        cut = file.with_suffix(".cut.gz")
        cut.write_bytes(file.read_bytes()[:-40])
        assert "cannot be read after line" in first(verify(export.Export(cut), [public]))

    def test_signed_with_a_key_that_is_not_trusted_is_refused(self, file, public):
        assert "none of the keys" in first(verify(export.Export(file), [notes.PublicKey(public.name, bytes(32))]))

    def test_of_a_tampered_log_is_as_bad_as_the_log(self, sealed, public, tmp_path):
        as_owner("delete from audit_event where subject = 'case:3'")
        export.write(tmp_path / "log", reading.Live())
        assert "The event at place 3 is missing" in first(verify(export.Export(tmp_path / "log"), [public]))

    @pytest.mark.parametrize("content", ["", "not json\n", "[]\n", '{"audit": "another", "origin": "x", "size": 1}\n'])
    def test_that_is_none_is_refused_with_a_sentence(self, tmp_path, content):
        (tmp_path / "log").write_text(content)
        with pytest.raises(CommandError, match=r"is (not an export of the audit log|an export of another kind)"):
            call_command("audit", "verify", "--export", str(tmp_path / "log"))


class TestTheCommand:
    def test_says_what_it_proved(self, sealed):
        out = io.StringIO()
        call_command("audit", "verify", stdout=out)
        assert "7 sealed events read, 3 signed checkpoints." in out.getvalue()
        assert "covers 7 events" in out.getvalue()

    def test_says_that_a_cut_could_not_be_seen_without_a_copy(self, sealed):
        copies.path().unlink()
        out = io.StringIO()
        call_command("audit", "verify", stdout=out)
        assert "cut off would not be seen" in out.getvalue()

    def test_says_that_what_was_recorded_is_long_unsealed(self, sealed):
        record("case:7")
        as_owner("update audit_event set at = at - interval '5 minutes' where subject = 'case:7'")
        out = io.StringIO()
        call_command("audit", "verify", stdout=out)
        assert "1 newer events are not sealed yet" in out.getvalue()
        assert "see that the tick runs" in out.getvalue()

    def test_makes_no_key_to_prove_with(self, sealed, tmp_path, monkeypatch):
        monkeypatch.setattr(keys, "FILE", tmp_path / "audit_key")
        with pytest.raises(CommandError, match="There is no key here"):
            call_command("audit", "verify")
        assert not (tmp_path / "audit_key").exists()

    def test_prints_the_key_that_it_trusts(self, sealed, tmp_path):
        out = io.StringIO()
        call_command("audit", "key", stdout=out)
        (tmp_path / "key").write_text(out.getvalue())
        call_command("audit", "verify", "--public-key", str(tmp_path / "key"), stdout=io.StringIO())

    def test_an_export_is_on_the_record_too(self, sealed, tmp_path):
        call_command("audit", "export", str(tmp_path / "log.gz"), stdout=io.StringIO())
        event = AuditEvent.objects.get(action="audit.exported")
        assert "on the command line" in event.actor_name
        assert event.detail == {"events": 7}

    def test_an_export_that_cannot_be_written_says_so(self, sealed, tmp_path):
        with pytest.raises(CommandError, match="cannot be written"):
            call_command("audit", "export", str(tmp_path / "no" / "such" / "folder"))
