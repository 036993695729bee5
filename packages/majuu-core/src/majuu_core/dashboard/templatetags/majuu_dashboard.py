"""Small pieces of the pages. Everything is escaped."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from moneyed import Money

from majuu_core.common.money import decimal_places
from majuu_core.dashboard.place import Place

register = template.Library()
_TONES = {
    **dict.fromkeys(("succeeded", "enabled", "approved", "active", "won"), "good"),
    **dict.fromkeys(("failed", "suspended", "revoked", "disabled", "lost", "rejected", "needs_response"), "bad"),
    **dict.fromkeys(
        ("unknown", "requires_action", "requires_capture", "requires_approval", "pending", "needs_more", "expired"),
        "warn",
    ),
}


@register.filter
def money(value: Money | None) -> SafeString:
    """``KES 1,500.00``: with all decimals of the currency, on one line."""
    if value is None:
        return SafeString("–")
    code = value.currency.code
    return format_html('<span class="money">{}\u00a0{}</span>', code, f"{value.amount:,.{decimal_places(code)}f}")


@register.filter
def moment(value: datetime | None) -> SafeString:
    """A time to the minute, in the site's zone; machines read it exactly."""
    if value is None:
        return SafeString("–")
    local = localtime(value)
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), f"{local:%d %b %Y, %H:%M}")


@register.simple_tag
def state(value: str, label: str = "") -> SafeString:
    """A state as a coloured word; the word alone says all."""
    return format_html('<span class="badge {}">{}</span>', _TONES.get(value, ""), label or value.replace("_", " "))


@register.simple_tag
def at(place: Place, name: str, *args: Any) -> str:
    """The address of a page of this business."""
    return place.url(name, *(item.public_id if hasattr(item, "public_id") else str(item) for item in args))
