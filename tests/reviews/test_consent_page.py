import pytest
from django.utils import timezone

from queues.models import ConsentWithdrawal
from queues.traces import consent
from reviews.datasets.holding import Held
from reviews.views import consent as view
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.traces import SignalFactory

pytestmark = pytest.mark.django_db

URL = "/tenants/acme/consent/"


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme", name="Acme")


@pytest.fixture
def lead(sign_in, tenant):
    return sign_in(grant(UserFactory(name="Ada Okafor"), "lead_tenant", tenant))


def shown(client):
    answer = client.get(URL)
    assert answer.status_code == 200
    return answer.content.decode()


def row(page, words):
    line = page[page.index(f'<th scope="row">{words}</th>') :]
    cells = line[: line.index("</tr>")].replace("<strong>", "").replace("</strong>", "").split('class="num">')[1:]
    return [int(cell[: cell.index("<")]) for cell in cells]


def test_signals_are_counted_by_what_they_may_be_used_for(lead, tenant):
    SignalFactory(tenant=tenant, type="user_edit", may_train=True, may_evaluate=True)
    SignalFactory.create_batch(2, tenant=tenant, type="user_edit")
    SignalFactory(tenant=tenant, type="implicit_copy", may_retrieve=True, user_key="u-1")
    SignalFactory(may_train=True)
    consent.withdraw(tenant=tenant, user_key="u-1", by=None, source="x", now=timezone.now())
    page = shown(lead)
    assert row(page, "Edit") == [3, 1, 0, 1, 2, 0]
    assert row(page, "Copied") == [1, 0, 0, 0, 1, 1]
    assert row(page, "All") == [4, 1, 0, 1, 3, 1]


def test_a_lead_takes_it_back_for_a_user_and_it_is_listed_with_who_did_it(lead, tenant):
    signal = SignalFactory(tenant=tenant, user_key="u-1", may_train=True)
    page = lead.post(URL, {"user_key": "u-1"}, follow=True).content.decode()
    assert "1 of 1 signals lost their consent" in page
    assert "by Ada Okafor" in page
    signal.refresh_from_db()
    assert not signal.may_train


def test_somebody_unknown_is_noted_all_the_same(lead, tenant):
    assert "No signal of theirs is here" in lead.post(URL, {"user_key": "who"}, follow=True).content.decode()
    assert ConsentWithdrawal.objects.count() == 1


@pytest.mark.parametrize("key", ["", "   ", "x" * 300])
def test_without_a_key_nothing_is_taken_back(lead, tenant, key):
    assert lead.post(URL, {"user_key": key}).status_code == 422
    assert not ConsentWithdrawal.objects.exists()


def test_it_says_plainly_that_no_dataset_was_made_and_later_which_held_them(lead, tenant, monkeypatch):
    assert "No dataset has been made yet" in shown(lead)
    lead.post(URL, {"user_key": "u-1"})
    monkeypatch.setattr(view, "any_made", lambda tenant: True)
    monkeypatch.setattr(view, "holding", lambda tenant, key: [Held("preferences", 3, 12)])
    page = shown(lead)
    assert "preferences, version 3 (12)" in page
    assert "No dataset has been made yet" not in page


def test_it_takes_few_statements(lead, tenant, django_assert_max_num_queries):
    for number in range(10):
        lead.post(URL, {"user_key": f"u-{number}"})
    with django_assert_max_num_queries(9):
        shown(lead)
