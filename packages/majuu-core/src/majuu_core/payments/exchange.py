"""Charging in another currency than is owed, where a provider does not take the intent's.

A plugin promises the rate (``quote_fx``). The charge keeps both amounts: what the customer pays, and what that settles
of the intent. In the books the two meet in a trading account of the currency pair; who holds the provider account
carries what the rate does afterwards.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from moneyed import Money

from majuu_core.common import clock
from majuu_core.common.money import AmountError, round_to_currency, to_minor_units
from majuu_core.ledger.chart import AccountRef, fx_trading
from majuu_core.payments.models import Charge
from majuu_core.plugins.contributions import FxQuote
from majuu_core.plugins.manager import decide
from majuu_core.providers import PaymentProvider

logger = logging.getLogger("majuu.payments")
# Asked for in this order, so that a customer sees a currency they know; the others follow by name.
_PREFERRED = ("USD", "EUR", "GBP")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a charge takes from the customer, and what it settles of the intent. Equal without an exchange."""

    charged: Money
    owed: Money
    rate: Decimal | None = None  # charged for one owed
    source: str = ""

    @property
    def is_exchanged(self) -> bool:
        """Whether the two are in different currencies."""
        return self.charged.currency != self.owed.currency


def terms_for(provider: type[PaymentProvider], method: str, owed: Money) -> Terms | None:
    """How this provider's method can take what is owed: as it is, or exchanged; None when it cannot."""
    if provider.info.takes(method, owed.currency.code):
        return Terms(charged=owed, owed=owed)
    if owed.amount <= 0:
        return None
    quotes = (_quote(owed, currency) for currency in _currencies(provider, method))
    return next((_as_terms(owed, quote) for quote in quotes if quote is not None), None)


def takes_exchanged(providers: Iterable[type[PaymentProvider]], method: str, owed: Money) -> bool:
    """Whether any of the providers can take the method for what is owed, with an exchange."""
    return any(provider.info.method(method) and terms_for(provider, method, owed) for provider in providers)


def trading_account(charge: Charge, currency: str) -> AccountRef:
    """The trading account of an exchanged charge's two currencies, in one of them."""
    pair = {charge.currency, charge.payment_intent.currency}
    return fx_trading(currency, (pair - {currency}).pop(), livemode=charge.livemode)


def is_exchanged(charge: Charge) -> bool:
    """Whether the charge is in another currency than its intent."""
    return charge.settles_amount is not None


def settled_by(charge: Charge, received: Money) -> Money:
    """What money of the charge's currency settles of the intent, in proportion; all of it settles all."""
    if charge.settles_amount is None:
        return received
    share = charge.settles_amount * received.amount / charge.amount.amount
    return round_to_currency(Money(share, charge.payment_intent.amount.currency))


def refund_settles(charge: Charge, reserved: Decimal, amount: Money, *, taken: Decimal) -> Decimal | None:
    """What giving this much back takes of what the charge settled; None where nothing was exchanged.

    ``reserved`` is what went back before, and ``taken`` what that took. Parts that add up to the whole take all of it.
    """
    if charge.settles_amount is None or not charge.amount_received.amount:
        return None
    after = settled_share(charge, min(reserved + amount.amount, charge.amount_received.amount))
    return max(after - taken, Decimal(0))


def dispute_settles(charge: Charge, withdrawn: Decimal) -> Decimal:
    """What a dispute that holds this much back takes of what an exchanged charge settled."""
    received = charge.amount_received.amount
    return settled_share(charge, min(withdrawn, received)) if received else Decimal(0)


def settled_share(charge: Charge, given: Decimal) -> Decimal:
    """What a part of the money that came has settled."""
    share = (charge.settles_amount or Decimal(0)) * given / charge.amount_received.amount
    return round_to_currency(Money(share, charge.payment_intent.amount.currency)).amount


def _currencies(provider: type[PaymentProvider], method: str) -> list[str]:
    found = provider.info.method(method)
    taken = (found.currencies or provider.info.currencies) if found else frozenset[str]()
    return [*(code for code in _PREFERRED if code in taken), *sorted(taken - set(_PREFERRED))]


def _quote(owed: Money, currency: str) -> FxQuote | None:
    """A plugin's promise that can be used now; None without one."""
    try:
        quote: FxQuote | None = decide("quote_fx", amount=owed, to_currency=currency, at=clock.now())
    except Exception:
        logger.exception("no rate from %s to %s", owed.currency.code, currency)
        return None
    if quote is None or quote.expires_at <= clock.now():
        return None
    if quote.amount != owed or quote.converted.currency.code != currency or quote.converted.amount <= 0:
        logger.error("a plugin quoted %s for %s to %s; that is not what was asked", quote, owed, currency)
        return None
    return quote


def _as_terms(owed: Money, quote: FxQuote) -> Terms | None:
    try:
        to_minor_units(quote.converted)
    except AmountError:
        logger.error("a plugin quoted %s, which has more decimals than the currency", quote.converted)
        return None
    return Terms(charged=quote.converted, owed=owed, rate=quote.rate, source=quote.source[:64])
