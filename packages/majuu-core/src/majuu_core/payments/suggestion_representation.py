"""Suggestions as the API shows them. Money that is not the store's yet shows of its payer what recognises them.

A receipt is what money is claimed by: on a shared account a store sees it only where its own order explains the money
well; otherwise it has to be told the receipt by the customer.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from majuu_core.common.ids import encode_id
from majuu_core.common.money import format_amount
from majuu_core.payments.message_checks import VERDICTS, MessageCheck
from majuu_core.payments.models import IncomingPayment, PaymentIntent
from majuu_core.payments.representation import represent_time
from majuu_core.payments.sms import CURRENCY, PaidMessage
from majuu_core.payments.suggestion_reasons import Reason
from majuu_core.payments.suggestions import Suggestion, is_certain

SHOW_RECEIPT_SCORE = 60
LEAST_SHARED_SCORE = 30  # below, money on a shared account is none of a store's business


def mask_text(text: str) -> str:
    """The first letter of each word: ``J*** O***``."""
    return " ".join(f"{word[0]}***" for word in text.split()[:6])


def mask_phone(phone: str) -> str:
    """The last three digits: ``*** 678``."""
    return f"*** {phone[-3:]}" if len(phone) > 6 else ""


def mask_receipt(receipt: str) -> str:
    """The first two and the last characters."""
    return f"{receipt[:2]}{'*' * (len(receipt) - 4)}{receipt[-2:]}" if len(receipt) > 6 else "*" * len(receipt)


def may_be_shown(incoming: IncomingPayment, suggestions: Sequence[Suggestion]) -> bool:
    """Whether a store that does not own the account may know of the money at all."""
    if incoming.provider_account.store_id is not None:
        return True
    return any(one.score >= LEAST_SHARED_SCORE for one in suggestions)


def represent_unclaimed(incoming: IncomingPayment, *, best: int, store_id: uuid.UUID) -> dict[str, Any]:
    """Money that is not the store's yet. ``best`` is the score of the best suggestion the store has for it."""
    is_shared = incoming.provider_account.store_id is None
    is_trusted = not is_shared or incoming.store_id == store_id or best >= SHOW_RECEIPT_SCORE
    return {
        "id": incoming.public_id,
        "object": "incoming_payment",
        "livemode": incoming.livemode,
        "provider": incoming.provider,
        "channel": incoming.channel,
        "receiver": incoming.receiver,
        "amount": format_amount(incoming.amount),
        "currency": incoming.currency,
        "receipt": incoming.receipt if is_trusted else None,
        "receipt_masked": mask_receipt(incoming.receipt),
        "account_reference": incoming.account_reference if is_trusted else None,
        "payer_name_masked": mask_text(incoming.payer_name),
        "payer_phone_masked": mask_phone(incoming.payer_phone or incoming.payer_phone_masked),
        "verified": incoming.verified_at is not None,
        "occurred_at": represent_time(incoming.occurred_at),
        "created_at": represent_time(incoming.created_at),
    }


def represent_reason(reason: Reason) -> dict[str, Any]:
    """One piece of evidence in both languages."""
    return {
        "code": reason.code,
        "points": reason.points,
        "messages": {"en": reason.english, "sw": reason.swahili},
    }


def represent_score(suggestion: Suggestion, threshold: int | None) -> dict[str, Any]:
    """The score with its reasons. ``certain``: a store with this threshold would have it claimed automatically."""
    return {
        "score": suggestion.score,
        "certain": threshold is not None and is_certain(suggestion, threshold),
        "reasons": [represent_reason(reason) for reason in suggestion.reasons],
    }


def represent_order(suggestion: Suggestion, threshold: int | None) -> dict[str, Any]:
    """An order that money may pay."""
    expectation = suggestion.expectation
    return {
        "payment_intent": encode_id(PaymentIntent.id_prefix, expectation.key),
        "reference": expectation.reference,
        **represent_score(suggestion, threshold),
    }


def represent_check(check: MessageCheck, store_id: uuid.UUID) -> dict[str, Any]:
    """The verdict on a pasted message."""
    english, swahili = VERDICTS[check.verdict]
    shown = check.incoming
    return {
        "object": "message_verification",
        "verdict": check.verdict,
        "messages": {"en": english, "sw": swahili},
        "message": _represent_message(check.message) if check.message else None,
        "differences": [{"field": one.field, "message": one.said, "inbox": one.arrived} for one in check.differences],
        "incoming_payment": represent_unclaimed(shown, best=100, store_id=store_id) if shown else None,
        "charge": check.charge.public_id if check.charge else None,
        "payment_intent": check.charge.payment_intent.public_id if check.charge else None,
    }


def _represent_message(message: PaidMessage) -> Mapping[str, Any]:
    return {
        "receipt": message.receipt,
        "amount": None if message.amount is None else f"{message.amount:.2f}",
        "currency": CURRENCY,
        "direction": message.direction or None,
        "kind": message.kind or None,
        "party": message.party or None,
        "account": message.account or None,
        "fee": None if message.fee is None else f"{message.fee:.2f}",
        "occurred_at": represent_time(message.occurred_at),
        "language": message.language,
        "other_receipts": list(message.other_receipts),
    }
