from datetime import timedelta

import pytest
from django.utils import timezone

from queues.complaints import candidates
from queues.complaints.candidates import propose
from tests.factories.hitl import TenantFactory
from tests.factories.traces import ComplaintFactory, TraceFactory

pytestmark = pytest.mark.django_db
OTHER = {"input": "How do I send a meter reading?", "output": "In the app."}


@pytest.fixture
def tenant():
    return TenantFactory()


def complain(tenant, **fields):
    return ComplaintFactory(tenant=tenant, text="It promised my second debit back. It is not.", **fields)


def names(proposals):
    return [one.external_id for one in proposals.rows]


def test_finds_the_users_own_however_old_and_whatever_else_there_is(tenant):
    now = timezone.now()
    mine = TraceFactory(tenant=tenant, user_key="u-1", at=now - timedelta(days=40), **OTHER)
    TraceFactory.create_batch(3, tenant=tenant, user_key="u-2", **OTHER)
    assert names(propose(complain(tenant, user_key="u-1"))) == [mine.external_id]


def test_finds_by_words_beyond_what_is_near_in_time(tenant, monkeypatch):
    monkeypatch.setattr(candidates, "NEAREST", 1)
    meant = TraceFactory(tenant=tenant, at=timezone.now() - timedelta(days=3), input="A SECOND DEBIT, promised back?")
    TraceFactory.create_batch(3, tenant=tenant, **OTHER)
    found = propose(complain(tenant))
    assert names(found)[0] == meant.external_id
    assert found.looked_at == 2


def test_looks_on_both_sides_of_the_time_that_was_named(tenant):
    about = timezone.now() - timedelta(days=30)
    for hours in (-3, 3):
        TraceFactory(tenant=tenant, external_id=f"{hours}", at=about + timedelta(hours=hours))
    TraceFactory(tenant=tenant)
    assert set(names(propose(complain(tenant, about=about)))) == {"-3", "3"}


def test_looks_at_a_bounded_number_and_says_how_many(tenant, monkeypatch):
    for name in ("NEAREST", "READ", "WITH_WORDS", "OF_USER"):
        monkeypatch.setattr(candidates, name, 2)
    TraceFactory.create_batch(9, tenant=tenant, user_key="u-1")
    assert propose(complain(tenant, user_key="u-1")).looked_at == 2


def test_never_leaves_the_tenant(tenant):
    TraceFactory(user_key="u-1")
    assert propose(complain(tenant, user_key="u-1")).looked_at == 0


def test_takes_few_statements(tenant, django_assert_max_num_queries):
    TraceFactory.create_batch(5, tenant=tenant, user_key="u-1")
    complaint = complain(tenant, user_key="u-1", about=timezone.now())
    with django_assert_max_num_queries(5):
        propose(complaint)
