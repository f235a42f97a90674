"""Guarantee 3: the same case sent twice is stored once; the same id with other content is refused, and says so."""

import json
import threading
from collections import Counter

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from hitl.access import tokens
from queues import terms
from queues.intake import checking, receive, storing
from queues.models import Case, Receipt, Slot
from tests.factories.hitl import TenantFactory
from tests.factories.intake import sent
from tests.factories.queues import RoutingRuleFactory

EVERYTHING = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


@pytest.mark.django_db
class TestOneAfterTheOther:
    @pytest.fixture
    def send(self):
        _, secret = tokens.issue(tenant=TenantFactory(), name="prod", scopes=["ingest"])

        def sent_once(rows):
            client = Client(headers={"Authorization": f"Bearer {secret}"})
            return client.post("/api/v1/cases", json.dumps(rows), content_type="application/json").json()

        return sent_once

    def test_a_retry_after_a_lost_answer_changes_nothing(self, send):
        rows = [sent() for _ in range(20)]
        assert send(rows)["accepted"] == 20
        before = list(Case.objects.order_by("pk").values())
        assert send(rows) == {"accepted": 0, "duplicates": 20, "rejected": []}
        assert send(list(reversed(rows)))["duplicates"] == 20
        assert list(Case.objects.order_by("pk").values()) == before

    def test_other_content_under_a_known_id_is_refused_by_name_and_the_rest_is_taken(self, send):
        row = sent(case_id="c-1")
        send([row])
        answer = send([{**row, "model_draft": "Quite another answer."}, sent(case_id="c-2")])
        assert (answer["accepted"], answer["duplicates"]) == (1, 0)
        assert answer["rejected"][0]["case_id"] == "c-1"
        assert answer["rejected"][0]["error"].startswith("conflict: ")
        assert Case.objects.get(external_id="c-1").draft == row["model_draft"]

    def test_what_is_scrubbed_is_still_told_apart(self, send):
        # Both become the same words once addresses are gone; what counts is what was sent.
        row = sent(case_id="c-1", user_question="Phone +49 30 901820, please.")
        send([row])
        assert send([row])["duplicates"] == 1
        assert send([{**row, "user_question": "Phone +49 30 901821, please."}])["rejected"]


@EVERYTHING
def test_two_that_send_the_same_rows_at_the_same_moment_store_them_once():
    """In opposite orders, with shared and own rows, so that neither may ever wait for the other for ever."""
    tenant = TenantFactory()
    RoutingRuleFactory()
    shared = [sent(case_id=f"shared-{n:03}") for n in range(300)]
    theirs = [{**row, "model_draft": "Other."} for row in shared[:50]]
    results, failures = [], []
    start = threading.Barrier(4)

    def send(rows):
        try:
            start.wait()
            for at in range(0, len(rows), 60):
                results.append(receive.cases(rows[at : at + 60], tenant=tenant, now=timezone.now(), source="test"))
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    orders = [shared, list(reversed(shared)), shared[150:] + shared[:150], theirs + shared[50:]]
    threads = [threading.Thread(target=send, args=(rows,)) for rows in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert sum(one.accepted for one in results) == 300
    assert sum(one.rows for one in results) == 1200
    assert Case.objects.count() == Receipt.objects.count() == Slot.objects.count() == 300
    drafts = Counter(Case.objects.values_list("draft", flat=True))
    conflicts = sum(len(one.rejected) for one in results)
    # Whoever was first with an id has its content; everybody else with other content was told.
    assert conflicts == drafts["Other."] * 3 + (50 - drafts["Other."])


@EVERYTHING
def test_opposite_orders_never_wait_for_each_other_for_ever():
    """Both are at the receipts at the same moment: made in their own orders, each would hold what the other needs."""
    tenant = TenantFactory(scrubs=False)
    standing = terms.of(tenant)
    failures = []

    def store(batch, start):
        try:
            start.wait()
            with transaction.atomic():
                storing.store(batch, tenant=tenant, terms=standing, now=timezone.now())
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    for attempt in range(4):
        rows = [sent(case_id=f"{attempt}-{n:04}") for n in range(2000)]
        (part,) = checking.parts(rows, tenant)
        start = threading.Barrier(2)
        batches = [part.ready, list(reversed(part.ready))]
        threads = [threading.Thread(target=store, args=(batch, start)) for batch in batches]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
    assert Case.objects.count() == 8000
