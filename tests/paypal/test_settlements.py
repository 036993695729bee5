"""What moved on the account, by the transaction search."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from majuu_core.common.money import Money
from majuu_core.providers import RequestRejected
from tests.paypal.scripted import CHARGE, ScriptedPaypal, answer, money


def _row(code: str, amount: str, **more: Any) -> dict[str, Any]:
    info = {
        "transaction_id": f"TX-{code}",
        "transaction_event_code": code,
        "transaction_initiation_date": "2026-01-05T10:00:00+0000",
        "transaction_amount": money(amount),
        "transaction_status": "S",
        **more,
    }
    return {"transaction_info": info, "payer_info": {"email_address": "jane@example.com"}}


def _page(*rows: dict[str, Any], pages: int = 1) -> Any:
    return answer({"transaction_details": list(rows), "total_pages": pages})


def _list(paypal: ScriptedPaypal, start: date = date(2026, 1, 5), end: date = date(2026, 1, 5)) -> list[Any]:
    return list(paypal.provider().list_settlement_lines(start=start, end=end))


def test_a_payment_is_listed_under_its_order() -> None:
    row = _row(
        "T0006",
        "20.00",
        fee_amount=money("-1.19"),
        paypal_reference_id="5O190127TN364715T",
        paypal_reference_id_type="ODR",
        custom_field=CHARGE,
    )

    [line] = _list(ScriptedPaypal(_page(row)))

    assert (line.kind, line.gross, line.fee) == ("charge", Money("20.00", "USD"), Money("1.19", "USD"))
    assert (line.provider_reference, line.receipt, line.reference) == ("5O190127TN364715T", "TX-T0006", CHARGE)
    assert (line.settled_on, line.line_id) == (date(2026, 1, 5), "TX-T0006")
    assert line.occurred_at == datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
    assert line.counterparty == "jane@example.com"


@pytest.mark.parametrize(
    ("code", "amount", "kind"),
    [
        ("T0006", "20.00", "charge"),
        ("T0003", "-20.00", "adjustment"),  # a payment that we made
        ("T1107", "-7.00", "refund"),
        ("T0001", "-15.50", "payout"),
        ("T0403", "-500.00", "payout"),
        ("T0106", "-15.00", "fee"),
        ("T1110", "-20.00", "dispute"),
        ("T1201", "-20.00", "dispute"),
        ("T0200", "12.00", "adjustment"),
        ("T9999", "1.00", "adjustment"),
    ],
)
def test_kinds_of_movements(code: str, amount: str, kind: str) -> None:
    [line] = _list(ScriptedPaypal(_page(_row(code, amount))))

    assert (line.kind, line.gross) == (kind, Money(amount, "USD"))
    assert line.provider_reference == f"TX-{code}"


def test_what_did_not_move_and_what_cannot_be_read_is_left_out() -> None:
    rows = [
        _row("T0006", "20.00", transaction_status="P"),
        _row("T0006", "20.00", transaction_status="D"),
        _row("T0006", "much"),
        _row("T0006", "20.00", transaction_initiation_date="yesterday"),
        _row("T0006", "20.00", transaction_initiation_date="2026-01-04T23:59:59Z"),
    ]

    assert _list(ScriptedPaypal(_page(*rows))) == []


def test_pages_and_windows_of_31_days() -> None:
    paypal = ScriptedPaypal(_page(_row("T0006", "1.00"), pages=2), _page(_row("T1107", "-1.00")), _page())

    lines = _list(paypal, end=date(2026, 2, 10))

    asked = [
        (request.url.params["start_date"], request.url.params["end_date"], request.url.params["page"])
        for request in paypal.requests
    ]
    assert len(lines) == 2
    assert asked == [
        ("2026-01-05T00:00:00Z", "2026-02-04T23:59:59Z", "1"),
        ("2026-01-05T00:00:00Z", "2026-02-04T23:59:59Z", "2"),
        ("2026-02-05T00:00:00Z", "2026-02-10T23:59:59Z", "1"),
    ]


def test_an_app_without_the_feature_is_told() -> None:
    with pytest.raises(RequestRejected) as problem:
        _list(ScriptedPaypal(answer({"name": "NOT_AUTHORIZED", "message": "Not allowed."}, 403)))

    assert problem.value.code == "NOT_AUTHORIZED"
