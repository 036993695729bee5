"""Which unclaimed money may be claimed without asking anybody.

A store chooses: ``Store.auto_claim_score``, off by default. Even then the money must be confirmed by the provider, its
best suggestion must reach the score with no rival near, and of all money waiting it must be the best for that order.
"""

from __future__ import annotations

from majuu_core.merchants.models import Store
from majuu_core.payments.models import IncomingPayment, PaymentIntent
from majuu_core.payments.suggestion_queries import suggest_money, suggest_orders
from majuu_core.payments.suggestions import Suggestion, is_certain


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
    return (intent, best) if _is_best_for(intent, incoming) else None


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
