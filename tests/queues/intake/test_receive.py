from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from hitl.audit.models import AuditEvent
from queues.intake import receive, storing
from queues.intake import received as received_rows
from queues.intake.body import BodyRefused
from queues.intake.rows import Unreadable
from queues.models import AssessmentRevision, Case, Lane, Receipt, RouteQuality, Slot
from queues.triggers import AssessmentSettings
from tests.factories.hitl import TenantFactory, UserFactory
from tests.factories.intake import sent
from tests.factories.queues import CalendarFactory, QueueFactory, RoutingRuleFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme")


@pytest.fixture
def billing():
    queue = QueueFactory(name="Billing", sla="minutes", sla_amount=240)
    RoutingRuleFactory(queue=queue, name="Billing cases", domains=["billing"])
    return queue


def take(tenant, *rows, now=NOW, source="test"):
    return receive.cases(list(rows), tenant=tenant, now=now, source=source)


def test_every_column_of_a_case_is_written():
    assert set(storing.COLUMNS) == {field.column for field in Case._meta.concrete_fields}


def test_a_case_is_kept_with_all_it_came_with(tenant, billing):
    row = sent(
        case_id="c-1",
        conversation=[{"role": "user", "content": "Hello"}],
        policy="Refund only confirmed errors.",
        topic="double charge",
        trace_id="t-1",
        user_key="u-77",
        model="m-2",
        prompt_version="p-3",
        release="r-4",
        callback_url="https://example.org/verdicts",
        risk_level="high",
        self_reported_confidence=0.99,
        judges=[{"name": "grounded", "score": 0.2, "verdict": "unsupported"}],
        user_rating=1,
        metadata={"ticket": 7},
    )
    assert take(tenant, row).accepted == 1
    case = Case.objects.get()
    assert (case.external_id, case.question, case.draft) == ("c-1", row["user_question"], row["model_draft"])
    for field in (
        "evidence",
        "tool_results",
        "conversation",
        "policy",
        "topic",
        "trace_id",
        "user_key",
        "callback_url",
    ):
        assert getattr(case, field) == row[field]
    assert (case.model, case.prompt_version, case.release) == ("m-2", "p-3", "r-4")
    assert (case.origin, case.state, case.risk) == ("escalation", "waiting", 3)
    assert (case.language, case.language_detected, case.received_at, case.queue) == ("en", False, NOW, billing)
    assert case.triggers == ["high_stakes", "quality_failure"]
    assert case.assessment["outcome"] == "human"
    # What no column holds is kept beside the assessment, so that it can be weighed again.
    assert case.assessment["sent"] == {
        "signals": {"groundedness": 0.55, "self_reported": 0.99},
        "judges": row["judges"],
        "user_rating": 1.0,
        "metadata": {"ticket": 7},
        "risk_level": "high",
    }


def test_it_waits_in_the_lane_of_its_queue_tenant_language_and_authority(tenant, billing):
    billing.rules.update(authority="finance.L1")
    take(tenant, sent(language="de_at", risk_level="critical"))
    slot = Slot.objects.select_related("lane").get()
    assert (slot.lane.queue, slot.lane.tenant, slot.lane.stream) == (billing, tenant, "escalation")
    assert (slot.lane.language, slot.lane.authority) == ("de-AT", "finance.L1")
    assert (slot.state, slot.round, slot.seat, slot.purpose) == ("open", 1, 1, "first")
    assert slot.due_at == slot.case.due_at == NOW + timedelta(hours=4)
    assert slot.case.due_because == "the queue's 4 h"
    assert slot.case.routing["rule"]["name"] == "Billing cases"


def test_lanes_are_shared_and_made_once(tenant, billing):
    take(tenant, *(sent() for _ in range(5)))
    take(tenant, sent(), sent(language="de"))
    assert sorted(Lane.objects.values_list("language", flat=True)) == ["de", "en"]
    assert Slot.objects.count() == 7


def test_a_case_no_rule_takes_waits_unrouted_and_has_no_slot(tenant, billing):
    assert take(tenant, sent(domain="law")).accepted == 1
    case = Case.objects.get()
    assert (case.queue, case.routing["rule"]) == (None, None)
    assert case.routing["passed_over"] == [["Billing cases", "domain billing"]]
    assert not Slot.objects.exists()


def test_the_producers_deadline_counts_when_it_is_earlier_and_one_in_the_past_is_overdue_at_once(tenant, billing):
    soon, past = NOW + timedelta(minutes=30), NOW - timedelta(days=1)
    take(
        tenant, sent(case_id="soon", sla_deadline=soon.isoformat()), sent(case_id="past", sla_deadline=past.isoformat())
    )
    cases = {case.external_id: case for case in Case.objects.all()}
    assert cases["soon"].due_at == cases["soon"].producer_deadline == soon
    assert cases["past"].due_at == past
    assert "it had passed when the case arrived" in cases["past"].due_because
    slots = {slot.case.external_id: slot for slot in Slot.objects.select_related("case")}
    assert slots["past"].priority < slots["soon"].priority


