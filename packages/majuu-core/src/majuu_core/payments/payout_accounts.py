"""Which account a payout leaves from, and the payout in that provider's canonical form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from moneyed import Money

from majuu_core.common.problems import Conflict, Invalid
from majuu_core.merchants.errors import CredentialsUnreadable
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.merchants.provider_accounts import candidate_accounts, provider_for
from majuu_core.payments.custody import may_hold_for
from majuu_core.providers import (
    InvalidPaymentData,
    PayoutRequest,
    PreparesPayouts,
    ProviderInfo,
    operations,
)
from majuu_core.providers.installed import installed_providers

# A provider's word for an account that lacks what sending money needs, whatever the payout.
NOT_CONFIGURED = "payouts_not_configured"


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutDetails:
    """What a shop says about a payout.

    ``reference`` is the shop's own number for the debt. ``destination`` holds what the provider asks for, such as
    ``{"phone": "0712345678"}``. ``provider`` chooses one where the store has several that fit.
    """

    amount: Money
    reference: str
    destination: Mapping[str, str]
    purpose: str = ""
    description: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    provider: str = ""


@dataclass(frozen=True)
class PayoutRoute:
    """One account that payouts can leave from. Preparing makes no call; the provider is opened once."""

    account: ProviderAccount

    @property
    def info(self) -> ProviderInfo:
        """The provider's facts."""
        return installed_providers().get(self.account.provider).info

    def prepare(self, details: PayoutDetails) -> PayoutRequest:
        """The payout as this provider writes it. Raises Invalid, and Conflict when the account cannot be used."""
        purposes = self.info.payout_purposes
        if details.purpose and details.purpose not in purposes:
            known = ", ".join(purposes) or "none"
            raise Invalid("payout_purpose_unknown", f"This provider's purposes are: {known}.", field="purpose")
        request = PayoutRequest(
            idempotency_key="",
            reference="",
            amount=details.amount,
            destination=dict(details.destination),
            reason=details.description or details.reference,
            purpose=details.purpose or next(iter(purposes), ""),
        )
        if self._preparer is None:
            return request
        try:
            return self._preparer.prepare_payout(request)
        except InvalidPaymentData as problem:
            first = next((item for item in problem.violations if item.code != NOT_CONFIGURED), problem.violations[0])
            raise Invalid(first.code, first.message, field=first.field) from None

    @cached_property
    def _preparer(self) -> PreparesPayouts | None:
        try:
            provider = provider_for(self.account)
        except CredentialsUnreadable:
            raise Conflict(
                "provider_account_unusable",
                "The credentials of the account cannot be read. Enter them again in the console.",
            ) from None
        return provider if isinstance(provider, PreparesPayouts) else None


def payout_routes(store: Store, livemode: bool, currency: str, provider: str = "") -> list[PayoutRoute]:
    """The accounts that payouts of this store may leave from, the store's own first.

    The platform's are named without custody only when there are no others, so that the refusal says why.
    """
    registry = installed_providers()
    routes = [
        PayoutRoute(account)
        for account in candidate_accounts(store=store, livemode=livemode)
        if account.provider in registry
        and provider in ("", account.provider)
        and "payout" in operations(registry.get(account.provider))
        and currency in registry.get(account.provider).info.currencies
    ]
    allowed = [route for route in routes if may_hold_for(store, route.account)]
    return allowed or routes


def choose_route(store: Store, livemode: bool, details: PayoutDetails) -> PayoutRoute:
    """The first account that is set up for payouts and can send the currency to such a destination.

    When none of those that fit is set up, the first of them is returned, whose ``prepare`` says what is missing. Raises
    Invalid when none fits.
    """
    currency = details.amount.currency.code
    return route_for(payout_routes(store, livemode, currency, details.provider), details, livemode)


def route_for(routes: list[PayoutRoute], details: PayoutDetails, livemode: bool) -> PayoutRoute:
    """As choose_route, among routes that are known."""
    if not routes:
        mode = "live" if livemode else "test"
        text = f"This store has no active {mode} account that sends {details.amount.currency.code}."
        raise Invalid("no_payout_account", f"{text} Add one in the console.", field="provider")
    fitting = [route for route in routes if not _misfits(route.info, details.destination)]
    if fitting:
        return next((route for route in fitting if _is_configured(route, details)), fitting[0])
    name, text = _misfits(routes[0].info, details.destination)[0]
    raise Invalid("payout_destination_invalid", text, field=f"destination.{name}")


def _is_configured(route: PayoutRoute, details: PayoutDetails) -> bool:
    """Whether nothing is missing at the account itself. What else is wrong with the payout is told by this account."""
    try:
        route.prepare(details)
    except Invalid as problem:
        return problem.code != NOT_CONFIGURED
    except Conflict:
        pass
    return True


def _misfits(info: ProviderInfo, destination: Mapping[str, str]) -> list[tuple[str, str]]:
    """What is missing from a destination, and what does not belong there. A provider that names no fields takes any."""
    fields = {item.name: item for item in info.payout_fields}
    missing = [name for name, item in fields.items() if item.required and not destination.get(name, "").strip()]
    unknown = [name for name in destination if fields and name not in fields]
    return [(name, f"{info.display_name} needs the recipient's {fields[name].label.lower()}.") for name in missing] + [
        (name[:40], f"{info.display_name} knows no {name[:40]!r}; it takes {', '.join(fields)}.") for name in unknown
    ]
