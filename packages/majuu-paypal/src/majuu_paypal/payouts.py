"""Sending money out, one person a batch. The batch carries our id, and PayPal takes each such id once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from majuu_core.providers import (
    Failure,
    FailureCode,
    FetchRequest,
    InvalidPaymentData,
    MethodField,
    OutcomeUnknown,
    PayoutRequest,
    Result,
    ResultStatus,
    Violation,
)
from majuu_core.providers.http import Answer
from majuu_paypal import failures, mapping
from majuu_paypal.answers import body_of, issue, issue_text, refusal
from majuu_paypal.client import PaypalClient, request_id
from majuu_paypal.currencies import amount_violations, read_money, write_money
from majuu_paypal.fields import inside, last_part, link, moment, path_part, rows, shown, text

PATH = "/v1/payments/payouts"
FIELDS: tuple[MethodField, ...] = (
    MethodField(name="email", kind="email", label="E-mail address at PayPal", required=False),
    MethodField(name="phone", kind="phone", label="Phone number at PayPal", required=False),
    MethodField(name="paypal_id", kind="text", label="PayPal payer ID", required=False),
)
_TYPES = {"email": "EMAIL", "phone": "PHONE", "paypal_id": "PAYPAL_ID"}
_LONGEST_NOTE = 255
_S = ResultStatus
# UNCLAIMED: PayPal holds it up to 30 days for somebody who has no account yet; then it is RETURNED.
_ITEM_STATUS = {
    "SUCCESS": _S.SUCCEEDED,
    "NEW": _S.PENDING,
    "PENDING": _S.PENDING,
    "UNCLAIMED": _S.PENDING,
    "ONHOLD": _S.PENDING,
    "FAILED": _S.FAILED,
    "DENIED": _S.FAILED,
    "BLOCKED": _S.FAILED,
    "RETURNED": _S.FAILED,
    "REFUNDED": _S.FAILED,
    "REVERSED": _S.FAILED,
    "CANCELED": _S.CANCELED,
}
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,62}")
_PAYPAL_ID = re.compile(r"[A-Z0-9]{13}")
_PHONE = re.compile(r"\+?[0-9]{7,15}")


def prepare(request: PayoutRequest) -> PayoutRequest:
    """The payout with its one destination in canonical form. Raises InvalidPaymentData with every objection."""
    violations = amount_violations(request.amount)
    told = {name: request.destination.get(name, "").strip() for name in _TYPES}
    told = {name: value for name, value in told.items() if value}
    destination: dict[str, str] = {}
    if len(told) != 1:
        message = "Name exactly one of email, phone and paypal_id."
        violations.append(Violation(code="destination_invalid", message=message, field="destination"))
    else:
        [(name, value)] = told.items()
        found = _canonical(name, value)
        if found is None:
            message = f"{_WANTED[name]}."
            violations.append(Violation(code="destination_invalid", message=message, field=f"destination.{name}"))
        else:
            destination = {name: found}
    if violations:
        raise InvalidPaymentData(*violations)
    return replace(request, destination=destination)


_WANTED = {
    "email": "email must be an address such as jane@example.com",
    "phone": "phone must be a number with its country code, such as +254712345678",
    "paypal_id": "paypal_id must be the 13 letters and digits of a PayPal account",
}


def send(client: PaypalClient, request: PayoutRequest) -> Result:
    """Send once: PENDING when taken. The same id again says what became of the first sending."""
    request = prepare(request)
    answer = client.post(
        PATH, _body(request), operation="payout", request_id=request_id(request.idempotency_key, "payout")
    )
    if answer.status in {200, 201}:
        header = inside(body_of(answer), "batch_header")
        batch_id = text(header, "payout_batch_id")
        if not batch_id:
            raise OutcomeUnknown("PayPal's answer names no payout batch")
        return Result(status=_S.PENDING, provider_reference=batch_id, raw=shown(answer.json()))
    if _is_repetition(answer):
        return _known(client, answer)
    found = issue(answer)
    if answer.status in {400, 403, 422} and found in failures.PAYOUT_DECLINES:
        why = failures.failure(failures.PAYOUT_DECLINES[found], found, issue_text(answer))
        return Result(status=_S.FAILED, failure=why)
    raise refusal(answer)


def fetch(client: PaypalClient, request: FetchRequest) -> Result:
    """What the batch says of its one item. Without the batch's id UNKNOWN: it is sent again under the same id."""
    if not request.provider_reference:
        return Result(status=_S.UNKNOWN)
    answer = client.get(f"{PATH}/{path_part(request.provider_reference)}", operation="fetch_payout")
    if answer.status == 404:
        return Result(status=_S.UNKNOWN)
    return batch_result(body_of(answer))


