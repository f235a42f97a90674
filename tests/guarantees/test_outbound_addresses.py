"""hitl never calls an address that it must not: 0 connections, counted at the sockets of this process.

An address is checked when it is saved, when it is connected to, and an answer that leads elsewhere is not followed.
"""

import socket
import sys
import threading

import pytest
from django.utils import timezone

from hitl.models import Message
from hitl.outbox import addresses, endpoints, messages
from hitl.outbox.delivery import deliver_due
from tests.factories.hitl import TenantFactory
from tests.factories.receiver import receiving

# Where attackers point: this machine and its neighbours, cloud metadata, in every dress that some reader accepts.
FORBIDDEN = [
    "127.0.0.1", "127.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001",
    "127.0.0.1.", "0", "0.0.0.0", "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]",
    "[2001:0:7f00:1::]", "localhost", "LOCALHOST.", "printer.localhost", "①②⑦.⓪.⓪.①", "127。0。0。1", "127．0．0．1",
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "[fc00::1]", "[fd12:3456::1]", "100.64.0.1",
    "169.254.169.254", "2852039166", "0xA9FEA9FE", "[::ffff:169.254.169.254]", "[fe80::1]", "[fe80::1%25eth0]",
    "[fd00:ec2::254]", "100.100.100.200", "168.63.129.16", "192.0.0.192", "169.254.170.2",
    "224.0.0.1", "239.255.255.250", "[ff02::1]", "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1",
    "203.0.113.9", "[2001:db8::1]", "192.88.99.1", "[fec0::1]", "[64:ff9b:1::1]", "[100::1]", "[3fff::1]",
]  # fmt: skip

# Still closed where private networks are open: nobody's receiver lives there.
NEVER = [
    "169.254.169.254", "2852039166", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]",
    "[fd00:ec2::254]", "100.100.100.200", "168.63.129.16", "[fe80::1]", "0.0.0.0", "[::]", "224.0.0.1", "[ff02::1]",
    "255.255.255.255", "127.1", "0x7f.0.0.1",
]  # fmt: skip

MALFORMED = [
    "ftp://example.com/", "file:///etc/passwd", "gopher://example.com:70/", "javascript:alert(1)", "//example.com/",
    "example.com/hook", "http://", "http:///path", "http://ada:secret@example.com/", "http://example.com@127.0.0.1/",
    "http://127.0.0.1\\@example.com/", "http://example.com:22/", "http://example.com:25/", "http://example.com:99999/",
    "http://exa mple.com/", "http://example.com/\r\nHost: localhost", "http://exam\u200bple.com/", "http://[::1/",
    "http://" + "a" * 64 + ".com/", "http://example.com/" + "a" * 600, "http://-example.com/", "http://a..b/", "",
]  # fmt: skip


class Watch:
    """Every connection that this process tries to make over the internet's protocols."""

    def __init__(self) -> None:
        self.tried, self.on = [], False
        sys.addaudithook(self.hook)

    def hook(self, event, args):
        if self.on and event == "socket.connect" and args[0].family in (socket.AF_INET, socket.AF_INET6):
            self.tried.append(args[1])


WATCH = Watch()


@pytest.fixture
def connections():
    WATCH.tried, WATCH.on = [], True
    yield WATCH.tried
    WATCH.on = False


