"""Taking money: the two-transaction call pattern.

First transaction: lock the intent, insert the charge and its hold, commit. Then the provider is called with no
transaction open. Second transaction: settling.apply_result. A process that dies in between leaves a charge that the
follow-ups resolve by asking; nothing is ever sent twice.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
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
from majuu_core.payments.addresses import charge_callback_url, payment_url
from majuu_core.payments.by_hand import add_giving_way, first_look, is_by_hand, lock_intent_and_waiting, offers_here
from majuu_core.payments.calls import Conversation, take_money
from majuu_core.payments.capture_methods import can_start, check_capture_method, starting_operation
from majuu_core.payments.completion import complete
from majuu_core.payments.exchange import Terms, terms_for
from majuu_core.payments.intents import check_method_data, refuse_unsupported_method
from majuu_core.payments.models import Charge, PaymentIntent, SavedMethod
from majuu_core.payments.prompt_limits import check_prompts
from majuu_core.payments.representation import remaining_amount
from majuu_core.payments.routing import MOST_ATTEMPTS, may_try_another, order_accounts
from majuu_core.payments.settling import Applied, apply_result, tell_of_failure
from majuu_core.payments.transitions import FINAL_INTENT, OPEN_CHARGE, may_move_intent
from majuu_core.providers import (
    Failure,
    FailureCode,
    InvalidPaymentData,
    PaymentProvider,
    PaymentRequest,
    PreparesPayments,
    Result,
    ResultStatus,
    operations,
)
from majuu_core.providers.installed import installed_providers

logger = logging.getLogger("majuu.payments")
# The call itself may take this long; nobody asks about the charge meanwhile.
CALL_LEASE = timedelta(seconds=45)
# Two of some hundred thousand million references are the same: nothing was shown, and the next attempt has another.
_REFERENCE_TAKEN = Result(
    status=ResultStatus.FAILED,
    failure=Failure(
        code=FailureCode.PROCESSING_ERROR,
        provider_code="reference_taken",
        message="No free reference was found for this attempt. Nothing was taken; try again.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentChoice:
    """How the customer wants to pay. ``amount`` pays a part; None pays all that remains. ``return_url`` is the shop's,
    where the customer goes in the end; the provider sends them to our own page first."""

    payment_method: str
    payment_method_data: Mapping[str, str] = field(default_factory=dict)
    amount: Money | None = None
    return_url: str = ""
    saved_method: SavedMethod | None = None  # its account and method are used, whatever ``payment_method`` says
    customer_present: bool = True  # False: nobody is there to answer a question of their bank


def confirm_payment_intent(
    *, intent: PaymentIntent, choice: PaymentChoice, request_key: str = ""
) -> tuple[PaymentIntent, Charge]:
    """Start a charge and return the intent and the charge as they are once the provider has answered.

    An attempt that was not sent, or refused for certain by no fault of the customer, is followed by one at the next
    account, each a charge of its own. ``request_key`` names the API request: the same one again joins its charge
    instead of starting another. Raises Invalid for data that cannot be used and Conflict when the intent cannot be
    paid now; nothing is written then.
    """
    check_method_data(choice.payment_method_data)
    accounts = _choose_accounts(intent, choice)
    attempt = _attempt(intent, choice, accounts, request_key)
    for number in range(1, len(accounts)):
        if attempt.is_over:
            break
        try:
            attempt = _attempt(intent, choice, accounts[number:], request_key, is_first=False)
        except Problem:
            logger.exception("%s: the next account could not be tried", intent.public_id)
            tell_of_failure(attempt.charge.pk)
            break
    charge = attempt.charge
    return charge.payment_intent, charge


@dataclass(frozen=True, slots=True)
class _Attempt:
    charge: Charge
    is_over: bool  # no other account is to be tried


def _attempt(
    intent: PaymentIntent,
    choice: PaymentChoice,
    accounts: Sequence[ProviderAccount],
    request_key: str,
    *,
    is_first: bool = True,
) -> _Attempt:
    """One charge at the first of the accounts."""
    try:
        if not accounts:
            raise _no_account(intent, choice)
        conversation = Conversation(accounts[0])
        provider = _open_provider(conversation)
        terms = _terms(provider, intent, choice)
        request = _prepare(provider, intent, choice, terms.charged)
    except Problem:
        # What cannot be used any more could be used when this very request came first.
        earlier = _charge_of(intent, request_key) if is_first else None
        if earlier is None:
            raise
        return _Attempt(earlier, is_over=True)
    charge, started = _start_charge(
        intent, conversation.account, request, terms, request_key, choice.saved_method, joins=is_first
    )
    if not started:
        return _Attempt(charge, is_over=True)
    if choice.return_url:
        charge.payment_intent.return_url = choice.return_url
        PaymentIntent.objects.filter(pk=intent.pk).update(return_url=choice.return_url)
    conversation.charge = charge
    request = replace(
        request,
        reference=charge.public_id,
        idempotency_key=charge.public_id,
        amount=charge.amount,
        webhook_url=charge_callback_url(charge.pk),
    )
    operation = starting_operation(provider, intent.capture_method)
    result = take_money(conversation, lambda: operation(request), replay_safe=provider.info.replay_safe)
    goes_on = len(accounts) > 1 and may_try_another(result)
    applied = _write_answer(charge, result, conversation, goes_on=goes_on)
    if result.needs_completion:
        conversation.exchanges.clear()  # they are written
        result = complete(conversation, applied.charge, result)
        applied = _write_answer(charge, result, conversation, renames=True)
    return _Attempt(applied.charge, is_over=not (goes_on and applied.charge.status == Charge.Status.FAILED))


def _write_answer(
    charge: Charge, result: Result, conversation: Conversation, *, goes_on: bool = False, renames: bool = False
) -> Applied:
    """The second transaction, once more if the database was away; the log keeps what only this process knows."""
    records = conversation.records()
    due = first_look(charge, installed_providers().get(charge.provider).info)
    values = {"follow_up_at": max(due, clock.now() + CALL_LEASE) if due and result.needs_completion else due}
    try:
        return apply_result(
            charge_id=charge.pk, result=result, records=records, charge_values=values, goes_on=goes_on, renames=renames
        )
    except IntegrityError:
        if not (is_by_hand(charge.provider) and result.provider_reference):
            raise
        logger.warning("charge %s: its reference %s is taken already", charge.public_id, result.provider_reference)
        return apply_result(charge_id=charge.pk, result=_REFERENCE_TAKEN, records=records, charge_values=values)
    except (OperationalError, InterfaceError):
        logger.exception(
            "charge %s: the provider said %s, its reference is %s; writing it once more",
            charge.public_id,
            result.status,
            result.provider_reference,
        )
        connection.close_if_unusable_or_obsolete()
        return apply_result(
            charge_id=charge.pk, result=result, records=records, charge_values=values, goes_on=goes_on, renames=renames
        )


def get_charge(*, store_id: uuid.UUID, livemode: bool, public_id: str) -> Charge:
    """The store's charge. Raises NotFound, also for another store's and another mode's."""
    try:
        return Charge.objects.select_related("payment_intent").get(
            pk=Charge.uuid_of(public_id), payment_intent__store_id=store_id, livemode=livemode
        )
    except (ValueError, Charge.DoesNotExist):
        raise NotFound("charge_not_found", "There is no such charge in this store and mode.") from None


