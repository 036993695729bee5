"""The core app: loads the plugins once everything else is there."""

from __future__ import annotations

from django.apps import AppConfig

# What a project adds to INSTALLED_APPS: [*ACCOUNT_APPS, *CORE_APPS, *plugin_apps()]; ACCOUNT_APPS are in accounts.
CORE_APPS: tuple[str, ...] = (
    "majuu_core.plugins",
    "majuu_core.pages",
    "majuu_core.events",
    "majuu_core.audit",
    "majuu_core.idempotency",
    "majuu_core.merchants",
    "majuu_core.ledger",
    "majuu_core.payments",
    "majuu_core.webhooks",
    "majuu_core.reports",
    "majuu_core.wallets",
    "majuu_core.privacy",
    "majuu_core.checkout",
    "majuu_core.console",
    "majuu_core.dashboard",
    "majuu_core.api",
    "majuu_core",
)


class CoreConfig(AppConfig):
    name = "majuu_core"
    label = "majuu_core"
    verbose_name = "Majuu"

    def ready(self) -> None:
        """Load plugins, then build what is made of their contributions. A duplicate code stops the start here."""
        from majuu_core.audit.actions import action_registry
        from majuu_core.plugins.manager import load_plugins, registries
        from majuu_core.providers.installed import installed_providers
        from majuu_core.startup_checks import register_checks

        load_plugins()
        installed_providers()
        action_registry.extend((action.code, action.label) for action in registries().audit_actions.values())
        for action in registries().audit_actions.values():
            action_registry.mark_personal(action.code, action.personal)
        register_checks()
