import pytest
import yaml
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from codebook.models import Codebook, Version
from hitl import yaml_text
from hitl.access import grants
from hitl.access import people as accounts
from hitl.audit.models import AuditEvent
from hitl.management.config import importing, writing
from hitl.management.config.reading import Faulty
from hitl.management.demo import story
from hitl.management.demo.people import PEOPLE
from hitl.models import AuthorityGrant, Tenant, User
from queues.models import AssessmentRevision, Calendar, Queue, RoutingRule, SamplingPlan
from queues.sampling import plans
from queues.triggers import DEFAULTS
from tests.factories.codebook import published
from tests.factories.hitl import PASSWORD, TenantFactory, UserFactory, grant
from tests.factories.queues import CalendarFactory, LaneFactory, QueueFactory, RoutingRuleFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(tmp_path, capsys):
    """Imports a file with this content; returns what was printed."""

    def ran(content, *options):
        file = tmp_path / "hitl.yaml"
        file.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))
        capsys.readouterr()
        call_command("import_config", str(file), *options)
        return capsys.readouterr().out

    return ran


def exported():
    return writing.written()[0]


def tell_the_demo():
    """The demo's people, queues and rubric, and on top of them one of whatever it does not use."""
    story._set_up({role.email: PASSWORD for role in PEOPLE}, timezone.now())
    northlight, billing = Tenant.objects.get(slug="northlight"), Queue.objects.get(slug="billing")
    LaneFactory(queue=billing, tenant=northlight, language="de", authority="billing.L2", weight=30)
    AssessmentRevision.objects.create(
        tenant=northlight, number=1, settings=DEFAULTS.to_json() | {"low_confidence_below": 0.7}
    )
    Calendar.objects.create(
        name="Night", hours={"fri": ["22:00-06:00"]}, extra_holidays=[timezone.now().date()], country="NO"
    )
    rule = RoutingRuleFactory(
        queue=billing, name="no: dyrt", languages=["nb", "no"], min_risk=2, max_risk=4, position=5
    )
    rule.tenants.set([northlight])
    noor = User.objects.get(email="noor@demo.hitl.example")
    until = timezone.now() + timezone.timedelta(days=30)
    accounts.grant_authority(by=None, person=noor, authority="billing.L1", tenant=northlight, until=until)
    grant(noor, "read_codebook", Codebook.objects.get())
    gone = UserFactory(email="gone@example.org", name="Gone")
    accounts.deactivate(by=None, person=gone)
    Queue.objects.filter(pk=billing.pk).update(description="Two lines:\n  of text", notify_emails=["on@example.org"])


@pytest.fixture
def demo():
    """The file of the demo's installation; the database is empty again."""
    with transaction.atomic():
        tell_the_demo()
        text = exported()
        transaction.set_rollback(True)
    assert not Tenant.objects.exists()
    return text


def records(action):
    return list(AuditEvent.objects.filter(action=action).order_by("id").values_list("actor_name", "detail"))


def test_what_is_exported_makes_the_same_installation_where_there_is_none(demo, run):
    said = run(demo)
    assert exported() == demo
    assert "queue billing: created" in said
    assert "0 changed, 0 unchanged." in said
    assert "left alone" not in said


def test_the_imported_people_may_do_the_same_and_set_their_password_with_a_link(demo, run, client):
    said = run(demo)
    noor = User.objects.get(email="noor@demo.hitl.example")
    assert not noor.has_usable_password()
    queues = Queue.objects.filter(pk__in=grants.held([noor], grants.kinds()["queue"])[noor.pk])
    assert {queue.slug for queue in queues} == {"billing", "corrections"}
    link = next(line.split()[1] for line in said.splitlines() if line.startswith("  noor@"))
    assert client.get(link, follow=True).status_code == 200
    assert "gone@example.org  http" not in said
    assert not User.objects.get(email="gone@example.org").is_active
    assert User.objects.get(email="robin@demo.hitl.example").is_superuser


def test_a_second_import_of_the_same_file_changes_nothing_and_says_so(demo, run):
    run(demo)
    events = AuditEvent.objects.count()
    versions = list(Version.objects.values_list("pk", "content_hash"))
    said = run(demo)
    assert "\nNothing changed. 0 created, 0 changed," in said
    assert "queue billing: unchanged" in said
    assert "http" not in said
    assert exported() == demo
    assert AuditEvent.objects.count() == events
    assert list(Version.objects.values_list("pk", "content_hash")) == versions
    assert AssessmentRevision.objects.count() == 1


