import pytest
from django.urls import reverse
from django.utils import timezone

from hitl.audit.models import AuditEvent
from hitl.models import Endpoint, Message, SigningSecret
from hitl.outbox import tools
from queues.models import ScoreName
from tests.factories.hitl import TenantFactory, UserFactory, grant

pytestmark = pytest.mark.django_db
URL = "/tenants/acme/tools/"


@pytest.fixture(autouse=True)
def _this_machine_may_be_called(settings):
    settings.OUTBOX_ALLOW_PRIVATE = True


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme", name="Acme")


@pytest.fixture
def client(sign_in, tenant):
    return sign_in(grant(UserFactory(), "lead_tenant", tenant))


@pytest.fixture
def tool(tenant):
    return tools.connect(
        tenant=tenant, kind="langfuse", url="http://127.0.0.1:1024", key="pk:sk-secret", project="", by=None
    )


def add(**said):
    return {"kind": "langfuse", "url": "http://127.0.0.1:1024/", "public_key": "pk-lf-1", "key": "sk-lf-2", **said}


def test_an_empty_page_says_what_to_do(client):
    page = client.get(URL).content.decode()
    assert "No tool hears of decisions yet. Add one" in page
    assert "No score has come yet" in page
    assert 'aria-current="page">Other tools' in page


def test_a_tool_is_added_and_its_key_shown_to_nobody(client, tenant):
    page = client.post(URL, add(), follow=True).content.decode()
    tool = Endpoint.objects.get(tenant=tenant)
    assert (tool.kind, tool.url, tool.topics) == ("langfuse", "http://127.0.0.1:1024", ["case.decided"])
    assert "The tool is added" in page
    assert "sk-lf-2" not in page
    assert b"sk-lf-2" not in bytes(SigningSecret.objects.get().sealed)
    assert "sk-lf-2" not in str(AuditEvent.objects.get(action="tool.connected").detail)
    assert "http://127.0.0.1:1024" not in client.get(reverse("endpoints", args=["acme"])).content.decode()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"key": ""}, "lets nobody in without a key"),
        ({"public_key": ""}, "wants the public key"),
        ({"url": "https://user:pass@example.com"}, "holds a name or password"),
        ({"url": "http://169.254.169.254/"}, "where hitl does not send"),
        ({"kind": "langsmith", "project": "support"}, "goes by a UUID"),
        ({"kind": "webhook"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_added_says_why_and_keeps_nothing(client, said, why):
    answer = client.post(URL, add(**said))
    assert (answer.status_code, why in answer.content.decode()) == (422, True)
    assert "sk-lf-2" not in answer.content.decode()
    assert not Endpoint.objects.exists()


def test_a_tool_is_tried_paused_and_removed(client, tool):
    page = client.post(f"{URL}{tool.pk}/try/", follow=True).content.decode()
    assert "The connection does not work." in page
    assert "sk-secret" not in page
    client.post(f"{URL}{tool.pk}/switch/", {"on": "0"})
    tool.refresh_from_db()
    assert not tool.is_active
    page = client.post(f"{URL}{tool.pk}/remove/", follow=True).content.decode()
    assert "its key forgotten" in page
    assert "No tool hears of decisions yet" in page
    assert client.post(f"{URL}{tool.pk}/switch/", {"on": "1"}).status_code == 404


def test_what_it_was_told_stands_there_with_the_error_and_is_sent_again(client, tool, tenant):
    message = Message.objects.create(
        tenant=tenant, endpoint=tool, channel="tool", topic="case.decided", key="case:1", url=tool.url,
        payload={"data": {"case_id": "esc-7"}}, state="given_up", last_error="It answered <b>404</b>.",
        next_attempt_at=timezone.now(),
    )  # fmt: skip
    page = client.get(URL).content.decode()
    assert "esc-7" in page
    assert "It answered &lt;b&gt;404&lt;/b&gt;." in page
    client.post(reverse("delivery_again", args=["acme", message.pk]))
    message.refresh_from_db()
    assert message.state == "waiting"


def test_a_lead_says_what_scores_mean(client, tenant):
    name = ScoreName.objects.create(tenant=tenant, name="<quality>", tool="langfuse", first_seen_at=timezone.now())
    page = client.get(URL).content.decode()
    assert "&lt;quality&gt;" in page
    page = client.post(f"{URL}scores/", {f"meaning-{name.pk}": "thumbs"}, follow=True).content.decode()
    assert "1 name means something else from now on." in page
    name.refresh_from_db()
    assert name.meaning == "thumbs"
    assert AuditEvent.objects.get(action="scores.explained").detail == {"meanings": {"<quality>": "thumbs"}}
    assert client.post(f"{URL}scores/", {f"meaning-{name.pk}": "label"}).status_code == 422
