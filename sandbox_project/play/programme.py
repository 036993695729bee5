"""What is played, in this order. A step finds in the scene what the steps before it have put there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox_project.play import arrivals, books, cards, steps, wallet
from sandbox_project.play.scene import Scene


@dataclass(frozen=True, slots=True)
class Step:
    """A name for the transcript, and what is to be seen."""

    name: str
    see: Callable[[Scene], str]


@dataclass(frozen=True, slots=True)
class Part:
    """A heading, and the steps below it."""

    title: str
    steps: tuple[Step, ...]


PARTS: tuple[Part, ...] = (
    Part(
        "M-Pesa: one payment by prompt, one that arrives by itself, and a refund",
        (
            Step("request", steps.see_request),
            Step("page", steps.see_page),
            Step("prompt", steps.see_prompt),
            Step("callback", steps.see_callback),
            Step("succeeded", steps.see_success),
            Step("webhook", steps.see_webhook),
            Step("registered", arrivals.see_registration),
            Step("paybill", arrivals.see_arrival),
            Step("suggested", arrivals.see_suggestion),
            Step("claimed", arrivals.see_claim),
            Step("refund", arrivals.see_refund),
        ),
    ),
    Part(
        "Cards, through Stripe: its page, a bank that asks, a hold, and a refund",
        (
            Step("card", cards.see_card),
            Step("told", cards.see_event),
            Step("3-d-secure", cards.see_question),
            Step("held", cards.see_hold),
            Step("captured", cards.see_capture),
            Step("refunded", cards.see_refund),
        ),
    ),
    Part(
        "PayPal: an order in shillings, paid in dollars, and a refund",
        (
            Step("dollars", wallet.see_dollars),
            Step("approved", wallet.see_approval),
            Step("notified", wallet.see_notice),
            Step("returned", wallet.see_refund),
        ),
    ),
    Part("The books", (Step("ledger", books.see_ledger), Step("agreement", books.see_agreement))),
)
