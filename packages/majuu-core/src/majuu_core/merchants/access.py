"""What each role may do in a business: the one table that pages and services go by. docs/how-to/teams.md shows it."""

from __future__ import annotations

from enum import StrEnum

from majuu_core.merchants.models import Membership


class Action(StrEnum):
    """Something that a member of a business may do, or may not."""

    READ = "read"  # payments, payouts, disputes, stores, where the review stands
    READ_KEYS = "read_keys"  # keys and webhook endpoints, without their secrets
    EXPORT = "export"
    REFUND = "refund"
    PAY_OUT = "pay_out"
    STORES = "stores"
    KEYS = "keys"
    WEBHOOKS = "webhooks"
    PROVIDER_ACCOUNTS = "provider_accounts"
    KYC = "kyc"
    TEAM = "team"
    SETTINGS = "settings"


_Role = Membership.Role
ACCESS: dict[str, frozenset[Action]] = {
    _Role.OWNER: frozenset(Action),
    _Role.DEVELOPER: frozenset(
        {Action.READ, Action.READ_KEYS, Action.KEYS, Action.WEBHOOKS, Action.PROVIDER_ACCOUNTS, Action.STORES}
    ),
    _Role.FINANCE: frozenset({Action.READ, Action.EXPORT, Action.REFUND, Action.PAY_OUT}),
    _Role.VIEWER: frozenset({Action.READ}),
}


def may(role: str, action: Action) -> bool:
    """Whether a member with this role may do this. A role that nobody knows may do nothing."""
    return action in ACCESS.get(role, frozenset())
