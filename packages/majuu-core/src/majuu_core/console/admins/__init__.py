"""Core's console pages. Importing this registers them."""

from majuu_core.console.admins import (
    audit,
    events,
    ledger,
    merchants,
    mismatches,
    operations,
    payments,
    payouts,
    reports,
    wallets,
    webhooks,
)

__all__ = [
    "audit",
    "events",
    "ledger",
    "merchants",
    "mismatches",
    "operations",
    "payments",
    "payouts",
    "reports",
    "wallets",
    "webhooks",
]
