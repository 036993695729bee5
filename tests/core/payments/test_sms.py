"""M-Pesa's messages as customers paste them, and whatever else they paste."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.payments.sms import LONGEST, parse_message

AT = datetime(2026, 11, 25, 13, 5, tzinfo=UTC)  # five past four in Nairobi
PAYBILL = (
    "UKP7A1B2C3 Confirmed. Ksh1,500.00 sent to DUKA LTD for account ORD-10452 on 25/11/26 at 4:05 PM "
    "New M-PESA balance is Ksh2,300.00. Transaction cost, Ksh10.00."
)


def read(text):
    found = parse_message(text)
    assert found is not None
    return found


def test_a_paybill_payment_in_english():
    found = read(PAYBILL)
    assert (found.receipt, found.amount, found.direction, found.kind) == (
        "UKP7A1B2C3",
        Decimal("1500.00"),
        "sent",
        "paybill",
    )
    assert (found.party, found.account, found.fee) == ("DUKA LTD", "ORD-10452", Decimal("10.00"))
    assert (found.occurred_at, found.language, found.other_receipts) == (AT, "en", ())


def test_a_paybill_payment_in_swahili():
    found = read(
        "UKP7A1B2C3 Imethibitishwa. Ksh1,500.00 imetumwa kwa DUKA LTD kwa akaunti ORD-10452 tarehe 25/11/26 "
        "saa 4:05 PM. Salio lako jipya la M-PESA ni Ksh2,300.00. Gharama ya kutuma ni Ksh10.00"
    )
    assert (found.receipt, found.amount, found.direction, found.kind) == (
        "UKP7A1B2C3",
        Decimal("1500.00"),
        "sent",
        "paybill",
    )
    assert (found.party, found.account, found.fee) == ("DUKA LTD", "ORD-10452", Decimal("10.00"))
    assert (found.occurred_at, found.language) == (AT, "sw")


@pytest.mark.parametrize(
    ("text", "direction", "kind", "party", "phone"),
    [
        ("UKP7A1B2C3 Confirmed. Ksh500.00 paid to JANE'S SHOP. on 25/11/26 at 4:05 PM.New M-PESA balance is Ksh1.00.",
         "sent", "till", "JANE'S SHOP", ""),
        ("UKP7A1B2C3 Imethibitishwa. Ksh500.00 imelipwa kwa JANE SHOP tarehe 25/11/26 saa 4:05 PM.",
         "sent", "till", "JANE SHOP", ""),
        ("UKP7A1B2C3 Confirmed. Ksh500.00 sent to JOHN DOE 0712345678 on 25/11/26 at 4:05 PM.",
         "sent", "person", "JOHN DOE", "0712345678"),
        ("UKP7A1B2C3 Imethibitishwa. Umetuma Ksh500.00 kwa JOHN DOE 0712345678 mnamo 25/11/26 saa 4:05 PM.",
         "sent", "person", "JOHN DOE", "0712345678"),
        ("UKP7A1B2C3 Confirmed.You have received Ksh500.00 from JOHN DOE 0712345678 on 25/11/26 at 4:05 PM",
         "received", "person", "JOHN DOE", "0712345678"),
        ("UKP7A1B2C3 Imethibitishwa.Umepokea Ksh500.00 kutoka kwa JOHN DOE 0712345678 mnamo 25/11/26 saa 4:05 PM",
         "received", "person", "JOHN DOE", "0712345678"),
        ("UKP7A1B2C3 Imethibitishwa. Ksh500.00 imepokelewa kutoka DUKA LTD tarehe 25/11/26 saa 4:05 PM.",
         "received", "person", "DUKA LTD", ""),
    ],
)  # fmt: skip
def test_every_kind_of_payment(text, direction, kind, party, phone):
    found = read(text)
    assert (found.direction, found.kind, found.party, found.phone) == (direction, kind, party, phone)
    assert (found.receipt, found.amount, found.occurred_at) == ("UKP7A1B2C3", Decimal("500.00"), AT)


@pytest.mark.parametrize(
    "text",
    [
        PAYBILL.lower(),
        PAYBILL.replace(" ", "\n"),
        PAYBILL.replace(" ", "  "),
        PAYBILL.replace("Ksh", "KES "),
        PAYBILL.replace("Ksh1,500.00", "1,500/="),
        PAYBILL.replace("Ksh1,500.00", "Kshs. 1500/-"),
        f"---------- Forwarded message ---------\nFrom: mum\n{PAYBILL}\nsent it, thanks!",
        f"Niliwatumia pesa jana: {PAYBILL}",
        f'"{PAYBILL}"',
        PAYBILL.replace("UKP7A1B2C3", "UKP7\u200bA1B\u202eC3").replace("\u202eC3", "\u202e2C3"),
        "UKP7A1B2C3Confirmed.Ksh1,500.00sent toDUKA LTDfor accountORD-10452on 25/11/26at4:05PM",
        PAYBILL.replace("25/11/26", "25-11-2026").replace("4:05 PM", "16:05"),
        "\uff35\uff2b\uff30" + PAYBILL[3:],
    ],
)
def test_what_happens_to_messages_on_the_way(text):
    found = read(text)
    assert (found.receipt, found.amount) == ("UKP7A1B2C3", Decimal("1500"))
    assert (found.account.upper(), found.party.upper()) == ("ORD-10452", "DUKA LTD")
    assert found.occurred_at == AT


def test_midnight_and_noon():
    assert read(PAYBILL.replace("4:05 PM", "12:05 AM")).occurred_at == datetime(2026, 11, 24, 21, 5, tzinfo=UTC)
    assert read(PAYBILL.replace("4:05 PM", "12:05 PM")).occurred_at == datetime(2026, 11, 25, 9, 5, tzinfo=UTC)


@pytest.mark.parametrize("wrong", ["31/02/26", "99/99/99", "5/11"])
def test_a_date_that_does_not_exist_is_none(wrong):
    assert read(PAYBILL.replace("25/11/26", wrong)).occurred_at is None


def test_the_balance_is_never_taken_for_the_amount():
    found = read("UKP7A1B2C3 Confirmed. New M-PESA balance is Ksh2,300.00. Transaction cost, Ksh10.00.")
    assert (found.amount, found.fee) == (None, Decimal("10.00"))


def test_a_receipt_alone_is_enough():
    found = read("my code is ukp7a1b2c3 please check")
    assert (found.receipt, found.amount, found.direction, found.kind, found.occurred_at) == (
        "UKP7A1B2C3",
        None,
        "",
        "",
        None,
    )


def test_a_receipt_may_be_letters_alone():
    assert read(PAYBILL.replace("UKP7A1B2C3", "UKPQRSTVWX")).receipt == "UKPQRSTVWX"


@pytest.mark.parametrize(
    "text", ["", "   ", "hello", "I paid 1500 yesterday", "0712345678", "successful payment", "\u202e"]
)
def test_no_receipt_no_message(text):
    assert parse_message(text) is None


def test_of_two_messages_the_first_is_read():
    found = read(PAYBILL + " " + PAYBILL.replace("UKP7A1B2C3", "UKP7ZZZZZ9").replace("1,500.00", "9,999.00"))
    assert (found.receipt, found.amount, found.other_receipts) == ("UKP7A1B2C3", Decimal("1500.00"), ("UKP7ZZZZZ9",))


PIECES = st.sampled_from(
    ["UKP7A1B2C3", " Confirmed.", "Imethibitishwa", "Ksh", "1,500.00", " sent to ", " for account ", " on ", "25/11/26",
     " at ", "4:05 PM", "kwa", " tarehe ", "saa ", "umetuma ", ". ", "\n", "from", "akaunti", "99:99", "0712345678"]
)  # fmt: skip


@given(st.text(max_size=300))
def test_no_text_makes_it_fail(text):
    found = parse_message(text)
    assert found is None or len(found.receipt) == 10


@given(st.lists(PIECES, max_size=30).map("".join))
def test_no_shuffled_message_makes_it_fail(text):
    found = parse_message(text)
    if found is not None:
        assert found.receipt == found.receipt.upper()
        assert found.amount is None or found.amount >= 0
        assert len(found.party) <= 100
        assert len(found.account) <= 64


@pytest.mark.parametrize(
    "piece", ["sent to ", "UKP7A1B2C3 Confirmed ", "kwa akaunti ", "Ksh1,", "received ", " . , ", "umetuma kwa "]
)
def test_no_text_makes_it_slow(piece):
    """Repetitions of what the patterns look for, as long as a text may be."""
    text = "UKP7A1B2C3 Confirmed. " + piece * LONGEST
    started = perf_counter()
    parse_message(text)
    assert perf_counter() - started < 1


def test_only_the_beginning_of_an_endless_text_is_read():
    assert parse_message("x " * LONGEST + PAYBILL) is None
