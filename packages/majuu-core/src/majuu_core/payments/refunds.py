"""Giving money back: plan it, hold it, send it, write down what the provider said.

First transaction: lock the charges, check that nothing goes back that never came, hold the amount, commit. Then the
provider is called with no transaction open. Second transaction: outgoing.apply_outgoing. A process that dies in
between leaves a refund that the follow-ups resolve by asking; nothing is ever sent twice.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from moneyed import Money

from majuu_core.audit.services import build_entry
from majuu_core.common import clock, ids
from majuu_core.common.money import format_amount
from majuu_core.common.problems import Conflict, Invalid, NotFound
from majuu_core.database.batch import WriteBatch
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.merchants.errors import CredentialsUnreadable
from majuu_core.merchants.models import Store
from majuu_core.merchants.people import acting_person
from majuu_core.payments.addresses import refund_callback_url
from majuu_core.payments.calls import Conversation, take_money
from majuu_core.payments.charges import get_charge
from majuu_core.payments.cover import Spending, require_cover
from majuu_core.payments.intents import check_metadata, get_payment_intent
from majuu_core.payments.locks import lock_charges
from majuu_core.payments.models import Charge, Refund
from majuu_core.payments.outgoing import apply_outgoing, first_question, write_answer
from majuu_core.payments.outgoing_follow_ups import schedule_of
from majuu_core.payments.own_money import is_own_money, own_routes
from majuu_core.payments.refund_amounts import (
    count_disputed,
    question_about,
    refundable_amount,
    settled_by_refund,
)
from majuu_core.payments.refund_bookings import hold_refund, split_by_source, split_settled
from majuu_core.payments.refund_outcomes import REFUNDS, add_refund_event
from majuu_core.payments.refund_planner import ONLY_METHOD, RefundPlan, make_plan, require_route, routes_of
from majuu_core.plugins.manager import collect
from majuu_core.providers import FollowUpRequest, PaymentProvider, Result, ResultStatus, SupportsRefund
from majuu_core.providers.installed import installed_providers

logger = logging.getLogger("majuu.payments")
MAX_CHARGES = 20  # of one intent, to be refunded together


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundDetails:
    """What is to go back. Name a charge, or an intent to spread over its charges; ``amount`` None is all that remains.

    ``method`` is one of the provider's ways; "" takes the first that is open. ``destination`` holds what that way needs
    and the payment does not tell, such as a phone.
    """

    charge: str = ""
    payment_intent: str = ""
    amount: Money | None = None
    reason: str = ""
    method: str = ""
    destination: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    source: str = Refund.Source.MERCHANT


@dataclass(slots=True)
class _Prepared:
    """A refund that is held and not yet sent."""

    refund: Refund
    provider: PaymentProvider | None  # None: an account of ours paid, and has its money back already
    conversation: Conversation


def create_refund(*, store: Store, livemode: bool, details: RefundDetails, request_key: str = "") -> list[Refund]:
    """Give money back and return the refunds as they are once the provider has answered: one for each charge.

    A refund of a charge is one; that of an intent takes its charges newest first, and all of it is held before any of
    it is sent. ``request_key`` names the API request: the same one again finds its refunds instead of making others.
    Raises NotFound, Invalid for what cannot go back or not that way, Conflict for what cannot go back now; nothing is
    written then.
    """
    charges = _find_charges(store, livemode, details)
    earlier = _refunds_of(charges, request_key)
    if earlier:
        return earlier
    conversations = {charge.pk: Conversation(charge.provider_account) for charge in charges}
    providers = {key: _open(conversation) for key, conversation in conversations.items()}
    prepared, earlier = _hold(charges, providers, conversations, details, request_key)
    return earlier or [_send(item) for item in prepared]


def get_refund(*, store_id: uuid.UUID, livemode: bool, public_id: str) -> Refund:
    """The store's refund. Raises NotFound, also for another store's and another mode's."""
    try:
        rows = Refund.objects.select_related("charge__payment_intent", "store")
        return rows.get(pk=Refund.uuid_of(public_id), store_id=store_id, livemode=livemode)
    except (ValueError, Refund.DoesNotExist):
        raise NotFound("refund_not_found", "There is no such refund in this store and mode.") from None


