"""How the transcript writes money and numbers."""

from __future__ import annotations

from decimal import Decimal


def money(amount: str) -> str:
    """Shillings, with separators."""
    return f"KES {Decimal(amount):,.2f}"


def shown_phone(phone: str) -> str:
    """0708 374 149."""
    return f"{phone[:4]} {phone[4:7]} {phone[7:]}"
