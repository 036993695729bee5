"""Core's console pages. Importing this registers them."""

from majuu_core.console.admins import audit, events, ledger, merchants, payments, refunds, webhooks

__all__ = ["audit", "events", "ledger", "merchants", "payments", "refunds", "webhooks"]
