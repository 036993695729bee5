"""The cells of ``majuu_core.console.cells`` as template filters."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils.safestring import SafeString

from majuu_core.console import cells
from majuu_core.payments.models import PaymentIntent

register = template.Library()
register.filter("mode_badge", cells.mode_badge)
register.filter("money_cell", cells.money_cell)
register.filter("id_link", cells.id_link)
register.filter("shown", cells.shown)


@register.filter
def beside(headers: Sequence[object], row: Sequence[object]) -> list[tuple[object, object]]:
    """The cells of a row, each with its heading: on a phone it stands beside the cell."""
    return list(zip(headers, row, strict=False))


@register.filter
def status_badge(intent: PaymentIntent) -> SafeString:
    """An intent's status; parked ones say so."""
    if intent.is_parked:
        return cells.state_badge("parked")
    return cells.state_badge(intent.status, intent.get_status_display())
