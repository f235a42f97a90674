import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from hitl.access import tokens
from hitl.audit.models import AuditEvent
from hitl.database.uuid7 import moment
from queues.intake import received as received_rows
from queues.intake import trace_storing, traces
from queues.intake.body import BodyRefused
from queues.intake.rows import Unreadable
from queues.models import IntakeSettings, Receipt, Trace
from tests.factories.hitl import TenantFactory
from tests.factories.queues import RoutingRuleFactory
from tests.factories.traffic import traced

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme")


def take(tenant, *rows, now=NOW):
    return traces.traces(iter(rows), tenant=tenant, now=now, source="api token test")


def counts(received):
    return received.accepted, received.duplicates, [one.error for one in received.rejected]


def test_every_column_of_a_trace_is_written():
    assert set(trace_storing.COLUMNS) == {field.column for field in Trace._meta.concrete_fields}


@pytest.mark.parametrize("scrubs", [True, False])
def test_a_trace_is_kept_with_all_it_came_with(tenant, scrubs):
    tenant.scrubs = scrubs
    row = traced(trace_id="t-1")
    assert counts(take(tenant, row)) == (1, 0, [])
    kept = Trace.objects.get()
    assert (kept.external_id, kept.source, kept.tenant) == ("t-1", "api", tenant)
    assert (kept.at, kept.received_at) == (NOW - timedelta(hours=1), NOW)
    assert moment(kept.id) == kept.at
    assert (kept.input, kept.output) == (row["input"], row["output"])
    assert (kept.conversation, kept.documents, kept.tools) == (row["conversation"], row["documents"], row["tool_calls"])
    assert (kept.scores, kept.metadata) == (row["scores"], row["metadata"])
    assert (kept.model, kept.prompt_version, kept.release) == ("chat-large", "support-7", "2026.11.2")
    assert (kept.user_key, kept.session, kept.topic, kept.domain) == ("u-1", "s-1", "refund", "billing")
    assert (kept.language, kept.latency_ms) == ("en", 1840)
    assert (kept.signals, kept.weight, kept.is_negative, kept.is_edited) == (0, 0, False, False)
    assert Receipt.objects.get(kind="trace").object_uuid == kept.id
    event = AuditEvent.objects.get(action="traces.received")
    assert event.detail == {"accepted": 1, "duplicates": 0, "rejected": 0, "source": "api token test"}


def test_little_is_enough(tenant):
    row = {"trace_id": "t-1", "at": "2026-11-20T08:00:00Z", "input": "", "output": ""}
    assert counts(take(tenant, row)) == (1, 0, [])
    kept = Trace.objects.get()
    assert (kept.conversation, kept.scores, kept.language, kept.latency_ms) == ([], {}, "", None)


def test_the_same_again_is_a_duplicate_and_something_else_a_conflict(tenant):
    row = traced(trace_id="t-1")
    take(tenant, row)
    assert counts(take(tenant, dict(reversed(row.items())))) == (0, 1, [])
    _, _, (error,) = counts(take(tenant, row | {"output": "Something else."}))
    assert error == (
        "conflict: the one taken in at 2026-11-20 09:00:00 UTC has this trace_id with other content. Nothing was "
        "changed; use a new trace_id."
    )
    assert Trace.objects.get().output == row["output"]


def test_within_one_request_too(tenant):
    row = traced(trace_id="t-1")
    accepted, duplicates, (error,) = counts(take(tenant, row, row, row | {"output": "x"}))
    assert (accepted, duplicates) == (1, 1)
    assert error.startswith("conflict: row 0 of the same request has this trace_id with other content.")


def test_another_tenant_may_use_the_same_name(tenant):
    assert take(tenant, traced(trace_id="t-1")).accepted == 1
    assert take(TenantFactory(), traced(trace_id="t-1")).accepted == 1


