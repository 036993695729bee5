"""CAMT.053: what each entry means, in every version, and what is not read at all."""

from __future__ import annotations

import tracemalloc
from decimal import Decimal
from typing import Any

import pytest

from majuu_core.manual.credentials import ManualCredentials
from majuu_core.manual.statements import read_bank_statement
from majuu_core.providers import StatementLine, StatementProblem, StatementUnreadable
from tests.core.manual.camt_files import camt, details, entry
from tests.core.manual.harness import ACCOUNT
from tests.core.manual.office import Office, arrived, as_file, state_of

CREDENTIALS = ManualCredentials.model_validate(ACCOUNT)


def read(data: bytes) -> list[StatementLine | StatementProblem]:
    return list(read_bank_statement(as_file(data), account=CREDENTIALS, account_id="pa_01"))


def lines(*entries: str, **options: Any) -> list[StatementLine]:
    found = read(camt(entries, **options))
    assert all(isinstance(item, StatementLine) for item in found), found
    return found  # type: ignore[return-value]


def problem(*entries: str) -> StatementProblem:
    (found,) = read(camt(entries))
    assert isinstance(found, StatementProblem)
    return found


def test_an_entry_with_its_transaction() -> None:
    (line,) = lines(entry(details=details("Invoice 7 K7Q-M3X-NP5", end_to_end="E2E-1")))
    assert (line.amount.amount, line.amount.currency.code) == (Decimal(1500), "KES")
    assert (line.kind, line.direction, line.line_number) == ("charge", "in", 1)
    assert line.occurred_at.isoformat() == "2026-01-12T00:00:00+03:00"
    assert (line.counterparty, line.description) == ("Jane Wanjiku", "Invoice 7 K7Q-M3X-NP5 E2E-1")
    assert line.receipt.startswith("AB1-260112-")
    assert line.raw["EndToEndId"] == "E2E-1"


def test_later_versions_write_status_party_and_time_differently() -> None:
    later = {
        "status": "<Sts><Cd>BOOK</Cd></Sts>",
        "day": "<BookgDt><DtTm>2026-01-12T22:30:00Z</DtTm></BookgDt>",
        "details": details(structured="RF18K7QM3XNP5", payer="<Dbtr><Pty><Nm>Jane</Nm></Pty></Dbtr>"),
    }
    for version in ("08", "10", "13"):
        (line,) = lines(entry(**later), version=version)
        assert (line.counterparty, line.description) == ("Jane", "RF18K7QM3XNP5")
        assert line.occurred_at.isoformat() == "2026-01-13T01:30:00+03:00"


def test_a_collected_entry_is_a_line_for_each_of_its_transactions() -> None:
    both = details("A", amount="1000.00", number="T1") + details("B", amount="500.00")
    first, second = lines(entry(details=both))
    assert [(item.amount.amount, item.description) for item in (first, second)] == [
        (Decimal(1000), "A"),
        (Decimal(500), "B"),
    ]
    assert first.receipt.startswith("T1-")
    assert second.receipt.startswith("AB1/2-")


def test_transactions_that_do_not_add_up_are_refused_together() -> None:
    both = details("A", amount="1000.00") + details("B", amount="5000.00")
    found = problem(entry(details=both))
    assert (found.column, found.message) == ("TxDtls/Amt", "The transactions come to 6000.00; the entry says 1500.00.")


def test_debits_and_reversals_are_no_payments() -> None:
    out, returned, taken_back = lines(
        entry("90000", side="DBIT"),
        entry("70", number="AB2", more="<RvslInd>true</RvslInd>"),
        entry("1500", number="AB3", side="DBIT", more="<RvslInd>true</RvslInd>"),
    )
    assert (out.kind, out.direction) == ("adjustment", "out")
    assert (returned.kind, returned.direction) == ("adjustment", "in")
    assert (taken_back.kind, taken_back.direction) == ("refund", "out")


def test_what_is_not_booked_yet_is_left_out() -> None:
    for status in ("<Sts>PDNG</Sts>", "<Sts><Cd>INFO</Cd></Sts>"):
        found = problem(entry(status=status))
        assert not found.is_error
        assert "not booked yet" in found.message


def test_entries_without_a_number_are_counted_within_their_day() -> None:
    alike = [entry(number="", details=details("RENT")), entry(number="", details=details("RENT"))]
    first, second = lines(*alike)
    assert first.receipt != second.receipt
    assert [line.receipt for line in lines(*alike)] == [first.receipt, second.receipt]


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"amount": "1,500.00"}, "Amt"),
        ({"amount": "-5"}, "Amt"),
        ({"amount": "NaN"}, "Amt"),
        ({"amount": "5.001"}, "Amt"),
        ({"currency": "XXX"}, "Amt"),
        ({"side": "CREDIT"}, "CdtDbtInd"),
        ({"day": "<BookgDt><Dt>12.01.2026</Dt></BookgDt>"}, "BookgDt"),
        ({"day": ""}, "BookgDt"),
    ],
)
def test_what_cannot_be_read_is_told(changes: dict[str, Any], column: str) -> None:
    found = problem(entry(**changes))
    assert (found.line_number, found.column, found.is_error) == (1, column, True)


def test_decimals_that_a_currency_has_not_are_zeros() -> None:
    (line,) = lines(entry("1500.00000", currency="UGX"))
    assert line.amount.amount == Decimal(1500)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (camt([], head='<!DOCTYPE d [<!ENTITY a "b">]>'), "document type or entities"),
        (
            camt([entry(details=details("&a;"))], head='<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>'),
            "entities",
        ),
        (camt([entry()])[:-30], "not readable as XML"),
        (b"<?xml version='1.0'?><Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.052.001.02'/>", "CAMT.053.001.02"),
        (b"<?xml version='1.0'?><html/>", "CAMT.053.001.02 or later"),
        (camt([], account="999"), "of the account 999, not of this one"),
        (b'<?xml version="1.0" encoding="nonsense-8"?><Document/>', "not readable as XML"),
    ],
)
def test_hostile_and_foreign_files_are_refused(data: bytes, text: str) -> None:
    with pytest.raises(StatementUnreadable, match=text):
        read(data)


def test_a_long_file_is_read_in_constant_memory() -> None:
    data = camt(entry(number=f"AB{number}", details=details("RENT")) for number in range(500))
    tracemalloc.start()
    count = sum(1 for _ in read_bank_statement(as_file(data), account=CREDENTIALS, account_id="pa_01"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 500
    assert peak < len(data) + 300_000  # the file once more, and little else


def test_it_pays_a_charge_as_a_csv_would(office: Office) -> None:
    charge = office.wait_for()
    told = camt([entry(details=details(f"Rent {charge.provider_reference}"))])
    office.upload(told, "statement.xml")
    office.upload(told + b"\n", "again.xml")
    assert state_of(charge) == "succeeded"
    assert arrived() == [(Decimal(1500), "charge")]
