"""Which unclaimed money may be claimed without asking anybody.

A store chooses: ``Store.auto_claim_score``, off by default. Even then the money must be confirmed by the provider, its
best suggestion must reach the score with no rival near, and of all money waiting it must be the best for that order.
"""

from __future__ import annotations

from majuu_core.common.problems import Conflict, Denied, NotFound
from majuu_core.events.models import Event
from majuu_core.merchants.models import Store
from majuu_core.payments.claims import ClaimRequest, claim_incoming
from majuu_core.payments.incoming_applying import can_pay
from majuu_core.payments.models import Claim, IncomingPayment, PaymentIntent
from majuu_core.payments.suggestion_queries import suggest_money, suggest_orders
from majuu_core.payments.suggestions import Suggestion, is_certain

_MAY_WAIT = "incoming_payment_held"  # a payment that is still going on could be this money


def on_incoming_event(event: Event) -> None:
    """Claim money when it has arrived for certain. An event handler: may run any number of times for one event."""
    key = IncomingPayment.uuid_of(event.object_id)
    rows = IncomingPayment.objects.select_related("provider_account__store", "store")
    if (incoming := rows.filter(pk=key).first()) is not None:
        claim_if_certain(incoming)


def claim_if_certain(incoming: IncomingPayment) -> Claim | None:
    """Claim the money for the one order it surely pays, with score and reasons; None where a person has to decide.

    Raises Conflict (``incoming_payment_held``) while a payment that is still going on could be this money: try later.
    """
    if (found := certain_order(incoming)) is None:
        return None
    intent, suggestion = found
    request = ClaimRequest(
        receipt=incoming.receipt,
        reference=intent.reference or intent.public_id,
        payment_intent=intent.public_id,
        method=Claim.Method.AUTOMATIC,
        score=suggestion.score,
        reasons=[reason.code for reason in suggestion.reasons],
    )
    try:
        return claim_incoming(store=intent.store, livemode=incoming.livemode, request=request)
    except (Conflict, NotFound, Denied) as problem:  # somebody was faster, or this site may not hold it for the store
        if problem.code == _MAY_WAIT:
            raise
        return None


def certain_order(incoming: IncomingPayment) -> tuple[PaymentIntent, Suggestion] | None:
    """The order this money surely pays, by its store's own threshold; None when nobody may decide but a person.

    Reads only. Whoever acts on it locks the money first and looks whether it is still unclaimed.
    """
    if not _may_be_decided(incoming):
        return None
    best = next(iter(suggest_orders([incoming])[incoming.pk]), None)
    if best is None or not _reaches_threshold(best):
        return None
    intent = PaymentIntent.objects.select_related("store").get(pk=best.expectation.key)
    return (intent, best) if can_pay(intent, incoming) and _is_best_for(intent, incoming) else None


def _may_be_decided(incoming: IncomingPayment) -> bool:
    return (
        incoming.ownership == IncomingPayment.Ownership.UNCLAIMED
        and incoming.status == IncomingPayment.Status.SUCCEEDED
        and incoming.verified_at is not None
    )


def _reaches_threshold(suggestion: Suggestion) -> bool:
    chosen = Store.objects.filter(pk=suggestion.expectation.store, is_active=True)
    threshold = chosen.values_list("auto_claim_score", flat=True).first()
    return threshold is not None and is_certain(suggestion, threshold)


def _is_best_for(intent: PaymentIntent, incoming: IncomingPayment) -> bool:
    """Whether no other money that is waiting fits the order nearly as well: a customer may have paid twice."""
    found = suggest_money(intent)
    return bool(found) and found[0][0].pk == incoming.pk and is_certain(found[0][1], 1)
