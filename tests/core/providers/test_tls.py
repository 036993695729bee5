"""Nobody is talked to whose certificate no authority vouches for: nothing of a request leaves."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from majuu_core.providers import NotSent
from majuu_core.providers.http import ProviderHttp

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Impostor:
    """Answers https on 127.0.0.1 with a certificate that it signed itself, for the right address."""

    def __init__(self, folder: Path) -> None:
        self.requests: list[bytes] = []
        self.greeted = threading.Event()
        self.certificate = folder / "impostor.pem"
        self.certificate.write_bytes(_self_signed())
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}/pay"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
                with self._context.wrap_socket(connection, server_side=True) as stream:
                    self.requests.append(stream.recv(65536))
                    stream.sendall(ANSWER)
            except ssl.SSLError:
                self.greeted.set()
            except OSError:
                return

    def close(self) -> None:
        self._listener.close()


def _self_signed() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "api.safaricom.co.ke")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)


@pytest.fixture
def impostor(tmp_path):
    server = Impostor(tmp_path)
    yield server
    server.close()


def test_a_certificate_that_nobody_vouches_for_gets_no_request(impostor):
    with pytest.raises(NotSent):
        ProviderHttp().send("POST", impostor.url, operation="pay", headers={"Authorization": "Bearer secret"})

    assert impostor.greeted.wait(5)
    assert impostor.requests == []


def test_the_same_server_is_heard_where_its_certificate_is_trusted(impostor):
    trusting = ssl.create_default_context(cafile=str(impostor.certificate))
    raw = socket.create_connection(("127.0.0.1", int(impostor.url.split(":")[2].split("/")[0])))

    with trusting.wrap_socket(raw, server_hostname="127.0.0.1") as stream:
        stream.sendall(b"GET /pay HTTP/1.1\r\n\r\n")
        assert stream.recv(100) == ANSWER

    assert impostor.requests == [b"GET /pay HTTP/1.1\r\n\r\n"]
