"""Core is a plugin too: what it contributes through the same hooks as everybody else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from majuu_core.configuration import custodial
from majuu_core.plugins import EventHandler, hookimpl
from majuu_core.providers import Violation
from majuu_core.testing.fake import FakeProvider
from majuu_core.wallets.deposits import refuse_refund_of_deposit

CREDITING_EVENTS = frozenset({"payment_intent.succeeded", "payment_intent.partially_paid", "payment_intent.overpaid"})


@hookimpl
def register_payment_providers() -> list[type[FakeProvider]]:
    """The "mock" method of test mode."""
    return [FakeProvider]


@hookimpl
def register_event_handlers() -> list[EventHandler]:
    """What fills wallets; nothing where there are none, so that other sites' payments have no work for it."""
    if not custodial():
        return []
    handler = "majuu_core.wallets.deposits.handle_payment"
    return [EventHandler(name="majuu.wallet_deposits", event_types=CREDITING_EVENTS, function=handler)]


@hookimpl
def validate_refund(refund: Any, charge: Any) -> list[Violation]:
    """Money that stands on a customer's wallet is not given back from the store's."""
    return refuse_refund_of_deposit(charge)


@hookimpl(trylast=True)
def select_provider_account(candidates: Sequence[Any]) -> Any:
    """The first candidate, when no plugin chose another."""
    return candidates[0] if candidates else None
