"""Promise P5: callbacks may come in any order, again, late or contradicted; the same state is reached."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.ledger.models import LedgerAccount
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_sim.faults import FaultScript, Reply
from tests.sandbox.machine.drivers import ProviderDriver
from tests.sandbox.machine.invariants import Watch, recompute
from tests.sandbox.machine.mpesa_driver import CUSTOMERS, MpesaDriver
from tests.sandbox.machine.profiles import machine_settings
from tests.sandbox.machine.world import Stage, World

MOST = 10  # callbacks of one example

SCRIPTS = st.builds(
    FaultScript,
    outcome=st.sampled_from(["pay", "cancel", "insufficient", "timeout"]),
    reply=st.sampled_from([Reply.NORMAL, Reply.ACCEPTED_TIMEOUT]),
    duplicates=st.integers(0, 2),
    stale_outcome=st.sampled_from([None, "timeout", "cancel"]),
    forged=st.integers(0, 2),
    forged_amount=st.sampled_from([None, "1"]),
    event_amount=st.sampled_from([None, None, "9000"]),
    event_shape=st.sampled_from([None, "no_metadata", "text"]),
    read_pending=st.integers(0, 2),
    read_unavailable=st.integers(0, 1),
)


def outcome(
    stage: Stage, script: FaultScript, order: list[int], *, work_between: bool, ask_first: bool
) -> dict[str, Any]:
    """What one payment comes to when its callbacks arrive in this order."""
    world = World(stage, seed=7, late_success="succeed")
    try:
        world.create_intent(1500, timedelta(minutes=60))
        world.driver.plan(CUSTOMERS[0], script)
        world.confirm(world.intents[0], CUSTOMERS[0], part=None, death=None, overtaken=False)
        charge = Charge.objects.get()
        world.forge(charge.pk, "foreign_reference")
        world.advance(timedelta(seconds=70))
        world.advance(timedelta(seconds=30))
        if ask_first:
            world.ask()
        letters = sorted(enumerate(world.post), key=lambda pair: order[pair[0] % MOST])
        world.post.clear()
        for _, letter in letters:
            world.deliver(letter)
            if work_between:
                world.work()
        watch = Watch(world)
        world.drain()
        watch.check_end()
        return state()
    finally:
        world.close()


def state() -> dict[str, Any]:
    """All that is said about the money. A receipt that only an unsigned message names is no such thing."""
    charge, intent = Charge.objects.get(), PaymentIntent.objects.get()
    kinds = {account.pk: account.kind for account in LedgerAccount.objects.all()}
    return {
        "charge": (charge.status, charge.amount_received, charge.is_parked, charge.follow_up_at, charge.next_action),
        "reference": charge.provider_reference,
        "intent": (intent.status, intent.amount_received, intent.surplus, intent.is_parked),
        "books": {kinds[key]: sums.totals() for key, sums in recompute().items() if any(sums.totals())},
    }


@pytest.mark.slow
def test_any_order_of_the_callbacks_ends_in_the_same_state(make_stage: Callable[[ProviderDriver], Stage]) -> None:
    stage = make_stage(MpesaDriver())
    usual = list(range(MOST))

    @machine_settings(share=4)
    @given(script=SCRIPTS, order=st.permutations(usual), work_between=st.booleans(), ask_first=st.booleans())
    def same(script: FaultScript, order: list[int], work_between: bool, ask_first: bool) -> None:
        straight = outcome(stage, script, usual, work_between=True, ask_first=False)
        shuffled = outcome(stage, script, order, work_between=work_between, ask_first=ask_first)
        assert shuffled == straight
        paid = script.outcome == "pay"
        assert straight["charge"][0] == ("succeeded" if paid else straight["charge"][0])
        assert (straight["intent"][1].amount == Decimal(1500)) == paid

    same()
