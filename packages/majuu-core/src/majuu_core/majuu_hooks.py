"""Core is a plugin too: what it contributes through the same hooks as everybody else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from majuu_core.plugins import hookimpl
from majuu_core.plugins.contributions import HealthCheck, HealthReport, Panel
from majuu_core.testing.fake import FakeProvider


@hookimpl
def register_payment_providers() -> list[type[FakeProvider]]:
    """The "mock" method of test mode."""
    return [FakeProvider]


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
