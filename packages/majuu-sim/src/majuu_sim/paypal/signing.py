"""The certificates webhook events are signed with: a chain of the simulator's own, and a forger's.

Needs ``cryptography`` (``pip install majuu-sim[crypto]``). Keys are made once in a process: they take a second.
"""

from __future__ import annotations

import base64
import threading
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

SANDBOX_NAME = "messageverificationcerts.sandbox.paypal.com"
VALID_FROM = datetime(2024, 1, 1, tzinfo=UTC)
VALID_UNTIL = datetime(2040, 1, 1, tzinfo=UTC)
EXPIRED_AT = datetime(2025, 1, 1, tzinfo=UTC)
GENUINE, RENEWED, FORGED, WRONG_NAME, EXPIRED = "genuine", "renewed", "forged", "wrong_name", "expired"
CERTIFICATE_IDS = {
    GENUINE: "CERT-360caa42-fca2a594-a5cafa77",
    RENEWED: "CERT-470cbb53-fca2a594-b6dbfb88",
    FORGED: "CERT-999caa42-fca2a594-0badf00d",
    WRONG_NAME: "CERT-888caa42-fca2a594-0badf00d",
    EXPIRED: "CERT-777caa42-fca2a594-0badf00d",
}

_lock = threading.Lock()
_made: list[Chains] = []


class NoCryptography(RuntimeError):
    """The extra that signs events is not installed."""

    def __init__(self) -> None:
        """Say what to install."""
        super().__init__("signing events needs cryptography: install majuu-sim[crypto]")


@dataclass(frozen=True, slots=True)
class Signer:
    """A leaf certificate with its key."""

    key: Any
    pem: str  # leaf, then intermediate: as it is served

    def sign(self, message: bytes) -> str:
        """The base64 of RSA PKCS#1 v1.5 with SHA-256."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        return base64.b64encode(self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()

    def verifies(self, message: bytes, signature: str) -> bool:
        """True when the signature is this key's."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        try:
            raw = base64.b64decode(signature, validate=True)
            self.key.public_key().verify(raw, message, padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Chains:
    """Every signer, and the root that the genuine one comes from."""

    root_pem: str
    signers: dict[str, Signer]


def chains() -> Chains:
    """The process's certificates; NoCryptography without the extra."""
    with _lock:
        if not _made:
            try:
                _made.append(_make())
            except ImportError as error:
                raise NoCryptography from error
        return _made[0]


def signed_message(transmission_id: str, transmission_time: str, webhook_id: str, body: bytes) -> bytes:
    """What PayPal signs: ids, time and the CRC-32 of the raw body as an unsigned decimal."""
    return f"{transmission_id}|{transmission_time}|{webhook_id}|{zlib.crc32(body)}".encode()


def _make() -> Chains:
    from cryptography.hazmat.primitives import serialization

    root_key, middle_key, leaf_key, next_key, foreign_key = (_key() for _ in range(5))
    root = _certificate("Majuu Simulated Root CA", root_key, None, None)
    middle = _certificate("Majuu Simulated Server CA", middle_key, root, root_key)
    other_root = _certificate("Somebody's Root CA", foreign_key, None, None)

    def pem(*certificates: Any) -> str:
        return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in certificates)

    def leaf(name: str, key: Any, issuer: Any, issuer_key: Any, until: datetime = VALID_UNTIL) -> Any:
        return _certificate(name, key, issuer, issuer_key, host=name, until=until)

    genuine = leaf(SANDBOX_NAME, leaf_key, middle, middle_key)
    renewed = leaf(SANDBOX_NAME, next_key, middle, middle_key)
    forged = leaf(SANDBOX_NAME, foreign_key, other_root, foreign_key)
    wrong_name = leaf("certificates.shop.example", leaf_key, middle, middle_key)
    expired = leaf(SANDBOX_NAME, leaf_key, middle, middle_key, EXPIRED_AT)
    return Chains(
        pem(root),
        {
            GENUINE: Signer(leaf_key, pem(genuine, middle)),
            RENEWED: Signer(next_key, pem(renewed, middle)),
            FORGED: Signer(foreign_key, pem(forged, other_root)),
            WRONG_NAME: Signer(leaf_key, pem(wrong_name, middle)),
            EXPIRED: Signer(leaf_key, pem(expired, middle)),
        },
    )


def _key() -> Any:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _certificate(
    name: str, key: Any, issuer: Any, issuer_key: Any, *, host: str = "", until: datetime = VALID_UNTIL
) -> Any:
    """A CA's certificate, or with ``host`` a server's; without an issuer it signs itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = issuer_key or key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer is not None else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID_FROM)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=not host, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(_usage(ca=not host), critical=True)
    )
    if host:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _usage(*, ca: bool) -> Any:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not ca,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
