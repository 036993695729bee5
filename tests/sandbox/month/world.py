"""A month of one paybill at the simulated M-Pesa: customers, payouts, reversals, people in the portal.

Seeded, and played on the simulator's own engines under a virtual clock: money really moves in its books, and its
statement is what the close is given.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from majuu_sim.clock import VirtualClock
from majuu_sim.daraja import DarajaConfig, DarajaSimulator
from majuu_sim.daraja.books import Entry, Movement
from majuu_sim.daraja.config import Shortcode
from majuu_sim.daraja.jobs_records import JobRequest
from majuu_sim.daraja.records import PushRequest
from majuu_sim.faults import FaultScript
from majuu_sim.transport import CollectingTransport

PAYBILL = "174379"
EAT = timezone(timedelta(hours=3))
START = datetime(2026, 1, 1, tzinfo=EAT)
DAYS = 31
PAYOUT_CHARGE = Decimal(23)
_NAMES = ("JANE DOE", "ÀDÌSÁ, ÒKÓ", '=HYPERLINK("x")', "WANJIKU O'NEILL", "@SUM(A1)", "MOHAMED  ALI")


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that is going to happen: stk, c2b, b2c, reversal, outside."""

    at: datetime
    kind: str


def plan(rng: random.Random, count: int) -> list[Happening]:
    """What happens when: evenly over the month, with more than chance would bring in the seconds around midnight."""
    kinds = rng.choices(["stk", "c2b", "b2c", "reversal"], weights=[56, 33, 8, 3], k=count)
    happenings = []
    for number, kind in enumerate(kinds):
        if number % 40 == 0:
            midnight = START + timedelta(days=rng.randrange(1, DAYS + 1))
            at = midnight + timedelta(seconds=rng.choice([-600, -3, -1, 0, 1, 2, 599]))
        else:
            at = START + timedelta(seconds=rng.randrange(DAYS * 86400))
        happenings.append(Happening(at, kind))
    return sorted(happenings, key=lambda item: item.at)


class MonthAtMpesa:
    """Plays a plan; afterwards ``movements`` is the truth and ``statement`` what the portal shows."""

    def __init__(self, seed: int, count: int, outside: int) -> None:
        self.rng = random.Random(seed)
        self.clock = VirtualClock(START.astimezone(UTC))
        config = DarajaConfig(
            shortcodes=(Shortcode(number=PAYBILL, utility=50_000_000, working=50_000_000),),
            check_credentials=False,
            payout_charge=PAYOUT_CHARGE,
            magic_numbers=False,
        )
        self.sim = DarajaSimulator(seed=seed, clock=self.clock, config=config, transport=CollectingTransport())
        happenings = plan(self.rng, count - outside)
        for at in self.rng.sample([item.at for item in happenings], outside):
            happenings.append(Happening(at, "outside"))
        self.happenings = sorted(happenings, key=lambda item: item.at)

    def play(self) -> None:
        asyncio.run(self._play())

    async def _play(self) -> None:
        for happening in self.happenings:
            self.clock.move_to(max(happening.at, self.clock.now()))
            await getattr(self, f"_{happening.kind}")()

    async def _stk(self) -> None:
        phone = self._phone()
        request = PushRequest(
            shortcode=PAYBILL,
            receiver=PAYBILL,
            transaction_type="CustomerPayBillOnline",
            amount=self._amount(),
            msisdn=phone,
            callback_url="http://127.0.0.1/c",
            account_reference="ORDER",
            description="x",
        )
        self.sim.set_subscriber_here(phone, balance=None, script=None, names=self.rng.choice(_NAMES))
        prompt = self.sim.engine.open_prompt(request, FaultScript())
        await self.sim.engine.answer(prompt, "pay")

    async def _c2b(self) -> None:
        phone = self._phone()
        await self.sim.pay_here(
            phone, PAYBILL, self._amount(), f"INV {self.rng.randrange(9999)}", self.rng.choice(_NAMES)
        )

    async def _b2c(self) -> None:
        await self._job("b2c_payment", "BusinessPayment", amount=self._amount() + 10, party=self._phone())

    async def _reversal(self) -> None:
        taken = [one for one in self.sim.books.movements[-400:] if one.kind == "stk"]
        taken = [one for one in taken if self.sim.books.reversal_of(one.receipt) is None]
        if not taken:
            return await self._stk()
        chosen = self.rng.choice(taken)
        await self._job(
            "reversal", "TransactionReversal", amount=int(chosen.amount), party=PAYBILL, transaction_id=chosen.receipt
        )
        return None

    async def _outside(self) -> None:
        amount = Decimal(self.rng.randrange(1000, 9000))
        self.sim.move_here(PAYBILL, self.rng.choice([amount, -amount]), "utility")

    async def _job(self, product: str, command: str, **values: object) -> None:
        request = JobRequest(
            product=product,
            command=command,
            initiator="testapi",
            credential="x",
            shortcode=PAYBILL,
            result_url="http://127.0.0.1/r",
            timeout_url="http://127.0.0.1/t",
            remarks="x",
            **values,  # type: ignore[arg-type]
        )
        job = self.sim.jobs_engine.open(request, FaultScript())
        await self.sim.jobs_engine.finish(job)

    def post_again(self, movement: Movement) -> None:
        """The provider posts the same receipt a second time."""
        self.sim.books.record(replace(movement, at=self.clock.now()), [Entry(PAYBILL, "utility", movement.amount)])

    @property
    def movements(self) -> list[Movement]:
        return self.sim.movements()

    def statement(self) -> str:
        return self.sim.statement_csv(PAYBILL)

    def _phone(self) -> str:
        return f"2547{self.rng.randrange(10**7, 10**8)}"

    def _amount(self) -> int:
        return self.rng.choice([100, 250, 500, 999, 1500, self.rng.randrange(1, 70_000)])
