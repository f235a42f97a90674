"""The demo's help desk: another company's page, on an address of its own, whose feedback comes in here."""

import json
import random
import socket
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from django.utils import timezone

from hitl.management.demo.help_desk import opening
from hitl.management.demo.help_desk.answers import UNKNOWN, Desk
from hitl.management.demo.help_desk.server import HelpDesk
from hitl.management.starting import Refused
from hitl.models import ApiToken
from hitl.node import Beside, Plan, parts_of
from queues.models import IntakeSettings, Trace
from tests.factories.hitl import TenantFactory
from tests.factories.traces import with_partition


@pytest.fixture
def open_desk(db, tmp_path):
    """Opens it beside a hitl at this address; returns what was written down for its process."""
    TenantFactory(slug="northlight", name="Northlight Energy")

    def opened(hitl="http://127.0.0.1:8000"):
        beside, news = opening.open_desk(folder=tmp_path, host="127.0.0.1", port=8000, hitl=hitl)
        return json.loads(Path(beside.command[-1]).read_text()) | {"news": news, "file": Path(beside.command[-1])}

    return opened


class TestOpening:
    def test_answers_stand_there_whose_traces_are_here(self, open_desk):
        told = open_desk()
        assert {one["trace"] for one in told["before"]} == set(Trace.objects.values_list("external_id", flat=True))
        assert dict(Trace.objects.values_list("input", "output")) == {
            one["question"]: one["answer"] for one in told["before"]
        }

    def test_its_origin_may_send_feedback_and_its_address_is_printed(self, open_desk):
        told = open_desk()
        assert IntakeSettings.objects.get().origins == [told["origin"]]
        assert told["origin"] in told["news"]

    def test_it_is_opened_again_with_what_it_had(self, open_desk):
        IntakeSettings.objects.create(tenant=TenantFactory(slug="northlight"), origins=["https://shop.example"])
        first, second = open_desk(), open_desk("http://hitl.example:8000")
        assert first["page_token"] == second["page_token"]
        assert first["before"] == second["before"]
        assert IntakeSettings.objects.get().origins == ["https://shop.example", second["origin"]]
        assert second["origin"].startswith("http://hitl.example:")
        assert ApiToken.objects.count() == 2

    def test_a_token_that_was_revoked_is_replaced(self, open_desk):
        first = open_desk()
        ApiToken.objects.filter(scopes=["feedback"]).update(revoked_at=timezone.now())
        assert open_desk()["page_token"] != first["page_token"]

    def test_nobody_else_on_the_machine_reads_its_tokens(self, open_desk):
        assert open_desk()["file"].stat().st_mode & 0o777 == 0o600

    def test_it_takes_the_next_free_port(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            assert opening.free_port("127.0.0.1", port) > port

    def test_it_says_when_there_is_none(self):
        with pytest.raises(Refused, match="--port"):
            opening.free_port("127.0.0.1", 65_536)


def test_it_runs_beside_hitl_and_is_the_first_to_stop():
    plan = Plan(
        parts=["web", "worker", "tick"], bind="127.0.0.1:1", local="", address="http://127.0.0.1:1", database={},
        embedded=None, longest_task=1, news=[], beside=[Beside("help desk", ["true"])],
    )  # fmt: skip
    assert [part.name for part in parts_of(plan, Silent(), Silent())] == ["help desk", "web server", "worker", "tick"]


class Silent:
    silence = worker = tick = None


class TestItsAnswers:
    def test_are_the_storys_found_by_their_words(self):
        desk = Desk(random.Random(1))
        assert desk.reply("Does my contract end when I move out?")["topic"] == "moving"
        assert desk.reply("xyz")["output"] == UNKNOWN

    def test_are_other_ones_when_asked_again(self):
        desk = Desk(random.Random(1))
        first = desk.reply("my meter reading")["output"]
        assert desk.reply("my meter reading", before=first)["output"] != first


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
class TestItsServer:
    @pytest.fixture
    def desk(self, live_server, open_desk):
        with_partition(timezone.now())
        server = HelpDesk(open_desk(live_server.url))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
        server.server_close()

    def ask(self, desk, origin=None, body=b'{"question": "When does my meter reading count?"}'):
        request = urllib.request.Request(
            f"http://127.0.0.1:{desk.told['port']}/ask", body, {"Origin": origin or desk.told["origin"]}
        )
        return json.load(urllib.request.urlopen(request))

    def test_an_answer_has_its_trace_in_hitl(self, desk):
        answer = self.ask(desk)
        trace = Trace.objects.get(external_id=answer["trace"])
        assert (trace.output, trace.topic) == (answer["answer"], "meter reading")

    def test_the_page_shows_the_token_for_feedback_and_no_other(self, desk):
        page = urllib.request.urlopen(f"http://127.0.0.1:{desk.told['port']}/").read().decode()
        assert desk.told["page_token"] in page
        assert desk.told["own_token"] not in page
        assert "{{" not in page

    def test_only_its_own_page_asks_it(self, desk):
        for change in ({"origin": "https://evil.example"}, {"body": b"["}, {"body": b"{}"}):
            with pytest.raises(urllib.error.HTTPError) as refused:
                self.ask(desk, **change)
            assert refused.value.code in (400, 403)

    def test_it_answers_without_hitl_too(self, desk):
        desk.told["hitl"] = "http://127.0.0.1:9"
        assert self.ask(desk)["answer"]
