import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from hitl.audit.models import AuditEvent
from hitl.models import Job
from queues.intake import dropping, uploads
from queues.models import Case, Upload
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.intake import sent
from tests.factories.jobs import work_off
from tests.factories.queues import QueueFactory, RoutingRuleFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme")


@pytest.fixture
def lead(tenant):
    return grant(UserFactory(), "lead_tenant", tenant)


@pytest.fixture
def bring(tenant, lead):
    def brought(*rows, name="cases.jsonl", content=None):
        content = content or "\n".join(json.dumps(row) for row in rows)
        return uploads.bring(tenant=tenant, by=lead, name=name, content=content.encode(), now=timezone.now())

    return brought


def url(name, upload=None, slug="acme"):
    return reverse(name, args=[slug, upload.pk] if upload else [slug])


class TestVerbs:
    def test_a_look_counts_and_shows_and_takes_nothing_in(self, bring):
        RoutingRuleFactory(queue=QueueFactory(name="Billing"), domains=["billing"])
        upload = bring(sent(case_id="c-1"), sent(risk_level="huge", case_id="bad"), sent(domain="law"))
        assert {key: upload.preview[key] for key in ("accepted", "duplicates", "rejected")} == {
            "accepted": 2,
            "duplicates": 0,
            "rejected": 1,
        }
        assert [row["queue"] for row in upload.preview["rows"]] == ["Billing", ""]
        assert upload.problems[0]["row"] == 2
        assert "risk_level" in upload.problems[0]["error"]
        assert not Case.objects.exists()

    def test_the_worker_takes_it_in_once_it_is_confirmed(self, bring, lead):
        upload = bring(sent(), sent(), sent(risk_level="huge"))
        job = uploads.confirm(upload=upload, by=lead)
        work_off()
        job.refresh_from_db()
        upload.refresh_from_db()
        assert (job.state, job.done, job.total) == ("done", 3, 3)
        assert job.result["sentence"] == "2 cases were taken in; 1 of 3 rows were refused."
        assert (bytes(upload.rows), "rows" in upload.preview, len(upload.problems)) == (b"", False, 1)
        assert Case.objects.count() == 2
        actions = list(AuditEvent.objects.filter(actor_id=lead.pk).order_by("pk").values_list("action", flat=True))
        assert actions == ["upload.brought", "upload.confirmed", "cases.received"]

    def test_confirming_twice_is_the_same_as_once(self, bring, lead):
        upload = bring(sent())
        assert uploads.confirm(upload=upload, by=lead) == uploads.confirm(upload=upload, by=lead)
        assert Job.objects.count() == 1

    def test_a_worker_that_starts_again_takes_nothing_in_twice(self, bring, lead):
        upload = bring(sent(), sent())
        job = uploads.confirm(upload=upload, by=lead)
        kept = bytes(upload.rows)
        uploads.take_in(job.pk, upload.pk)
        Upload.objects.update(rows=kept)
        uploads.take_in(job.pk, upload.pk)
        assert Case.objects.count() == 2

    def test_a_dropped_file_is_gone_and_one_at_work_cannot_be_dropped(self, bring, lead):
        upload, other = bring(sent()), bring(sent())
        dropping.drop(upload=upload, by=lead, now=timezone.now())
        upload.refresh_from_db()
        assert (bytes(upload.rows), upload.preview) == (b"", {})
        with pytest.raises(uploads.Refused, match="was dropped"):
            uploads.confirm(upload=upload, by=lead)
        uploads.confirm(upload=other, by=lead)
        with pytest.raises(uploads.Refused, match="confirmed or dropped"):
            dropping.drop(upload=other, by=lead, now=timezone.now())

    def test_a_file_that_nobody_confirms_is_dropped_after_a_week(self, bring):
        old, new = bring(sent()), bring(sent())
        now = timezone.now()
        Upload.objects.filter(pk=old.pk).update(created_at=now - timedelta(days=8))
        assert dropping.forget_abandoned(now) == 1
        old.refresh_from_db()
        new.refresh_from_db()
        assert (bytes(old.rows), old.dropped_at, new.dropped_at) == (b"", now, None)

    def test_until_then_nothing_personal_can_be_read_in_the_database(self, bring):
        mail = "anna@example.org"
        bring(
            sent(user_question=f"Mail {mail}", **{mail: 1}),
            sent(user_question=f"Mail {mail}", case_id=mail),
            sent(user_question=f"Mail {mail}"),
            name=f"{mail}.jsonl",
        )
        with connection.cursor() as cursor:
            cursor.execute("select queues_upload::text, encode(rows, 'escape') from queues_upload")
            assert "anna" not in str(cursor.fetchone())

    def test_a_change_of_keys_in_between_is_said(self, bring, lead, settings):
        job = uploads.confirm(upload=bring(sent()), by=lead)
        settings.SECRET_KEY = "another"
        uploads_run = Job.objects.get(pk=job.pk)
        from_worker(uploads_run)
        job.refresh_from_db()
        assert (job.state, "Upload it again" in job.error) == ("failed", True)

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("cases.xlsx", "x", "must end in .jsonl"),
            ("cases.json", "[", "The body is not JSON"),
            ("cases.csv", "a;b", "names no column case_id"),
            ("cases.jsonl", " \n", "The file holds no case."),
        ],
    )
    def test_a_file_that_cannot_be_read_is_refused_whole(self, bring, name, content, said):
        with pytest.raises(uploads.Refused, match=said):
            bring(name=name, content=content)
        assert not Upload.objects.exists()


