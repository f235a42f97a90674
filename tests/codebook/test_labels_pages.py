"""A file of earlier labels: looked at, confirmed, taken in."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from codebook.labels import dropping, label_files
from codebook.models import Label, LabelFile
from hitl.audit.models import AuditEvent
from hitl.jobs import progress
from tests.factories.codebook import published
from tests.factories.hitl import TenantFactory, grant
from tests.factories.queues import CaseFactory, LaneFactory, lead_of

pytestmark = pytest.mark.django_db

TABLE = """item;rater;verdict;categories;at
c-1;anna;reject;tone|source;2026-01-02T10:00:00Z
c-1;ben;accept;;
nowhere;anna;accept;;
"""


class Brought:
    def __init__(self):
        self.lane = LaneFactory(tenant=TenantFactory(slug="acme", name="Acme"))
        self.codebook = published(self.lane.queue, keys=("tone",)).codebook
        self.owner = grant(
            grant(self.codebook.owner, "work_in_tenant", self.lane.tenant), "review_queue", self.lane.queue
        )
        CaseFactory(tenant=self.lane.tenant, queue=self.lane.queue, external_id="c-1")

    def url(self, name="codebook_labels_import", *args):
        return reverse(name, args=[self.codebook.slug, *args])

    def bring(self, client, text=TABLE, name="labels.csv", **more):
        file = SimpleUploadedFile(name, text if isinstance(text, bytes) else text.encode())
        form = {"tenant": self.lane.tenant.pk, "title": "Pilot", "file": file, **more}
        return client.post(self.url(), form)


@pytest.fixture
def world():
    return Brought()


class TestBringing:
    def test_it_is_looked_at_before_anything_is_taken_in(self, world, sign_in):
        client = sign_in(world.owner)
        page = client.get(world.bring(client).headers["Location"]).text
        assert "Take 2 in" in page
        assert "there is no such case of acme" in page
        assert not Label.objects.exists()

    def test_confirmed_the_worker_takes_it_in(self, world, sign_in):
        client = sign_in(world.owner)
        world.bring(client)
        file = LabelFile.objects.get()
        client.post(world.url("codebook_labels_settle", file.pk))
        client.post(world.url("codebook_labels_settle", file.pk))
        file.refresh_from_db()
        progress.run(file.job.pk, label_files.TAKE_IN, file.pk)
        file.refresh_from_db()
        assert Label.objects.count() == 2
        assert bytes(file.rows) == b""
        assert "2 labels were taken in; 1 of 3 rows were refused." in file.job.result["sentence"]
        page = client.get(world.url("codebook_labels_file", file.pk)).text
        assert "They stand under version 2" in page
        assert AuditEvent.objects.filter(action="label_file.confirmed").count() == 1

    def test_dropped_it_is_gone(self, world, sign_in):
        client = sign_in(world.owner)
        world.bring(client)
        client.post(world.url("codebook_labels_settle", LabelFile.objects.get().pk), {"drop": "1"})
        assert not LabelFile.objects.exists()

    def test_what_waits_is_not_readable_in_the_database(self, world, sign_in):
        world.bring(sign_in(world.owner))
        assert b"anna" not in bytes(LabelFile.objects.get().rows)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"name": "labels.xlsx"}, "must end in"),
            ({"text": "case,rater\n1,2\n"}, "names no column item"),
            ({"text": b"item,rater\n\xff,a\n"}, "not in UTF-8"),
            ({"text": "[", "name": "labels.json"}, "not JSON"),
            ({"text": "item,rater\n"}, "holds no label"),
            ({"text": "x" * (label_files.FILE_BYTES + 1)}, "larger than 5 MB"),
            ({"tenant": ""}, "required"),
            ({"title": " "}, "required"),
        ],
    )
    def test_a_file_that_cannot_be_read_is_refused_whole_with_the_reason(self, world, sign_in, change, said):
        answer = world.bring(sign_in(world.owner), **change)
        assert answer.status_code == 422
        assert said in answer.text
        assert not LabelFile.objects.exists()

    def test_one_that_nobody_confirmed_is_forgotten_after_a_week(self, world, sign_in):
        world.bring(sign_in(world.owner))
        now = timezone.now()
        assert dropping.forget_abandoned(now) == 0
        assert dropping.forget_abandoned(now + timedelta(days=8)) == 1


class TestWhoMay:
    def test_an_owner_who_works_in_no_tenant_is_told_what_it_takes(self, world, sign_in):
        codebook = published(world.lane.queue).codebook
        page = sign_in(codebook.owner).get(reverse("codebook_labels_import", args=[codebook.slug])).text
        assert "no case of this codebook that you may see" in page

    def test_a_tenant_that_is_not_theirs_cannot_be_chosen(self, world, sign_in):
        other = LaneFactory(queue=world.lane.queue)
        answer = world.bring(sign_in(world.owner), tenant=other.tenant.pk)
        assert answer.status_code == 422

    def test_nobody_but_the_owner_comes_in(self, world, sign_in):
        assert sign_in(lead_of(world.lane)).get(world.url()).status_code == 404


class TestTheCommand:
    def run(self, world, path, **more):
        call_command("import_labels", str(path), tenant="acme", codebook=world.codebook.slug, **more)

    def test_it_takes_rows_in_and_tells_which_it_did_not(self, world, tmp_path, capsys):
        path = tmp_path / "labels.csv"
        path.write_text(TABLE)
        with pytest.raises(SystemExit):
            self.run(world, path)
        told = capsys.readouterr()
        assert "2 labels were taken in" in told.out
        assert "row 3 (nowhere): item: there is no such case" in told.err
        assert Label.objects.count() == 2

    def test_lines_of_json_are_read_too(self, world, tmp_path):
        path = tmp_path / "labels.jsonl"
        path.write_text('{"item": "c-1", "rater": "anna", "verdict": "edit"}\n')
        self.run(world, path)
        assert Label.objects.get().verdict == "edit"

    @pytest.mark.parametrize("more", [{"tenant": "nobody"}, {"codebook": "nothing"}])
    def test_a_tenant_or_codebook_that_is_none_is_said_with_those_there_are(self, world, tmp_path, more):
        path = tmp_path / "labels.csv"
        path.write_text(TABLE)
        with pytest.raises(CommandError, match="There are: "):
            call_command("import_labels", str(path), **{"tenant": "acme", "codebook": world.codebook.slug, **more})
