"""What moved on the account, by PayPal's transaction search. It shows a movement up to three hours late."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from majuu_core.common.money import Money
from majuu_core.providers import SettlementLine
from majuu_paypal.answers import body_of
from majuu_paypal.client import PaypalClient
from majuu_paypal.currencies import read_money
from majuu_paypal.fields import inside, is_ours, moment, rows, text

PATH = "/v1/reporting/transactions"
WINDOW_DAYS = 31
_PAGE_SIZE = 500
_SUCCESSFUL = "S"
# By the event code's start, the longest first: T0006 is a payment, T1107 a refund of one.
_KINDS: tuple[tuple[str, str], ...] = (
    ("T0001", "payout"),
    ("T01", "fee"),
    ("T04", "payout"),
    ("T1107", "refund"),
    ("T1106", "dispute"),
    ("T1110", "dispute"),
    ("T1111", "dispute"),
    ("T1114", "payout"),
    ("T12", "dispute"),
    ("T00", "charge"),
)
_PAYMENT_ORDER = "ODR"


def list_lines(client: PaypalClient, *, start: date, end: date) -> Iterator[SettlementLine]:
    """Every movement from ``start`` to ``end`` in UTC, window by window and page by page."""
    first = start
    while first <= end:
        last = min(end, first + timedelta(days=WINDOW_DAYS - 1))
        yield from _window(client, first, last)
        first = last + timedelta(days=1)


def _window(client: PaypalClient, first: date, last: date) -> Iterator[SettlementLine]:
    query = {
        "start_date": f"{first.isoformat()}T00:00:00Z",
        "end_date": f"{last.isoformat()}T23:59:59Z",
        "fields": "transaction_info,payer_info",
        "page_size": str(_PAGE_SIZE),
    }
    page, pages = 1, 1
    while page <= pages:
        body = body_of(client.get(PATH, query={**query, "page": str(page)}, operation="list_transactions"))
        for row in rows(body, "transaction_details"):
            line = _line(row)
            if line is not None and first <= line.settled_on <= last:
                yield line
        told = body.get("total_pages")
        pages = told if isinstance(told, int) else page
        page += 1


def _line(row: Mapping[str, Any]) -> SettlementLine | None:
    """One movement; None for one that did not succeed or cannot be read."""
    info = inside(row, "transaction_info")
    gross, at = read_money(inside(info, "transaction_amount")), moment(info, "transaction_initiation_date")
    if gross is None or at is None or text(info, "transaction_status") != _SUCCESSFUL:
        return None
    transaction = text(info, "transaction_id")
    linked = text(info, "paypal_reference_id") if text(info, "paypal_reference_id_type") == _PAYMENT_ORDER else ""
    kind = _kind(text(info, "transaction_event_code"), gross)
    custom = text(info, "custom_field")
    return SettlementLine(
        provider_reference=linked if linked and kind == "charge" else transaction,
        kind=kind,
        gross=gross,
        fee=_fee(info, gross),
        settled_on=at.date(),
        occurred_at=at,
        counterparty=text(row, "payer_info", "email_address"),
        description=text(info, "transaction_subject") or text(info, "transaction_note"),
        line_id=transaction,
        reference=custom if any(is_ours(prefix, custom) for prefix in ("ch", "re", "po")) else "",
        receipt=transaction,
    )


def _kind(event_code: str, gross: Money) -> str:
    found = next((kind for start, kind in _KINDS if event_code.startswith(start)), "adjustment")
    return "adjustment" if found == "charge" and gross.amount < 0 else found


def _fee(info: Any, gross: Money) -> Money:
    """What PayPal kept. It writes fees below zero."""
    told = read_money(inside(info, "fee_amount"))
    if told is None or told.currency != gross.currency:
        return Money(0, gross.currency)
    return abs(told)
