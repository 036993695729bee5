"""Whose is this money, and which money is it? Tables of suggestions with their scores as bars and their reasons."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from majuu_core.common import ids
from majuu_core.common.money import Money, currency_of
from majuu_core.console.base import Table
from majuu_core.console.cells import code_cell, link, money_cell, short_id
from majuu_core.merchants.models import Store
from majuu_core.payments.models import IncomingPayment, PaymentIntent
from majuu_core.payments.suggestion_queries import LEAST_SCORE, WINDOW, suggest_money, suggest_orders
from majuu_core.payments.suggestion_reasons import AUTO_CLAIM_SCORE, Reason
from majuu_core.payments.suggestions import Suggestion

_HALF = 50
_NOTE = (
    f"Orders of the {WINDOW.days} days before the payment with a score of {LEAST_SCORE} or more. "
    "Two that fit alike both lose points: nobody should claim the money without asking."
)


def suggestion_table(incoming: IncomingPayment) -> Table:
    """The orders that unclaimed money may pay, the best first; none for money that has an owner or is gone."""
    is_unclaimed = incoming.ownership == IncomingPayment.Ownership.UNCLAIMED
    is_free = is_unclaimed and incoming.status == IncomingPayment.Status.SUCCEEDED
    found = suggest_orders([incoming])[incoming.pk] if is_free else []
    stores = Store.objects.in_bulk({one.expectation.store for one in found})
    return Table(
        title="Suggestions",
        headers=("Score", "Order", "Store", "Owed", "Why"),
        rows=[_order_row(one, stores) for one in found],
        note=_NOTE if is_free else "The money has an owner, or is not there any more.",
    )


def money_table(intent: PaymentIntent) -> Table:
    """The unclaimed money that may pay an order, the best first."""
    return Table(
        title="Unclaimed money it may have been paid with",
        headers=("Score", "Receipt", "Amount", "Typed", "Why"),
        rows=[_money_row(row, one) for row, one in suggest_money(intent)],
    )


def score_bar(score: int) -> SafeString:
    """A score out of 100 as a bar and a number; green from what is advised for automatic claims."""
    return format_html(
        '<span class="mj-score"><meter min="0" max="100" low="{}" high="{}" optimum="100" value="{}">{} of 100</meter>'
        " {}</span>",
        _HALF,
        AUTO_CLAIM_SCORE,
        score,
        score,
        score,
    )


def reason_lines(reasons: Sequence[Reason]) -> SafeString:
    """One line for each reason, with its points."""
    lines = format_html_join("", "<li>{} {}</li>", ((f"{one.points:+d}", one.english) for one in reasons))
    return format_html('<ul class="mj-reasons">{}</ul>', lines)


def _order_row(one: Suggestion, stores: Mapping[uuid.UUID, Store]) -> Sequence[object]:
    order = one.expectation
    number = ids.encode_id(PaymentIntent.id_prefix, order.key)
    address = reverse("console:majuu_payments_paymentintent_change", args=[number])
    return (
        score_bar(one.score),
        format_html('<a class="mj-link" href="{}">{}</a><br>{}', address, short_id(number), code_cell(order.reference)),
        link(stores.get(order.store)),
        money_cell(Money(order.remaining, currency_of(order.currency))),
        reason_lines(one.reasons),
    )


def _money_row(row: IncomingPayment, one: Suggestion) -> Sequence[object]:
    return (
        score_bar(one.score),
        link(row, row.receipt),
        money_cell(row.amount),
        code_cell(row.account_reference),
        reason_lines(one.reasons),
    )
