"""Taking money: the two-transaction call pattern.

First transaction: lock the intent, insert the charge and its hold, commit. Then the provider is called with no
transaction open. Second transaction: settling.apply_result. A process that dies in between leaves a charge that the
follow-ups resolve by asking; nothing is ever sent twice.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.audit.services import build_entry
from majuu_core.common import clock, ids
from majuu_core.common.problems import Conflict, Invalid, NotFound, Problem
from majuu_core.database.batch import WriteBatch
from majuu_core.merchants.errors import CredentialsUnreadable
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import candidate_accounts
from majuu_core.payments import bookings
from majuu_core.payments.addresses import charge_callback_url
from majuu_core.payments.calls import Conversation, take_money
from majuu_core.payments.intents import unsupported_method
from majuu_core.payments.locks import lock_intent
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.outcomes import next_follow_up
from majuu_core.payments.prompt_limits import check_prompts
from majuu_core.payments.representation import remaining_amount
from majuu_core.payments.settling import Applied, apply_result
from majuu_core.payments.transitions import FINAL_INTENT, OPEN_CHARGE, may_move_intent
from majuu_core.plugins.manager import decide
from majuu_core.providers import (
    InvalidPaymentData,
    PaymentProvider,
    PaymentRequest,
    PreparesPayments,
    Result,
    SupportsSale,
    operations,
)
from majuu_core.providers.installed import installed_providers

logger = logging.getLogger("majuu.payments")
# The call itself may take this long; nobody asks about the charge meanwhile.
CALL_LEASE = timedelta(seconds=45)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentChoice:
    """How the customer wants to pay. ``amount`` pays a part; None pays all that remains."""

    payment_method: str
    payment_method_data: Mapping[str, str] = field(default_factory=dict)
    amount: Money | None = None
    return_url: str = ""


def confirm_payment_intent(
    *, intent: PaymentIntent, choice: PaymentChoice, request_key: str = ""
) -> tuple[PaymentIntent, Charge]:
    """Start a charge and return the intent and the charge as they are once the provider has answered.

    ``request_key`` names the API request: the same one again joins its charge instead of starting another. Raises
    Invalid for data that cannot be used and Conflict when the intent cannot be paid now; nothing is written then.
    """
    try:
        conversation = Conversation(_choose_account(intent, choice))
        provider = _open_provider(conversation)
        request = _prepare(provider, intent, choice)
    except Problem:
        # What cannot be used any more could be used when this very request came first.
        earlier = _charge_of(intent, request_key)
        if earlier is None:
            raise
        return earlier.payment_intent, earlier
    charge, started = _start_charge(intent, conversation.account, request, request_key)
    if not started:
        return charge.payment_intent, charge
    conversation.charge = charge
    request = replace(
        request,
        reference=charge.public_id,
        idempotency_key=charge.public_id,
        amount=charge.amount,
        webhook_url=charge_callback_url(charge.pk),
    )
    assert isinstance(provider, SupportsSale)  # noqa: S101 - _choose_account takes no other
    sale = provider.sale
    result = take_money(conversation, lambda: sale(request), replay_safe=provider.info.replay_safe)
    follow_up_at = next_follow_up(charge, provider.info.follow_up_seconds, clock.now())
    applied = _write_answer(charge, result, conversation, {"follow_up_at": follow_up_at})
    return applied.charge.payment_intent, applied.charge


def _write_answer(charge: Charge, result: Result, conversation: Conversation, values: Mapping[str, Any]) -> Applied:
    """The second transaction, once more if the database was away; the log keeps what only this process knows."""
    records = conversation.records()
    try:
        return apply_result(charge_id=charge.pk, result=result, records=records, charge_values=values)
    except (OperationalError, InterfaceError):
        logger.exception(
            "charge %s: the provider said %s, its reference is %s; writing it once more",
            charge.public_id,
            result.status,
            result.provider_reference,
        )
        connection.close_if_unusable_or_obsolete()
        return apply_result(charge_id=charge.pk, result=result, records=records, charge_values=values)


def get_charge(*, store_id: uuid.UUID, livemode: bool, public_id: str) -> Charge:
    """The store's charge. Raises NotFound, also for another store's and another mode's."""
    try:
        return Charge.objects.select_related("payment_intent").get(
            pk=Charge.uuid_of(public_id), payment_intent__store_id=store_id, livemode=livemode
        )
    except (ValueError, Charge.DoesNotExist):
        raise NotFound("charge_not_found", "There is no such charge in this store and mode.") from None


def offered_accounts(intent: PaymentIntent) -> dict[str, list[ProviderAccount]]:
    """The accounts that could take the intent's money now, by payment method, in the order of preference."""
    offered: dict[str, list[ProviderAccount]] = {}
    registry = installed_providers()
    for account in candidate_accounts(store=intent.store, livemode=intent.livemode):
        if account.provider not in registry:
            continue
        provider = registry.get(account.provider)
        if "sale" not in operations(provider):
            continue
        for method in provider.info.payment_methods:
            wanted = not intent.payment_methods or method.code in intent.payment_methods
            if wanted and provider.info.takes(method.code, intent.currency):
                offered.setdefault(method.code, []).append(account)
    return offered


def _choose_account(intent: PaymentIntent, choice: PaymentChoice) -> ProviderAccount:
    candidates = offered_accounts(intent).get(choice.payment_method, [])
    account = decide("select_provider_account", payment_intent=intent, candidates=list(candidates))
    if account is not None:
        # A plugin chooses among what may be used; it cannot bring in another store's account.
        if account not in candidates:
            raise RuntimeError(f"a plugin chose {account}, which is not offered for this payment")
        return account  # type: ignore[no-any-return]
    if not installed_providers().for_method(choice.payment_method, intent.currency):
        raise unsupported_method(choice.payment_method, intent.currency, "payment_method")
    if intent.payment_methods and choice.payment_method not in intent.payment_methods:
        offered = ", ".join(intent.payment_methods)
        raise Invalid(
            "payment_method_not_offered", f"This payment intent takes {offered} only.", field="payment_method"
        )
    mode = "live" if intent.livemode else "test"
    raise Invalid(
        "no_provider_account",
        f"This store has no active {mode} account that takes {choice.payment_method}. Add one in the console.",
        field="payment_method",
    )


