"""The environment names people already use, as an account; what is missing or means something else is said."""

from __future__ import annotations

import pytest

from majuu_core.providers import EnvironmentAccount, InvalidPaymentData
from majuu_mpesa.credentials import MpesaCredentials
from majuu_mpesa.environment import read_environment
from majuu_mpesa.provider import MpesaProvider

FULL = {
    "MPESA_CONSUMER_KEY": "key-of-the-app",
    "MPESA_CONSUMER_SECRET": "secret-of-the-app",
    "MPESA_SHORTCODE": "174379",
    "MPESA_PASSKEY": "bfb279f9aa9bdbcf158e97dd71a467cd",
    "MPESA_ENVIRONMENT": "sandbox",
}


def read(**changes: str) -> EnvironmentAccount:
    found = MpesaProvider.credentials_from_environment({**FULL, **changes})
    assert found is not None
    return found


def test_the_usual_names_make_an_account() -> None:
    """given the names of a .env file / when read / then the credentials fit the schema and nothing is missing."""
    found = read()
    credentials = MpesaCredentials.model_validate(found.credentials)
    assert credentials.consumer_key.get_secret_value() == "key-of-the-app"
    assert credentials.consumer_secret.get_secret_value() == "secret-of-the-app"
    assert credentials.passkey.get_secret_value() == "bfb279f9aa9bdbcf158e97dd71a467cd"
    assert (credentials.shortcode, credentials.kind) == ("174379", "paybill")
    assert (found.livemode, found.missing, found.notes) == (False, (), ())
    assert found.used == tuple(FULL)


def test_no_name_is_no_account() -> None:
    """given an environment without them / when read / then there is none; the mode alone says nothing either."""
    assert read_environment({"HOME": "/root"}) is None
    assert read_environment({"MPESA_ENVIRONMENT": "production", "MPESA_CALLBACK_URL": "https://x.example"}) is None


@pytest.mark.parametrize("name", ["MPESA_CONSUMER_KEY", "MPESA_CONSUMER_SECRET", "MPESA_SHORTCODE", "MPESA_PASSKEY"])
def test_a_missing_or_blank_name_is_named(name: str) -> None:
    """given all names but one, or a blank one / when read / then it is the one that is missing."""
    if not MpesaCredentials.model_fields[{"MPESA_PASSKEY": "passkey"}.get(name, "shortcode")].is_required():
        pytest.skip("this version can do without it")
    assert read(**{name: "  "}).missing == (name,)


@pytest.mark.parametrize(
    ("word", "livemode"),
    [
        ("sandbox", False),
        ("Sandbox ", False),
        ("test", False),
        ("development", False),
        ("", False),
        ("production", True),
        ("PROD", True),
        (" live", True),
    ],
)
def test_the_words_for_the_environment(word: str, livemode: bool) -> None:
    """given one of the words people use / when read / then the mode follows; none is the sandbox, and says so."""
    found = read(MPESA_ENVIRONMENT=word)
    assert found.livemode is livemode
    assert any("is not set" in note for note in found.notes) is (not word.strip())


def test_another_word_is_refused_without_repeating_it() -> None:
    """given a word that is neither / when read / then it is refused: guessing could charge real people."""
    with pytest.raises(InvalidPaymentData, match="must be sandbox or production") as caught:
        read(MPESA_ENVIRONMENT="prodution")
    assert "prodution" not in str(caught.value)


def test_a_till_has_a_number_of_its_own() -> None:
    """given MPESA_TILL_NUMBER / when read / then the shortcode is the store number of that till."""
    credentials = MpesaCredentials.model_validate(read(MPESA_TILL_NUMBER="600101").credentials)
    assert (credentials.kind, credentials.shortcode, credentials.till_number) == ("till", "174379", "600101")


def test_the_initiator_is_kept_where_the_schema_has_it() -> None:
    """given an initiator / when read / then it is among the credentials, or the note says that it cannot be."""
    found = read(MPESA_B2C_INITIATOR_NAME="testapi", MPESA_B2C_INITIATOR_PASSWORD="Secret999")
    known = "initiator_name" in MpesaCredentials.model_fields
    assert ("initiator_name" in found.credentials) is known
    assert any("cannot be kept yet" in note for note in found.notes) is not known
    half = read(MPESA_B2C_INITIATOR_NAME="testapi")
    assert any("only one is set" in note for note in half.notes)


def test_values_are_not_in_the_repr() -> None:
    """given an account / when it is printed / then no secret is."""
    text = repr(read(MPESA_B2C_INITIATOR_PASSWORD="Secret999"))
    for secret in ("key-of-the-app", "secret-of-the-app", "bfb279f9", "Secret999"):
        assert secret not in text