def batch_result(body: Mapping[str, Any]) -> Result:
    """What a batch says: of its item, or of itself while it has none."""
    batch_id = text(body, "batch_header", "payout_batch_id") or None
    item = next(iter(rows(body, "items")), None)
    if item is not None and text(item, "transaction_status"):
        return item_result(item, batch_id=batch_id)
    status = text(body, "batch_header", "batch_status")
    common: dict[str, Any] = {"provider_reference": batch_id, "raw": shown(body)}
    if status == "DENIED":
        why = failures.failure(FailureCode.DECLINED, "DENIED", "PayPal refused the payout; the balance may be too low.")
        return Result(status=_S.FAILED, failure=why, **common)
    if status == "CANCELED":
        return Result(status=_S.CANCELED, **common)
    return Result(status=_S.PENDING if status else _S.UNKNOWN, **common)


def item_result(item: Mapping[str, Any], *, batch_id: str | None) -> Result:
    """What an item says. RETURNED, REFUNDED and REVERSED came back: nobody has the money."""
    told = text(item, "transaction_status")
    status = _ITEM_STATUS.get(told, _S.UNKNOWN)
    return Result(
        status=status,
        provider_reference=batch_id or text(item, "payout_batch_id") or None,
        receipt=text(item, "transaction_id") or None,
        amount=read_money(inside(item, "payout_item", "amount")),
        fee=read_money(inside(item, "payout_item_fee")) if status is _S.SUCCEEDED else None,
        failure=_failure(item, told) if status is _S.FAILED else None,
        occurred_at=moment(item, "time_processed"),
        raw=shown(item),
    )


def _failure(item: Mapping[str, Any], told: str) -> Failure:
    code = text(item, "errors", "name") or told
    words = text(item, "errors", "message") or f"The payout did not arrive ({told})."
    return failures.failure(failures.PAYOUT_DECLINES.get(code, FailureCode.DECLINED), code, words)


def _body(request: PayoutRequest) -> dict[str, Any]:
    [(name, receiver)] = request.destination.items()
    item: dict[str, Any] = {
        "recipient_type": _TYPES[name],
        "amount": _payout_money(request),
        "receiver": receiver,
        "sender_item_id": request.reference,
    }
    if note := mapping.note(request.reason, _LONGEST_NOTE):
        item["note"] = note
    return {"sender_batch_header": {"sender_batch_id": request.reference}, "items": [item]}


def _payout_money(request: PayoutRequest) -> dict[str, str]:
    written = write_money(request.amount)  # payouts call the code by another name
    return {"currency": written["currency_code"], "value": written["value"]}


def _is_repetition(answer: Answer) -> bool:
    """True when PayPal has a batch with this id already."""
    if answer.status != 400:
        return False
    return any("sender_batch_id" in text(row, "field").lower() for row in rows(answer.json(), "details"))


def _known(client: PaypalClient, answer: Answer) -> Result:
    """The batch that has our id, by the link in the refusal."""
    body = answer.json()
    places = (body, *({"links": inside(row, "link")} for row in rows(body, "details")))
    batch_id = next((last_part(url) for place in places if (url := link(place, "self"))), "")
    if not batch_id:
        return Result(status=_S.UNKNOWN, doubt="PayPal has a payout with this id and does not say which one it is.")
    return fetch(client, FetchRequest(reference="", provider_reference=batch_id))


def _canonical(name: str, value: str) -> str | None:
    if name == "email":
        return value if _EMAIL.fullmatch(value) and len(value) <= 127 else None
    if name == "paypal_id":
        return value.upper() if _PAYPAL_ID.fullmatch(value.upper()) else None
    digits = re.sub(r"[\s().-]", "", value)
    return f"+{digits.lstrip('+')}" if _PHONE.fullmatch(digits) else None