@pytest.fixture
def names(monkeypatch):
    """What the world's name servers say, one answer after the other; the last one stays."""
    book, real, asked = {}, socket.getaddrinfo, []

    def look_up(host, port, *args, **kwargs):
        name = host.decode() if isinstance(host, bytes) else host
        if name not in book:
            return real(host, port, *args, **kwargs)
        asked.append(name)
        numbers = book[name].pop(0) if len(book[name]) > 1 else book[name][0]
        return [entry for number in numbers for entry in real(number, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    book["asked"] = asked
    return book


def send(url):
    """A message that got past all checks at saving, straight into the outbox; then the delivery."""
    (message,) = messages.post(
        tenant_id=TenantFactory().pk, topic="case.decided", key="case:1", payload={}, not_before=timezone.now(),
        extra_urls=[url],
    )  # fmt: skip
    deliver_due(timezone.now())
    return Message.objects.get(pk=message.pk)


@pytest.mark.parametrize("host", FORBIDDEN)
@pytest.mark.django_db
def test_a_forbidden_host_is_refused_when_it_is_saved_and_when_it_is_called(host, connections):
    for url in (f"http://{host}/hook", f"https://{host}:8443/hook"):
        with pytest.raises(addresses.Refused) as refused:
            endpoints.create(tenant=TenantFactory(), url=url, topics=[], by=None)
        assert str(refused.value).endswith(".")
        message = send(url)
        assert message.state == "failing"
        assert message.last_error
    assert connections == []


@pytest.mark.parametrize("host", NEVER)
@pytest.mark.django_db
def test_metadata_stays_closed_where_private_networks_are_open(host, connections, settings):
    settings.OUTBOX_ALLOW_PRIVATE = True
    with pytest.raises(addresses.Refused):
        addresses.check(f"http://{host}/")
    assert send(f"http://{host}/").state == "failing"
    assert connections == []


@pytest.mark.parametrize("url", MALFORMED)
def test_what_is_no_web_address_is_refused_in_words(url, connections):
    with pytest.raises(addresses.Refused) as refused:
        addresses.parse(url)
    assert str(refused.value).endswith(".")
    assert connections == []


@pytest.mark.parametrize(
    "numbers",
    [["127.0.0.1"], ["::1"], ["10.0.0.5", "127.0.0.1"], ["169.254.169.254"], ["::ffff:10.0.0.1"], ["::"]],
)
@pytest.mark.django_db
def test_a_name_that_points_inside_is_not_called(names, numbers, connections):
    names["inside.example"] = [numbers]
    with pytest.raises(addresses.Refused):
        addresses.check("http://inside.example/")
    message = send("http://inside.example:8080/")
    assert "inside.example" in message.last_error
    assert connections == []


@pytest.mark.django_db
def test_a_name_that_changes_its_mind_after_it_was_saved_is_not_called(names, connections):
    """DNS rebinding between saving and calling."""
    with receiving() as victim:
        names["rebind.example"] = [["93.184.215.14"], ["127.0.0.1"]]
        addresses.check(victim.url(host="rebind.example"))
        assert send(victim.url(host="rebind.example")).state == "failing"
        assert victim.connections == 0
    assert connections == []


@pytest.mark.django_db
def test_a_name_that_changes_its_mind_between_check_and_call_changes_nothing(names, connections, settings):
    """DNS rebinding within one attempt: it is looked up once, and the number that was checked is called."""
    settings.OUTBOX_ALLOW_PRIVATE = True
    with receiving() as receiver:
        names["rebind.example"] = [["127.0.0.1"], ["169.254.169.254"]]
        assert send(receiver.url(host="rebind.example")).state == "sent"
        assert names["asked"] == ["rebind.example"]
        assert receiver.got[0].headers["host"] == f"rebind.example:{receiver.port}"
        assert connections == [("127.0.0.1", receiver.port)]


@pytest.mark.django_db
def test_of_many_numbers_only_the_permitted_are_called(names, connections, monkeypatch):
    names["mixed.example"] = [["10.0.0.1", "127.0.0.1", "198.51.100.7"]]
    assert send("http://mixed.example/").state == "failing"
    assert connections == []
    assert addresses.why_not(addresses._ip("93.184.215.14")) == ""
    names["mixed.example"] = [["10.0.0.1", "93.184.215.14", "::1"]]
    assert addresses.resolve(addresses.parse("http://mixed.example/")) == ["93.184.215.14"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.django_db
def test_a_redirect_leads_nowhere(status, connections, settings):
    settings.OUTBOX_ALLOW_PRIVATE = True
    with receiving() as victim, receiving() as receiver:
        receiver.answer = (status, {"Location": victim.url("/internal")}, b"")
        message = send(receiver.url())
        assert victim.connections == 0
        assert connections == [("127.0.0.1", receiver.port)]
    assert "not followed" in message.last_error


@pytest.mark.django_db
def test_no_proxy_of_the_environment_gets_between(connections, settings, monkeypatch):
    settings.OUTBOX_ALLOW_PRIVATE = True
    with receiving() as proxy, receiving() as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        assert send(receiver.url()).state == "sent"
        assert (proxy.connections, receiver.connections) == (0, 1)


@pytest.mark.django_db
def test_the_certificate_must_fit_the_name(settings, tmp_path):
    settings.OUTBOX_ALLOW_PRIVATE = True
    listener = socket.create_server(("127.0.0.1", 0))

    def not_tls():
        peer, _ = listener.accept()
        peer.recv(1)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        peer.close()

    threading.Thread(target=not_tls, daemon=True).start()
    message = send(f"https://127.0.0.1:{listener.getsockname()[1]}/")
    listener.close()
    assert message.state == "failing"


@pytest.mark.parametrize(
    ("typed", "called"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTPS://EXAMPLE.com:443/Hook?a=1&b=ü#part", "https://example.com/Hook?a=1&b=%C3%BC"),
        ("http://münchen.example:8080/ä b".replace(" ", "%20"), "http://xn--mnchen-3ya.example:8080/%C3%A4%20b"),
        ("https://93.184.215.14/", "https://93.184.215.14/"),
        ("https://[2606:2800:21f:cb07::1]:8443/", "https://[2606:2800:21f:cb07::1]:8443/"),
        ("https://[64:ff9b::5db8:d70e]/", "https://[64:ff9b::5db8:d70e]/"),
        ("https://hooks.example.com./x", "https://hooks.example.com/x"),
        ("https://a_b.example.com/", "https://a_b.example.com/"),
    ],
)
def test_an_ordinary_address_is_taken_as_it_is_meant(typed, called):
    assert addresses.parse(typed).url == called
    assert addresses.parse(called).url == called
