"""Money that arrives by itself, balances, and the ways back: values that cross the contract beside payments.

As in types.py: frozen, keyword-only; amounts are ``moneyed.Money``, times are timezone-aware.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moneyed import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingMoney:
    """A payment nobody asked for by an intent, as the provider tells it. Every text is the payer's and hostile."""

    receipt: str  # the provider's own number; unique at the provider
    amount: Money
    occurred_at: datetime
    receiver: str  # the shortcode or account number the money went to
    account_reference: str = ""  # what the payer typed, as it is
    payer_name: str = ""
    payer_phone: str = ""  # digits with the country code, when the provider says it plainly
    payer_phone_hash: str = ""  # SHA-256 of those digits, lower-case hex, when it says only that
    payer_phone_masked: str = ""  # such as "2547 ***** 126"
    channel: str = ""  # "paybill" | "till" | another word of the provider's
    intent_reference: str = ""  # our charge's public id, when the provider echoes it
    at_this_account: bool = True  # False: ``receiver`` is not this account's own; core parks the message
    raw: Mapping[str, Any] = field(default_factory=dict)  # redacted already


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingAddresses:
    """Where the provider tells us about incoming money: asked before it is taken, and told afterwards."""

    check_url: str
    notice_url: str
    accept_when_unreachable: bool = True  # what the provider does when the first address does not answer in time


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingQuery:
    """Ask what became of money by its receipt. The answer may come later, to ``webhook_url``."""

    receipt: str
    reference: str  # our public id of the incoming payment
    webhook_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBalance:
    """One of the accounts behind a provider account. ``available`` can be spent now; None where it was not told."""

    name: str  # the provider's own word, such as "Utility Account"
    current: Money
    available: Money | None = None
    reserved: Money | None = None
    uncleared: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceQuery:
    """Ask for all balances. ``reference`` names the question; the answer may come later, to ``webhook_url``."""

    reference: str
    webhook_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceAnswer:
    """Balances, or None for ``balances`` when they will come by webhook under ``provider_reference``."""

    balances: tuple[AccountBalance, ...] | None
    provider_reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundQuestion:
    """What the refund planner asks a provider. All that is known of the payment; nothing is looked up."""

    amount: Money  # to give back
    paid: Money  # by the payment
    refunded: Money  # of it, before
    paid_at: datetime
    now: datetime
    receipt: str | None
    provider_reference: str | None
    payer_phone: str = ""  # digits with the country code, if it is known


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRoute:
    """One way of giving money back and whether it is open. ``reason`` is a sentence for whoever decides.

    ``books_as`` is "reversal" (the payment is undone at the provider) or "payout" (new money leaves another balance).
    """

    method: str
    possible: bool
    reason: str
    books_as: str = "reversal"
    needs: tuple[str, ...] = ()  # what ``FollowUpRequest.destination`` must hold, e.g. ("phone",)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheck:
    """The answer to one question of ``manage.py majuu_check_account``. ``state`` is "ok", "warning" or "error"."""

    name: str
    state: str
    message: str  # what was found and, unless ok, what to do


@dataclass(frozen=True, slots=True, kw_only=True)
class QrRequest:
    """What a QR code should make a customer's app fill in. Without an amount the customer types it."""

    reference: str
    amount: Money | None = None
    merchant_name: str = ""
    size: int = 300  # pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class QrCode:
    """A picture to scan."""

    png: bytes
    provider_reference: str = ""