def test_a_queue_whose_calendar_never_opens_again_takes_the_case_all_the_same(tenant):
    hours = {"mon": [["09:00", "09:01"]]}
    queue = QueueFactory(sla="business_minutes", sla_amount=100_000, calendar=CalendarFactory(hours=hours))
    RoutingRuleFactory(queue=queue)
    assert take(tenant, sent()).accepted == 1
    case = Case.objects.get()
    assert case.due_at is None
    assert "of working time in ten years" in case.due_because


def test_the_language_is_detected_where_none_is_sent_among_those_spoken_here(tenant, billing):
    UserFactory(languages=["de"])
    take(
        tenant,
        sent(case_id="de", language=None, user_question="Ich wurde im Oktober zweimal belastet, warum?"),
        sent(case_id="none", language=None, user_question="ok", model_draft="42"),
    )
    found = {case.external_id: (case.language, case.language_detected) for case in Case.objects.all()}
    assert found == {"de": ("de", True), "none": ("", False)}


def test_the_tenants_own_thresholds_raise_the_risk_and_are_named(tenant, billing):
    settings = AssessmentSettings.from_json({"domain_risks": {"billing": "critical"}})
    AssessmentRevision.objects.create(tenant=tenant, number=3, settings=settings.to_json())
    take(tenant, sent(risk_level="low"))
    case = Case.objects.get()
    assert (case.risk, case.assessment["revision"], case.assessment["sent"]["risk_level"]) == (4, 3, "low")


def test_how_people_judged_the_route_counts_once_it_was_decided_often_enough(tenant, billing):
    RouteQuality.objects.create(tenant=tenant, domain="billing", topic="refund", accepted=18, decided=20, at=NOW)
    RouteQuality.objects.create(tenant=tenant, domain="billing", topic="fees", accepted=1, decided=2, at=NOW)
    take(tenant, sent(case_id="refund", topic="refund"), sent(case_id="fees", topic="fees"))

    def route(case_id):
        readings = Case.objects.get(external_id=case_id).assessment["confidence"]["readings"]
        return [one["value"] for one in readings if one["key"] == "route_quality"]

    assert (route("refund"), route("fees")) == ([0.9], [])


def test_good_rows_are_kept_whatever_the_others_are(tenant):
    received = take(
        tenant,
        sent(case_id="good-1"),
        sent(case_id="bad", model_draft=None),
        Unreadable("Line 3 is not JSON."),
        sent(case_id="nul", model_draft="\x00"),
        sent(case_id="tongue", language="klingonisch!"),
        sent(case_id="theirs", tenant_id="globex"),
        sent(case_id="good-2", tenant_id="acme"),
        7,
    )
    assert received.accepted == 2
    assert [(one.index, one.name, one.error.partition(":")[0]) for one in received.rejected] == [
        (1, "bad", "model_draft"),
        (2, None, "Line 3 is not JSON."),
        (3, "nul", "model_draft"),
        (4, "tongue", "language"),
        (5, "theirs", "tenant_id"),
        (7, None, "The case must be an object, not a number."),
    ]
    assert set(Case.objects.values_list("external_id", flat=True)) == {"good-1", "good-2"}


def test_a_case_of_more_than_a_megabyte_is_refused(tenant):
    passages = [{"document_id": str(n), "quote": "x" * 190_000} for n in range(6)]
    (rejection,) = take(tenant, sent(evidence=passages)).rejected
    assert "1,000,000 are taken" in rejection.error


def test_a_language_nobody_speaks_here_is_taken(tenant, billing):
    assert take(tenant, sent(language="tlh")).accepted == 1
    assert Slot.objects.get().lane.language == "tlh"


def test_the_same_again_is_a_duplicate_and_other_content_a_conflict(tenant):
    row = sent(case_id="c-1")
    take(tenant, row)
    again = take(tenant, dict(reversed(row.items())), {**row, "model_draft": "Another."})
    assert (again.accepted, again.duplicates) == (0, 1)
    assert again.rejected[0].error == (
        "conflict: case_id was taken in at 2026-11-20 09:00:00 UTC with other content. "
        "Nothing was changed; use a new case_id."
    )
    assert Case.objects.get().draft == row["model_draft"]


def test_within_one_body_the_first_of_an_id_counts(tenant):
    row = sent(case_id="c-1")
    received = take(tenant, row, row, {**row, "model_draft": "Another."})
    assert (received.accepted, received.duplicates) == (1, 1)
    assert "row 0 of the same request" in received.rejected[0].error
    assert Case.objects.get().draft == row["model_draft"]


