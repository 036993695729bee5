"""Which members must have a second factor: those who own a business or handle its money."""

from __future__ import annotations

from typing import Any

from majuu_core.merchants.models import Membership

ROLES = (Membership.Role.OWNER, Membership.Role.FINANCE)


def handles_money(user: Any) -> bool:
    """Whether the user owns or keeps the finances of any merchant."""
    return Membership.objects.filter(user_id=user.pk, role__in=ROLES).exists()
