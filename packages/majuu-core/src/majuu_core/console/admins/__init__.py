"""Core's console pages. Importing this registers them."""

from majuu_core.console.admins import (
    audit,
    events,
    incoming,
    ledger,
    merchants,
    mismatches,
    operations,
    payments,
    payouts,
    refunds,
    reports,
    wallets,
    webhooks,
)

__all__ = [
    "audit",
    "events",
    "incoming",
    "ledger",
    "merchants",
    "mismatches",
    "operations",
    "payments",
    "payouts",
    "refunds",
    "reports",
    "wallets",
    "webhooks",
]
