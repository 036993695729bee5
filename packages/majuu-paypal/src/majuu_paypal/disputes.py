"""Disputes: what PayPal says of them, and how a seller answers.

Money moves when a dispute is decided, or when a bank takes it back at once: PayPal lists those movements. Until then
it may hold an amount back without saying so in the dispute.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from majuu_core.common import clock
from majuu_core.common.money import Money
from majuu_core.providers import (
    DisputeReason,
    DisputeState,
    DisputeStatus,
    EvidenceRequest,
    FetchRequest,
    FollowUpRequest,
    OutcomeUnknown,
)
from majuu_core.providers.http import Answer
from majuu_paypal import evidence, mapping
from majuu_paypal.answers import body_of
from majuu_paypal.client import PaypalClient, request_id
from majuu_paypal.currencies import read_money
from majuu_paypal.fields import inside, is_ours, link, moment, ours_in, path_part, rows, shown, text

PATH = "/v1/customer/disputes"
_OLDEST = timedelta(days=179)  # PayPal lists 180 days
_PAGE = "50"
_LONGEST_NOTE = 2_000
_S, _R = DisputeStatus, DisputeReason
_STATUS = {
    "WAITING_FOR_SELLER_RESPONSE": _S.NEEDS_RESPONSE,
    "WAITING_FOR_BUYER_RESPONSE": _S.UNDER_REVIEW,
    "UNDER_REVIEW": _S.UNDER_REVIEW,
    "OTHER": _S.UNDER_REVIEW,
}
_OUTCOME = {
    "RESOLVED_SELLER_FAVOUR": _S.WON,
    "CANCELED_BY_BUYER": _S.WON,
    "DENIED": _S.WON,
    "RESOLVED_BUYER_FAVOUR": _S.LOST,
    "ACCEPTED": _S.LOST,  # PayPal accepted what the customer says
    "NONE": _S.EXPIRED,
}
_REASON = {
    "MERCHANDISE_OR_SERVICE_NOT_RECEIVED": _R.NOT_RECEIVED,
    "MERCHANDISE_OR_SERVICE_NOT_AS_DESCRIBED": _R.NOT_AS_DESCRIBED,
    "UNAUTHORISED": _R.FRAUDULENT,
    "CREDIT_NOT_PROCESSED": _R.CREDIT_NOT_PROCESSED,
    "DUPLICATE_TRANSACTION": _R.DUPLICATE,
    "PAYMENT_BY_OTHER_MEANS": _R.DUPLICATE,
    "INCORRECT_AMOUNT": _R.INCORRECT_AMOUNT,
    "CANCELED_RECURRING_BILLING": _R.CANCELED,
}
_SETTLEMENT = "DISPUTE_SETTLEMENT"


def fetch(client: PaypalClient, request: FetchRequest) -> DisputeState:
    """What the dispute is like now. Raises RequestRejected when there is none."""
    return _fetch(client, request.provider_reference or "")


def list_since(client: PaypalClient, since: datetime) -> Iterator[DisputeState]:
    """Every dispute opened since then, 180 days back at most, those of other shops on the same account left out."""
    start = max(since, clock.now() - _OLDEST)
    query = {"start_time": start.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "page_size": _PAGE}
    while True:
        body = body_of(client.get(PATH, query=query, operation="list_disputes"))
        for row in rows(body, "items"):
            state = _fetch(client, text(row, "dispute_id"))
            if not is_foreign(state.raw):
                yield state
        following = _next_page(body)
        if not following or following == query.get("next_page_token"):
            return
        query = {**query, "next_page_token": following}


def submit(client: PaypalClient, request: EvidenceRequest) -> DisputeState:
    """Send evidence. Raises InvalidPaymentData for what PayPal does not take, a draft above all."""
    evidence.check(request)
    document = evidence.document(request)
    content, content_type = evidence.multipart(document, request.files)
    path = f"{PATH}/{path_part(request.provider_reference)}/provide-evidence"
    answer = client.post_bytes(
        path,
        content,
        content_type,
        operation="provide_evidence",
        request_id=request_id(request.idempotency_key, "evidence"),
        shown=f"{json.dumps(document)} and {len(request.files)} files",
    )
    return _after(client, request.provider_reference, answer)


def accept(client: PaypalClient, request: FollowUpRequest) -> DisputeState:
    """Give in: PayPal gives the money back to the customer. For one that is over already what it says.

    PayPal calls a dispute lost that was accepted; it was lost because the store gave in.
    """
    now = _fetch(client, request.provider_reference)
    if now.status not in {_S.NEEDS_RESPONSE, _S.UNDER_REVIEW}:
        return _as_accepted(now)
    note = mapping.note(request.reason, _LONGEST_NOTE) or "The seller accepts the claim."
    document = {"note": note, "accept_claim_type": "REFUND"}
    content, content_type = evidence.multipart(document)
    path = f"{PATH}/{path_part(request.provider_reference)}/accept-claim"
    answer = client.post_bytes(
        path,
        content,
        content_type,
        operation="accept_claim",
        request_id=request_id(request.idempotency_key, "accept"),
        shown=json.dumps(document),
    )
    return _as_accepted(_after(client, request.provider_reference, answer))


def state_of(body: Mapping[str, Any]) -> DisputeState | None:
    """What a dispute says; None when it is not told in full, as in some messages."""
    amount, opened_at = read_money(inside(body, "dispute_amount")), moment(body, "create_time")
    reference, told = text(body, "dispute_id"), text(body, "status")
    transaction = disputed(body)
    if amount is None or amount.amount <= 0 or opened_at is None or not reference or not told or not transaction:
        return None
    withdrawn, fee = _moved(body, amount)
    return DisputeState(
        provider_reference=reference,
        payment_reference=text(transaction, "seller_transaction_id"),
        charge_reference=charge_of(transaction),
        status=_status(body, told, withdrawn),
        reason=_REASON.get(text(body, "reason"), _R.GENERAL),
        provider_reason=text(body, "reason"),
        amount=amount,
        opened_at=opened_at,
        withdrawn=withdrawn,
        fee=fee,
        respond_by=moment(body, "seller_response_due_date"),
        occurred_at=moment(body, "update_time") or opened_at,
        raw=shown(body),
    )


def is_foreign(body: Mapping[str, Any]) -> bool:
    """True when the disputed payment names somebody else's order: another shop uses the same PayPal account."""
    transaction = disputed(body)
    told = text(transaction, "custom") or text(transaction, "invoice_number")
    return bool(told) and not charge_of(transaction)


