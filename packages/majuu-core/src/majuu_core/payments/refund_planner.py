"""Which way money goes back, and why. Pure: nothing here reads rows, calls a provider or changes anything.

A provider with several ways says itself which are open (``PlansRefunds``). For the others the one way they have is
judged by their ``ProviderInfo``. The first open way is taken unless somebody names another; a way that cannot be used
is never replaced in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from moneyed import Money

from majuu_core.common.money import format_amount
from majuu_core.common.problems import Invalid
from majuu_core.payments.hidden_numbers import hash_phone
from majuu_core.providers import (
    PaymentProvider,
    PlansRefunds,
    RefundQuestion,
    RefundRoute,
    SupportsRefund,
)

# The one way of a provider that has only one. ``FollowUpRequest.method`` is empty for it.
ONLY_METHOD = "refund"
_PHONE = re.compile(r"[1-9][0-9]{8,14}")
_HASH = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundSource:
    """A part of the money and whose it is in the books: a kind of ledger account, such as "store_payable"."""

    account: str
    amount: Money
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPlan:
    """What a refund would do. ``chosen`` is None when no way is open, or the wanted one is not."""

    amount: Money
    refundable: Money
    chosen: RefundRoute | None
    alternatives: tuple[RefundRoute, ...]  # open too, but not chosen
    rejected: tuple[RefundRoute, ...]
    destination: Mapping[str, str] = field(default_factory=dict)  # of what the chosen way needs, what is known
    missing: tuple[str, ...] = ()  # of what it needs, what must still be given
    sources: tuple[RefundSource, ...] = ()
    notes: tuple[str, ...] = ()  # what was tried before

    @property
    def reasons(self) -> str:
        """Every closed way with its reason, as one text."""
        return " ".join(f"{route.method}: {route.reason}" for route in self.rejected)


def routes_of(provider: PaymentProvider | None, question: RefundQuestion) -> tuple[RefundRoute, ...]:
    """Every way of giving this money back, in the provider's order. None stands for a provider that is not there."""
    if provider is not None and isinstance(provider, PlansRefunds):
        return tuple(provider.refund_routes(question))
    objection = _objection(provider, question)
    reason = objection or "The provider gives the payment back the way it came."
    return (RefundRoute(method=ONLY_METHOD, possible=not objection, reason=reason),)


def choose(
    routes: Sequence[RefundRoute], *, method: str = ""
) -> tuple[RefundRoute | None, tuple[RefundRoute, ...], tuple[RefundRoute, ...]]:
    """The way to take (the named one, or the first that is open), the other open ones, and the closed ones.

    Raises Invalid for a method that the provider does not have.
    """
    if method and method not in {route.method for route in routes}:
        known = ", ".join(route.method for route in routes) or "none"
        raise Invalid("refund_method_unknown", f"There is no such way back. Known ways: {known}.", field="method")
    chosen = next((route for route in routes if route.possible and method in ("", route.method)), None)
    others = tuple(route for route in routes if route.possible and route is not chosen)
    return chosen, others, tuple(route for route in routes if not route.possible)


def make_plan(
    *,
    routes: Sequence[RefundRoute],
    amount: Money,
    refundable: Money,
    payer: str,
    method: str = "",
    destination: Mapping[str, str] | None = None,
    sources: Sequence[RefundSource] = (),
    notes: Sequence[str] = (),
) -> RefundPlan:
    """Put a plan together. ``payer`` is who paid as the charge knows it: a phone, a mask or hash of one, or a name.

    Raises Invalid for an unknown method, and for a destination that cannot be used or is not the payer's.
    """
    chosen, others, rejected = choose(routes, method=method)
    needs = chosen.needs if chosen else ()
    known = _destination(needs, payer, destination or {}) if chosen else {}
    return RefundPlan(
        amount=amount,
        refundable=refundable,
        chosen=chosen,
        alternatives=others,
        rejected=rejected,
        destination=known,
        missing=tuple(name for name in needs if not known.get(name)),
        sources=tuple(sources),
        notes=tuple(notes),
    )


