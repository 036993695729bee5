from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from majuu_mpesa.credentials import MpesaCredentials
from tests.mpesa.support import SECRETS, credentials


def test_a_paybill_pays_to_itself() -> None:
    found = credentials(shortcode="174379")

    assert (found.kind, found.transaction_type, found.receiver) == ("paybill", "CustomerPayBillOnline", "174379")
    assert found.max_amount == 250_000


def test_a_till_pays_to_the_till_and_not_to_its_store_number() -> None:
    found = credentials(kind="till", shortcode="600100", till_number="600101")

    assert (found.shortcode, found.receiver) == ("600100", "600101")
    assert found.transaction_type == "CustomerBuyGoodsOnline"


def test_numbers_and_surrounding_spaces_are_taken() -> None:
    found = credentials(shortcode=6001000, passkey="  abc  ", till_number="  ")

    assert found.shortcode == "6001000"
    assert found.passkey.get_secret_value() == "abc"
    assert found.till_number is None


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"shortcode": "1234"}, "shortcode", "5 to 7 digits"),
        ({"shortcode": "12345678"}, "shortcode", "5 to 7 digits"),
        ({"shortcode": "١٧٤٣٧٩"}, "shortcode", "5 to 7 digits"),
        ({"kind": "till"}, "till_number", "is needed for a till"),
        ({"kind": "till", "till_number": "12ab5"}, "till_number", "5 to 7 digits"),
        ({"till_number": "600101"}, "till_number", "belongs to a till"),
        ({"kind": "pochi"}, "kind", "'paybill' or 'till'"),
        ({"passkey": " "}, "passkey", "must not be empty"),
        ({"consumer_key": "two words"}, "consumer_key", "Copy it again"),
        ({"consumer_secret": "sécret"}, "consumer_secret", "Copy it again"),
        ({"max_amount": 0}, "max_amount", "greater than or equal to 1"),
        ({"max_amount": "10.5"}, "max_amount", "valid integer"),
        ({"pass_key": "x"}, "pass_key", "Extra inputs are not permitted"),
    ],
)
def test_wrong_entries_are_named(changes: dict[str, Any], field: str, text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        credentials(**changes)

    [problem] = refused.value.errors()
    assert problem["loc"] == (field,)
    assert text in problem["msg"]


def test_missing_entries_are_all_named() -> None:
    with pytest.raises(ValidationError) as refused:
        MpesaCredentials.model_validate({})

    assert {problem["loc"][0] for problem in refused.value.errors()} == {*SECRETS, "shortcode"}


def test_no_secret_is_in_any_text_form_nor_in_an_error() -> None:
    found = credentials()
    texts = [repr(found), str(found), str(found.model_dump()), found.model_dump_json()]
    with pytest.raises(ValidationError) as refused:
        credentials(shortcode="x", passkey=SECRETS["passkey"] + " é")
    texts.append(str(refused.value))

    for secret in SECRETS.values():
        assert not any(secret in text for text in texts)
