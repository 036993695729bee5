"""Core is a plugin too: what it contributes through the same hooks as everybody else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from majuu_core.configuration import custodial
from majuu_core.plugins import EventHandler, hookimpl
from majuu_core.plugins.contributions import HealthCheck, HealthReport, Panel, PeriodicTask
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
    """What one payment means elsewhere: for wallets, and for incoming money that may be the same or be claimed.

    Without custody no wallet is filled, so that other sites' payments make no work for them.
    """
    wallets = EventHandler(
        name="majuu.wallet_deposits",
        event_types=CREDITING_EVENTS,
        function="majuu_core.wallets.deposits.handle_payment",
    )
    links = EventHandler(
        name="incoming.link_charge",
        event_types=frozenset({"charge.succeeded", "charge.updated"}),
        function="majuu_core.payments.incoming_links.on_charge_event",
    )
    certain = EventHandler(
        name="incoming.claim_certain",
        event_types=frozenset({"incoming_payment.received", "incoming_payment.verified"}),
        function="majuu_core.payments.auto_claims.on_incoming_event",
    )
    # Not only with custody: what a wallet has paid may come back to it when that is switched off.
    refunds = EventHandler(
        name="majuu.wallet_refunds",
        event_types=frozenset({"refund.succeeded"}),
        function="majuu_core.wallets.refunds.handle_refund",
    )
    return [links, certain, refunds, *([wallets] if custodial() else [])]


@hookimpl
def validate_refund(refund: Any, charge: Any) -> list[Violation]:
    """Money that stands on a customer's wallet is not given back from the store's."""
    return refuse_refund_of_deposit(charge)


@hookimpl
def register_periodic_tasks() -> list[PeriodicTask]:
    """Look for incoming money whose notice was lost."""
    return [
        PeriodicTask(
            name="incoming.pull",
            every=timedelta(minutes=30),
            function="majuu_core.payments.incoming_pull.pull_all",
        )
    ]


@hookimpl
def register_console_panels(request: Any) -> list[Panel]:
    """Open alerts and balances."""
    from majuu_core.console.operations import operations_panels

    return operations_panels(request)


@hookimpl
def register_health_checks() -> list[HealthCheck]:
    """Whether nothing needs a person in live mode."""
    return [HealthCheck(name="majuu.alerts", label="Alerts", function=_no_live_alerts)]


def _no_live_alerts() -> HealthReport:
    from majuu_core.payments.alerts import open_alerts

    titles = list(open_alerts().filter(livemode=True).values_list("title", flat=True)[:5])
    return HealthReport(healthy=not titles, detail="; ".join(titles))


@hookimpl(trylast=True)
def select_provider_account(candidates: Sequence[Any]) -> Any:
    """The first candidate, when no plugin chose another."""
    return candidates[0] if candidates else None
