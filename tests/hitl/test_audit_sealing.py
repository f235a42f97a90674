import json
import threading

import pytest
from django.db import connection, connections, transaction

from hitl.audit import copies, keys, log, notes, sealing, search
from hitl.audit.merkle import Tree
from hitl.management.commands import tick
from hitl.models import AuditCheckpoint, AuditEvent

pytestmark = pytest.mark.usefixtures("audit_alone")


def record(*subjects: str) -> None:
    with transaction.atomic():
        log.append_all([log.Entry("case.seen", subject) for subject in subjects])


def ask(sql: str, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def sealed_subjects() -> list[str]:
    rows = ask("select subject from audit_leaf join audit_event on id = event_id order by position")
    return [subject for (subject,) in rows]


class TestTheTree:
    def test_the_database_grows_the_same_tree_in_batches_of_any_size(self):
        for many in (1, 2, 5, 1, 13, 8, 3):
            record(*(f"case:{number}" for number in range(many)))
            sealing.seal()
        tree, by_size = Tree(), {}
        for (leaf,) in ask("select leaf from audit_leaf order by position"):
            tree.add(bytes(leaf))
            by_size[tree.size] = tree.root()
        checkpoints = {checkpoint.size: bytes(checkpoint.root) for checkpoint in AuditCheckpoint.objects.all()}
        assert sorted(checkpoints) == [1, 3, 8, 9, 22, 30, 33]
        assert all(by_size[size] == root for size, root in checkpoints.items())


class TestWhatIsSealed:
    def test_all_that_is_committed_once_and_in_order(self):
        record("case:1", "case:2")
        record("case:3")
        assert sealing.seal() == 3
        assert sealing.seal() == 0
        record("case:4")
        assert sealing.seal() == 1
        assert sealed_subjects() == ["case:1", "case:2", "case:3", "case:4"]

    def test_more_than_a_batch_is_sealed_to_the_end(self, monkeypatch):
        monkeypatch.setattr(sealing, "BATCH", 10)
        record(*(f"case:{number}" for number in range(35)))
        assert sealing.seal() == 35
        assert sealed_subjects() == [f"case:{number}" for number in range(35)]
        assert [checkpoint.size for checkpoint in AuditCheckpoint.objects.order_by("size")] == [10, 20, 30, 35]

    def test_an_event_that_commits_late_is_sealed_then_and_moves_nothing(self):
        appended, may_commit = threading.Event(), threading.Event()

        def slow():
            with transaction.atomic():
                log.append(actor=None, action="case.seen", subject="case:late", tenant_id=None)
                appended.set()
                may_commit.wait(20)
            connection.close()

        other = threading.Thread(target=slow)
        other.start()
        assert appended.wait(20)
        record("case:1")
        assert sealing.seal() == 1, "what is committed does not wait for a slow transaction"
        record("case:2")
        assert sealing.seal() == 1
        may_commit.set()
        other.join()
        assert sealing.seal() == 1
        assert sealed_subjects() == ["case:1", "case:2", "case:late"]
        assert sealing.seal() == 0

    def test_two_sealers_at_once_seal_everything_once(self):
        record(*(f"case:{number}" for number in range(2000)))

        def run():
            sealing.seal()
            connection.close()

        sealers = [threading.Thread(target=run) for _ in range(4)]
        for sealer in sealers:
            sealer.start()
        for sealer in sealers:
            sealer.join()
        sealing.seal()
        assert sealed_subjects() == [f"case:{number}" for number in range(2000)]
        assert [c.size for c in AuditCheckpoint.objects.order_by("size")][-1] == 2000

    def test_a_database_restored_elsewhere_seals_on_though_its_transactions_count_anew(self):
        record("case:1")
        sealing.seal()
        with connections["owner"].cursor() as owner:
            owner.execute("update audit_tree set cluster = 1, low = '4000000000'")
        record("case:2")
        assert sealing.seal() == 1
        assert sealed_subjects() == ["case:1", "case:2"]

    def test_an_idle_round_reads_no_leaf(self):
        record(*(f"case:{number}" for number in range(50)))
        sealing.seal()
        sealing.seal()
        assert not ask("select from audit_event, audit_tree where tx >= low")


def test_the_tick_seals_within_five_seconds_and_makes_partitions():
    every = {chore.run: chore.every for chore in tick.CHORES}
    assert every[sealing.seal] <= 5
    assert every[sealing.make_partitions] <= 24 * 3600


class TestTheCheckpoint:
    def test_is_a_note_that_anyone_can_check_with_the_public_key(self):
        record("case:1", "case:2")
        sealing.seal()
        checkpoint = AuditCheckpoint.objects.get()
        [[origin]] = ask("select origin from audit_tree")
        public = notes.PublicKey.read(str(keys.own_public_key(origin)))
        assert notes.check(checkpoint.note, [public]) == notes.Note(origin, 2, bytes(checkpoint.root))
        assert checkpoint.note.split("\n")[:2] == [origin, "2"]

    def test_of_another_size_or_with_another_key_is_refused(self):
        record("case:1")
        sealing.seal()
        note = AuditCheckpoint.objects.get().note
        [[origin]] = ask("select origin from audit_tree")
        own = keys.own_public_key(origin)
        with pytest.raises(notes.BadNote, match="wrong signature"):
            notes.check(note.replace("\n1\n", "\n2\n"), [own])
        with pytest.raises(notes.BadNote, match="none of the keys"):
            notes.check(note, [notes.PublicKey(origin, bytes(32))])

    def test_the_key_is_made_once_and_is_nobody_elses_to_read(self, tmp_path, monkeypatch):
        monkeypatch.delenv("HITL_AUDIT_KEY", raising=False)
        monkeypatch.setattr(keys, "FILE", tmp_path / "audit_key")
        assert keys.own_public_key("x") is None
        first = notes.PublicKey.of(keys.signing_key(), "x")
        assert keys.own_public_key("x") == first
        assert (tmp_path / "audit_key").stat().st_mode & 0o777 == 0o600

    def test_nodes_that_are_given_one_key_share_it(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HITL_AUDIT_KEY", "one secret of many words that all the nodes are given")
        public = set()
        for node in ("one", "two"):
            monkeypatch.setattr(keys, "FILE", tmp_path / node)
            public.add(keys.own_public_key("x"))
        assert len(public) == 1

    def test_what_cannot_be_signed_is_not_sealed(self, monkeypatch):
        def no_key():
            raise PermissionError("audit_key")

        record("case:1")
        monkeypatch.setattr(keys, "signing_key", no_key)
        with pytest.raises(PermissionError):
            sealing._batch()
        assert not ask("select from audit_leaf")
        monkeypatch.undo()
        assert sealing.seal() == 1


class TestHowFarItIsSealed:
    def test_is_known(self):
        assert (search.state().size, search.state().waiting) == (0, 0)
        record("case:1", "case:2")
        assert (search.state().size, search.state().waiting) == (0, 2)
        sealing.seal()
        record("case:3")
        state = search.state()
        assert (state.size, state.waiting, state.is_late) == (2, 1, False)
        assert state.at < state.since

    def test_is_late_when_something_waits_for_more_than_a_minute(self):
        record("case:1")
        with connections["owner"].cursor() as owner:
            owner.execute("update audit_event set at = at - interval '61 seconds'")
        assert search.state().is_late


class TestTheCopyOutside:
    def lines(self) -> list[dict]:
        return [json.loads(line) for line in copies.path().read_text().splitlines()]

    def test_has_each_checkpoint_with_the_leaves_it_added(self):
        for many in (3, 2):
            record(*(f"case:{number}" for number in range(many)))
            sealing.seal()
        assert [line["note"] for line in self.lines()] == [c.note for c in AuditCheckpoint.objects.order_by("size")]
        assert [len(line["leaves"]) * 3 // 4 // 32 for line in self.lines()] == [3, 2]

    def test_is_brought_up_to_date_when_it_could_not_be_written_for_a_while(self, settings, tmp_path):
        (tmp_path / "full").write_text("a file where the folder should be")
        good, settings.AUDIT_CHECKPOINT_DIR = settings.AUDIT_CHECKPOINT_DIR, tmp_path / "full"
        record("case:1")
        with pytest.raises(FileExistsError):
            sealing.seal()
        assert AuditCheckpoint.objects.get().size == 1, "the seal itself does not wait for the copy"
        settings.AUDIT_CHECKPOINT_DIR = good
        record("case:2")
        sealing.seal()
        assert [notes.read(line["note"]).size for line in self.lines()] == [1, 2]

    def test_goes_on_after_a_line_whose_writer_died(self):
        record("case:1")
        sealing.seal()
        with copies.path().open("ab") as copy:
            copy.write(b'{"note": "hitl-au')
        record("case:2")
        sealing.seal()
        whole = [copies.Copy.read(line) for line in copies.path().read_bytes().splitlines()]
        assert [copy and notes.read(copy.note).size for copy in whole] == [1, None, 2]

    def test_a_node_that_comes_to_lead_copies_what_it_missed(self, settings, tmp_path):
        for number in range(3):
            record(f"case:{number}")
            sealing.seal()
        settings.AUDIT_CHECKPOINT_DIR = tmp_path / "another-node"
        sealing.seal()
        assert [notes.read(line["note"]).size for line in self.lines()] == [1, 2, 3]

    def test_stops_the_sealing_when_the_database_was_cut(self):
        record("case:1", "case:2")
        sealing.seal()
        with connections["owner"].cursor() as owner:
            owner.execute("truncate audit_event, audit_leaf, audit_checkpoint")
            owner.execute("update audit_tree set size = 0, subtrees = '{}', low = '0'")
        record("case:3")
        with pytest.raises(copies.Disagrees, match="checkpoint of 2 events; this database has only 0"):
            sealing.seal()
        assert not AuditCheckpoint.objects.exists()

    def test_stops_the_sealing_when_the_log_was_rewritten(self):
        record("case:1", "case:2")
        sealing.seal()
        with connections["owner"].cursor() as owner:
            owner.execute("update audit_checkpoint set root = sha256(root)")
        record("case:3")
        with pytest.raises(copies.Disagrees, match="not what this database has now"):
            sealing.seal()

    def test_stops_the_sealing_when_it_is_of_another_log(self):
        record("case:1")
        sealing.seal()
        with connections["owner"].cursor() as owner:
            owner.execute("update audit_tree set origin = 'another' returning 1")
            with pytest.raises(copies.Disagrees, match="belongs to another log"):
                sealing.seal()


class TestPartitions:
    def test_there_is_one_for_this_month_and_the_next_three(self):
        assert sealing.make_partitions() == 0
        record("case:1")
        [[where]] = ask("select tableoid::regclass::text from audit_event")
        at = AuditEvent.objects.get().at
        assert where == f"audit_event_{at:%Y_%m}"

    def test_what_came_before_its_month_had_one_is_carried_over_as_it_is(self):
        record("case:1")
        sealing.seal()
        [[partition]] = ask("select tableoid::regclass::text from audit_event")
        with connections["owner"].cursor() as owner:
            owner.execute(f"alter table audit_event detach partition {partition}")
            owner.execute(f"insert into audit_event select * from {partition}")
            owner.execute(f"drop table {partition}")
        assert ask("select tableoid::regclass::text from audit_event") == [("audit_event_default",)]
        assert sealing.make_partitions() == 1
        assert ask("select tableoid::regclass::text from audit_event") == [(partition,)]
        record("case:2")
        sealing.seal()
        assert sealed_subjects() == ["case:1", "case:2"]
