from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.daraja import DarajaConfig, DarajaSimulator, Initiator, credentials
from majuu_sim.transport import CollectingTransport
from tests.sim.daraja_client import Client
from tests.sim.money_client import MoneyClient


@pytest.fixture
def without_cryptography(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_made", [])
    monkeypatch.setitem(sys.modules, "cryptography", None)


def outcomes(money: MoneyClient, *bodies: dict[str, Any]) -> list[Any]:
    for body in bodies:
        assert money.payout(**body).status == 200
    money.sim.advance(2)
    return [body["Result"]["ResultCode"] for _, body in money.letters()]


def test_a_credential_is_the_password_encrypted_for_the_certificate(money: MoneyClient) -> None:
    pytest.importorskip("cryptography")
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    certificate = x509.load_pem_x509_certificate(money.sim.certificate().encode())
    key = certificate.public_key()
    assert isinstance(key, RSAPublicKey)
    made = base64.b64encode(key.encrypt(b"MajuuSim#2026", PKCS1v15())).decode()
    assert len(made) == 344
    assert outcomes(money, {"SecurityCredential": made}) == [0]


def test_the_certificate_is_over_as_the_real_ones_are(money: MoneyClient, tmp_path: Path) -> None:
    x509 = pytest.importorskip("cryptography.x509")
    path = money.sim.write_certificate(tmp_path / "sim.cer")
    assert x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc == credentials.VALID_UNTIL
    assert path.read_text() == money.sim.certificate()


def test_credentials_differ_every_time(money: MoneyClient) -> None:
    first, second = money.sim.security_credential(), money.sim.security_credential()
    assert first != second
    assert outcomes(money, {"SecurityCredential": first}, {"SecurityCredential": second}) == [0, 0]


def test_a_wrong_initiator_or_password_is_found_out_later(money: MoneyClient) -> None:
    pytest.importorskip("cryptography")
    wrong = money.sim.security_credential("Another#1")
    assert outcomes(money, {"InitiatorName": "nobody"}, {"SecurityCredential": wrong}, {}) == [2001, 2001, 0]
    assert len(money.sim.movements()) == 1


@pytest.mark.parametrize("credential", ["plain", "x" * 344, base64.b64encode(b"x" * 256).decode()])
def test_what_is_no_credential_is_a_wrong_one(money: MoneyClient, credential: str) -> None:
    pytest.importorskip("cryptography")
    assert outcomes(money, {"SecurityCredential": credential}) == [2001]


def test_a_2001_has_an_id_that_looks_real(money: MoneyClient) -> None:
    money.payout(InitiatorName="nobody")
    assert not money.result()["TransactionID"].endswith("0000000")


def test_three_wrong_passwords_lock_the_initiator_until_it_is_unlocked(money: MoneyClient) -> None:
    wrong: dict[str, Any] = {"SecurityCredential": "x"}
    assert outcomes(money, wrong, wrong, wrong, {}) == [2001, 2001, 2001, 8006]
    assert money.sim.state()["initiators"] == [{"name": "testapi", "locked": True}]
    money.sim.unlock_initiator("testapi")
    assert outcomes(money, {}) == [0]
    with pytest.raises(KeyError):
        money.sim.unlock_initiator("nobody")


def test_a_right_password_forgets_the_wrong_ones(money: MoneyClient) -> None:
    wrong: dict[str, Any] = {"SecurityCredential": "x"}
    assert outcomes(money, wrong, wrong, {}, wrong, wrong, {}) == [2001, 2001, 0, 2001, 2001, 0]


def test_without_cryptography_any_credential_of_the_right_length_will_do(
    without_cryptography: None, money: MoneyClient
) -> None:
    made = money.sim.security_credential()
    assert len(made) == 344
    assert outcomes(money, {"SecurityCredential": made}, {"SecurityCredential": made[:-4]}) == [0, 2001]
    with pytest.raises(RuntimeError, match=r"install majuu-sim\[crypto\]"):
        money.sim.certificate()


def test_checking_can_be_switched_off() -> None:
    mail = CollectingTransport()
    config = DarajaConfig(check_credentials=False, initiators=(Initiator(name="a", password="b"),))
    with DarajaSimulator(clock=VirtualClock(), config=config, transport=mail) as sim:
        money = MoneyClient(sim, Client(sim.base_url, ""), mail)
        assert outcomes(money, {"InitiatorName": "nobody", "SecurityCredential": "x"}) == [0]


def test_no_key_is_made_before_somebody_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[credentials.KeyPair] = []
    monkeypatch.setattr(credentials, "_made", made)
    with DarajaSimulator(clock=VirtualClock()) as sim:
        Client(sim.base_url, "http://127.0.0.1:9/x").pushed()
        sim.settle()
    assert made == []
