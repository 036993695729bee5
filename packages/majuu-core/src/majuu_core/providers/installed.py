"""The providers that installed plugins offer, checked. What is wrong with one is a list of problems, not a crash."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import lru_cache

from pydantic import BaseModel

from majuu_core.plugins.manager import registries
from majuu_core.providers.base import CONTRACT_VERSION, PaymentProvider, incomplete_capabilities
from majuu_core.providers.registry import ProviderRegistry
from majuu_core.providers.types import ProviderInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderProblem:
    """Something wrong with a provider class. A ``fatal`` one keeps the provider from being used."""

    kind: str  # "definition" | "capability" | "version"
    message: str
    hint: str
    fatal: bool = True


def installed_providers() -> ProviderRegistry:
    """Usable providers by code, in the order of INSTALLED_APPS. Raises DuplicateProviderCode."""
    return _registry(registries().payment_providers)


@lru_cache(maxsize=16)
def _registry(offered: tuple[type[object], ...]) -> ProviderRegistry:
    return ProviderRegistry(
        provider
        for provider in offered
        if issubclass(provider, PaymentProvider) and not any(problem.fatal for problem in provider_problems(provider))
    )


def provider_problems(provider: type[object]) -> list[ProviderProblem]:
    """Everything that is wrong with a provider class; an empty list for a good one."""
    if not issubclass(provider, PaymentProvider):
        hint = "Derive it from majuu_core.providers.PaymentProvider."
        return [ProviderProblem(kind="definition", message="is not a payment provider", hint=hint)]
    return [*_definition_problems(provider), *_version_problems(provider), *_capability_problems(provider)]


def _definition_problems(provider: type[PaymentProvider]) -> list[ProviderProblem]:
    schema, found = getattr(provider, "credentials_schema", None), []
    if not isinstance(getattr(provider, "code", None), str) or not provider.code:
        found.append(("has no code", 'Set `code = "…"`, a short lower-case name that will never change.'))
    if not isinstance(getattr(provider, "info", None), ProviderInfo):
        found.append(("has no info", "Set `info = ProviderInfo(…)` with its methods, currencies and countries."))
    if not (isinstance(schema, type) and issubclass(schema, BaseModel)):
        found.append(("has no credentials_schema", "Set it to a pydantic model of the account's credentials."))
    if inspect.isabstract(provider):
        missing = ", ".join(sorted(provider.__abstractmethods__))
        found.append((f"does not implement {missing}", "Every provider must; see docs/reference/provider-contract.md."))
    return [ProviderProblem(kind="definition", message=message, hint=hint) for message, hint in found]


def _version_problems(provider: type[PaymentProvider]) -> list[ProviderProblem]:
    if provider.contract_version == CONTRACT_VERSION:
        return []
    message = f"is written for contract version {provider.contract_version}, this core has {CONTRACT_VERSION}"
    return [ProviderProblem(kind="version", message=message, hint="Install versions that fit together.")]


def _capability_problems(provider: type[PaymentProvider]) -> list[ProviderProblem]:
    return [
        ProviderProblem(
            kind="capability",
            message=f"implements {capability} only in part: {', '.join(missing)} missing",
            hint="Implement all of it or none. As it is, the capability is not used.",
            fatal=False,
        )
        for capability, missing in incomplete_capabilities(provider).items()
    ]
