from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from hitl.models import AuditEvent
from queues import thresholds
from queues.assessment_form import AssessmentForm
from queues.intake import receive
from queues.models import AssessmentRevision, Case, Outcome
from queues.triggers import DEFAULTS
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.queues import CaseFactory

pytestmark = pytest.mark.django_db

URL = "/tenants/acme/assessment/"


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme", name="Acme")


@pytest.fixture
def lead(tenant):
    return grant(UserFactory(name="Lena Lead"), "lead_tenant", tenant)


@pytest.fixture
def client(sign_in, lead):
    return sign_in(lead)


def fields(client, **change):
    """The form as the page gives it, with a change."""
    form = client.get(URL).context["form"]
    given = {}
    for bound in form:
        value = bound.field.prepare_value(bound.value())
        if value is not None and value is not False:
            given[bound.name] = "on" if value is True else value
    return given | change


def save(client, given, **more):
    page = client.post(URL, given)
    assert page.status_code == 200, page.context["form"].errors
    return client.post(URL, given | {"tried": page.context["form"].mark, "after": page.context["number"], **more})


def arrive(tenant, **fields):
    row = {"case_id": f"c-{Case.objects.count()}", "user_question": "Why?", "model_draft": "So.", "risk_level": "low",
           "domain": "shop", **fields}  # fmt: skip
    received = receive.cases([row], tenant=tenant, now=timezone.now(), source="test")
    assert received.accepted == 1, received.rejected
    return Case.objects.latest("pk")


def test_the_form_as_it_is_changes_nothing(client):
    form = AssessmentForm(fields(client), settings=DEFAULTS)
    assert form.is_valid(), form.errors
    assert form.settings == DEFAULTS


def test_a_change_is_tried_on_past_cases_before_anything_is_saved(client, tenant):
    for groundedness in (0.9, 0.7, 0.7):
        arrive(tenant, groundedness=groundedness, risk_level="low")
    page = client.post(URL, fields(client, low_confidence_below="0.8", limited_answer=""))
    trial = page.context["trial"]
    shifts = {shift.words: (shift.now, shift.then) for shift in [*trial.outcomes, *trial.triggers]}
    assert trial.tried == 3
    assert shifts["To a human"] == (0, 2)
    assert shifts["Passed"] == (3, 1)
    assert shifts["Low confidence"] == (0, 2)
    assert not AssessmentRevision.objects.exists()


def test_what_was_tried_is_saved_as_the_next_revision_on_record(client, tenant, lead):
    save(client, fields(client, low_confidence_below="0.7"), note="Too many slipped through")
    save(client, fields(client, low_confidence_below="0.75"))
    first, second = AssessmentRevision.objects.order_by("number")
    assert (first.number, first.settings["low_confidence_below"], first.created_by) == (1, 0.7, lead)
    assert (second.number, second.settings["low_confidence_below"]) == (2, 0.75)
    recorded = AuditEvent.objects.filter(action="assessment.changed").order_by("pk")
    assert [one.detail for one in recorded] == [{"revision": 1}, {"revision": 2}]
    page = client.get(URL).content.decode()
    for words in ("Too many slipped through", "Lena Lead", "Revision 2 is in force"):
        assert words in page
    assert arrive(tenant).assessment["revision"] == 2


def test_other_numbers_than_those_tried_are_not_saved(client):
    given = fields(client, low_confidence_below="0.7")
    mark = client.post(URL, given).context["form"].mark
    client.post(URL, given | {"low_confidence_below": "0.1", "tried": mark, "after": "0"})
    assert not AssessmentRevision.objects.exists()


