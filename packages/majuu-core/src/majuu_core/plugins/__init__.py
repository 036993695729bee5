"""Plugins: the hooks that installed apps may implement, and what they contribute.

A plugin author needs ``hookimpl`` and the small classes below, nothing else::

    from majuu_core.plugins import PeriodicTask, hookimpl

    @hookimpl
    def register_periodic_tasks():
        return [PeriodicTask(name="parcels.track", every=timedelta(minutes=10), function="parcels.jobs.track")]
"""

from majuu_core.plugins.contributions import (
    ApiRouter,
    AuditAction,
    ConsoleAdmin,
    DemoData,
    EventHandler,
    EventType,
    FxQuote,
    HealthCheck,
    HealthReport,
    ListedName,
    MenuItem,
    Objection,
    Panel,
    PeriodicTask,
    Permission,
    RateSource,
    ReportView,
)
from majuu_core.plugins.markers import hookimpl, hookspec

__all__ = [
    "ApiRouter",
    "AuditAction",
    "ConsoleAdmin",
    "DemoData",
    "EventHandler",
    "EventType",
    "FxQuote",
    "HealthCheck",
    "HealthReport",
    "ListedName",
    "MenuItem",
    "Objection",
    "Panel",
    "PeriodicTask",
    "Permission",
    "RateSource",
    "ReportView",
    "hookimpl",
    "hookspec",
]