def require_route(plan: RefundPlan, *, method: str = "") -> RefundRoute:
    """The chosen way of a plan that can be carried out.

    Raises Invalid when no way is open, when the wanted one is closed, or when something is missing for it.
    """
    if plan.chosen is None and method:
        closed = next(route for route in plan.rejected if route.method == method)
        text = f"{method} is closed: {closed.reason}"
        if plan.alternatives:
            text = f"{text} Open instead: {', '.join(route.method for route in plan.alternatives)}."
        raise Invalid("refund_method_closed", text, field="method")
    if plan.chosen is None:
        raise Invalid("refund_no_route", f"No way back is open. {plan.reasons}".strip())
    if plan.missing:
        name = plan.missing[0]
        raise Invalid(
            "refund_destination_missing",
            f"{plan.chosen.method} needs {', '.join(plan.missing)}, which the payment does not tell. Give it.",
            field=f"destination.{name}",
        )
    return plan.chosen


def payer_phone(payer: str) -> str:
    """The payer's number in full, "" when it is masked, hashed or no number."""
    digits = _digits(payer)
    return digits if _PHONE.fullmatch(digits) and "*" not in payer else ""


def _objection(provider: PaymentProvider | None, question: RefundQuestion) -> str:
    """Why a provider with one way cannot go it; "" when it can."""
    if provider is None:
        return "The provider's package is not installed, or its credentials cannot be read."
    if not isinstance(provider, SupportsRefund):
        return f"{provider.info.display_name} cannot give money back."
    if not (question.provider_reference or question.receipt):
        return "The provider never named this payment, so it cannot be told which one to give back."
    if not provider.info.partial_refunds and question.amount != question.paid:
        return f"The provider gives back whole payments only, and this one was {format_amount(question.paid)}."
    days = provider.info.refund_window_days
    if days is not None and question.now - question.paid_at > timedelta(days=days):
        age = (question.now - question.paid_at).days
        return f"The provider gives back payments of the last {days} days; this one is {age} days old."
    return ""


def _destination(needs: Sequence[str], payer: str, given: Mapping[str, str]) -> dict[str, str]:
    """What goes with the request: only what the chosen way needs."""
    unknown = sorted(set(given) - set(needs))
    if unknown:
        text = f"The chosen way takes no {unknown[0][:32]}. Leave it out, or name another method."
        raise Invalid("refund_destination_unknown", text, field=f"destination.{unknown[0][:32]}")
    found = {name: str(given[name]).strip() for name in needs if given.get(name)}
    if "phone" in needs:
        phone = _checked_phone(found["phone"], payer) if "phone" in found else payer_phone(payer)
        found = {**found, "phone": phone} if phone else found
    return found


def _checked_phone(given: str, payer: str) -> str:
    """A refund goes to whoever paid: another number is a payout, and that is another permission."""
    phone = _digits(given)
    if not _PHONE.fullmatch(phone):
        raise Invalid(
            "phone_invalid",
            "Give the number with its country code and without a leading zero, like 254712345678.",
            field="destination.phone",
        )
    if not _may_be_payers(phone, payer):
        raise Invalid(
            "refund_destination_not_payer",
            "This is not the number that paid. To send money to somebody else, make a payout.",
            field="destination.phone",
        )
    return phone


def _may_be_payers(phone: str, payer: str) -> bool:
    known = payer_phone(payer)
    if known:
        return phone == known
    if _HASH.fullmatch(payer):
        return hash_phone(phone) == payer.lower()
    if "*" in payer:
        head, tail = _digits(payer.partition("*")[0]), _digits(payer.rpartition("*")[2])
        return phone.startswith(head) and phone.endswith(tail)
    return True  # a name, an e-mail address, or nothing: it says nothing about numbers


def _digits(text: str) -> str:
    """The text without what people put between digits."""
    return re.sub(r"[\s+()./-]", "", text)
