import threading

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.db.transaction import TransactionManagementError

from hitl.audit import log
from hitl.models import AuditEvent, Tenant
from tests.factories.hitl import TenantFactory, UserFactory


@transaction.atomic
def rename(*, tenant: Tenant, name: str, action: str = "tenant.renamed") -> None:
    """A verb as they all are: the change and its record, in one transaction."""
    tenant.name = name
    tenant.save()
    log.append(actor=None, actor_name="a test", action=action, subject=f"tenant:{tenant.pk}", tenant_id=tenant.pk)


@pytest.mark.django_db
class TestWhatIsRecorded:
    def test_an_event_says_who_did_what_to_which_subject_and_when(self):
        user, tenant = UserFactory(name="Ana"), TenantFactory()
        with transaction.atomic():
            log.append(
                actor=user,
                action="case.decided",
                subject="case:12",
                tenant_id=tenant.pk,
                queue_id=7,
                detail={"verdict": "accept", "categories": ["tone"]},
            )
        event = AuditEvent.objects.get()
        assert (event.actor, event.action, event.subject) == (user, "case.decided", "case:12")
        assert (event.tenant_id, event.queue_id) == (tenant.pk, 7)
        assert event.detail == {"verdict": "accept", "categories": ["tone"]}
        assert event.at is not None

    def test_a_person_is_stored_by_reference_alone_so_that_they_can_be_erased(self):
        with transaction.atomic():
            log.append(actor=UserFactory(name="Ana Lima"), action="case.seen", subject="case:1", tenant_id=None)
        with connection.cursor() as cursor:
            cursor.execute("select e::text from audit_event e")
            assert "Ana" not in cursor.fetchone()[0]

    def test_many_events_take_one_statement_and_keep_their_order(self, django_assert_num_queries):
        entries = [log.Entry("case.received", f"case:{number}") for number in range(500)]
        with transaction.atomic(), django_assert_num_queries(1):
            log.append_all(entries)
        assert list(AuditEvent.objects.order_by("id").values_list("subject", flat=True)) == [e.subject for e in entries]

    def test_nothing_to_record_is_no_statement(self, django_assert_num_queries):
        with transaction.atomic(), django_assert_num_queries(0):
            log.append_all([])

    def test_text_that_the_database_cannot_store_is_marked_and_does_not_stop_the_record(self):
        with transaction.atomic():
            log.append(
                actor=None,
                actor_name="to\0ken \ud800",
                action="token.used",
                subject="token:1",
                tenant_id=None,
                detail={"sm\0ile": ["😀", "\udfff", {"n": 1.5}]},
            )
        event = AuditEvent.objects.get()
        assert event.actor_name == "to�ken �"
        assert event.detail == {"sm�ile": ["😀", "�", {"n": 1.5}]}

    def test_what_only_looks_like_an_escape_stays_as_it_is(self):
        with transaction.atomic():
            log.append(actor=None, action="a.b", subject="", tenant_id=None, detail={"path": r"C:\ud\u0000"})
        assert AuditEvent.objects.get().detail == {"path": r"C:\ud\u0000"}


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
class TestInTheTransactionOfWhatItRecords:
    def test_without_a_transaction_it_refuses(self):
        with pytest.raises(TransactionManagementError, match=r"transaction\.atomic"):
            log.append(actor=None, action="case.seen", subject="case:1", tenant_id=None)
        assert not AuditEvent.objects.exists()

    def test_both_are_kept(self):
        tenant = TenantFactory(name="Before")
        rename(tenant=tenant, name="After")
        assert Tenant.objects.get(pk=tenant.pk).name == "After"
        assert AuditEvent.objects.get().action == "tenant.renamed"

    def test_if_the_record_fails_the_change_is_undone(self):
        tenant = TenantFactory(name="Before")
        with pytest.raises(DatabaseError, match="audit_action_is_named"):
            rename(tenant=tenant, name="After", action="not a name")
        assert Tenant.objects.get(pk=tenant.pk).name == "Before"
        assert not AuditEvent.objects.exists()

    def test_if_the_app_may_no_longer_append_nothing_is_changed_either(self):
        tenant = TenantFactory(name="Before")
        with connections["owner"].cursor() as owner:
            owner.execute("revoke execute on function audit_append(jsonb) from hitl_app")
            try:
                with pytest.raises(DatabaseError, match="permission denied"):
                    rename(tenant=tenant, name="After")
            finally:
                owner.execute("grant execute on function audit_append(jsonb) to hitl_app")
        assert Tenant.objects.get(pk=tenant.pk).name == "Before"

    def test_a_change_that_is_undone_leaves_no_record(self):
        tenant = TenantFactory(name="Before")
        with transaction.atomic():
            rename(tenant=tenant, name="After")
            transaction.set_rollback(True)
        assert not AuditEvent.objects.exists()

    def test_those_who_append_do_not_wait_for_each_other(self):
        appended, done = threading.Event(), threading.Event()

        def holds_its_transaction_open():
            with transaction.atomic():
                log.append(actor=None, action="case.seen", subject="case:1", tenant_id=None)
                appended.set()
                done.wait(20)
            connection.close()

        other = threading.Thread(target=holds_its_transaction_open)
        other.start()
        assert appended.wait(20)
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("set local lock_timeout = '2s'")
                log.append(actor=None, action="case.seen", subject="case:2", tenant_id=None)
            assert AuditEvent.objects.get().subject == "case:2"
        finally:
            done.set()
            other.join()
