"""What the customer's page shows, decided from the intent and its charges alone.

One address shows every stage, so reloading it always tells the truth.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from majuu_core.payments.by_hand import gives_way
from majuu_core.payments.holds import is_asked_for
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.transitions import OPEN_CHARGE

# A receipt that comes by callback may be a little later than the answer to our question.
RECEIPT_PATIENCE = timedelta(minutes=10)


class Stage(StrEnum):
    """The page's stages."""

    PAY = "pay"
    PROMPT = "prompt"  # a request is on the customer's phone
    REDIRECT = "redirect"  # the customer goes on at the provider
    INSTRUCTIONS = "instructions"
    PROCESSING = "processing"
    CHECKING = "checking"  # the outcome is not known; we keep asking
    AUTHORIZED = "authorized"
    PAID = "paid"
    REVIEW = "review"  # somebody must decide about the money
    CANCELED = "canceled"
    EXPIRED = "expired"


_LIVE = frozenset({Stage.PROMPT, Stage.REDIRECT, Stage.INSTRUCTIONS, Stage.PROCESSING, Stage.CHECKING})


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """A stage with what it is about.

    ``charge`` is the attempt that is going on, ``failed`` the last one when it failed. ``is_live`` says that the page
    will change by itself. ``deadline`` is when the customer's prompt ends. ``can_switch``: what is going on gives way
    when the customer chooses another method.
    """

    stage: Stage
    charge: Charge | None = None
    failed: Charge | None = None
    is_live: bool = False
    deadline: datetime | None = None
    can_switch: bool = False


def read_state(intent: PaymentIntent, charges: Sequence[Charge], now: datetime) -> PageState:
    """The stage an intent is at. ``charges`` are all of its charges, oldest first."""
    going_on = next((charge for charge in reversed(charges) if charge.status in OPEN_CHARGE), None)
    if intent.status == PaymentIntent.Status.SUCCEEDED:
        return PageState(stage=Stage.PAID, is_live=any(_receipt_may_come(charge, now) for charge in charges))
    if intent.is_parked:
        return PageState(stage=Stage.REVIEW)
    if intent.status == PaymentIntent.Status.CANCELED:
        expired = intent.cancellation_reason == PaymentIntent.CancellationReason.EXPIRED
        stage = Stage.EXPIRED if expired else Stage.CANCELED
        return PageState(stage=stage, charge=going_on, is_live=going_on is not None)
    if going_on is not None:
        stage = _waiting_stage(going_on, now)
        deadline = action_deadline(going_on) if stage is Stage.PROMPT else None
        can_switch = stage is Stage.INSTRUCTIONS and gives_way(going_on) and now < intent.expires_at
        return PageState(stage=stage, charge=going_on, is_live=stage in _LIVE, deadline=deadline, can_switch=can_switch)
    if intent.status == PaymentIntent.Status.REQUIRES_CAPTURE:
        # It may take days, unless somebody is about to take the money.
        is_live = any(charge.status == Charge.Status.AUTHORIZED and is_asked_for(charge) for charge in charges)
        return PageState(stage=Stage.AUTHORIZED, is_live=is_live)
    if intent.expires_at <= now:
        return PageState(stage=Stage.EXPIRED)
    last = charges[-1] if charges else None
    failed = last if last and last.status in (Charge.Status.FAILED, Charge.Status.CANCELED) else None
    return PageState(stage=Stage.PAY, failed=failed)


def version_of(state: PageState, intent: PaymentIntent, charges: Sequence[Charge]) -> str:
    """A short text that changes exactly when the page would. It gives nothing away."""
    parts = [state.stage, intent.status, str(intent.amount_received.amount), str(intent.surplus.amount)]
    parts += [f"{charge.pk} {charge.status} {charge.receipt or ''}" for charge in charges]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def redirect_url(charge: Charge | None) -> str:
    """Where the provider wants the customer to go on; empty when that is no web address."""
    action = charge.next_action if charge and charge.status == Charge.Status.REQUIRES_ACTION else None
    if not action or action.get("type") != "redirect":
        return ""
    url = str(action.get("data", {}).get("url", ""))
    return url if is_web_address(url) else ""


def is_web_address(url: str) -> bool:
    """True for http and https addresses, which are safe to link to."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def action_deadline(charge: Charge) -> datetime | None:
    """When what the customer was asked to do ends, if the provider said so."""
    text = (charge.next_action or {}).get("expires_at")
    return datetime.fromisoformat(text) if text else None


def _waiting_stage(charge: Charge, now: datetime) -> Stage:
    if charge.is_parked:
        return Stage.REVIEW
    if charge.status == Charge.Status.PENDING:
        return Stage.PROCESSING
    if charge.status == Charge.Status.UNKNOWN:
        return Stage.CHECKING
    kind = (charge.next_action or {}).get("type")
    deadline = action_deadline(charge)
    if kind == "await_phone_prompt" and (deadline is None or now < deadline):
        return Stage.PROMPT
    if redirect_url(charge):
        return Stage.REDIRECT
    return Stage.INSTRUCTIONS if kind == "display_instructions" else Stage.CHECKING


def _receipt_may_come(charge: Charge, now: datetime) -> bool:
    if charge.status != Charge.Status.SUCCEEDED or charge.receipt:
        return False
    return now - charge.updated_at < RECEIPT_PATIENCE