def test_each_change_is_said_and_the_record_has_one_entry_with_the_counts(demo, run):
    run(demo)
    content = yaml_text.read(demo)
    billing = next(queue for queue in content["queues"] if queue["slug"] == "billing")
    billing |= {"sla_amount": 300, "second_share": 0.25, "lanes": [billing["lanes"][0] | {"weight": 50}]}
    content["tenants"][1]["assessment"] = {"policy_below": 0.4}
    content["people"][0]["queues"] = {"legal": ["approve", "review", "lead"]}
    content["codebooks"][0]["categories"][0]["definition"] = "Another."
    said = run(content)
    for line in (
        "queue billing: sla_amount 240 -> 300",
        "queue billing: second_share 0.500 -> 0.25",
        "queue billing: lane escalation / northlight / de / billing.L2: weight 30 -> 50",
        "tenant northlight: assessment.policy_below 0.5 -> 0.4",
        "person ada@demo.hitl.example: may now approve in queue legal",
        "person ada@demo.hitl.example: may lead, review in queue billing: not in the file, left alone",
        "codebook support-answers: version 2 published",
    ):
        assert line in said.splitlines()
    assert Queue.objects.get(slug="billing").sla_amount == 300
    last = records("config.imported")[-1]
    assert last[0] == "import_config"
    assert last[1] == {"created": 0, "changed": 4, "unchanged": last[1]["unchanged"], "left_alone": 3}
    assert ("import_config", {"fields": ["sla_amount", "second_share"]}) in records("queue.changed")


def test_a_field_that_is_left_out_stays_as_it_is(run):
    QueueFactory(slug="billing", name="Billing", sla="minutes", sla_amount=240, lease_minutes=7)
    said = run({"queues": [{"slug": "billing", "name": "Billing", "sla_amount": 60}]})
    assert "queue billing: sla_amount 240 -> 60" in said
    queue = Queue.objects.get()
    assert (queue.sla, queue.sla_amount, queue.lease_minutes) == ("minutes", 60, 7)


def test_nothing_is_deleted_and_what_the_file_does_not_name_is_listed(run):
    published(QueueFactory(slug="old"))
    RoutingRuleFactory(queue=Queue.objects.get(), name="Everything")
    CalendarFactory(name="Office")
    UserFactory(email="jo@example.org")
    TenantFactory(slug="globex")
    said = run({"tenants": [{"slug": "acme"}]})
    for line in (
        "tenant acme: created",
        "tenant globex: not in the file, left alone",
        "queue old: not in the file, left alone",
        "rule old / Everything: not in the file, left alone",
        "calendar Office: not in the file, left alone",
        "person jo@example.org: not in the file, left alone",
    ):
        assert line in said.splitlines()
    assert RoutingRule.objects.count() == 1
    assert Tenant.objects.get(slug="acme").name == "Acme"


def test_a_dry_run_says_the_same_and_changes_nothing(demo, run):
    said = run(demo, "--dry-run")
    assert "queue billing: created" in said
    assert "Nothing was saved (--dry-run); it would be: " in said
    assert "http" not in said
    assert not User.objects.exists()
    assert not AuditEvent.objects.exists()


