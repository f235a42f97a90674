from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.utils import timezone

from hitl.models import AuditEvent
from queues.models import ConsentWithdrawal
from queues.traces import consent, taken_back
from queues.traces.consent import Use
from tests.factories.hitl import TenantFactory, UserFactory
from tests.factories.traces import SignalFactory, TraceFactory

YES = {"may_evaluate": True, "may_retrieve": True, "may_train": True}


class TestWhatMayBeUsed:
    def test_is_nothing_without_the_users_word(self):
        silent = SimpleNamespace(may_evaluate=False, may_retrieve=False, may_train=False, withdrawn_at=None)
        assert [use for use in Use if consent.allowed(silent, use)] == []

    @pytest.mark.parametrize(("flag", "use"), [(flag, use) for use, flag in consent.FLAGS.items()])
    def test_is_what_was_allowed_and_no_more(self, flag, use):
        one = SimpleNamespace(may_evaluate=False, may_retrieve=False, may_train=False, withdrawn_at=None)
        setattr(one, flag, True)
        assert [allowed for allowed in Use if consent.allowed(one, allowed)] == [use]

    def test_is_nothing_once_it_was_taken_back(self):
        assert not consent.allowed(SimpleNamespace(**YES, withdrawn_at=timezone.now()), Use.TRAINING)


@pytest.fixture
def tenant():
    return TenantFactory()


def withdraw(tenant, key, **more):
    return consent.withdraw(tenant=tenant, user_key=key, **{"by": None, "source": "test", "now": timezone.now()} | more)


@pytest.mark.django_db
class TestAWithdrawal:
    def test_clears_all_that_the_user_gave_and_nobody_elses(self, tenant):
        mine = SignalFactory.create_batch(3, tenant=tenant, user_key="u-1", **YES)
        silent = SignalFactory(tenant=tenant, user_key="u-1")
        others = [SignalFactory(tenant=tenant, user_key="u-2", **YES), SignalFactory(user_key="u-1", **YES)]
        done = withdraw(tenant, "u-1")
        assert (done.signals, done.given) == (3, 4)
        for one in (*mine, silent):
            one.refresh_from_db()
            assert one.withdrawn_at is not None
            assert not any(consent.allowed(one, use) for use in Use)
        for one in others:
            one.refresh_from_db()
            assert all(consent.allowed(one, use) for use in Use)

    def test_reaches_signals_that_only_the_trace_says_whose_they_are(self, tenant):
        signal = SignalFactory(trace=TraceFactory(tenant=tenant, user_key="u-1"), **YES)
        named = SignalFactory(trace=TraceFactory(tenant=tenant, user_key="u-1"), user_key="u-2", **YES)
        assert withdraw(tenant, "u-1").signals == 1
        signal.refresh_from_db()
        named.refresh_from_db()
        assert not signal.may_train
        assert named.may_train

    def test_leaves_what_is_allowed_anew_afterwards(self, tenant):
        now = timezone.now()
        later = SignalFactory(tenant=tenant, user_key="u-1", at=now, **YES)
        assert withdraw(tenant, "u-1", now=now - timedelta(minutes=1)).signals == 0
        later.refresh_from_db()
        assert later.may_train

    def test_finds_a_key_that_was_scrubbed_at_the_door(self, tenant):
        kept = consent.cleaned_key("jane.doe@example.org", tenant)
        assert "jane" not in kept
        SignalFactory(tenant=tenant, user_key=kept, **YES)
        assert withdraw(tenant, " jane.doe@example.org ").signals == 1
        assert "jane" not in ConsentWithdrawal.objects.get().user_key

    def test_of_somebody_unknown_is_noted_and_one_of_nobody_is_refused(self, tenant):
        assert withdraw(tenant, "who").signals == 0
        assert ConsentWithdrawal.objects.count() == 1
        with pytest.raises(ValueError, match="key"):
            withdraw(tenant, "  ")

    def test_is_on_record_without_naming_the_user(self, tenant):
        by = UserFactory()
        withdraw(tenant, "u-1", by=by)
        event = AuditEvent.objects.get(action="consent.withdrawn")
        assert (event.actor_id, event.tenant_id) == (by.pk, tenant.pk)
        assert "u-1" not in str(event.detail)

    def test_takes_few_statements_however_many_signals(self, tenant, django_assert_max_num_queries):
        SignalFactory.create_batch(20, tenant=tenant, user_key="u-1", **YES)
        with django_assert_max_num_queries(9):
            withdraw(tenant, "u-1")


@pytest.mark.django_db
class TestWhatComesLater:
    def test_is_told_until_when_each_user_took_it_back(self, tenant):
        now = timezone.now()
        withdraw(tenant, "u-1", now=now - timedelta(days=1))
        withdraw(tenant, "u-1", now=now)
        withdraw(TenantFactory(), "u-2")
        with transaction.atomic():
            assert taken_back.withdrawn(tenant, ["u-1", "u-2", ""]) == {"u-1": now}
            assert taken_back.withdrawn(tenant, []) == {}

    def test_is_held_to_it_once_its_trace_says_whose_it_is(self, tenant):
        withdraw(tenant, "u-1")
        trace = TraceFactory(tenant=tenant, user_key="u-1")
        early = SignalFactory(trace=trace, at=timezone.now() - timedelta(hours=1), **YES)
        late = SignalFactory(trace=trace, at=timezone.now() + timedelta(seconds=1), **YES)
        assert taken_back.held_to([trace.id]) == 1
        early.refresh_from_db()
        late.refresh_from_db()
        assert early.withdrawn_at
        assert not early.may_train
        assert late.may_train