@pytest.mark.parametrize(
    ("row", "error"),
    [
        (traced(trace_id=None), "trace_id: is missing."),
        (traced(trace_id=""), "trace_id: is empty."),
        (traced(trace_id=" t"), "trace_id: holds a character that cannot be seen, or begins or ends with a space."),
        (traced(at=None), "at: is missing."),
        (traced(at="yesterday"), "at: is not a time; write it like 2026-05-09T18:00:00Z."),
        (traced(at="2026-11-20T08:00:00"), "at: has no time zone; end it with Z or an offset such as +02:00."),
        (traced(at="2026-11-20T09:06:00Z"), "at: lies in the future. Check the clock of the machine that sent it."),
        (traced(at="2026-08-01T00:00:00Z"), "at: lies more than 90 days back, which is how long it would be kept "
         "here."),
        (traced(output=None), "output: is missing."),
        (traced(input=7), "input: must be text, not a number."),
        (traced(scores={"a": "high"}), "scores.a: must be a number, not text."),
        (traced(scores={"a": float("nan")}), "scores.a: must be an ordinary number."),
        (traced(latency_ms=-1), "latency_ms: must be at least 0."),
        (traced(latency_ms=2**31), "latency_ms: must be at most 2.14748e+09."),
        (traced(documents=[{"quote": "x"}]), "documents[0].document_id: is missing."),
        (traced(language="klingonese"), "language: “klingonese” is not a language tag; send one such as en or de-AT."),
        (traced(sesion_id="s"), "sesion_id: is not a field here; did you mean session_id?"),
        (traced(colour="red"), "colour: is not a field here; put fields of your own into metadata."),
        (traced(input="a\x00b"), "input: holds a NUL character, which cannot be stored; leave it out."),
        (traced(metadata={"a": "\x00"}), "metadata.a: holds a NUL character, which cannot be stored; leave it out."),
        (traced(output="\ud800"), "output: holds half a character (a lone surrogate); send whole ones."),
        (traced(trace_id="anna@example.org"), "trace_id: holds an e-mail address. It is kept as it comes, so send an "
         "id without personal data."),
        ([], "The trace must be an object, not a list."),
        (Unreadable("Line 3 is not JSON."), "Line 3 is not JSON."),
    ],
)  # fmt: skip
def test_a_row_that_is_not_taken_says_why_and_the_next_is_taken(tenant, row, error):
    received = take(tenant, row, traced())
    assert [(one.index, one.error) for one in received.rejected] == [(0, error)]
    assert received.accepted == Trace.objects.count() == 1


def test_a_row_that_is_not_taken_is_called_by_its_name(tenant):
    received = take(tenant, traced(trace_id="t-1", at=None), traced(trace_id=7))
    assert [one.name for one in received.rejected] == ["t-1", None]


class TestHowOld:
    def test_a_tenant_says_how_long_traces_are_kept(self, tenant):
        IntakeSettings.objects.create(tenant=tenant, trace_days=7)
        received = take(tenant, traced(at="2026-11-12T09:00:00Z"), traced(at="2026-11-14T09:00:00Z"))
        assert counts(received) == (
            1, 0, ["at: lies more than 7 days back, which is how long it would be kept here."]
        )  # fmt: skip

    def test_a_week_that_nothing_came_of_yet_is_made_room_for(self, tenant):
        rows = [traced(at=f"2026-{month}-15T00:00:00Z") for month in ("09", "10", "11")]
        assert take(tenant, *rows).accepted == 3

    def test_a_clock_that_is_some_minutes_ahead_is_fine(self, tenant):
        assert take(tenant, traced(at="2026-11-20T09:04:00Z")).accepted == 1


class TestLanguage:
    @pytest.mark.parametrize(("said", "kept"), [("de_at", "de-AT"), ("EN", "en")])
    def test_is_tidied(self, tenant, said, kept):
        take(tenant, traced(language=said))
        assert Trace.objects.get().language == kept

    def test_is_detected_where_it_is_not_sent(self, tenant):
        RoutingRuleFactory(languages=["de"])
        take(tenant, traced(language=None, input="Ich wurde im Oktober zweimal belastet, wann bekomme ich mein Geld?"))
        assert Trace.objects.get().language == "de"


class TestPersonalData:
    HOSTILE = "Write to anna.muster@example.org"

    def test_is_in_no_column(self, tenant):
        address = "anna.muster@example.org"
        row = traced(
            input=self.HOSTILE, output=self.HOSTILE, conversation=[{"role": "user", "content": self.HOSTILE}],
            documents=[{"document_id": f"mail/{address}", "quote": self.HOSTILE, "title": self.HOSTILE}],
            tool_calls=[{"to": address, address: 1}], scores={f"by {address}": 1}, user_key=address,
            session_id=f"session {address}", topic=address, domain=address, model=address, prompt_version=address,
            release=address, metadata={"who": address},
        )  # fmt: skip
        assert counts(take(tenant, row)) == (1, 0, [])
        (kept,) = Trace.objects.values_list(*trace_storing.COLUMNS)
        assert address not in str(kept)
        assert str(kept).count("[EMAIL_") >= 14

    def test_the_same_person_is_the_same_user_everywhere(self, tenant):
        take(tenant, traced(user_key="anna@example.org"), traced(user_key="anna@example.org", topic="anna@example.org"))
        one, other = Trace.objects.all()
        assert one.user_key == other.user_key != "anna@example.org"

    def test_a_tenant_may_do_without_scrubbing(self, tenant):
        tenant.scrubs = False
        take(tenant, traced(trace_id="anna@example.org", input=self.HOSTILE))
        assert Trace.objects.get().input == self.HOSTILE