def offered_accounts(intent: PaymentIntent) -> dict[str, list[ProviderAccount]]:
    """The accounts that could take the intent's money now, by payment method, in the order of preference.

    A method that no account takes in the intent's currency is offered in another one, where a rate is promised.
    """
    offered: dict[str, list[ProviderAccount]] = {}
    exchanged: dict[str, list[ProviderAccount]] = {}
    registry = installed_providers()
    for account in candidate_accounts(store=intent.store, livemode=intent.livemode):
        if account.provider not in registry:
            continue
        provider = registry.get(account.provider)
        if not can_start(provider, intent.capture_method):
            continue
        for method in provider.info.payment_methods:
            wanted = not intent.payment_methods or method.code in intent.payment_methods
            if wanted and provider.info.takes(method.code, intent.currency):
                if offers_here(account, method.code, intent.currency):
                    offered.setdefault(method.code, []).append(account)
            elif wanted and "offers" not in operations(provider):
                exchanged.setdefault(method.code, []).append(account)
    for method_code, accounts in exchanged.items():
        if method_code not in offered and (able := _able_to_exchange(intent, method_code, accounts)):
            offered[method_code] = able
    return offered


def _able_to_exchange(intent: PaymentIntent, method: str, accounts: list[ProviderAccount]) -> list[ProviderAccount]:
    """The accounts that can take the method in another currency, at a rate that somebody promises now."""
    registry, owed = installed_providers(), amount_to_charge(intent, None)
    providers = dict.fromkeys(account.provider for account in accounts)
    found = {code: terms_for(registry.get(code), method, owed) for code in providers}
    return [
        account
        for account in accounts
        if (terms := found[account.provider]) and offers_here(account, method, terms.charged.currency.code)
    ]


def _choose_accounts(intent: PaymentIntent, choice: PaymentChoice) -> list[ProviderAccount]:
    """Who takes the payment, and who is next if the one before cannot; none when nobody takes it."""
    candidates = offered_accounts(intent).get(choice.payment_method, [])
    if choice.saved_method is not None:
        return [account for account in candidates if account.pk == choice.saved_method.provider_account_id]
    return order_accounts(intent, choice.payment_method, candidates)[:MOST_ATTEMPTS]


