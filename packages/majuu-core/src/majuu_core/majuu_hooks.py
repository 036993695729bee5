"""Core is a plugin too: what it contributes through the same hooks as everybody else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from majuu_core.configuration import custodial
from majuu_core.manual.provider import ManualProvider
from majuu_core.merchants.kyc.sanctions import find_in_files
from majuu_core.plugins import EventHandler, hookimpl
from majuu_core.plugins.contributions import HealthCheck, HealthReport, ListedName, Panel, PeriodicTask
from majuu_core.plugins.personal_data import PersonalData
from majuu_core.providers import PaymentProvider, Violation
from majuu_core.testing.fake import FakeProvider
from majuu_core.wallets.deposits import refuse_refund_of_deposit

CREDITING_EVENTS = frozenset({"payment_intent.succeeded", "payment_intent.partially_paid", "payment_intent.overpaid"})


@hookimpl
def register_payment_providers() -> list[type[PaymentProvider]]:
    """The "mock" method of test mode, and bank transfers and cash."""
    return [FakeProvider, ManualProvider]


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
    waiting = EventHandler(
        name="payments.end_waiting",
        event_types=frozenset({"incoming_payment.claimed"}),
        function="majuu_core.payments.by_hand.on_claimed_event",
    )
    return [links, certain, refunds, waiting, *([wallets] if custodial() else [])]


@hookimpl
def validate_refund(refund: Any, charge: Any) -> list[Violation]:
    """Money that stands on a customer's wallet is not given back from the store's."""
    return refuse_refund_of_deposit(charge)


@hookimpl
def screen_person(name: str, born_on: date | None) -> list[ListedName]:
    """Who of MAJUU_SANCTIONS_FILES resembles this name."""
    return find_in_files(name, born_on)


@hookimpl
def register_periodic_tasks() -> list[PeriodicTask]:
    """Look for money and disputes whose notice was lost; see to KYC cases; forget from where keys were used."""
    return [
        PeriodicTask(
            name="incoming.pull",
            every=timedelta(minutes=30),
            function="majuu_core.payments.incoming_pull.pull_all",
        ),
        PeriodicTask(
            name="disputes.pull",
            every=timedelta(hours=1),
            function="majuu_core.payments.dispute_pull.pull_all_disputes",
        ),
        PeriodicTask(
            name="kyc.letters",
            every=timedelta(minutes=1),
            function="majuu_core.merchants.kyc.letters.send_letters",
        ),
        PeriodicTask(
            name="kyc.screening",
            every=timedelta(minutes=30),
            function="majuu_core.merchants.kyc.screening.rescreen",
        ),
        PeriodicTask(
            name="kyc.reviews_due",
            every=timedelta(hours=1),
            function="majuu_core.merchants.kyc.reverification.mark_due",
        ),
        PeriodicTask(
            name="api_keys.forget_addresses",
            every=timedelta(hours=6),
            function="majuu_core.merchants.key_addresses.forget_old_addresses",
        ),
    ]


@hookimpl
def register_personal_data() -> list[PersonalData]:
    """What core knows about people. What others belong to comes first."""
    from majuu_core.accounts.personal_data import ACCOUNTS
    from majuu_core.events.personal_data import EVENTS
    from majuu_core.merchants.personal_data import INVITATIONS
    from majuu_core.payments.personal_data import CUSTOMERS, INCOMING, OUTGOING, PAYMENTS
    from majuu_core.wallets.personal_data import WALLETS
    from majuu_core.webhooks.personal_data import CALLS, MESSAGES

    return [ACCOUNTS, INVITATIONS, CUSTOMERS, PAYMENTS, INCOMING, OUTGOING, WALLETS, MESSAGES, CALLS, EVENTS]


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
