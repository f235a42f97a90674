import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from hitl.audit import log, search
from hitl.models import AuditEvent
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.queues import CaseFactory, LaneFactory, QueueFactory, lead_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme():
    return TenantFactory(slug="acme", name="Acme")


@pytest.fixture
def lead(acme):
    return grant(UserFactory(name="Lea Lead", time_zone="Europe/Berlin"), "lead_tenant", acme)


@pytest.fixture
def ana(acme):
    return grant(UserFactory(name="Ana Reviewer"), "work_in_tenant", acme)


def record(tenant, subject="case:12", action="case.decided", actor=None, **fields) -> AuditEvent:
    with transaction.atomic():
        log.append(
            actor=actor,
            action=action,
            subject=subject,
            tenant_id=tenant.pk if tenant else None,
            queue_id=None,
            **fields,
        )
    return AuditEvent.objects.latest("id")


def shown(client, **filters) -> str:
    return client.get(reverse("audit"), filters).content.decode()


class TestWhoMayReadIt:
    @pytest.mark.parametrize("name", ["audit", "audit_export"])
    def test_for_whoever_runs_no_tenant_there_is_no_such_page(self, sign_in, ana, name):
        assert sign_in(ana).get(reverse(name)).status_code == 404
        assert sign_in().get(reverse(name)).status_code == 404

    def test_a_lead_sees_the_events_of_their_tenants_and_no_others(self, sign_in, acme, lead, ana):
        stranger = UserFactory(name="Sam Stranger")
        record(acme, "case:12", actor=ana)
        record(TenantFactory(name="Globex"), "case:77", actor=stranger)
        record(None, f"person:{stranger.pk}", "person.signed_in", actor=stranger)
        page = shown(sign_in(lead))
        assert "Ana Reviewer" in page
        assert "case 12" in page
        assert "case 77" not in page
        assert "Sam" not in page
        assert "Globex" not in page

    def test_an_administrator_sees_all(self, sign_in, acme, ana):
        record(acme, "case:12", actor=ana)
        record(TenantFactory(name="Globex"), "case:77")
        record(None, f"person:{ana.pk}", "person.signed_in", actor=ana)
        page = shown(sign_in(UserFactory(is_superuser=True)))
        assert "case 12" in page
        assert "case 77" in page
        assert "signed in" in page

    def test_reading_it_is_on_the_record_once_a_view_with_what_was_looked_for(self, sign_in, acme, lead, ana):
        client = sign_in(lead)
        shown(client, person=ana.pk, subject="12")
        read = AuditEvent.objects.get(action="audit.read")
        assert (read.actor, read.tenant_id) == (lead, acme.pk)
        assert read.detail == {"person": ana.pk, "subject": "case:12"}
        assert "read this record" in shown(client)

    def test_what_was_looked_for_by_one_who_runs_several_tenants_names_them(self, sign_in, acme, lead):
        other = TenantFactory()
        shown(sign_in(grant(lead, "lead_tenant", other)))
        read = AuditEvent.objects.get(action="audit.read")
        assert read.tenant_id is None
        assert sorted(read.detail["tenants"]) == sorted([acme.pk, other.pk])


class TestWhoRunsAQueue:
    @pytest.fixture
    def queue(self):
        return QueueFactory(name="Billing disputes", slug="billing")

    def change(self, queue) -> None:
        with transaction.atomic():
            log.append(
                actor=None, actor_name="Ada", action="queue.changed", subject=f"queue:{queue.pk}", tenant_id=None,
                queue_id=queue.pk, detail={"fields": ["name"]},
            )  # fmt: skip

    def test_reads_what_was_done_to_it_and_nothing_of_a_tenant_or_another_queue(self, sign_in, acme, queue):
        self.change(queue)
        self.change(QueueFactory(name="Elsewhere"))
        with transaction.atomic():
            log.append(actor=None, action="case.seen", subject="case:77", tenant_id=acme.pk, queue_id=queue.pk)
        lead = grant(UserFactory(), "lead_queue", queue)
        page = shown(sign_in(lead))
        assert f"""changed the queue <a href="{reverse("queue", args=["billing"])}">Billing disputes</a>""" in page
        assert "case 77" not in page
        assert "Elsewhere" not in page

    def test_is_more_than_deciding_in_it(self, sign_in, queue):
        assert sign_in(grant(UserFactory(), "review_queue", queue)).get(reverse("audit")).status_code == 404


