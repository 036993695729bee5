"""Everything plugins contributed, collected once and never changed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from majuu_core.plugins.contributions import (
    ApiRouter,
    AuditAction,
    ConsoleAdmin,
    DemoData,
    EventHandler,
    EventType,
    HealthCheck,
    MenuItem,
    PeriodicTask,
    Permission,
    RateSource,
    ReportView,
)
from majuu_core.plugins.personal_data import PersonalData

Item = TypeVar("Item")
Collect = Callable[[str], Sequence[Any]]


class PluginLoadError(Exception):
    """A plugin is broken. The text names the plugin, what is wrong with it and what to do."""


class DuplicateContribution(PluginLoadError):
    """Two contributions of one kind have the same name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registries:
    """The contributions of all plugins, in the order of INSTALLED_APPS."""

    payment_providers: tuple[type[object], ...]  # see majuu_core.providers.installed for the checked registry
    fx_rate_sources: Mapping[str, type[RateSource]]
    event_types: Mapping[str, EventType]
    event_handlers: Mapping[str, EventHandler]
    api_routers: Mapping[str, ApiRouter]
    console_menu_items: tuple[MenuItem, ...]
    console_admins: tuple[ConsoleAdmin, ...]
    reports: Mapping[str, type[ReportView]]
    audit_actions: Mapping[str, AuditAction]
    permissions: Mapping[str, Permission]
    periodic_tasks: Mapping[str, PeriodicTask]
    health_checks: Mapping[str, HealthCheck]
    demo_data: Mapping[str, DemoData]
    personal_data: Mapping[str, PersonalData]

    def handlers_for(self, event_type: str) -> tuple[EventHandler, ...]:
        """The handlers that want events of this type."""
        return tuple(handler for handler in self.event_handlers.values() if handler.handles(event_type))


def build(collect: Collect) -> Registries:
    """Ask every plugin once. Raises DuplicateContribution or PluginLoadError."""

    def keyed(hook: str, kind: type[Item], key: Callable[[Item], str]) -> Mapping[str, Item]:
        return _by_key(hook, _of_kind(hook, collect(hook), kind), key)

    admins = _of_kind("register_console_admins", collect("register_console_admins"), ConsoleAdmin)
    _by_key("register_console_admins", admins, lambda item: item.model.__qualname__ + " of " + item.model.__module__)
    demo_data = keyed("register_demo_data", DemoData, lambda item: item.name)
    return Registries(
        payment_providers=_classes("register_payment_providers", collect("register_payment_providers")),
        fx_rate_sources=_coded("register_fx_rate_sources", collect("register_fx_rate_sources")),
        event_types=keyed("register_event_types", EventType, lambda item: item.name),
        event_handlers=keyed("register_event_handlers", EventHandler, lambda item: item.name),
        api_routers=keyed("register_api_routers", ApiRouter, lambda item: item.prefix),
        console_menu_items=_of_kind("register_console_menu_items", collect("register_console_menu_items"), MenuItem),
        console_admins=admins,
        reports=_coded("register_reports", collect("register_reports")),
        audit_actions=keyed("register_audit_actions", AuditAction, lambda item: item.code),
        permissions=keyed("register_permissions", Permission, lambda item: item.code),
        periodic_tasks=keyed("register_periodic_tasks", PeriodicTask, lambda item: item.name),
        health_checks=keyed("register_health_checks", HealthCheck, lambda item: item.name),
        personal_data=keyed("register_personal_data", PersonalData, lambda item: item.name),
        demo_data=MappingProxyType(dict(sorted(demo_data.items(), key=lambda pair: pair[1].order))),
    )


def _of_kind(hook: str, items: Iterable[object], kind: type[Item]) -> tuple[Item, ...]:
    found = []
    for item in items:
        if not isinstance(item, kind):
            raise PluginLoadError(f"{hook} returned {item!r} in its list; it must be a {kind.__name__}")
        found.append(item)
    return tuple(found)


def _by_key(hook: str, items: Iterable[Item], key: Callable[[Item], str]) -> Mapping[str, Item]:
    found: dict[str, Item] = {}
    for item in items:
        if key(item) in found:
            raise DuplicateContribution(f"{hook}: {key(item)!r} is contributed twice; names must be unique")
        found[key(item)] = item
    return MappingProxyType(found)


def _classes(hook: str, items: Iterable[object]) -> tuple[type[object], ...]:
    found = []
    for item in items:
        if not isinstance(item, type):
            raise PluginLoadError(f"{hook} returned {item!r} in its list; return the class itself, not an instance")
        found.append(item)
    return tuple(found)


def _coded(hook: str, items: Iterable[object]) -> Mapping[str, Any]:
    classes = _classes(hook, items)
    for item in classes:
        if not isinstance(getattr(item, "code", None), str):
            raise PluginLoadError(f'{hook}: {item.__module__}.{item.__qualname__} has no code; give it `code = "…"`')
    return _by_key(hook, classes, lambda item: str(getattr(item, "code", "")))
