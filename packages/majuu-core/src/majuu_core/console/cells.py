"""Small pieces of HTML that lists, details, timelines and the home page share. Everything is escaped."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from moneyed import Money

from majuu_core.common import ids
from majuu_core.common.money import decimal_places
from majuu_core.database.public_ids import PublicIdMixin

GOOD, BAD, WARN, INFO, PLAIN = "good", "bad", "warn", "info", "plain"
_MAX_TEXT = 100_000

# How states look, whatever they belong to.
TONES: dict[str, str] = {
    **dict.fromkeys(("succeeded", "applied", "enabled", "healthy", "approved", "posted", "post_pending"), GOOD),
    **dict.fromkeys(("failed", "rejected", "unhealthy", "suspended", "parked", "disabled"), BAD),
    **dict.fromkeys(
        ("unknown", "requires_action", "requires_capture", "authorized", "sending", "pending", "requires_approval"),
        WARN,
    ),
    **dict.fromkeys(("won",), GOOD),
    **dict.fromkeys(("lost", "needs_response"), BAD),
    **dict.fromkeys(("under_review", "accepted", "expired"), WARN),
    **dict.fromkeys(("processing", "received", "requires_payment_method"), INFO),
}


def badge(text: object, tone: str = PLAIN) -> SafeString:
    """A coloured word."""
    return format_html('<span class="mj-badge mj-{}">{}</span>', tone, text)


def state_badge(value: str, label: str = "") -> SafeString:
    """A state in its colour, with the words people know it by."""
    return badge(label or value.replace("_", " "), TONES.get(value, PLAIN))


def mode_badge(livemode: bool) -> SafeString:
    """Test or live: the first thing to know about any row."""
    return badge("live", "live") if livemode else badge("test", "test")


def money_text(money: Money | None) -> str:
    """``KES 1,500.00``: always all decimals of the currency. More, if the books hold more."""
    if money is None:
        return "–"
    code, amount = money.currency.code, money.amount
    exponent = amount.normalize().as_tuple().exponent
    places = max(decimal_places(code), -exponent if isinstance(exponent, int) else 0)
    return f"{code}\u00a0{amount:,.{places}f}"


def money_cell(money: Money | None) -> SafeString:
    """An amount, lined up with the others below it."""
    return format_html('<span class="mj-money">{}</span>', money_text(money))


def code_cell(text: object) -> SafeString:
    """An id, a receipt, an address: text that is compared letter by letter."""
    return format_html('<span class="mj-code">{}</span>', text) if text else SafeString("–")


def moment_cell(at: datetime | None) -> SafeString:
    """A time to the second, in the project's time zone; with the zone; the title tells it in words."""
    if at is None:
        return SafeString("–")
    local = localtime(at)
    return format_html(
        '<time class="mj-time" datetime="{}" title="{}">{} <span class="mj-zone">{}</span></time>',
        local.isoformat(),
        f"{local:%A, %d %B %Y, %H:%M:%S %Z}",
        f"{local:%Y-%m-%d %H:%M:%S}",
        f"{local:%Z}",
    )


def shown(value: Any) -> SafeString | str:
    """Any value of a row as a cell."""
    if isinstance(value, datetime):
        return moment_cell(value)
    if isinstance(value, bool):
        return badge("yes" if value else "no")
    return "–" if value in (None, "") else value if isinstance(value, str) else str(value)


def address_of(row: models.Model) -> str:
    """The console's page of a row; empty when the console has none."""
    options = row._meta
    key = getattr(row, "public_id", row.pk)
    try:
        return reverse(f"console:{options.app_label}_{options.model_name}_change", args=[key])
    except NoReverseMatch:
        return ""


def destination_text(destination: Mapping[str, Any]) -> str:
    """Where money goes, for reading: ``phone 254712345678``; "–" for the way it came."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in destination.items()) or "–"


def link(row: models.Model | None, text: object = "") -> SafeString:
    """A link to the row's page."""
    if row is None:
        return SafeString("–")
    return format_html('<a class="mj-link" href="{}">{}</a>', address_of(row), text or str(row))


def short_id(public_id: str) -> SafeString:
    """A public id without its middle, for crowded tables; the whole one is its title."""
    head, _, tail = public_id.rpartition("_")
    if not head or len(tail) <= 12:
        return code_cell(public_id)
    return format_html('<span class="mj-code" title="{}">{}_…{}</span>', public_id, head, tail[-8:])


def id_link(row: models.Model | None, *, short: bool = False) -> SafeString:
    """A link that reads as the row's public id."""
    if row is None:
        return SafeString("–")
    public_id = str(getattr(row, "public_id", ""))
    return link(row, short_id(public_id) if short else code_cell(public_id))


def key_link(model: type[PublicIdMixin], key: uuid.UUID) -> SafeString:
    """A link to a row of which only the key is known; the short id is its text."""
    options, public_id = model._meta, ids.encode_id(model.id_prefix, key)  # type: ignore[attr-defined]
    address = reverse(f"console:{options.app_label}_{options.model_name}_change", args=[public_id])
    return format_html('<a class="mj-link" href="{}">{}</a>', address, short_id(public_id))


def pretty(value: Any) -> SafeString:
    """JSON, text or bytes, laid out for reading."""
    text = readable(value)
    if not text:
        return SafeString("–")
    shown = text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}\n… {len(text) - _MAX_TEXT} characters more"
    return format_html('<pre class="mj-pre">{}</pre>', shown)


def readable(value: Any) -> str:
    """The value as text: JSON indented, bytes decoded as well as they can be."""
    if isinstance(value, (bytes, memoryview)):
        value = bytes(value).decode("utf-8", "backslashreplace")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    if value in (None, "", {}, []):
        return ""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=False, default=str)