class TestWhatIsShown:
    def test_a_case_that_the_reader_may_open_goes_by_the_producers_number_and_is_linked(self, sign_in, acme):
        lane = LaneFactory(tenant=acme)
        case = CaseFactory(tenant=acme, queue=lane.queue, external_id="A-1001")
        record(acme, f"case:{case.pk}")
        link = f"""decided <a href="{reverse("case", args=[case.pk])}">case A-1001</a>"""
        assert link in shown(sign_in(lead_of(lane)))
        assert f"case {case.pk}" in shown(sign_in(grant(UserFactory(), "lead_tenant", acme)))

    def test_says_who_when_and_what_in_words(self, sign_in, acme, lead, ana):
        detail = {"codebook": "support", "version": 3, "verdict": "edit", "categories": ["tone"], "token": 9}
        event = record(acme, "case:12", actor=ana, detail=detail)
        page = shown(sign_in(lead))
        assert "decided " in page
        assert "case 12" in page
        assert "version 3 · codebook support" in page
        assert "edit" not in page.partition("<table")[2]
        assert "tone" not in page.partition("<table")[2]
        assert "token 9" not in page
        berlin = timezone.localtime(event.at, timezone.get_fixed_timezone(timedelta(hours=1)))
        assert f"{berlin:%H:%M:%S}" in page or f"{berlin + timedelta(hours=1):%H:%M:%S}" in page

    def test_an_action_without_a_sentence_says_its_own_name(self, sign_in, acme, lead):
        record(acme, "release:7", "release.rolled_back", actor_name="deploy token")
        page = shown(sign_in(lead))
        assert "release rolled back: release 7" in page
        assert "deploy token" in page

    def test_hostile_names_and_values_are_text(self, sign_in, acme, lead):
        record(acme, "case:1", actor_name="<script>alert(1)</script>", detail={"<b>x": "<img src=//evil>"})
        page = shown(sign_in(lead))
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "&lt;img src=//evil&gt;" in page

    def test_of_which_tenant_an_event_is_where_there_are_several(self, sign_in, acme, lead):
        record(acme, "case:1")
        assert ">Acme<" not in shown(sign_in(lead))
        grant(lead, "lead_tenant", TenantFactory(name="Globex"))
        assert ">Acme<" in shown(sign_in(lead))

    def test_what_was_looked_for_is_said_in_the_words_of_the_choice(self, sign_in, lead):
        client = sign_in(lead)
        shown(client, action="case.decided")
        assert "action “Decided …”" in shown(client)

    def test_long_lists_are_cut_and_say_so(self, sign_in, acme, lead):
        record(acme, "queue:1", "cases.routed", detail={"cases": list(range(1000, 2000))})
        assert "1010, 1011 and 988 more" in shown(sign_in(lead))

    def test_how_far_it_is_sealed_and_how_to_prove_it(self, sign_in, lead):
        page = shown(sign_in(lead))
        assert "Nothing is sealed yet" in page
        assert "manage.py audit verify" in page

    def test_before_anything_happened_it_says_what_will_be_here(self, sign_in, lead):
        assert "Nothing is on the record yet" in shown(sign_in(lead))


class TestFilters:
    @pytest.fixture
    def client(self, sign_in, acme, lead, ana):
        record(acme, "case:12", "case.seen", actor=ana)
        record(acme, "case:12", "case.decided", actor=ana)
        record(acme, "case:13", "case.decided", actor=lead)
        return sign_in(lead)

    def rows(self, client, **filters) -> list[tuple[str, str]]:
        answer = client.get(reverse("audit"), filters)
        return [(event.action, event.subject) for event, *_ in answer.context.get("rows", [])]

    def test_by_person(self, client, ana):
        assert self.rows(client, person=ana.pk) == [("case.decided", "case:12"), ("case.seen", "case:12")]

    def test_by_action(self, client):
        assert self.rows(client, action="case.decided") == [("case.decided", "case:13"), ("case.decided", "case:12")]

    @pytest.mark.parametrize("typed", ["13", " case:13 "])
    def test_by_case(self, client, typed):
        assert self.rows(client, subject=typed) == [("case.decided", "case:13")]

    def test_by_the_producers_number_which_stays_off_the_record(self, sign_in, acme):
        lane = LaneFactory(tenant=acme)
        case = CaseFactory(tenant=acme, queue=lane.queue, external_id="order 7, Jane Doe")
        record(acme, f"case:{case.pk}")
        record(acme, "case:9999999")
        lead = lead_of(lane)
        assert self.rows(sign_in(lead), subject=" order 7, Jane Doe ") == [("case.decided", f"case:{case.pk}")]
        assert AuditEvent.objects.get(action="audit.read", actor=lead).detail == {"subject": f"case:{case.pk}"}

    def test_by_day_in_the_readers_time_zone(self, client, acme):
        today = timezone.localtime(timezone.now(), timezone.get_default_timezone()).date()
        assert len(self.rows(client, since=today - timedelta(days=1), until=today + timedelta(days=1))) == 3
        assert self.rows(client, until=today - timedelta(days=2)) == []
        assert self.rows(client, since=today + timedelta(days=2)) == []

    def test_by_tenant_where_there_are_several(self, sign_in, acme, lead):
        other = TenantFactory()
        record(acme, "case:1")
        record(other, "case:2")
        client = sign_in(grant(lead, "lead_tenant", other))
        assert self.rows(client, tenant=other.pk) == [("case.decided", "case:2")]

    def test_a_person_of_another_tenant_cannot_be_asked_for(self, client, sign_in):
        stranger = grant(UserFactory(name="Sam Stranger"), "work_in_tenant", TenantFactory())
        page = shown(client, person=stranger.pk)
        assert "Correct what is marked" in page
        assert "Sam Stranger" not in page
        assert not AuditEvent.objects.filter(detail__person=stranger.pk).exists()

    @pytest.mark.parametrize(
        ("filters", "sentence"),
        [
            ({"subject": "john@example.com"}, "None of your cases has this number."),
            ({"since": "2026-02-02", "until": "2026-02-01"}, "This is before the first day."),
            ({"since": "yesterday"}, "Enter a valid date."),
            ({"action": "x"}, "Select a valid choice."),
        ],
    )
    def test_what_cannot_be_understood_is_said_and_not_recorded(self, client, filters, sentence):
        assert sentence in shown(client, **filters)
        assert not AuditEvent.objects.filter(action="audit.read").exists()

    def test_what_finds_nothing_says_so(self, client):
        assert "Nothing on the record fits" in shown(client, subject="999")