def test_all_faults_of_a_file_are_named_with_their_place_and_nothing_is_changed(run):
    with pytest.raises(CommandError) as refused:
        run(
            """
            tenants:
              - slug: acme
            people:
              - {email: jo@example.org, name: Jo, authorities: [finance refunds]}
            queues:
              - {slug: billing, name: Billing, sla: minutes, sla_amuont: 240, codebook: support}
              - {slug: legal, name: Legal, sla: business_days, sla_amount: 1, calendar: null}
            codebooks: []
            rules:
              - {queue: biling, name: Billing, tenants: [acme]}
            """
        )
    assert str(refused.value).splitlines()[1:] == [
        "  people[0].authorities[0].authority (jo@example.org): “finance refunds” is not an authority: write it like "
        "finance.refund.L2.",
        "  queues[0].sla_amuont (billing): is not known here; did you mean sla_amount?",
        "  queues[1].calendar (legal): is missing; business_days are counted in the hours of a calendar.",
        "  rules[0].queue (biling / Billing): there is no queue “biling”; did you mean billing?",
    ]
    assert "has 4 faults; nothing was changed:" in str(refused.value)
    assert not Tenant.objects.exists()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "The file must hold sections (tenants, calendars, people,"),
        ("queus: []", "queus: is not known here; did you mean queues?"),
        ("queues: {}", "queues: must be a list, not an object."),
        ("queues: [billing]", "queues[0]: must be an object with named fields, not text."),
        ("queues: [{slug: a, slug: b}]", "Line 1, column 20: “slug” is there twice."),
        ("queues: [", "Line 1, column 10: "),
        ("a: !!python/object:os.system x", "could not determine a constructor"),
        (
            "queues: [{slug: a, name: A}, {slug: a, name: B}]",
            "queues[1]: a is there twice; it stands at queues[0]",
        ),
        ("queues: [{slug: new, name: A}]", "queues[0].slug (new): cannot be “new”"),
        ("queues: [{slug: A b, name: A}]", "queues[0].slug (A b): “A b” does not have the form it must have: letters"),
        ("queues: [{slug: a}]", "queues[0].name (a): is missing."),
        ("queues: [{slug: a, name: A, is_active: 'yes'}]", "must be true or false, not “yes”."),
        ("queues: [{slug: a, name: A, sla: hours}]", "queues[0].sla (a): must be none, minutes, business_minutes or"),
        ("queues: [{slug: a, name: A, sla: minutes}]", "queues[0].sla_amount (a): is 0; a deadline needs at least 1."),
        ("queues: [{slug: a, name: A, second_share: 1.5}]", "must be at most 1, not 1.5."),
        ("queues: [{slug: a, name: A, second_share: 0.1234}]", "has more than three digits behind the point."),
        ("queues: [{slug: a, name: A, lanes: [{stream: x}]}]", "queues[0].lanes[0].stream (a): must be escalation,"),
        ("queues: [{slug: a, name: A, lanes: [{wait: 1}]}]", "queues[0].lanes[0].wait (a): is not known here; did you"),
        ("people: [{email: x, name: X}]", "people[0].email (x): “x” is not an e-mail address."),
        ("people: [{email: x@y.org, name: X, languages: [q]}]", "“q” is not a language tag"),
        (
            "people: [{email: x@y.org, name: X, password: p}]",
            "people[0].password (x@y.org): is not known here; there",
        ),
        ("people: [{email: x@y.org, name: X, time_zone: Berlin}]", "there is no time zone “Berlin”"),
        (
            "people: [{email: x@y.org, name: X, queues: {a: [decide]}}]",
            "queues.a[0] (x@y.org): must be review, lead",
        ),
        (
            "people: [{email: x@y.org, name: X, tenants: {acme: []}}]",
            "tenants.acme (x@y.org): there is no tenant",
        ),
        ("calendars: [{name: O, hours: {mon: [9-17]}}]", "calendars[0].hours.mon (O): shift 1 must be two times"),
        (
            "tenants: [{slug: a, assessment: {policy_below: 2}}]",
            "tenants[0].assessment.policy_below (a): must be from",
        ),
        ("rules: [{queue: q, name: R, min_risk: high, max_risk: low}]", "the highest risk is below the lowest."),
        ("rules: [{queue: q, name: R, triggers: [luck]}]", "rules[0].triggers[0] (q / R): must be low_confidence,"),
        ("codebooks: [{slug: c, title: C, owner: x@y.org, categories: []}]", "codebooks[0].categories (c): is empty."),
        (
            "codebooks: [{slug: c, title: C, owner: x@y.org, categories: [{key: a}]}]",
            "categories[0].definition (c): is",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, said):
    with pytest.raises(Faulty) as refused:
        importing.bring(text=text, now=timezone.now())
    assert said in str(refused.value)


def test_how_a_category_came_about_goes_in_and_out_again(run):
    version = published(keys=("tone",))
    parts = dict.fromkeys(["title", "definition", "positive_example", "negative_example", "edge_case"], "x")
    voice = {"key": "voice", **parts, "from": {"how": "reworded", "of": ["tone"]}}
    book = {"slug": version.codebook.slug, "title": "T", "owner": version.codebook.owner.email, "categories": [voice]}
    with pytest.raises(CommandError, match=r"from\.how \(.*\): must be"):
        run({"codebooks": [book | {"categories": [voice | {"from": {"how": "better"}}]}]})
    run({"codebooks": [book]})
    assert yaml_text.read(exported())["codebooks"][0]["categories"] == [voice]


def test_norwegian_is_no_boolean_and_five_oclock_no_number(run):
    people = "people: [{email: k@example.no, name: Kari, languages: [no]}]"
    run(f"{people}\ncalendars: [{{name: O, hours: {{mon: [[9:00, 17:00]]}}}}]")
    assert User.objects.get().languages == ["no"]
    assert Calendar.objects.get().hours == {"mon": [["09:00", "17:00"]]}


