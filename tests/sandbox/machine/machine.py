"""The state machine: everything that can happen to payments, in any order, with the invariants after every step."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from majuu_core.payments.models import Charge
from tests.core.bad_luck.deaths import ASKING, CONFIRMING, HEARING, WORKING, Point
from tests.sandbox.machine.invariants import Watch
from tests.sandbox.machine.world import Stage, World

PICK = st.integers(0, 5)
# Delivered, delivered and coming once more, lost, sent to a wrong address, or taken by a process that dies.
FATES = ["delivered", "delivered", "delivered", "again", "lost", "astray", *HEARING]
STAYS = ("again", "astray")
STEPS = st.sampled_from([1, 3, 10, 20, 60, 130, 700, 4000])


def make_machine(stage: Stage) -> type[RuleBasedStateMachine]:
    """The machine for one provider."""
    driver = stage.driver

    class PaymentsMachine(RuleBasedStateMachine):
        """One store, up to three intents, a few customers, one provider that may do anything."""

        world: World | None = None

        @initialize(
            seed=st.integers(0, 2**16),
            late_success=st.sampled_from(["succeed", "park"]),
            amounts=st.lists(driver.amounts(), min_size=1, max_size=2),
            customer=driver.customers(),
            fault=driver.faults(),
        )
        def begin(self, seed: int, late_success: str, amounts: list[int], customer: str, fault: Any) -> None:
            """A store with one or two purchases, the first of which somebody is about to pay."""
            self.world = World(stage, seed=seed, late_success=late_success)
            self.watch = Watch(self.world)
            for amount in amounts:
                self.world.create_intent(amount, timedelta(minutes=60))
            driver.plan(customer, fault)
            self.world.confirm(self.intent(0), customer, part=None, death=None, overtaken=False)

        @property
        def here(self) -> World:
            assert self.world is not None
            return self.world

        def intent(self, pick: int) -> uuid.UUID:
            return self.here.intents[pick % len(self.here.intents)]

        def has_post(self) -> bool:
            return bool(self.here.post)

        def has_letters_read(self) -> bool:
            return bool(self.here.read)

        def may_create(self) -> bool:
            return len(self.here.intents) < 3

        @precondition(may_create)
        @rule(amount=driver.amounts(), minutes=st.sampled_from([2, 60, 1440]))
        def create_intent(self, amount: int, minutes: int) -> None:
            self.here.create_intent(amount, timedelta(minutes=minutes))

        @rule(
            pick=PICK,
            customer=driver.customers(),
            fault=driver.faults(),
            part=st.sampled_from([None, None, 1, 60]),
            overtaken=st.booleans(),
        )
        def confirm(self, pick: int, customer: str, fault: Any, part: int | None, overtaken: bool) -> None:
            driver.plan(customer, fault)
            self.here.confirm(self.intent(pick), customer, part=part, death=None, overtaken=overtaken)

        @rule(pick=PICK, customer=driver.customers(), fault=driver.faults(), death=st.sampled_from(CONFIRMING))
        def confirm_and_die(self, pick: int, customer: str, fault: Any, death: Any) -> None:
            driver.plan(customer, fault)
            self.here.confirm(self.intent(pick), customer, part=None, death=death, overtaken=False)

        @rule(pick=PICK)
        def send_the_same_request_again(self, pick: int) -> None:
            self.here.send_again(pick % len(self.here.requests))

        @rule(pick=PICK)
        def cancel(self, pick: int) -> None:
            self.here.cancel(self.intent(pick))

        @rule(pick=PICK, gave_up=st.booleans())
        def come_back(self, pick: int, gave_up: bool) -> None:
            """The customer is sent back to our page, from whichever page of the provider."""
            self.here.come_back(self.intent(pick), gave_up=gave_up)

        @rule(seconds=STEPS, ask=st.booleans(), work=st.booleans())
        def pass_time(self, seconds: int, ask: bool, work: bool) -> None:
            """The worker may look for charges, for messages, for both or be down."""
            self.here.advance(timedelta(seconds=seconds))
            if work:
                self.here.work()
            if ask:
                self.here.ask()
                self.here.expire()

        @rule(death=st.sampled_from([*ASKING, *WORKING]))
        def die_at_work(self, death: Any) -> None:
            """The worker dies, if it comes to this point."""
            self.here.work(death)
            self.here.ask(death)

        @rule(trouble=driver.troubles())
        def cause_trouble(self, trouble: Any) -> None:
            driver.cause(trouble)

        @precondition(has_post)
        @rule(pick=PICK, fate=st.sampled_from(FATES))
        def post(self, pick: int, fate: Any) -> None:
            """One of the callbacks on their way, whichever, meets its fate."""
            position = pick % len(self.here.post)
            letter = self.here.post[position] if fate in STAYS else self.here.post.pop(position)
            if fate == "astray":
                self.here.deliver_astray(letter)
            elif isinstance(fate, Point):
                self.here.deliver_dying(letter, fate)
            elif fate != "lost":
                self.here.deliver(letter)

        @precondition(has_letters_read)
        @rule(pick=PICK)
        def replay(self, pick: int) -> None:
            self.here.deliver(self.here.read[pick % len(self.here.read)], as_read=True)

        @rule(pick=PICK, kind=st.sampled_from(driver.forgeries))
        def forge(self, pick: int, kind: str) -> None:
            """Somebody who knows the secret address of a charge writes to it."""
            charges = list(Charge.objects.order_by("pk").values_list("pk", flat=True))
            if charges:
                self.here.forge(charges[pick % len(charges)], kind)

        @invariant()
        def promises_hold(self) -> None:
            self.watch.check()

        def teardown(self) -> None:
            if self.world is None:
                return
            try:
                self.world.drain()
                self.watch.check_end()
            finally:
                self.world.close()

    return PaymentsMachine
