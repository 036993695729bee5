"""A picture for the customer's app to scan: it fills in who is paid, how much, and the reference that finds the intent.

What is paid by it arrives as incoming money, with the reference as what the payer typed. Nothing is stored here but
what was said to the provider.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from majuu_core.common import clock
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import candidate_accounts, record_health
from majuu_core.payments.account_references import ReferenceRefused, suggest_account_reference
from majuu_core.payments.calls import Conversation, refuse_open_transaction
from majuu_core.payments.models import PaymentIntent
from majuu_core.payments.representation import remaining_amount
from majuu_core.providers import (
    InvalidCredentials,
    InvalidPaymentData,
    MakesQrCodes,
    PaymentProvider,
    ProviderError,
    QrCode,
    QrRequest,
    RequestRejected,
)
from majuu_core.providers.installed import installed_providers

logger = logging.getLogger("majuu.payments")
MIN_SIZE, USUAL_SIZE, MAX_SIZE = 100, 300, 1000
_PAYABLE = (
    PaymentIntent.Status.REQUIRES_PAYMENT_METHOD,
    PaymentIntent.Status.PROCESSING,
    PaymentIntent.Status.REQUIRES_ACTION,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeQrCode:
    """The picture, and what it says."""

    code: QrCode
    request: QrRequest
    account: ProviderAccount


def make_intent_qr_code(*, intent: PaymentIntent, size: int = USUAL_SIZE) -> MadeQrCode:
    """Ask the first account of the store whose provider draws codes for one that pays what remains of the intent.

    Raises Conflict when the intent cannot be paid, no account draws codes, or the provider gives no answer, and Invalid
    for what the provider refuses. Talks to the network.
    """
    refuse_open_transaction()
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise Invalid("size_invalid", f"The size must be {MIN_SIZE} to {MAX_SIZE} pixels.", field="size")
    if intent.status not in _PAYABLE or intent.is_parked or intent.expires_at <= clock.now():
        raise Conflict("payment_intent_not_payable", "Only an intent that can still be paid has a QR code.")
    account = _account_for(intent)
    request = QrRequest(
        reference=account_reference(intent),
        amount=remaining_amount(intent),
        merchant_name=intent.store.name,
        size=size,
    )
    return MadeQrCode(code=_draw(account, request, about=intent.public_id), request=request, account=account)


def account_reference(intent: PaymentIntent) -> str:
    """What a payer types as account number for this intent: the store's prefix, the order number, a check character.

    It is what `GET /incoming-payments/account-reference` tells to print. Raises Invalid for an order number that no
    account reference can be made of, or that is too long to be typed.
    """
    try:
        return suggest_account_reference(intent.store.account_prefix or "", intent.reference or intent.public_id[-10:])
    except ReferenceRefused as problem:
        raise Invalid(problem.code, str(problem), field="reference") from None


def _account_for(intent: PaymentIntent) -> ProviderAccount:
    for account in candidate_accounts(store=intent.store, livemode=intent.livemode):
        provider = next((item for item in installed_providers() if item.code == account.provider), None)
        if provider is not None and _draws_for(provider, intent):
            return account
    raise Conflict(
        "qr_code_not_offered", "No provider account of this store makes QR codes in this currency and by these methods."
    )


def _draws_for(provider: type[PaymentProvider], intent: PaymentIntent) -> bool:
    methods = {method.code for method in provider.info.payment_methods}
    wanted = set(intent.payment_methods)
    return (
        issubclass(provider, MakesQrCodes)
        and intent.currency in provider.info.currencies
        and (not wanted or bool(methods & wanted))
    )


def _draw(account: ProviderAccount, request: QrRequest, *, about: str) -> QrCode:
    conversation = Conversation(account, about=about)
    try:
        provider = conversation.provider()
        assert isinstance(provider, MakesQrCodes)  # noqa: S101 - chosen because it is
        return provider.make_qr_code(request)
    except (RequestRejected, InvalidPaymentData) as problem:
        raise Invalid("qr_code_refused", f"The provider refuses to make this QR code: {problem}") from None
    except InvalidCredentials as problem:
        record_health(account=account, healthy=False, message=str(problem))
        raise _unavailable() from None
    except ProviderError:
        raise _unavailable() from None
    except Exception:
        logger.exception("the provider of %s could not make a QR code", account.public_id)
        raise _unavailable() from None
    finally:
        for record in conversation.records():
            record.save(force_insert=True)


def _unavailable() -> Conflict:
    return Conflict("qr_code_unavailable", "The provider makes no QR code just now. Try again later.", retry_after=30)
