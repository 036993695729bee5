"""System checks over everything plugins brought: run by ``manage.py check`` and before most commands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register

from majuu_core.accounts.configuration import check_account_settings
from majuu_core.audit.configuration import check_audit_settings
from majuu_core.configuration import check_settings
from majuu_core.database.migration_checks import check_replaced_migrations
from majuu_core.deploy_checks import register_deploy_checks
from majuu_core.merchants.kyc.configuration import check_kyc_settings
from majuu_core.network.configuration import check_network_settings
from majuu_core.payments.custody import check_custody
from majuu_core.plugins.checks import check_hooks
from majuu_core.plugins.manager import registries
from majuu_core.providers.installed import provider_problems
from majuu_core.throttling.checks import check_shared_counter
from majuu_core.throttling.policies import check_rate_limits

_IDS = {"definition": "majuu.E002", "capability": "majuu.E003", "version": "majuu.E004"}


def check_providers(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """majuu.E002 to E004: a provider that is not whole, or made for another version of the contract."""
    return [
        Error(f"{_name(provider)} {problem.message}.", hint=problem.hint, obj=provider, id=_IDS[problem.kind])
        for provider in registries().payment_providers
        for problem in provider_problems(provider)
    ]


def check_provider_codes(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """majuu.E005: rows refer to providers by code, so a code has one owner."""
    owners: dict[str, list[str]] = defaultdict(list)
    for provider in dict.fromkeys(registries().payment_providers):
        owners[str(getattr(provider, "code", ""))].append(_name(provider))
    return [
        Error(
            f"The provider code {code!r} is used by {' and '.join(names)}.",
            hint="Take one of them out of INSTALLED_APPS.",
            id="majuu.E005",
        )
        for code, names in owners.items()
        if code and len(names) > 1
    ]


def register_checks() -> None:
    """Tell Django about the checks. Called by the core app's ``ready()``."""
    for check in (
        check_settings,
        check_audit_settings,
        check_network_settings,
        check_account_settings,
        check_hooks,
        check_providers,
        check_provider_codes,
        check_custody,
        check_kyc_settings,
        check_rate_limits,
    ):
        register(check, "majuu")
    register(check_replaced_migrations, Tags.database)
    register(check_shared_counter, "majuu", deploy=True)
    register_deploy_checks()


def _name(provider: type[object]) -> str:
    return f"{provider.__module__}.{provider.__qualname__}"