class TestPages:
    @pytest.fixture
    def client(self, sign_in, acme, lead):
        with transaction.atomic():
            log.append_all([log.Entry("case.seen", f"case:{n}", tenant_id=acme.pk) for n in range(120)])
        return sign_in(lead)

    def test_each_event_is_on_exactly_one_page_though_new_ones_come_in(self, client, acme):
        seen, before = [], ""
        while before is not None:
            answer = client.get(reverse("audit"), {"action": "case.seen", "before": before})
            seen += [event.subject for event, *_ in answer.context["rows"]]
            before = answer.context["older"]
            record(acme, "case:999", "case.seen")
        assert seen == [f"case:{number}" for number in reversed(range(120))]

    def test_a_script_gets_the_rows_alone(self, client):
        rows = client.get(reverse("audit"), headers={"HX-Request": "true"}).content.decode()
        assert rows.count("<tr") == 51
        assert "<html" not in rows
        assert 'hx-target="#older"' in rows

    def test_a_page_that_does_not_exist_is_the_first(self, client):
        assert "case 119" in shown(client, before="nonsense")


class TestTheCopy:
    def lines(self, answer) -> list[dict]:
        return [json.loads(line) for line in gzip.decompress(b"".join(answer.streaming_content)).splitlines()]

    def test_holds_what_the_filters_show_oldest_first_and_is_on_the_record(self, sign_in, acme, lead, ana):
        record(acme, "case:1", actor=ana)
        record(acme, "case:2", actor=lead)
        record(acme, "case:3", actor=ana)
        record(TenantFactory(), "case:4", actor=ana)
        answer = sign_in(lead).get(reverse("audit_export"), {"person": ana.pk})
        head, *events, end = self.lines(answer)
        assert head["part"] == f"person {ana.pk} · tenants Acme"
        assert [line["unsealed"]["subject"] for line in events] == ["case:1", "case:3"]
        assert end == {"end": {"events": 2}}
        taken = AuditEvent.objects.get(action="audit.exported")
        assert (taken.actor, taken.tenant_id, taken.detail) == (lead, acme.pk, {"person": ana.pk})

    def test_in_more_pieces_than_one_is_whole(self, sign_in, acme, lead, monkeypatch):
        monkeypatch.setattr(search, "CHUNK", 7)
        with transaction.atomic():
            log.append_all([log.Entry("case.seen", f"case:{n}", tenant_id=acme.pk) for n in range(21)])
        _, *events, _ = self.lines(sign_in(lead).get(reverse("audit_export"), {"action": "case.seen"}))
        assert [line["unsealed"]["subject"] for line in events] == [f"case:{n}" for n in range(21)]

    def test_of_everything_for_an_administrator_is_the_one_that_proves_itself(self, sign_in):
        record(TenantFactory(), "case:1")
        head, *_, end = self.lines(sign_in(UserFactory(is_superuser=True)).get(reverse("audit_export")))
        assert "origin" in head
        assert "part" not in head
        assert end["end"]["unsealed"] == 2


def test_the_floor_of_a_moment_lies_between_the_ids_before_and_after():
    moment = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert str(search.floor(moment)).startswith(f"{int(moment.timestamp() * 1000):012x}"[:8])