def plan_refund(
    *, charge: Charge, amount: Money | None = None, method: str = "", destination: Mapping[str, str] | None = None
) -> RefundPlan:
    """What a refund of this charge would do now. Nothing is called or written.

    Raises Invalid and Conflict for what cannot be refunded at all; a plan without an open way says why.
    """
    provider = _open(Conversation(charge.provider_account))
    return _plan(charge, provider, amount, method=method, destination=destination)


def _find_charges(store: Store, livemode: bool, details: RefundDetails) -> list[Charge]:
    """The charges that may be touched, newest first."""
    if bool(details.charge) is bool(details.payment_intent):
        raise Invalid("refund_subject_missing", "Name either a charge or a payment_intent.", field="charge")
    check_metadata(details.metadata)
    if details.charge:
        return [get_charge(store_id=store.pk, livemode=livemode, public_id=details.charge)]
    intent = get_payment_intent(store_id=store.pk, livemode=livemode, public_id=details.payment_intent)
    rows = intent.charges.filter(status=Charge.Status.SUCCEEDED, amount_received__gt=0).order_by("-pk")
    charges = list(rows.select_related("payment_intent__store", "provider_account")[: MAX_CHARGES + 1])
    if not charges:
        raise Conflict("charge_not_refundable", "Nothing has been paid on this payment intent.")
    if len(charges) > MAX_CHARGES:
        raise Invalid("refund_too_many_charges", "Refund the charges of this payment intent one by one.")
    return charges


def _refunds_of(charges: Sequence[Charge], request_key: str) -> list[Refund]:
    """What this very request made when it came first."""
    if not request_key:
        return []
    rows = Refund.objects.filter(charge__in=[charge.pk for charge in charges], request_key=request_key)
    return list(rows.select_related("charge__payment_intent", "store").order_by("-charge_id"))


def _open(conversation: Conversation) -> PaymentProvider | None:
    """The provider, None when it cannot be used: the plan says so."""
    if conversation.account.provider not in installed_providers():
        return None
    try:
        return conversation.provider()
    except CredentialsUnreadable:
        logger.exception("the credentials of %s do not open", conversation.account)
        return None


def _hold(
    charges: Sequence[Charge],
    providers: Mapping[uuid.UUID, PaymentProvider | None],
    conversations: Mapping[uuid.UUID, Conversation],
    details: RefundDetails,
    request_key: str,
) -> tuple[list[_Prepared], list[Refund]]:
    """The first transaction. The second list is not empty when this very request had been here before."""
    with transaction.atomic():
        locked = lock_charges([charge.pk for charge in charges])
        earlier = _refunds_of(locked, request_key)
        if earlier:
            return [], earlier
        batch, prepared, spendings = WriteBatch(), [], list[Spending]()
        for charge, amount in _spread(locked, details.amount):
            provider = providers[charge.pk]
            plan = _plan(charge, provider, amount, method=details.method, destination=details.destination)
            refund = _build(charge, plan, details, request_key)
            for objection in collect("validate_refund", refund=refund, charge=charge):
                raise Invalid(objection.code, objection.message, field=objection.field)
            _add(batch, refund, plan)
            spendings += _spendings(refund, plan)
            prepared.append(_Prepared(refund, provider, conversations[charge.pk]))
        require_cover(spendings, "refund")
        batch.execute()
        for item in prepared:
            if is_own_money(item.refund.charge):
                item.refund = apply_outgoing(REFUNDS, item.refund.pk, Result(status=ResultStatus.SUCCEEDED)).row
    return prepared, []


def _spendings(refund: Refund, plan: RefundPlan) -> list[Spending]:
    """What the refund takes of the store's earnings. What the payment itself still holds for nobody is there."""
    payable = AccountKind.STORE_PAYABLE
    return [
        Spending(
            refund.store,
            refund.provider_account,
            AccountRef(payable, refund.store.public_id, taken.currency.code, refund.livemode),
            taken,
            leaves=not is_own_money(refund.charge),
        )
        for part in plan.sources
        if part.account == payable.value and (taken := _taken(refund, part.amount)).amount > 0
    ]


