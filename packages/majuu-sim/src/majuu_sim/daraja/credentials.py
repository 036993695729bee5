"""Initiators and their SecurityCredential: base64 of the password, encrypted for the simulator's own certificate.

The key pair needs ``cryptography`` (``pip install majuu-sim[crypto]``). Without it every credential of the right length
is taken for the right one.
"""

from __future__ import annotations

import base64
import binascii
import os
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from majuu_sim.daraja.config import DarajaConfig, Initiator

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

CREDENTIAL_LENGTH = 344  # base64 of 256 bytes: what a 2048-bit key makes
# Over long ago, as those that Safaricom publishes are: who checks the dates of such a certificate cannot work.
VALID_FROM, VALID_UNTIL = datetime(2014, 1, 1, tzinfo=UTC), datetime(2016, 1, 1, tzinfo=UTC)

_making = threading.Lock()
_made: list[KeyPair] = []


class NoCryptography(RuntimeError):
    """``cryptography`` is not installed."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("this needs cryptography; install majuu-sim[crypto]")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A 2048-bit RSA key and its certificate."""

    key: RSAPrivateKey
    certificate_pem: str

    def encrypt(self, password: str) -> str:
        """A SecurityCredential of ``password``; different every time."""
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

        return base64.b64encode(self.key.public_key().encrypt(password.encode(), PKCS1v15())).decode()

    def decrypt(self, credential: str) -> bytes | None:
        """The password in a credential; None when it cannot be opened."""
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

        try:
            return self.key.decrypt(base64.b64decode(credential, validate=True), PKCS1v15())
        except (ValueError, binascii.Error):
            return None


def key_pair() -> KeyPair | None:
    """The process's one key pair, made when it is first asked for; None without ``cryptography``."""
    with _making:
        if not _made:
            try:
                _made.append(_make())
            except ImportError:
                return None
        return _made[0]


def _make() -> KeyPair:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "majuu-sim")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID_FROM)
        .not_valid_after(VALID_UNTIL)
        .sign(key, hashes.SHA256())
    )
    return KeyPair(key, certificate.public_bytes(serialization.Encoding.PEM).decode())


def certificate_pem() -> str:
    """The certificate to encrypt initiator passwords with, as PEM; NoCryptography (a RuntimeError) without it."""
    pair = key_pair()
    if pair is None:
        raise NoCryptography
    return pair.certificate_pem


def make_credential(password: str) -> str:
    """A SecurityCredential the simulator accepts; without ``cryptography`` any 256 bytes will do."""
    pair = key_pair()
    return pair.encrypt(password) if pair is not None else base64.b64encode(os.urandom(256)).decode()


def looks_right(credential: str) -> bool:
    """True for 344 characters of base64."""
    try:
        return len(credential) == CREDENTIAL_LENGTH and len(base64.b64decode(credential, validate=True)) == 256
    except (ValueError, binascii.Error):
        return False


class InitiatorDesk:
    """Knows the initiators and counts their failures."""

    def __init__(self, config: DarajaConfig) -> None:
        """Know those of ``config``."""
        self._config = config
        self._failures: dict[str, int] = {}

    def clear(self) -> None:
        """Forget every failure."""
        self._failures.clear()

    def unlock(self, name: str) -> None:
        """Forget an initiator's failures; KeyError when there is no such initiator."""
        self._failures.pop(self._find(name).name, None)

    def is_locked(self, name: str) -> bool:
        """True after too many wrong passwords in a row."""
        return self._failures.get(name, 0) >= self._config.initiator_attempts

    def check(self, name: str, credential: str) -> str | None:
        """How a request of this initiator ends before it begins; None when it may go on."""
        if not self._config.check_credentials:
            return None
        known = next((one for one in self._config.initiators if one.name == name), None)
        if known is None:
            return "initiator_wrong"
        if self.is_locked(name):
            return "initiator_locked"
        if self._opens(known, credential):
            self._failures.pop(name, None)
            return None
        self._failures[name] = self._failures.get(name, 0) + 1
        return "initiator_wrong"

    def _opens(self, initiator: Initiator, credential: str) -> bool:
        if not looks_right(credential):
            return False
        pair = key_pair()
        return pair is None or pair.decrypt(credential) == initiator.password.encode()

    def _find(self, name: str) -> Initiator:
        for initiator in self._config.initiators:
            if initiator.name == name:
                return initiator
        raise KeyError(name)

    def to_list(self) -> list[dict[str, Any]]:
        """For the control API."""
        return [{"name": one.name, "locked": self.is_locked(one.name)} for one in self._config.initiators]
