"""The checks of the provider contract, one module a group. Importing this package declares them all."""

from majuu_core.testing.checks import (
    authorization,
    balances,
    definition,
    fetching,
    incoming,
    payments,
    payouts,
    pictures,
    refunds,
    secrecy,
    self_checks,
    settlements,
    texts,
    webhooks,
)

__all__ = [
    "authorization",
    "balances",
    "definition",
    "fetching",
    "incoming",
    "payments",
    "payouts",
    "pictures",
    "refunds",
    "secrecy",
    "self_checks",
    "settlements",
    "texts",
    "webhooks",
]