def _taken(refund: Refund, amount: Money) -> Money:
    """What a part of the refund takes of the store's earnings, in their currency."""
    if refund.settles_amount is None:
        return amount
    settled = Money(refund.settles_amount, refund.charge.payment_intent.amount.currency)
    return dict(split_settled(refund.charge, settled)).get(AccountKind.STORE_PAYABLE, settled - settled)


def _spread(charges: Sequence[Charge], amount: Money | None) -> list[tuple[Charge, Money | None]]:
    """How much of each locked charge goes back. A single one is judged by its plan."""
    if len(charges) == 1:
        return [(charges[0], amount)]
    parts: list[tuple[Charge, Money | None]] = []
    refundable = [(charge, refundable_amount(charge)) for charge in charges]
    if len({money.currency for _, money in refundable}) > 1:
        return _spread_over_currencies(refundable, amount)
    total = sum((money.amount for _, money in refundable), start=Decimal(0))
    left = total if amount is None else amount.amount
    if amount is not None and amount.currency != refundable[0][1].currency:
        raise Invalid("currency_mismatch", f"The payment is in {refundable[0][1].currency.code}.", field="amount")
    if not 0 < left <= total:
        _refuse_disputed(charges, left if amount is not None else Decimal(0), total)
        raise _too_much(Money(total, refundable[0][1].currency))
    for charge, money in refundable:
        part = min(left, money.amount)
        if part > 0:
            parts.append((charge, Money(part, money.currency)))
            left -= part
    return parts


def _spread_over_currencies(
    refundable: Sequence[tuple[Charge, Money]], amount: Money | None
) -> list[tuple[Charge, Money | None]]:
    """All that is left of charges whose amounts cannot be added up."""
    if amount is not None:
        text = "It was paid in several currencies. Refund its charges one by one, or all of it without an amount."
        raise Invalid("refund_several_currencies", text, field="amount")
    parts: list[tuple[Charge, Money | None]] = [(charge, money) for charge, money in refundable if money.amount > 0]
    if not parts:
        _refuse_disputed([charge for charge, _ in refundable], Decimal(0), Decimal(0))
        raise _too_much(refundable[0][1])
    return parts


def _plan(
    charge: Charge,
    provider: PaymentProvider | None,
    amount: Money | None,
    *,
    method: str = "",
    destination: Mapping[str, str] | None = None,
) -> RefundPlan:
    if charge.status != Charge.Status.SUCCEEDED:
        raise Conflict("charge_not_refundable", f"The charge is {charge.status}; only money that came can go back.")
    refundable = refundable_amount(charge)
    wanted = refundable if amount is None else amount
    if wanted.currency != refundable.currency:
        raise Invalid("currency_mismatch", f"The charge is in {charge.currency}.", field="amount")
    if not 0 < wanted.amount <= refundable.amount:
        _refuse_disputed([charge], wanted.amount, refundable.amount)
        raise _too_much(refundable)
    question = question_about(charge, wanted, clock.now())
    return make_plan(
        routes=own_routes(charge) or routes_of(provider, question),
        amount=wanted,
        refundable=refundable,
        payer=charge.payer,
        method=method,
        destination=destination,
        sources=split_by_source(charge, wanted),
        notes=_tried_before(charge),
    )


def _refuse_disputed(charges: Sequence[Charge], wanted: Decimal, refundable: Decimal) -> None:
    """Raise Conflict when only disputes stand in the way of the amount: it would go back twice."""
    disputed = sum((count_disputed(charge) for charge in charges), start=Decimal(0))
    if disputed > 0 and 0 <= wanted <= refundable + disputed:
        rest = f" Undisputed are {format_amount(Money(refundable, charges[0].currency))}." if refundable > 0 else ""
        text = "The payment is disputed, and the bank or provider gives that money back itself. Answer or accept the "
        raise Conflict("charge_disputed", f"{text}dispute instead; refund what is left once it is decided.{rest}")


