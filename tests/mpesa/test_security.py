"""SecurityCredential: encrypted for the certificate's key, whatever its dates and however it was pasted."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from pydantic import ValidationError

from majuu_core.providers import RequestRejected
from majuu_mpesa.conversation import is_own, own_conversation_id
from majuu_mpesa.security import SecurityError, public_key, read_public_key, security_credential
from tests.mpesa.support import credentials, make_provider
from tests.shared_files import shared_fixture

pytest.importorskip("majuu_sim.daraja", reason="majuu-sim is not installed")
from majuu_sim.daraja.credentials import certificate_pem, key_pair
from tests.mpesa.money_shop import payout

PASSWORD = "Pass#word%26"


def ready(**changes: Any) -> Any:
    return credentials(initiator_name="api", initiator_password=PASSWORD, **changes)


def forms_of(pem: str) -> dict[str, str]:
    lines = pem.strip().splitlines()
    return {
        "as it is": pem,
        "one line": "".join(lines),
        "spaces for line ends": " ".join(lines),
        "windows line ends": "\r\n".join(lines),
        "indented": "\n".join(f"   {line}" for line in lines),
        "without header": "\n".join(lines[1:-1]),
        "with words around it": f"Bag Attributes\n    localKeyID: 1\n{pem}\nthe end",
    }


@pytest.mark.parametrize("form", forms_of("-----BEGIN X-----\na\n-----END X-----"))
def test_the_plain_password_is_encrypted_for_the_certificate(form: str) -> None:
    pasted = forms_of(certificate_pem())[form]

    made = security_credential(ready(certificate=pasted), {})

    pair = key_pair()
    assert pair is not None
    assert len(made) == 344
    assert pair.decrypt(made) == PASSWORD.encode()


def test_every_credential_is_another_text() -> None:
    account = ready(certificate=certificate_pem())

    assert len({security_credential(account, {}) for _ in range(5)}) == 5


def test_a_public_key_alone_will_do() -> None:
    pair = key_pair()
    assert pair is not None
    pem = pair.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    assert pair.decrypt(security_credential(ready(certificate=pem), {})) == PASSWORD.encode()


def test_the_certificate_may_be_a_file(tmp_path: Path) -> None:
    pair = key_pair()
    assert pair is not None
    pem, der = tmp_path / "cert.pem", tmp_path / "cert.cer"
    pem.write_text(certificate_pem())
    der.write_bytes(base64.b64decode("".join(certificate_pem().strip().splitlines()[1:-1])))

    for path in (pem, der):
        made = security_credential(ready(), {"certificate_path": str(path)})
        assert pair.decrypt(made) == PASSWORD.encode()


def test_a_ready_value_is_sent_as_it_is() -> None:
    value = base64.b64encode(bytes(256)).decode()
    account = credentials(initiator_name="api", security_credential=f" {value[:64]}\n{value[64:]} ")

    assert security_credential(account, {}) == value


@pytest.mark.parametrize(
    ("options", "changes", "text"),
    [
        ({}, {}, "There is no certificate"),
        ({"certificate_path": "/nowhere/at/all.pem"}, {}, "cannot be read"),
        ({"certificate_path": "bad\x00path"}, {}, "cannot be read"),
        ({}, {"certificate": "hello"}, "The certificate cannot be read"),
        ({}, {"certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}, "cannot be read"),
        ({}, {"certificate": "-----BEGIN CERTIFICATE-----\n\u00e9\n-----END CERTIFICATE-----"}, "cannot be read"),
        ({}, {"initiator_password": "x" * 246}, "too long"),
        ({}, {"initiator_password": None}, "neither an initiator password"),
    ],
)
def test_what_is_missing_is_said_without_the_password(options: Any, changes: Any, text: str) -> None:
    given = {"certificate": certificate_pem()} if "initiator_password" in changes else {}
    account = credentials(**{"initiator_name": "api", "initiator_password": PASSWORD, **given, **changes})

    with pytest.raises(SecurityError, match=text) as refused:
        security_credential(account, options)
    assert PASSWORD not in str(refused.value)


def test_a_missing_certificate_is_found_before_anything_is_sent() -> None:
    provider = make_provider(initiator_name="api", initiator_password=PASSWORD)

    with pytest.raises(RequestRejected, match="no certificate") as refused:
        provider.payout(payout())
    assert refused.value.code == "configuration"


def test_a_private_key_is_refused() -> None:
    pair = key_pair()
    assert pair is not None
    pem = pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    with pytest.raises(SecurityError, match="private key"):
        read_public_key(pem)
    with pytest.raises(ValidationError, match="private key") as refused:
        ready(certificate=pem)
    assert pem[40:80] not in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"security_credential": "Safaricom999!*!"}, "security_credential", "not an encrypted value"),
        ({"security_credential": "A" * 343}, "security_credential", "not an encrypted value"),
        ({"initiator_password": "p\u00e4ss"}, "initiator_password", "no such password"),
        ({"initiator_name": "a\u0000b"}, "initiator_name", "no operator's name"),
        ({"certificate": "A" * 20_001}, "certificate", "too long"),
        ({"b2c_shortcode": "12"}, "b2c_shortcode", "5 to 7 digits"),
        ({"nominated_number": "123"}, "nominated_number", "not a Kenyan number"),
        ({"c2b_version": "v3"}, "c2b_version", "'v1' or 'v2'"),
    ],
)
def test_wrong_entries_are_named(changes: dict[str, Any], field: str, text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        credentials(**changes)

    [problem] = refused.value.errors()
    assert (problem["loc"], text in problem["msg"]) == ((field,), True)


def test_an_account_for_pushes_alone_stays_as_it_was() -> None:
    account = credentials(**dict.fromkeys(("initiator_name", "initiator_password", "certificate"), ""))

    assert not account.has_initiator
    assert (account.payout_shortcode, account.c2b_version) == ("174379", "v2")
    assert credentials(initiator_name="api").has_initiator is False
    assert ready().has_initiator
    assert credentials(nominated_number="0722 000 000").nominated_number == "254722000000"


def test_no_secret_is_in_any_text_form() -> None:
    account = ready(certificate=certificate_pem(), security_credential="B" * 344)

    for text in (repr(account), str(account.model_dump()), account.model_dump_json()):
        assert PASSWORD not in text
        assert "B" * 50 not in text


def test_the_published_certificates_can_be_used_though_they_are_over() -> None:
    files = sorted(shared_fixture("daraja/certs").glob("*.cer"))
    assert len(files) == 3

    for path in files:
        key = public_key(ready(), {"certificate_path": str(path)})
        assert key.key_size == 2048
        assert len(security_credential(ready(), {"certificate_path": str(path)})) == 344


def test_our_own_ids_are_stable_short_and_nobody_elses() -> None:
    first = own_conversation_id(credentials(), "po_01jgx5v9k3m2n4p6r8t0")

    assert first == own_conversation_id(credentials(initiator_name="x"), "po_01jgx5v9k3m2n4p6r8t0")
    assert len(first) == 31
    assert first.startswith("4p6r8t0"[1:])
    assert all(character.isalnum() or character == "-" for character in first)
    others = {
        own_conversation_id(credentials(), "po_01jgx5v9k3m2n4p6r8t1"),
        own_conversation_id(credentials(passkey="other"), "po_01jgx5v9k3m2n4p6r8t0"),
        own_conversation_id(credentials(shortcode="600000"), "po_01jgx5v9k3m2n4p6r8t0"),
    }
    assert len({first, *others}) == 4
    assert is_own(credentials(), "po_01jgx5v9k3m2n4p6r8t0", first)
    for reference, named in ((None, first), ("po_1", first), ("po_01jgx5v9k3m2n4p6r8t0", None), ("po_1", "\u00e9")):
        assert not is_own(credentials(), reference, named)
