"""How the transcript writes money and numbers."""

from __future__ import annotations

from decimal import Decimal


def money(amount: str, currency: str = "KES") -> str:
    """An amount with its currency and separators."""
    return f"{currency} {Decimal(amount):,.2f}"


def shown_phone(phone: str) -> str:
    """0708 374 149."""
    return f"{phone[:4]} {phone[4:7]} {phone[7:]}"