def _too_much(refundable: Money) -> Invalid:
    if refundable.amount <= 0:
        text = "All of it has gone back, or is on its way. A refund that fails makes its amount free again."
        return Invalid("refund_nothing_left", text, field="amount")
    text = f"Give an amount from above zero to {format_amount(refundable)}: that is what remains."
    return Invalid("refund_amount_out_of_range", text, field="amount")


def _tried_before(charge: Charge) -> list[str]:
    """Ways that failed, so that nobody is surprised when they fail again."""
    failed = charge.refunds.filter(status=Refund.Status.FAILED).order_by("-pk")[:5]
    return [f"{refund.public_id} by {refund.method} failed: {refund.failure_message}" for refund in failed]


def _build(charge: Charge, plan: RefundPlan, details: RefundDetails, request_key: str) -> Refund:
    route = require_route(plan, method=details.method)
    now, store = clock.now(), charge.payment_intent.store
    amounts: dict[str, Any] = {"amount": plan.amount, "fee": Money(0, plan.amount.currency)}
    return Refund(
        **amounts,
        id=ids.new_uuid(),
        store=store,
        charge=charge,
        provider_account=charge.provider_account,
        livemode=charge.livemode,
        source=details.source,
        reason=details.reason,
        method=route.method,
        method_reason=explain(plan)[:500],
        books_as=route.books_as,
        settles_amount=settled_by_refund(charge, plan.amount),
        destination=dict(plan.destination),
        metadata=dict(details.metadata),
        follow_up_at=now,
        request_key=request_key,
        created_by=acting_person()[:80],
        created_at=now,
        updated_at=now,
    )


def explain(plan: RefundPlan) -> str:
    """Why the chosen way, why not the others, and whose money it is: for whoever reads the refund later."""
    chosen = plan.chosen.reason if plan.chosen else ""
    rejected = f"Not open: {plan.reasons}" if plan.rejected else ""
    parts = ", ".join(f"{source.account} {format_amount(source.amount)}" for source in plan.sources)
    return " ".join(text for text in (chosen, rejected, f"From {parts}." if len(plan.sources) > 1 else "") if text)


def _add(batch: WriteBatch, refund: Refund, plan: RefundPlan) -> None:
    """The refund with its hold, event and audit entry."""
    refund.follow_up_at = first_question(schedule_of(refund), refund.created_at)
    hold_refund(batch, refund, plan.sources)
    batch.insert(refund)
    add_refund_event(batch, refund, "created")
    changes = {
        "charge": [None, refund.charge.public_id],
        "amount": [None, str(refund.amount.amount)],
        "method": [None, refund.method],
        "reason": [None, refund.reason],
    }
    batch.insert(
        build_entry(
            action="refund.created",
            object_id=refund.public_id,
            merchant_id=refund.store.merchant_id,
            store_id=refund.store_id,
            changes=changes,
        )
    )


def _send(item: _Prepared) -> Refund:
    """Call the provider once and write down what it said. Money of our own books went back when it was held."""
    refund, provider, conversation = item.refund, item.provider, item.conversation
    if provider is None:
        return refund
    conversation.about = refund.public_id
    request = _request(refund)
    assert isinstance(provider, SupportsRefund)  # noqa: S101 - no other has an open way
    call = provider.refund
    result = take_money(conversation, lambda: call(request), replay_safe=provider.info.replay_safe)
    values = {"follow_up_at": clock.now() + timedelta(seconds=schedule_of(refund)[0])}
    return write_answer(REFUNDS, refund, result, records=conversation.records(), values=values).row


def _request(refund: Refund) -> FollowUpRequest:
    charge = refund.charge
    return FollowUpRequest(
        idempotency_key=refund.public_id,
        reference=refund.public_id,
        provider_reference=charge.provider_reference or "",
        amount=refund.amount,
        reason=refund.reason,
        receipt=charge.receipt,
        webhook_url=refund_callback_url(refund.pk),
        method="" if refund.method == ONLY_METHOD else refund.method,
        destination=dict(refund.destination),
        paid=charge.amount_received,
    )