def test_ids_are_a_tenants_own(tenant):
    row = sent(case_id="c-1")
    assert take(tenant, row).accepted == take(TenantFactory(), row).accepted == 1


def test_a_change_of_keys_leaves_the_same_row_a_duplicate(tenant, settings):
    row = sent()
    take(tenant, row)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new key"
    assert take(tenant, row).duplicates == 1


def test_rows_come_in_parts_each_with_its_record(tenant, billing, monkeypatch):
    monkeypatch.setattr(received_rows, "PART_ROWS", 3)
    row, seen = sent(), []
    rows = [row, *(sent() for _ in range(5)), row, sent(model_draft=None)]
    received = receive.cases(
        iter(rows), tenant=tenant, now=NOW, source="token t", progress=lambda so_far: seen.append(so_far.rows)
    )
    assert (received.accepted, received.duplicates, len(received.rejected)) == (6, 1, 1)
    assert seen == [3, 6, 8]
    events = AuditEvent.objects.filter(action="cases.received").order_by("pk")
    assert [event.detail for event in events] == [
        {"accepted": 3, "duplicates": 0, "rejected": 0, "source": "token t"},
        {"accepted": 3, "duplicates": 0, "rejected": 0, "source": "token t"},
        {"accepted": 0, "duplicates": 1, "rejected": 1, "source": "token t"},
    ]


def test_a_body_that_breaks_off_keeps_what_came_before(tenant):
    def rows():
        yield sent()
        raise BodyRefused(400, "The connection broke.")

    received = receive.cases(rows(), tenant=tenant, now=NOW, source="test")
    assert (received.accepted, received.cut_off.sentence) == (1, "The connection broke.")
    assert Case.objects.count() == 1


def test_more_rows_than_a_request_may_have_are_left_and_said(tenant):
    received = receive.cases([sent(), sent(), sent()], tenant=tenant, now=NOW, source="test", most=2)
    assert (received.accepted, received.cut_off.status) == (2, 413)


def test_a_look_tells_what_would_happen_and_stores_nothing(tenant, billing, monkeypatch):
    monkeypatch.setattr(received_rows, "PART_ROWS", 2)
    take(tenant, sent(case_id="old"))
    rows = [sent(case_id="a", user_question="Mail anna@example.org"), sent(case_id="old", topic="x")]
    rows += [*(sent(case_id=f"b-{n}") for n in range(11)), rows[0], sent(risk_level="huge")]
    looked = receive.look(rows, tenant=tenant, now=NOW)
    assert (looked.accepted, looked.duplicates, [one.index for one in looked.rejected]) == (12, 1, [1, 14])
    assert [ready.case.case_id for ready, _ in looked.shown] == ["a", *(f"b-{n}" for n in range(9))]
    assert "anna" not in looked.shown[0][0].case.user_question
    assert looked.shown[0][1].placement.queue_id == billing.pk
    assert Case.objects.count() == 1


def test_a_part_is_kept_whole_or_not_at_all(tenant, billing, monkeypatch):
    monkeypatch.setattr(receive.log, "append", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        take(tenant, sent())
    assert not Case.objects.exists()
    assert not Receipt.objects.exists()
    assert not Slot.objects.exists()


def test_ten_times_the_rows_cost_no_more_statements(tenant, billing, django_assert_max_num_queries):
    take(tenant, sent())
    with django_assert_max_num_queries(18):
        take(tenant, *(sent(topic=f"t{n % 7}") for n in range(300)))


def test_personal_data_is_taken_out_before_anything_is_stored(tenant, billing):
    take(
        tenant,
        sent(
            user_question="Write to anna@example.org",
            user_key="anna@example.org",
            topic="anna@example.org",
            evidence=[{"document_id": "to/anna@example.org", "quote": "anna@example.org", "title": "anna@example.org"}],
            metadata={"who": "anna@example.org"},
        ),
    )
    with connection.cursor() as cursor:
        cursor.execute("select queues_case::text from queues_case")
        assert "anna" not in cursor.fetchone()[0]


def test_ids_keep_their_digits_and_those_that_hold_an_address_are_refused(tenant):
    passages = [{"document_id": "4155552671"}, {"document_id": "5500005555555559"}]
    received = take(
        tenant,
        sent(case_id="4155552671", evidence=passages),
        sent(case_id="mail-anna@example.org"),
        sent(callback_url="https://example.org/?mail=anna@example.org"),
    )
    assert Case.objects.get().evidence == passages
    assert [one.error.split(". ")[0] for one in received.rejected] == [
        "case_id: holds an e-mail address",
        "callback_url: holds an e-mail address",
    ]


def test_a_tenant_may_do_without_scrubbing(tenant):
    tenant.scrubs = False
    take(tenant, sent(user_question="Write to anna@example.org", case_id="anna@example.org"))
    assert Case.objects.get().question == "Write to anna@example.org"