def charge_of(transaction: Mapping[str, Any]) -> str:
    """Our charge that a disputed payment is; "" where PayPal does not repeat it."""
    custom = text(transaction, "custom")
    return custom if is_ours("ch", custom) else ours_in(text(transaction, "invoice_number"), "ch")


def has_any(client: PaypalClient, capture_id: str) -> bool:
    """True when a capture is or was in dispute."""
    query = {"disputed_transaction_id": capture_id, "page_size": "1"}
    return bool(rows(body_of(client.get(PATH, query=query, operation="list_disputes")), "items"))


def disputed(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The payment in dispute; {} when it is not told."""
    return next(iter(rows(body, "disputed_transactions")), {})


def _fetch(client: PaypalClient, dispute_id: str) -> DisputeState:
    body = body_of(client.get(f"{PATH}/{path_part(dispute_id)}", operation="fetch_dispute"))
    state = state_of(body)
    if state is None:
        raise OutcomeUnknown("PayPal's answer about the dispute cannot be read")
    return state


def _after(client: PaypalClient, dispute_id: str, answer: Answer) -> DisputeState:
    body_of(answer, 200, 201, 202)
    return _fetch(client, dispute_id)


def _as_accepted(state: DisputeState) -> DisputeState:
    return replace(state, status=_S.ACCEPTED) if state.status is _S.LOST else state


def _gave_in(body: Mapping[str, Any]) -> bool:
    """True when PayPal lists the seller's acceptance among what was said."""
    said = (row for row in rows(body, "evidences") if text(row, "source") == "SUBMITTED_BY_SELLER")
    return any(text(row, "action_info", "action") == "ACCEPT_CLAIM" for row in said)


def _status(body: Mapping[str, Any], told: str, withdrawn: Money | None) -> DisputeStatus:
    if told == "RESOLVED" and _gave_in(body):
        return _S.ACCEPTED
    if told == "RESOLVED":
        outcome = text(body, "dispute_outcome", "outcome_code")
        if outcome in _OUTCOME:
            return _OUTCOME[outcome]
        # With a payout PayPal protected one of the two; the movements say which.
        return _S.LOST if withdrawn and withdrawn.amount > 0 else _S.WON if outcome else _S.EXPIRED
    if told == "OPEN":
        return _S.NEEDS_RESPONSE if moment(body, "seller_response_due_date") else _S.UNDER_REVIEW
    return _STATUS.get(told, _S.UNDER_REVIEW)


def _moved(body: Mapping[str, Any], amount: Money) -> tuple[Money | None, Money | None]:
    """What the seller is short of because of the dispute now, and the fees; None for what PayPal does not say."""
    movements = [row for row in rows(body, "money_movements") if text(row, "affected_party") == "SELLER"]
    if not movements:
        return _moved_by_outcome(body, amount), None
    settled = Money(0, amount.currency)
    fees = Money(0, amount.currency)
    for row in movements:
        moved = read_money(inside(row, "amount"))
        if moved is None or moved.currency != amount.currency:
            return None, None
        signed = moved if text(row, "type") == "DEBIT" else -moved
        if text(row, "reason") == _SETTLEMENT:
            settled += signed
        else:
            fees += signed
    nothing = Money(0, amount.currency)
    return max(settled, nothing), max(fees, nothing)


def _moved_by_outcome(body: Mapping[str, Any], amount: Money) -> Money | None:
    outcome = text(body, "dispute_outcome", "outcome_code")
    if outcome in {"RESOLVED_SELLER_FAVOUR", "CANCELED_BY_BUYER", "DENIED", "NONE"}:
        return Money(0, amount.currency)
    if outcome in {"RESOLVED_BUYER_FAVOUR", "ACCEPTED"}:
        return read_money(inside(body, "dispute_outcome", "amount_refunded"))
    if text(body, "dispute_life_cycle_stage") == "INQUIRY":
        return Money(0, amount.currency)
    return None


def _next_page(body: Mapping[str, Any]) -> str:
    """The token of the next page. Only the token: an address could lead anywhere."""
    try:
        query = parse_qs(urlsplit(link(body, "next")).query)
    except ValueError:
        return ""
    return query.get("next_page_token", [""])[0]
