"""The Pull API: what customers paid in the last 48 hours, for notices that were lost. Only for C2B."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from majuu_core.common import clock
from majuu_core.common.money import Money
from majuu_core.providers import IncomingMoney, OutcomeUnknown, RequestRejected, WebhookRejected
from majuu_core.providers.http import Answer
from majuu_mpesa.account import CONFIGURATION, Account
from majuu_mpesa.answers import refusal
from majuu_mpesa.codes import code_text
from majuu_mpesa.credentials import MpesaCredentials
from majuu_mpesa.fields import read_amount, read_moment, read_receipt
from majuu_mpesa.mapping import EAST_AFRICA
from majuu_mpesa.parties import payer_fields
from majuu_mpesa.text import plain_text, safe_raw

REGISTER_PATH = "/pulltransactions/v1/register"
QUERY_PATH = "/pulltransactions/v1/query"
WINDOW = timedelta(hours=48)
MOST_PAGES = 1000
_OK, _NONE = "1000", "1001"
_CHANNELS = {"c2b-pay-bill-debit": "paybill", "c2b-buy-goods-debit": "till"}


def register(account: Account, callback_url: str) -> None:
    """Open pulling for the shortcode. To be registered already is as good."""
    body = {
        "ShortCode": account.credentials.shortcode,
        "RequestType": "Pull",
        "NominatedNumber": account.credentials.nominated_number or "",
        "CallBackURL": callback_url,
    }
    answer = account.post(REGISTER_PATH, body, "pull_register")
    found = _body(answer)
    code = code_text(found.get("ResponseStatus", found.get("Response Status")))
    if code not in (_OK, _NONE):
        said = plain_text(found.get("ResponseDescription", found.get("Response Description")), limit=200)
        raise RequestRejected(f"M-Pesa does not open the Pull API for the shortcode: {said}", code=code or "")


def list_incoming(account: Account, start: datetime, end: datetime) -> Iterator[IncomingMoney]:
    """Payments of the period, as far as it lies in the last 48 hours; page after page.

    A row that cannot be read is left out. Raises RequestRejected when the account has no nominated number.
    """
    if not account.credentials.nominated_number:
        raise RequestRejected(
            "Listing payments needs the Pull API. Enter the nominated number, then register the addresses again.",
            code=CONFIGURATION,
        )
    start = max(start, clock.now() - WINDOW)
    offset, seen = 0, set[str]()
    for _ in range(MOST_PAGES if start < end else 0):
        rows = _page(account, start, end, offset)
        fresh = [row for row in rows if _key(row) not in seen]
        if not fresh:
            return
        seen |= {_key(row) for row in fresh}
        offset += len(rows)
        yield from _payments(fresh, account.credentials)


def read_rows(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of an answer: a list in a list, which is empty when there are none. Raises RequestRejected for no."""
    code = code_text(body.get("ResponseCode"))
    if code == _NONE:
        return []
    if code != _OK:
        said = plain_text(body.get("ResponseMessage"), limit=200)
        raise RequestRejected(f"M-Pesa does not list payments: {said}", code=code or "")
    outer = body.get("Response")
    rows: list[dict[str, Any]] = []
    for item in outer if isinstance(outer, list) else []:
        rows += [row for row in (item if isinstance(item, list) else [item]) if isinstance(row, dict)]
    return rows


def read_row(row: dict[str, Any], credentials: MpesaCredentials) -> IncomingMoney | None:
    """The payment in a row; None for one that cannot be read."""
    receipt, moment = read_receipt(row.get("transactionId")), _moment(row.get("trxDate"))
    amount = _amount(row.get("amount"))
    if receipt is None or amount is None or moment is None:
        return None
    channel = _CHANNELS.get(plain_text(row.get("transactiontype"), limit=60).lower(), credentials.kind)
    payer = payer_fields(row.get("msisdn"))
    # A number that is cut short (Safaricom's own sample has one) identifies nobody.
    if "*" not in payer.get("payer_phone_masked", "*"):
        payer = {}
    return IncomingMoney(
        receipt=receipt,
        amount=amount,
        occurred_at=moment,
        receiver=credentials.receiver,
        account_reference=plain_text(row.get("billreference"), limit=100),
        payer_name=plain_text(row.get("sender"), limit=100),
        channel=channel,
        raw=safe_raw(row),
        **payer,
    )


def _payments(rows: list[dict[str, Any]], credentials: MpesaCredentials) -> Iterator[IncomingMoney]:
    for row in rows:
        money = read_row(row, credentials)
        if money is not None:
            yield money


def _page(account: Account, start: datetime, end: datetime, offset: int) -> list[dict[str, Any]]:
    body = {
        "ShortCode": account.credentials.shortcode,
        "StartDate": _written(start),
        "EndDate": _written(end),
        "OffSetValue": str(offset),
    }
    return read_rows(_body(account.post(QUERY_PATH, body, "pull_transactions")))


def _body(answer: Answer) -> dict[str, Any]:
    body = answer.json()
    if answer.status != 200:
        raise refusal(answer)
    if not isinstance(body, dict):
        raise OutcomeUnknown("M-Pesa answered HTTP 200 with a body that is not Daraja's")
    return body


def _key(row: dict[str, Any]) -> str:
    return read_receipt(row.get("transactionId")) or repr(sorted(row.items(), key=repr))[:500]


def _written(moment: datetime) -> str:
    return moment.astimezone(EAST_AFRICA).strftime("%Y-%m-%d %H:%M:%S")


def _moment(value: Any) -> datetime | None:
    """With a zone as it says; without one it is East Africa Time."""
    text = plain_text(value, limit=40)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return read_moment(text)
    return found.astimezone(UTC) if found.tzinfo else read_moment(text.replace("T", " "))


def _amount(value: Any) -> Money | None:
    try:
        return read_amount(value)
    except WebhookRejected:
        return None