def from_worker(job):
    """Without the queue: a changed key makes its signed packages unreadable too."""
    upload = Upload.objects.get(job=job)
    uploads.progress.run(job.pk, uploads.TAKE_IN, upload.pk)


class TestScreens:
    def post(self, client, content, name="cases.jsonl"):
        file = SimpleUploadedFile(name, content.encode())
        return client.post(url("upload_new"), {"file": file}, follow=True)

    def test_the_whole_way_from_a_file_to_cases(self, sign_in, lead):
        client = sign_in(lead)
        assert "No file was brought yet." in client.get(url("uploads")).text
        assert "What the file holds" in client.get(url("upload_new")).text
        page = self.post(client, json.dumps(sent(case_id="c-1", user_question="<script>alert(1)</script>")))
        assert "Take in 1 case<" in page.text
        assert "<script>alert" not in page.text
        assert "no queue takes it" in page.text
        upload = Upload.objects.get()
        assert client.get(url("upload_confirm", upload)).status_code == 405
        page = client.post(url("upload_confirm", upload), follow=True)
        assert page.redirect_chain[-1][0] == reverse("job", args=[Job.objects.get().pk])
        assert "being taken in" in client.get(url("uploads")).text
        assert "hx-trigger" in client.get(url("upload", upload)).text
        work_off()
        assert "1 case was taken in." in client.get(url("upload", upload)).text
        assert "taken in</span>" in client.get(url("uploads")).text

    def test_a_file_may_be_dropped(self, sign_in, lead, bring):
        client, upload = sign_in(lead), bring(sent())
        page = client.post(url("upload_drop", upload), follow=True)
        assert "None of its cases was taken in." in page.text
        assert "Take in" not in client.get(url("upload", upload)).text
        page = client.post(url("upload_drop", upload), follow=True)
        assert "confirmed or dropped in the meantime" in page.text

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [("cases.doc", "x", "must end in"), ("cases.json", "[", "is not JSON"), ("cases.csv", "", "empty")],
    )
    def test_what_is_wrong_stands_at_the_field(self, sign_in, lead, name, content, said):
        page = self.post(sign_in(lead), content, name)
        assert page.status_code == 422
        assert said in page.text

    def test_too_large_a_file_is_refused_in_words(self, sign_in, lead, monkeypatch):
        monkeypatch.setattr(uploads, "FILE_BYTES", 1024 * 1024)
        page = self.post(sign_in(lead), " " * 1024 * 1025)
        assert "The file is larger than 1 MB." in page.text

    def test_a_body_that_would_fill_the_disk_is_refused_before_it_is_read(self, sign_in, lead, settings):
        settings.UPLOAD_MAX_BYTES = 1024 * 1024
        page = self.post(sign_in(lead), " " * 1024 * 1025)
        assert page.status_code == 400
        assert not Upload.objects.exists()

    def test_the_refused_rows_are_a_table_that_starts_no_formula(self, sign_in, lead, bring):
        upload = bring(sent(case_id="=1+1", risk_level="x"), sent(case_id="@sum", risk_level="x"), 7)
        answer = sign_in(lead).get(url("upload_rejected", upload))
        assert answer.headers["Content-Disposition"] == f'attachment; filename="refused-{upload.pk}.csv"'
        lines = answer.content.decode("utf-8-sig").splitlines()
        assert lines[0] == "row,case_id,reason"
        assert lines[1].startswith("1,'=1+1,")
        assert lines[2].startswith("2,'@sum,")
        assert lines[3] == '3,,"The case must be an object, not a number."'

    def test_nobody_else_comes_near_it(self, sign_in, tenant, bring):
        upload = bring(sent())
        stranger = grant(UserFactory(), "lead_tenant", TenantFactory(slug="globex"))
        reviewer = grant(UserFactory(), "work_in_tenant", tenant)
        for person in (stranger, reviewer):
            client = sign_in(person)
            for name in ("uploads", "upload_new"):
                assert client.get(url(name)).status_code == 404
            for name in ("upload", "upload_rejected"):
                assert client.get(url(name, upload)).status_code == 404
            for name in ("upload_confirm", "upload_drop"):
                assert client.post(url(name, upload)).status_code == 404
        assert sign_in(stranger).get(url("upload", upload, slug="globex")).status_code == 404