def _open_provider(conversation: Conversation) -> PaymentProvider:
    try:
        return conversation.provider()
    except CredentialsUnreadable:
        logger.exception("the credentials of %s do not open", conversation.account)
        raise Conflict(
            "provider_account_unusable",
            "The credentials of this payment method's account cannot be read. Enter them again in the console.",
        ) from None


def _prepare(provider: PaymentProvider, intent: PaymentIntent, choice: PaymentChoice) -> PaymentRequest:
    """The request in canonical form, before anything is stored. The amount is checked again under the lock."""
    request = PaymentRequest(
        idempotency_key="",
        reference="",
        amount=amount_to_charge(intent, choice.amount),
        payment_method=choice.payment_method,
        payment_method_data=dict(choice.payment_method_data),
        description=intent.description,
        merchant_reference=intent.reference,
        return_url=choice.return_url or intent.return_url,
    )
    if not isinstance(provider, PreparesPayments):
        return request
    try:
        return provider.prepare_payment(request)
    except InvalidPaymentData as problem:
        first = problem.violations[0]
        raise Invalid(first.code, first.message, field=first.field) from None


def amount_to_charge(intent: PaymentIntent, wanted: Money | None) -> Money:
    """What a payment of the intent takes: ``wanted``, or all that remains. Raises Invalid."""
    remaining = remaining_amount(intent)
    if wanted is None:
        return remaining if remaining.amount > 0 else intent.amount
    if wanted.currency != remaining.currency:
        raise Invalid("currency_mismatch", f"This payment intent is in {remaining.currency.code}.", field="amount")
    if not 0 < wanted.amount <= remaining.amount:
        raise Invalid("amount_out_of_range", f"At most {remaining.amount} remains to be paid.", field="amount")
    return wanted


def _start_charge(
    intent: PaymentIntent, account: ProviderAccount, request: PaymentRequest, request_key: str
) -> tuple[Charge, bool]:
    """The first transaction. False when this very request had started its charge before."""
    with transaction.atomic():
        locked = lock_intent(intent.pk)
        mine = _charge_of(locked, request_key)
        if mine is not None:
            return mine, False
        check_payable(locked, request.amount)
        charge = _build_charge(locked, account, request, request_key)
        check_prompts(charge)
        batch = WriteBatch()
        bookings.hold_amount(batch, charge, locked.store)
        batch.insert(charge)
        values = {"status": PaymentIntent.Status.PROCESSING, "updated_at": charge.created_at}
        batch.update(PaymentIntent, locked.pk, values)
        batch.insert(_audit_start(locked, charge))
        batch.execute()
        locked.status = PaymentIntent.Status.PROCESSING
    return charge, True


def _charge_of(intent: PaymentIntent, request_key: str) -> Charge | None:
    """The charge this request started when it came first."""
    if not request_key:
        return None
    return intent.charges.filter(request_key=request_key).select_related("payment_intent__store").first()


def check_payable(intent: PaymentIntent, amount: Money) -> None:
    """Raise Conflict unless the intent, which is locked, can be paid this amount now."""
    if intent.status in FINAL_INTENT:
        raise Conflict("payment_intent_final", f"The payment intent is {intent.status}; it cannot be paid.")
    if intent.expires_at <= clock.now():
        raise Conflict("payment_intent_expired", "The payment intent has expired. Create a new one.")
    if intent.is_parked:
        raise Conflict(
            "payment_intent_under_review", "Money for this payment intent is being looked at. Do not pay again."
        )
    if intent.charges.filter(status__in=OPEN_CHARGE).exists():
        raise Conflict(
            "charge_in_progress",
            "A payment for this intent is still going on. Wait for its outcome before starting another.",
            retry_after=10,
        )
    if not may_move_intent(intent.status, PaymentIntent.Status.PROCESSING):
        raise Conflict("payment_intent_not_payable", f"The payment intent is {intent.status}; it cannot be paid now.")
    if amount > remaining_amount(intent):
        raise Conflict("amount_changed", "Part of this intent was paid meanwhile. Look again and retry.")


def _build_charge(intent: PaymentIntent, account: ProviderAccount, request: PaymentRequest, request_key: str) -> Charge:
    now = clock.now()
    zero = Money(0, request.amount.currency)
    first_question = timedelta(seconds=installed_providers().get(account.provider).info.follow_up_seconds[0])
    amounts: dict[str, Any] = {"amount": request.amount, "amount_received": zero, "fee": zero}
    return Charge(
        **amounts,
        id=ids.new_uuid(),
        payment_intent=intent,
        livemode=intent.livemode,
        provider_account=account,
        provider=account.provider,
        payment_method=request.payment_method,
        payer=request.payment_method_data.get("phone", request.payment_method_data.get("email", ""))[:80],
        request_key=request_key,
        follow_up_at=max(now + CALL_LEASE, now + first_question),
        created_at=now,
        updated_at=now,
    )


def _audit_start(intent: PaymentIntent, charge: Charge) -> AuditEntry:
    return build_entry(
        action="charge.created",
        object_id=charge.public_id,
        merchant_id=intent.store.merchant_id,
        store_id=intent.store_id,
        changes={"amount": [None, str(charge.amount.amount)], "payment_method": [None, charge.payment_method]},
    )