def _no_account(intent: PaymentIntent, choice: PaymentChoice) -> Invalid:
    """Why nobody takes the payment. Raises Invalid itself where the method is the reason."""
    refuse_unsupported_method(choice.payment_method, amount_to_charge(intent, None), "payment_method")
    check_capture_method(intent.capture_method, [choice.payment_method], field="payment_method")
    if intent.payment_methods and choice.payment_method not in intent.payment_methods:
        offered = ", ".join(intent.payment_methods)
        raise Invalid(
            "payment_method_not_offered", f"This payment intent takes {offered} only.", field="payment_method"
        )
    mode = "live" if intent.livemode else "test"
    return Invalid(
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


def _terms(provider: PaymentProvider, intent: PaymentIntent, choice: PaymentChoice) -> Terms:
    """What is charged for what is owed. The amount owed is checked again under the lock."""
    owed = amount_to_charge(intent, choice.amount)
    terms = terms_for(type(provider), choice.payment_method, owed)
    if terms is None:
        raise Conflict("exchange_rate_gone", f"No rate from {owed.currency.code} is offered any more. Try again.")
    return terms


def _prepare(provider: PaymentProvider, intent: PaymentIntent, choice: PaymentChoice, charged: Money) -> PaymentRequest:
    """The request in canonical form, before anything is stored."""
    request = PaymentRequest(
        idempotency_key="",
        reference="",
        amount=charged,
        payment_method=choice.payment_method,
        payment_method_data=dict(choice.payment_method_data),
        description=intent.description,
        merchant_reference=intent.reference,
        return_url=f"{payment_url(intent)}/return",
        cancel_url=f"{payment_url(intent)}/canceled",
        customer_email=intent.customer_email,
        saved_method=choice.saved_method.method_reference if choice.saved_method else "",
        customer_reference=choice.saved_method.customer_reference if choice.saved_method else "",
        customer_present=choice.customer_present,
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
    if intent.capture_method == PaymentIntent.CaptureMethod.MANUAL and wanted != remaining:
        raise Invalid(
            "partial_authorization_unsupported",
            f"What is captured later is authorized as a whole: leave the amount out, or send {remaining.amount}.",
            field="amount",
        )
    if wanted.currency != remaining.currency:
        raise Invalid("currency_mismatch", f"This payment intent is in {remaining.currency.code}.", field="amount")
    if not 0 < wanted.amount <= remaining.amount:
        raise Invalid("amount_out_of_range", f"At most {remaining.amount} remains to be paid.", field="amount")
    return wanted


def _start_charge(
    intent: PaymentIntent,
    account: ProviderAccount,
    request: PaymentRequest,
    terms: Terms,
    request_key: str,
    saved_method: SavedMethod | None,
    *,
    joins: bool,
) -> tuple[Charge, bool]:
    """The first transaction. False when this very request had started its charge before, and ``joins`` it."""
    with transaction.atomic():
        locked, waiting = lock_intent_and_waiting(intent.pk)
        mine = _charge_of(locked, request_key) if joins else None
        if mine is not None:
            return mine, False
        check_payable(locked, terms.owed, ended=waiting)
        charge = _build_charge(locked, account, request, terms, request_key)
        charge.saved_method = saved_method
        check_prompts(charge)
        batch = WriteBatch()
        add_giving_way(batch, waiting)
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
    mine = intent.charges.filter(request_key=request_key).select_related("payment_intent__store")
    return mine.order_by("pk").last()


def check_payable(intent: PaymentIntent, amount: Money, *, ended: Sequence[Charge] = ()) -> None:
    """Raise Conflict unless the intent, which is locked, can be paid this amount now.

    ``ended`` are open charges that give way to the new one.
    """
    if intent.status in FINAL_INTENT:
        raise Conflict("payment_intent_final", f"The payment intent is {intent.status}; it cannot be paid.")
    if intent.expires_at <= clock.now():
        raise Conflict("payment_intent_expired", "The payment intent has expired. Create a new one.")
    if intent.is_parked:
        raise Conflict(
            "payment_intent_under_review", "Money for this payment intent is being looked at. Do not pay again."
        )
    going_on = intent.charges.filter(status__in=OPEN_CHARGE).exclude(pk__in=[charge.pk for charge in ended])
    if going_on.exists():
        raise Conflict(
            "charge_in_progress",
            "A payment for this intent is still going on. Wait for its outcome before starting another.",
            retry_after=10,
        )
    if not may_move_intent(intent.status, PaymentIntent.Status.PROCESSING):
        raise Conflict("payment_intent_not_payable", f"The payment intent is {intent.status}; it cannot be paid now.")
    if amount > remaining_amount(intent):
        raise Conflict("amount_changed", "Part of this intent was paid meanwhile. Look again and retry.")


def _build_charge(
    intent: PaymentIntent, account: ProviderAccount, request: PaymentRequest, terms: Terms, request_key: str
) -> Charge:
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
        settles_amount=terms.owed.amount if terms.is_exchanged else None,
        fx_rate=terms.rate,
        fx_source=terms.source,
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
