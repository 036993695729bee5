"""Core is a plugin too: what it contributes through the same hooks as everybody else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from majuu_core.plugins import hookimpl
from majuu_core.plugins.contributions import EventHandler, PeriodicTask
from majuu_core.testing.fake import FakeProvider


@hookimpl
def register_payment_providers() -> list[type[FakeProvider]]:
    """The "mock" method of test mode."""
    return [FakeProvider]


@hookimpl
def register_event_handlers() -> list[EventHandler]:
    """A charge that brought money may be the same as incoming money; and money may be claimed without asking."""
    return [
        EventHandler(
            name="incoming.link_charge",
            event_types=frozenset({"charge.succeeded", "charge.updated"}),
            function="majuu_core.payments.incoming_links.on_charge_event",
        ),
        EventHandler(
            name="incoming.claim_certain",
            event_types=frozenset({"incoming_payment.received", "incoming_payment.verified"}),
            function="majuu_core.payments.auto_claims.on_incoming_event",
        ),
    ]


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


@hookimpl(trylast=True)
def select_provider_account(candidates: Sequence[Any]) -> Any:
    """The first candidate, when no plugin chose another."""
    return candidates[0] if candidates else None