class TestMany:
    def test_come_in_parts_each_with_its_record(self, tenant, monkeypatch):
        monkeypatch.setattr(received_rows, "PART_ROWS", 3)
        row = traced()
        received = take(tenant, row, *(traced() for _ in range(5)), row, traced(at=None))
        assert counts(received) == (6, 1, ["at: is missing."])
        assert AuditEvent.objects.filter(action="traces.received").count() == 3

    def test_a_stream_that_breaks_off_keeps_what_came_and_says_so(self, tenant):
        def breaking():
            yield traced()
            raise BodyRefused(400, "The connection broke before the body had ended.")

        received = traces.traces(breaking(), tenant=tenant, now=NOW, source="api")
        assert received.accepted == Trace.objects.count() == 1
        assert received.cut_off.sentence == "The connection broke before the body had ended."

    @pytest.mark.parametrize("scrubs", [True, False])
    def test_a_hundred_cost_as_many_statements_as_one(self, tenant, scrubs, django_assert_num_queries):
        tenant.scrubs = scrubs
        take(tenant, traced())
        for many in (1, 100):
            with django_assert_num_queries(10 + scrubs):
                take(tenant, *(traced() for _ in range(many)))


class TestTheDoor:
    @pytest.fixture
    def post(self, tenant):
        _, secret = tokens.issue(tenant=tenant, name="App", scopes=["ingest"])

        def posted(body, content_type="application/json", **headers):
            return Client().post(
                "/api/v1/traces",
                body,
                content_type=content_type,
                headers={"Authorization": f"Bearer {secret}", **headers},
            )

        return posted

    def row(self, **fields):
        return json.dumps(traced(at=datetime.now(UTC).isoformat(), **fields))

    def test_it_takes_one_an_array_and_lines(self, post):
        rows = [self.row(trace_id=f"t-{n}") for n in range(4)]
        assert post(rows[0]).json() == {"accepted": 1, "duplicates": 0, "rejected": []}
        assert post(f"[{rows[0]},{rows[1]}]").json() == {"accepted": 1, "duplicates": 1, "rejected": []}
        answer = post(
            "\n".join([*rows[2:], "nonsense", self.row(trace_id="t", latency_ms="x")]), "application/x-ndjson"
        ).json()
        assert answer["accepted"] == 2
        assert [(one["index"], one["trace_id"]) for one in answer["rejected"]] == [(2, None), (3, "t")]

    def test_packed_too(self, post):
        packed = gzip.compress("\n".join(self.row() for _ in range(3)).encode())
        answer = post(packed, "application/x-ndjson", **{"Content-Encoding": "gzip"})
        assert answer.json()["accepted"] == 3

    def test_a_trace_of_twenty_megabytes_is_refused_and_the_rest_goes_on(self, post):
        large = self.row(trace_id="large", output="x" * 20_000_000)
        answer = post("\n".join([self.row(), large, self.row()]), "application/x-ndjson").json()
        assert answer["accepted"] == 2
        assert answer["rejected"] == [
            {"index": 1, "trace_id": None, "error": "Line 2 is longer than 6,000,000 bytes."}
        ]  # fmt: skip
        answer = post(f"[{self.row()},{large}]").json()
        assert answer["accepted"] == 1
        (refused,) = answer["rejected"]
        assert refused == {"index": 1, "trace_id": "large", "error": "output: is longer than 1,000,000 characters."}

    def test_a_trace_that_is_too_large_in_all_says_how_large(self, post):
        answer = post(self.row(output="x" * 600_000, input="y" * 600_000)).json()
        assert answer["rejected"][0]["error"].startswith("The trace has 1,200,")

    def test_what_swells_when_it_is_unpacked_is_stopped(self, post, settings):
        settings.INTAKE_MAX_BYTES = 1024 * 1024
        bomb = gzip.compress(b" " * 50_000_000)
        answer = post(bomb, "application/x-ndjson", **{"Content-Encoding": "gzip"})
        assert answer.status_code == 413
        assert answer.json() == {"error": "The body is larger than 1 MB. Send it in parts."}

    def test_a_body_that_cannot_be_read_is_refused_whole(self, post):
        assert post("{").status_code == 400
        assert post("x", "text/plain").status_code == 415
        assert not Trace.objects.exists()

    def test_what_it_takes_is_published(self):
        document = Client().get("/api/v1/openapi.json").json()
        fields = document["components"]["schemas"]["RecordedTrace"]
        assert fields["required"] == ["trace_id", "at", "input", "output"]
        assert set(fields["properties"]) >= {"documents", "tool_calls", "scores", "user_key", "session_id"}
        assert "/api/v1/traces" in document["paths"]
