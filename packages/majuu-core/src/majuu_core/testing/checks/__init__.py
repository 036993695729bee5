"""The checks of the provider contract, one module a group. Importing this package declares them all."""

from majuu_core.testing.checks import (
    authorization,
    definition,
    fetching,
    incoming,
    payments,
    payouts,
    refunds,
    secrecy,
    settlements,
    texts,
    webhooks,
)

__all__ = [
    "authorization",
    "definition",
    "fetching",
    "incoming",
    "payments",
    "payouts",
    "refunds",
    "secrecy",
    "settlements",
    "texts",
    "webhooks",
]
