"""Guarantee 3: the same case, trace or signal sent twice is stored once; the same id with other content is refused, and
says so.
"""

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
from queues.intake.signals import signals
from queues.intake.traces import traces
from queues.models import Case, Receipt, Signal, Slot, Trace
from queues.traces import waiting
from tests.factories.hitl import TenantFactory
from tests.factories.intake import sent
from tests.factories.queues import RoutingRuleFactory
from tests.factories.traffic import signalled, traced

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


@pytest.mark.django_db
class TestTracesAndSignals:
    """The same, at their doors; a signal changes its trace's sums once."""

    @pytest.fixture
    def send(self):
        _, secret = tokens.issue(tenant=TenantFactory(), name="prod", scopes=["ingest"])

        def sent_once(noun, rows):
            client = Client(headers={"Authorization": f"Bearer {secret}"})
            return client.post(f"/api/v1/{noun}", json.dumps(rows), content_type="application/json").json()

        return sent_once

    def test_a_retry_after_a_lost_answer_changes_nothing(self, send):
        at = timezone.now().isoformat()
        kinds = ("implicit_copy", "implicit_regenerate", "user_rating")
        rows = {
            "traces": [traced(trace_id=f"t-{n}", at=at) for n in range(20)],
            "signals": [signalled(type=kinds[n % 3], trace_id=f"t-{n % 7}", user_key=f"u-{n}") for n in range(20)],
        }
        for noun in ("signals", "traces"):
            assert send(noun, rows[noun])["accepted"] == 20
        before = [list(model.objects.order_by("pk").values()) for model in (Trace, Signal)]
        for noun in ("signals", "traces"):
            assert send(noun, rows[noun]) == {"accepted": 0, "duplicates": 20, "rejected": []}
            assert send(noun, list(reversed(rows[noun])))["duplicates"] == 20
        assert [list(model.objects.order_by("pk").values()) for model in (Trace, Signal)] == before
        assert sum(Trace.objects.values_list("signals", flat=True)) == 20

    def test_other_content_under_a_known_id_is_refused_by_name_and_the_rest_is_taken(self, send):
        trace = traced(trace_id="t-1", at=timezone.now().isoformat())
        signal = signalled(signal_id="s-1")
        send("traces", [trace])
        send("signals", [signal])
        for noun, name, rows in (
            ("traces", "trace_id", [trace | {"output": "Other."}, trace | {"trace_id": "t-2"}]),
            ("signals", "signal_id", [signal | {"thumbs": "up"}, signal | {"signal_id": "s-2"}]),
        ):
            answer = send(noun, rows)
            assert (answer["accepted"], answer["duplicates"]) == (1, 0)
            assert answer["rejected"][0][name] == rows[1][name].replace("2", "1")
            assert answer["rejected"][0]["error"].startswith("conflict: ")
        assert Trace.objects.get(external_id="t-1").output == trace["output"]
        assert Signal.objects.get(external_id="s-1").value == 1

    def test_what_is_scrubbed_is_still_told_apart(self, send):
        row = signalled(type="implicit_followup", signal_id="s-1", text="Phone +49 30 901820, please.")
        send("signals", [row])
        assert send("signals", [row])["duplicates"] == 1
        assert send("signals", [row | {"text": "Phone +49 30 901821, please."}])["rejected"]


@EVERYTHING
@pytest.mark.parametrize("scrubs", [True, False])
def test_traces_and_their_signals_from_four_senders_at_once_are_stored_once_and_counted_once(scrubs):
    """Each sends all of them, in an order of its own: traces before their signals, after them, and in between."""
    tenant = TenantFactory(scrubs=scrubs)
    now = timezone.now()
    shared = [traced(trace_id=f"t-{n:03}", at=now.isoformat()) for n in range(120)]
    given = [
        signalled(type=("implicit_copy", "user_edit")[n % 2], signal_id=f"s-{n:03}", trace_id=f"t-{n % 120:03}")
        | ({"edited_output": f"Edited {n}."} if n % 2 else {})
        for n in range(360)
    ]
    other = [row | {"output": "Other."} for row in shared[:20]]
    failures, answers = [], Counter()
    start = threading.Barrier(4)

    def send(calls):
        try:
            start.wait()
            for door, rows in calls:
                received = door(rows, tenant=tenant, now=timezone.now(), source="test")
                answers[door.__name__, "accepted"] += received.accepted
                answers[door.__name__, "rows"] += received.rows
                answers[door.__name__, "rejected"] += len(received.rejected)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    def lots(door, rows, size):
        return [(door, rows[at : at + size]) for at in range(0, len(rows), size)]

    orders = [
        [*lots(traces, shared, 30), *lots(signals, given, 60)],
        [*lots(signals, given[::-1], 60), *lots(traces, shared[::-1], 30)],
        [call for pair in zip(lots(signals, given, 90), lots(traces, shared, 30), strict=True) for call in pair],
        [*lots(signals, given[180:] + given[:180], 50), *lots(traces, other + shared[20:], 50)],
    ]
    threads = [threading.Thread(target=send, args=(calls,)) for calls in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert (answers["traces", "accepted"], answers["signals", "accepted"]) == (120, 360)
    assert (answers["traces", "rows"], answers["signals", "rows"]) == (480, 1440)
    assert Trace.objects.count() == Receipt.objects.filter(kind="trace").count() == 120
    assert Signal.objects.count() == Receipt.objects.filter(kind="signal").count() == 360
    outputs = Counter(Trace.objects.values_list("output", flat=True))
    assert answers["traces", "rejected"] == outputs["Other."] * 3 + (20 - outputs["Other."])
    assert answers["signals", "rejected"] == 0
    # What came at the very moment that its trace did is joined by the tick.
    waiting.join_just_now(timezone.now())
    assert not Signal.objects.filter(trace_id=None).exists()
    assert not Signal.objects.filter(type="user_edit", difference=None).exists()
    assert set(Trace.objects.values_list("signals", flat=True)) == {3}


@EVERYTHING
def test_signals_on_the_same_traces_in_opposite_orders_never_wait_for_each_other_for_ever():
    tenant = TenantFactory(scrubs=False)
    now = timezone.now()
    traces([traced(trace_id=f"t-{n}", at=now.isoformat()) for n in range(1500)], tenant=tenant, now=now, source="test")
    failures = []

    def send(rows, start):
        try:
            start.wait()
            signals(rows, tenant=tenant, now=now, source="test")
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    for attempt in range(4):
        start = threading.Barrier(2)
        orders = [range(1500), reversed(range(1500))]
        batches = [
            [signalled(signal_id=f"{attempt}-{sender}-{n}", trace_id=f"t-{n}") for n in order]
            for sender, order in enumerate(orders)
        ]
        threads = [threading.Thread(target=send, args=(batch, start)) for batch in batches]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
    assert set(Trace.objects.values_list("signals", flat=True)) == {8}


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
