"""SecurityCredential: the initiator's password, encrypted for Safaricom's public key.

Safaricom's certificates were over years ago and are used all the same, so their dates are never looked at. None is
shipped with this package: the operator pastes it, or names a file.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from majuu_mpesa.credentials import MpesaCredentials

CERTIFICATE_OPTION = "certificate_path"
SMALLEST_KEY = 2048
_HEADER = re.compile(r"-----(?:BEGIN|END) ([A-Z ]+)-----")
_LONGEST_FILE = 64 * 1024


class SecurityError(ValueError):
    """No SecurityCredential can be made. The text says what is missing; it never repeats a secret."""


def security_credential(credentials: MpesaCredentials, options: Mapping[str, str]) -> str:
    """The ready value of the account, or its password encrypted anew: another text every time."""
    if credentials.security_credential is not None:
        return credentials.security_credential.get_secret_value()
    if credentials.initiator_password is None:
        raise SecurityError("The account has neither an initiator password nor a ready security credential.")
    key = public_key(credentials, options)
    password = credentials.initiator_password.get_secret_value().encode()
    if len(password) > key.key_size // 8 - 11:
        raise SecurityError("The initiator password is too long for the certificate's key.")
    return base64.b64encode(key.encrypt(password, PKCS1v15())).decode()


def public_key(credentials: MpesaCredentials, options: Mapping[str, str]) -> RSAPublicKey:
    """The key of the account's certificate, or of the file in the option ``certificate_path``."""
    if credentials.certificate:
        return read_public_key(credentials.certificate)
    path = options.get(CERTIFICATE_OPTION, "").strip()
    if not path:
        raise SecurityError(
            "There is no certificate to encrypt the initiator password with. Paste Safaricom's certificate into the "
            f"account, set the option {CERTIFICATE_OPTION}, or enter a ready security credential."
        )
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LONGEST_FILE + 1)
    except (OSError, ValueError):
        raise SecurityError(f"The file that {CERTIFICATE_OPTION} names cannot be read.") from None
    return _from_der(content) or read_public_key(content.decode("ascii", "replace"))


def read_public_key(text: str) -> RSAPublicKey:
    """The RSA key of a certificate or public key in PEM, also when pasting has joined or split its lines."""
    der = _pem_body(text)
    key = _from_der(der) if der else None
    if key is None:
        raise SecurityError("The certificate cannot be read. Paste it whole, from -----BEGIN to END-----.")
    return key


def _from_der(content: bytes) -> RSAPublicKey | None:
    try:
        found = x509.load_der_x509_certificate(content).public_key()
    except ValueError:
        try:
            found = load_der_public_key(content)  # type: ignore[assignment]
        except (ValueError, TypeError):
            return None
    return found if isinstance(found, RSAPublicKey) else None


def _pem_body(text: str) -> bytes:
    kinds = _HEADER.findall(text)
    if any("PRIVATE" in kind for kind in kinds):
        raise SecurityError("This is a private key. Paste Safaricom's certificate, which holds the public one.")
    parts = _HEADER.split(text)
    body = parts[2] if len(parts) > 2 else text
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