def test_what_a_verb_refuses_undoes_all_that_came_before_it(run):
    version = published()
    Version.objects.create(codebook=version.codebook, number=2)
    category = dict.fromkeys(["title", "definition", "positive_example", "negative_example", "edge_case"], "x")
    book = {"slug": version.codebook.slug, "title": "T", "owner": version.codebook.owner.email}
    with pytest.raises(CommandError, match=r"codebooks\[0\] \(.*\): “T” has a draft that is being written"):
        run({"tenants": [{"slug": "acme"}], "codebooks": [book | {"categories": [{"key": "a", **category}]}]})
    assert not Tenant.objects.exists()
    assert Codebook.objects.get().title != "T"


def test_a_file_cannot_leave_the_installation_without_an_administrator(run):
    UserFactory(email="root@example.org", name="Root", is_superuser=True)
    with pytest.raises(CommandError, match="nobody would be an administrator any more"):
        run({"people": [{"email": "root@example.org", "name": "Root", "administrator": False}]})
    assert User.objects.get().is_superuser


def test_the_only_administrator_may_go_when_the_file_brings_another(run):
    UserFactory(email="root@example.org", name="Root", is_superuser=True)
    gone = {"email": "root@example.org", "name": "Root", "is_active": False}
    run({"people": [gone, {"email": "zoe@example.org", "name": "Zoe", "administrator": True}]})
    assert [person.email for person in User.objects.filter(is_superuser=True, is_active=True)] == ["zoe@example.org"]


def test_an_authority_that_is_over_is_not_given_again(run):
    over = {"authority": "legal.L1", "until": "2020-01-01T00:00:00Z"}
    said = run({"people": [{"email": "jo@example.org", "name": "Jo", "authorities": ["tax.L1", over]}]})
    assert "person jo@example.org: legal.L1 was good until 2020-01-01T00:00:00Z, not given" in said
    assert [held.authority for held in AuthorityGrant.objects.all()] == ["tax.L1"]


def test_two_rules_of_one_name_are_told_apart_by_nobody(run, capsys):
    queue = QueueFactory(slug="q")
    RoutingRuleFactory.create_batch(2, queue=queue, name="R")
    call_command("export_config")
    assert "The queue q has 2 rules called “R”" in capsys.readouterr().err
    with pytest.raises(CommandError, match="2 rules of this queue have it; give all but one another name"):
        run({"rules": [{"queue": "q", "name": "R"}]})


def test_the_file_is_written_whole_and_holds_no_secret(tmp_path, capsys):
    tell_the_demo()
    call_command("export_config", "--out", str(tmp_path / "hitl.yaml"))
    text = (tmp_path / "hitl.yaml").read_text()
    assert text == exported()
    assert [path.name for path in tmp_path.iterdir()] == ["hitl.yaml"]
    assert not any(word in text for word in (PASSWORD, "argon2", "md5$", "password:", "scrub_key"))
    assert "a folder that" not in capsys.readouterr().err
    with pytest.raises(CommandError, match="cannot be written: No such file"):
        call_command("export_config", "--out", str(tmp_path / "nowhere" / "hitl.yaml"))
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("import_config", str(tmp_path / "none.yaml"))


SAMPLED = """
tenants:
  - slug: acme
    name: Acme
    sampling: {budget: 40, mix: {random: 0.5, negative: 0.5}, queue: errors}
queues:
  - {slug: errors, name: Errors}
"""


def test_a_sampling_plan_is_part_of_the_file_and_names_a_queue_of_it(run):
    said = run(SAMPLED)
    assert "tenant acme: sampling.budget 80 -> 40" in said.splitlines()
    plan = plans.current(Tenant.objects.get())
    assert (plan.budget, plan.mix, plan.queue.slug, plan.by) == (40, {"random": 0.5, "negative": 0.5}, "errors", None)
    assert yaml_text.read(exported())["tenants"][0]["sampling"]["queue"] == "errors"
    run(SAMPLED)
    run(exported())
    assert plans.current(Tenant.objects.get()).revision == 1
    assert "tenant acme: sampling (revision 1): not in the file" in run("tenants: [{slug: acme}]")


@pytest.mark.parametrize(
    ("sampling", "said"),
    [
        ("{mix: {random: 0.5}}", "tenants[0].sampling.mix (acme): The shares come to 50%, not to 100%."),
        ("{queue: nowhere}", "tenants[0].sampling.queue (acme): there is no queue"),
        ("{budget: plenty}", "tenants[0].sampling.budget (acme): must be a whole number"),
        ("{latency_days: 7}", "tenants[0].sampling.latency_days (acme): At least a day more"),
    ],
)
def test_a_sampling_plan_that_cannot_be_followed_is_refused_in_its_place(run, sampling, said):
    with pytest.raises(CommandError) as refused:
        run(f"tenants: [{{slug: acme, name: Acme, sampling: {sampling}}}]")
    assert said in str(refused.value)
    assert not SamplingPlan.objects.exists()