def test_a_revision_saved_in_the_meantime_is_not_overwritten(client, tenant, lead):
    given = fields(client, low_confidence_below="0.7")
    mark = client.post(URL, given).context["form"].mark
    thresholds.save(tenant=tenant, settings=DEFAULTS, note="", by=lead, after=0)
    assert client.post(URL, given | {"tried": mark, "after": "0"}).status_code == 200
    assert AssessmentRevision.objects.count() == 1
    with pytest.raises(thresholds.Overtaken):
        thresholds.save(tenant=tenant, settings=DEFAULTS, note="", by=lead, after=0)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"low_confidence_below": "1.5"}, "low_confidence_below"),
        ({"low_confidence_below": "nan"}, "low_confidence_below"),
        ({"groundedness.weight": "-1"}, "groundedness.weight"),
        ({"groundedness.ambiguous_from": "0.9"}, "groundedness.ambiguous_from"),
        ({"limited_answer_up_to": "high"}, "limited_answer_up_to"),
        ({"domain_risks": "medical: awful"}, "domain_risks"),
        ({"domain_risks": "medical"}, "domain_risks"),
        ({"judges_below": "safety: often"}, "judges_below"),
        ({"phrases.en": "..."}, "phrases.en"),
        ({"new_language": "klingonese"}, "new_language"),
    ],
)
def test_a_fault_is_named_at_its_field_and_nothing_is_saved(client, change, field):
    answer = client.post(URL, fields(client, **change))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]


def test_a_language_with_its_phrases_is_added(client):
    save(client, fields(client, new_language="pl", new_phrases="chcę człowieka, proszę\nkonsultant"))
    settings = dict(thresholds.current(AssessmentRevision.objects.get().tenant)[1].person_phrases)
    assert settings["pl"] == ("chcę człowieka, proszę", "konsultant")


def decide(tenant, triggers, verdict, days=1):
    case = CaseFactory(tenant=tenant, triggers=triggers)
    Outcome.objects.create(
        case=case, verdict=verdict, codebook="x", codebook_version=1, release_at=timezone.now(),
        decided_at=timezone.now() - timedelta(days=days),
    )  # fmt: skip


def test_it_tells_how_often_people_changed_what_a_trigger_sent_them(client, tenant):
    for verdict in ("accept", "edit", "reject"):
        decide(tenant, ["low_confidence", "high_stakes"], verdict)
    decide(tenant, ["low_confidence"], "accept")
    decide(tenant, [], "edit")
    decide(tenant, ["tool_risk"], "edit", days=91)
    decide(TenantFactory(), ["tool_risk"], "edit")
    decided, rows = thresholds.what_people_changed(tenant, timezone.now())
    assert decided == 5
    counts = {row.words: (row.changed, row.decided) for row in rows}
    assert counts["Low confidence"] == (2, 4)
    assert counts["High stakes"] == (2, 3)
    assert counts["Tool risk"] == (0, 0)
    assert counts["None of these"] == (1, 1)
    assert "15% to 85%" in client.get(URL).content.decode()


def test_the_tool_that_an_answer_proposes_is_weighed_now_and_again_later(client, tenant):
    case = arrive(tenant, groundedness=0.9, tool="refund.pay", tool_risk="high")
    assert case.triggers == ["tool_risk"]
    assert "the action refund.pay is of high risk" in case.assessment["reason"]
    trial = client.post(URL, fields(client, tool_risk_from="critical")).context["trial"]
    assert {shift.words: (shift.now, shift.then) for shift in trial.triggers}["Tool risk"] == (1, 0)


def test_nobody_else_reads_or_changes_it(sign_in, tenant):
    for user in (grant(UserFactory(), "work_in_tenant", tenant), grant(UserFactory(), "lead_tenant", TenantFactory())):
        assert sign_in(user).get(URL).status_code == 404
        assert sign_in(user).post(URL, {}).status_code == 404


def test_looking_changes_nothing_and_takes_few_statements(client, tenant, django_assert_max_num_queries):
    AssessmentRevision.objects.create(tenant=tenant, number=1, settings=DEFAULTS.to_json())
    with django_assert_max_num_queries(10):
        assert client.get(reverse("assessment", args=["acme"])).status_code == 200
    assert AssessmentRevision.objects.count() == 1
    assert not AuditEvent.objects.exists()


def test_what_came_out_of_the_traffic_is_no_answer_that_anybody_was_asked_about(tenant):
    sampled = CaseFactory(tenant=tenant, origin="sampling")
    Outcome.objects.create(
        case=sampled, verdict="reject", codebook="x", codebook_version=1, decided_at=timezone.now(),
        release_at=timezone.now(),
    )  # fmt: skip
    assert thresholds.try_on_past(tenant=tenant, settings=DEFAULTS, now=timezone.now()).tried == 0
    assert thresholds.what_people_changed(tenant, timezone.now())[0] == 0
