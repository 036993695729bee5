"""Money that arrives by itself, for tests: told by events as the webhook rooms hand them on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from moneyed import Money

from majuu_core.common import clock
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.selectors import balance
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.merchants.services import intake_store
from majuu_core.payments.claims import ClaimRequest, claim_incoming
from majuu_core.payments.incoming import receive_incoming
from majuu_core.payments.models import Claim, IncomingPayment
from majuu_core.payments.notices import Notice, Verdict
from majuu_core.providers import IncomingMoney, ProviderEvent, Result, ResultStatus, Trust

PHONE = "254712345678"


def money(receipt: str = "UKP7X1A2B3", amount: str = "1500", **fields: Any) -> IncomingMoney:
    """Money as a provider tells of it; who paid can be given in ``fields``."""
    at: datetime = fields.pop("occurred_at", None) or clock.now()
    return IncomingMoney(
        **{
            "receipt": receipt,
            "amount": Money(amount, fields.pop("currency", "KES")),
            "occurred_at": at,
            "receiver": "600984",
            "payer_name": "Jane Wanjiru",
            "payer_phone": PHONE,
            **fields,
        }
    )


def notice(account: ProviderAccount, told: IncomingMoney, trust: Trust = Trust.SIGNED) -> Notice:
    """The event of a message about it."""
    event = ProviderEvent(
        event_id=f"in-{told.receipt}",
        type="incoming.received",
        reference=None,
        provider_reference=told.receipt,
        result=Result(status=ResultStatus.SUCCEEDED, receipt=told.receipt, amount=told.amount),
        occurred_at=told.occurred_at,
        incoming=told,
    )
    return Notice(account=account, event=event, trust=trust, body=b'{"TransID": "\x00"}')


def arrive(account: ProviderAccount, *args: Any, trust: Trust = Trust.SIGNED, **fields: Any) -> Verdict:
    """Tell core that money arrived."""
    return receive_incoming(notice(account, money(*args, **fields), trust))


def the_money(receipt: str = "UKP7X1A2B3") -> IncomingPayment:
    return IncomingPayment.objects.select_related("store", "charge", "payment_intent").get(receipt=receipt)


def claim(store: Store, receipt: str = "UKP7X1A2B3", reference: str = "1001", **more: Any) -> Claim:
    return claim_incoming(
        store=store, livemode=False, request=ClaimRequest(receipt=receipt, reference=reference, **more)
    )


def unclaimed(currency: str = "KES") -> Decimal:
    """What the intake owes to whoever will claim it."""
    return posted(AccountKind.INTAKE_UNCLAIMED, intake_store().public_id, currency)


def payable(store: Store, currency: str = "KES") -> Decimal:
    return posted(AccountKind.STORE_PAYABLE, store.public_id, currency)


def clearing(account: ProviderAccount, currency: str = "KES") -> Decimal:
    return posted(AccountKind.PROVIDER_CLEARING, account.public_id, currency)


def posted(kind: AccountKind, owner: str, currency: str = "KES") -> Decimal:
    return balance(AccountRef(kind=kind, owner=owner, currency=currency, livemode=False)).posted.amount


__all__ = [
    "PHONE",
    "arrive",
    "claim",
    "clearing",
    "money",
    "notice",
    "payable",
    "posted",
    "replace",
    "the_money",
    "unclaimed",
]
