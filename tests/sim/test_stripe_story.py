"""A random story, and whether the simulator's books add up at its end."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.sim.stripe_client import Client

CARDS = [
    "pm_card_visa",
    "pm_card_chargeDeclined",
    "pm_card_createDispute",
    "pm_card_refundFail",
    "pm_card_pendingRefund",
]


class Story:
    """What may happen next. Refusals are fine: that money is not lost or made is what counts."""

    def __init__(self, api: Client, seed: int) -> None:
        self.api = api
        self.rng = random.Random(seed)
        self.keys = 0

    def step(self) -> None:
        steps: list[Callable[[], Any]] = [self.pay, self.pay, self.capture, self.cancel, self.refund, self.refund]
        steps += [self.session, self.decide, self.payout, self.time]
        self.rng.choice(steps)()

    def some(self, kind: str) -> str:
        listed = self.api.found(kind, limit=20)["data"]
        return self.rng.choice(listed)["id"] if listed else "none"

    def pay(self) -> None:
        self.keys += 1
        params = self.api.payment(
            amount=self.rng.randint(100, 90_000),
            payment_method=self.rng.choice(CARDS),
            capture_method=self.rng.choice(["automatic", "automatic_async", "manual"]),
            metadata={"majuu_reference": f"K{self.keys}"},
        )
        for _ in range(self.rng.randint(1, 3)):
            self.api.post("payment_intents", f"key-{self.keys}", **params)

    def capture(self) -> None:
        self.api.post(
            f"payment_intents/{self.some('payment_intents')}/capture", amount_to_capture=self.rng.randint(1, 50_000)
        )

    def cancel(self) -> None:
        self.api.post(f"payment_intents/{self.some('payment_intents')}/cancel")

    def refund(self) -> None:
        self.api.post("refunds", payment_intent=self.some("payment_intents"), amount=self.rng.randint(1, 60_000))

    def session(self) -> None:
        self.api.sim.pay_session(self.api.session()["id"], self.rng.choice(CARDS))

    def decide(self) -> None:
        for one in self.api.found("disputes")["data"]:
            if one["status"] == "needs_response":
                self.api.sim.decide_dispute(one["id"], won=self.rng.random() < 0.5)

    def payout(self) -> None:
        with contextlib.suppress(ValueError):  # there may be nothing
            self.api.sim.make_payout("kes")

    def time(self) -> None:
        self.api.sim.advance(self.rng.choice([5, 3600, 86_400, 259_200]))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_books_add_up(stripe_api: Client, seed: int) -> None:
    story = Story(stripe_api, seed)
    for _ in range(90):
        story.step()
    stripe_api.sim.advance(5)
    moves = everything(stripe_api, "balance_transactions")
    refunds = everything(stripe_api, "refunds")
    disputes = everything(stripe_api, "disputes")
    charges = stripe_api.sim.payments()
    assert min(len(charges), len(refunds), len(disputes)) > 0
    references = [one["reference"] for one in charges if one["reference"] != "S1"]
    assert len(references) == len(set(references))
    for charge in charges:
        kept = [one["amount"] for one in refunds if one["charge"] == charge["charge"] and one["status"] != "failed"]
        assert 0 <= charge["refunded"] == sum(kept) <= charge["amount"]
    by_type = {
        kind: sum(one["amount"] for one in moves if one["type"] == kind) for kind in {one["type"] for one in moves}
    }
    assert by_type["charge"] == sum(one["amount"] for one in charges)
    assert by_type["refund"] == -sum(one["amount"] for one in refunds)
    failed = sum(one["amount"] for one in refunds if one["status"] == "failed")
    assert by_type.get("refund_failure", 0) == failed
    assert by_type["adjustment"] == -sum(one["amount"] for one in disputes if one["status"] != "won")
    balance = stripe_api.found("balance")
    held = sum(one["amount"] for name in ("available", "pending") for one in balance[name])
    assert held == sum(one["net"] for one in moves) == sum(one["amount"] - one["fee"] for one in moves)
    for payout in everything(stripe_api, "payouts"):
        assert sum(one["net"] for one in everything(stripe_api, "balance_transactions", payout=payout["id"])) == 0


def everything(api: Client, kind: str, **wanted: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    page = {"has_more": True}
    while page["has_more"]:
        after = {"starting_after": found[-1]["id"]} if found else {}
        page = api.found(kind, limit=100, **after, **wanted)
        found += page["data"]
    return found
