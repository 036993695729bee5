"""The platform's provider account from names that people already have in their environment.

A provider's package knows the names (``CredentialsFromEnvironment``). Nothing is read from the environment while
payments run: ``manage.py majuu_platform_account`` writes an account like any other, and again when a value changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.views.decorators.debug import sensitive_variables

from majuu_core.configuration import public_url
from majuu_core.merchants.credentials import plain_credentials, provider_class
from majuu_core.merchants.errors import ActionRefused, CredentialsUnreadable, InvalidInput
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import create_provider_account, open_credentials, update_credentials
from majuu_core.providers.base import CredentialsFromEnvironment
from majuu_core.providers.errors import InvalidPaymentData
from majuu_core.providers.types import EnvironmentAccount

DEFAULT_NAME = "From the environment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What became of the environment's account. ``change`` is "created", "updated" or "unchanged"."""

    account: ProviderAccount
    change: str
    used: tuple[str, ...]
    notes: tuple[str, ...]


@sensitive_variables("environ", "found")
def adopt_environment(*, provider: str, environ: Mapping[str, str], name: str = DEFAULT_NAME) -> Adoption:
    """Make the platform's account of this name, or give it the environment's credentials. Safe to repeat.

    What the environment says nothing about stays as it is. Raises ActionRefused when there is nothing to adopt or
    something is missing, and InvalidInput for values that cannot be used; neither repeats a value.
    """
    adopter = provider_class(provider)
    if not issubclass(adopter, CredentialsFromEnvironment):
        message = f"The provider {provider} reads nothing from the environment. Enter its credentials."
        raise ActionRefused("environment_not_read", message)
    try:
        found = adopter.credentials_from_environment(environ)
    except InvalidPaymentData as problem:
        raise InvalidInput(*problem.violations) from None
    if found is None:
        raise ActionRefused("environment_empty", f"None of the names that {provider} knows is set.")
    if found.missing:
        message = f"Set {', '.join(found.missing)} too. Read so far: {', '.join(found.used) or 'nothing'}."
        raise ActionRefused("environment_incomplete", message)
    account, change = _adopt(provider, found, name.strip() or DEFAULT_NAME)
    notes = (*found.notes, *_about_callbacks(found.callback_url))
    return Adoption(account=account, change=change, used=found.used, notes=notes)


@sensitive_variables()
def _adopt(provider: str, found: EnvironmentAccount, name: str) -> tuple[ProviderAccount, str]:
    mine = ProviderAccount.objects.filter(store=None, provider=provider, livemode=found.livemode, name=name)
    account = mine.first()
    if account is None:
        made = create_provider_account(
            store=None, provider=provider, livemode=found.livemode, name=name, credentials=found.credentials
        )
        return made, "created"
    kept = _stored(account)
    wanted = {**kept, **plain_credentials(found.credentials)}
    if wanted == kept:
        return account, "unchanged"
    return update_credentials(account=account, credentials=wanted), "updated"


@sensitive_variables()
def _stored(account: ProviderAccount) -> dict[str, Any]:
    """The stored credentials in plain; nothing when they do not open, and the environment stands in for them."""
    try:
        return plain_credentials(open_credentials(account).model_dump())
    except CredentialsUnreadable:
        return {}


def _about_callbacks(told: str) -> list[str]:
    """What to know about a callback address in the environment: Majuu makes its own, one for each payment."""
    if not told:
        return []
    ours = public_url()
    if urlsplit(told).hostname == urlsplit(ours).hostname:
        return [f"The callback address is not needed: Majuu makes one for each payment, under {ours}."]
    return [
        f"The callback address in the environment names {urlsplit(told).hostname or 'no host'}, and MAJUU_PUBLIC_URL "
        f"is {ours}. Majuu makes an address for each payment under MAJUU_PUBLIC_URL: that is where callbacks will go. "
        "Correct MAJUU_PUBLIC_URL if it is not where providers reach this site."
    ]
