import datetime
import socket
import ssl
import threading
from contextlib import contextmanager

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hitl.outbox import http
from tests.factories.receiver import receiving


@pytest.fixture(autouse=True)
def _this_machine_may_be_called(settings):
    settings.OUTBOX_ALLOW_PRIVATE = True


def test_the_answer_is_the_status_and_the_beginning_of_what_was_said():
    with receiving((418, {}, b"no\r\n\tcoffee \xff\x1b[31m here" + b"!" * 10_000)) as receiver:
        answer = http.post(receiver.url(), headers={}, body=b"{}")
    assert answer.title == "418 I'm a Teapot"
    assert answer.said.startswith("no coffee \ufffd [31m here!!!")
    assert len(answer.said) == 200


def test_an_endless_answer_is_not_read_to_its_end():
    """The status counts; whoever sends without end is left alone after the first kilobyte."""
    with listening(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n", b"x" * 1000) as url:
        assert http.post(url, headers={}, body=b"{}").status == 200


def test_many_provisional_answers_end_at_the_deadline():
    with (
        listening(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n") as url,
        pytest.raises(http.Unreachable, match="within 1 seconds"),
    ):
        http.post(url, headers={}, body=b"{}", timeout=1)


def test_one_that_takes_the_call_and_is_silent_is_left_at_the_deadline():
    with listening() as url, pytest.raises(http.Unreachable, match="within 1 seconds"):
        http.post(url, headers={}, body=b"{}", timeout=1)


class TestCertificates:
    def test_the_name_is_asked_for_and_the_certificate_must_fit_it(self, monkeypatch, tmp_path):
        with secure_server(tmp_path, monkeypatch, "hooks.example") as (port, asked_for):
            answer = http.post(f"https://hooks.example:{port}/", headers={}, body=b"{}")
            assert answer.status == 200
            assert asked_for == ["hooks.example"]

    def test_a_certificate_for_another_name_is_refused(self, monkeypatch, tmp_path):
        with (
            secure_server(tmp_path, monkeypatch, "other.example") as (port, _),
            pytest.raises(http.Unreachable, match="certificate is not trusted"),
        ):
            http.post(f"https://hooks.example:{port}/", headers={}, body=b"{}")

    def test_a_certificate_that_nobody_vouches_for_is_refused(self, monkeypatch, tmp_path):
        with secure_server(tmp_path, monkeypatch, "hooks.example") as (port, _):
            monkeypatch.delenv("SSL_CERT_FILE")
            http._tls.cache_clear()
            with pytest.raises(http.Unreachable, match="certificate is not trusted"):
                http.post(f"https://hooks.example:{port}/", headers={}, body=b"{}")


@contextmanager
def listening(*said):
    """A server that says the first, and the second again and again, to whoever calls."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve():
        peer, _ = listener.accept()
        try:
            peer.sendall(said[0] if said else b"")
            while not over.wait(0.01):
                peer.sendall(said[1] if len(said) > 1 else b"")
        except OSError:
            pass
        peer.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    over.set()
    thread.join(5)
    listener.close()


@contextmanager
def secure_server(folder, monkeypatch, name):
    """A real TLS server with a certificate for `name`, vouched for by its own file; hooks.example is this machine."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    asked_for = []
    context.sni_callback = lambda connection, asked, _: asked_for.append(asked)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        try:
            with context.wrap_socket(listener.accept()[0], server_side=True) as peer:
                while not peer.recv(4096).endswith(b"{}"):
                    pass
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except OSError:
            pass

    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *a, **k: real("127.0.0.1" if host == "hooks.example" else host, *a, **k)
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    http._tls.cache_clear()
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1], asked_for
    http._tls.cache_clear()
    thread.join(5)
    listener.close()
