"""What a shop wrote down of the month, with every kind of mishap put in on purpose and labelled.

A label is (kind, receipt): what a close must find, and nothing else. What must not be found is put in too: events that
were lost while the money was learned by asking, receipts nobody told us, clocks that differ across midnight.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from moneyed import KES, Money

from majuu_core.common import clock, ids
from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.database.batch import WriteBatch
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.services import Move, add_transaction
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.payments.models import Charge, IncomingPayment, PaymentIntent, Payout, Refund
from majuu_core.webhooks.models import InboundWebhook
from majuu_sim.daraja.books import Movement
from tests.sandbox.month.world import PAYBILL, PAYOUT_CHARGE

Label = tuple[str, str]
NOTHING = Decimal(0)


def kes(amount: Decimal | int) -> Any:
    """Shillings, as a model takes them."""
    return Money(amount, KES)


@dataclass(slots=True)
class Mishaps:
    """How many of each kind."""

    lost: int = 0  # the provider took it, we have nothing
    invented: int = 0  # we have it, the provider never took it
    wrong_amount: int = 0
    not_booked: int = 0  # recorded, and not in the ledger
    booked_wrong: int = 0  # recorded rightly, another amount in the ledger
    recorded_twice: int = 0
    wrong_fee: int = 0
    nameless: int = 0  # succeeded by query, the receipt unknown: no mishap for a close
    silent: int = 0  # no event ever came: told, but no difference


@dataclass(slots=True)
class Books:
    """The shop's rows for a month, and the labels."""

    account: ProviderAccount
    store: Store
    rng: random.Random
    labels: set[Label] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    nameless: dict[str, str] = field(default_factory=dict)  # public id of a charge to its true receipt
    _rows: dict[type[Any], list[Any]] = field(default_factory=dict)
    _moves: list[tuple[str, AccountKind, str, Decimal, Decimal]] = field(default_factory=list)
    _charges: dict[str, Charge] = field(default_factory=dict)

    def write(self, movements: Iterable[Movement], mishaps: Mishaps) -> None:
        """Everything that moved, in its order of time, then all of it into the database at once."""
        ours = [one for one in movements if one.kind in ("stk", "c2b", "b2c", "reversal")]
        fates = self._fates(ours, mishaps)
        time = VirtualClock(ours[0].at - timedelta(hours=1))
        with use_clock(time):
            for movement in ours:
                time.advance(max(movement.at - timedelta(seconds=20) - time.now(), timedelta(0)))
                self._write_one(movement, fates.get(movement.receipt, ""))
            self._invent(ours, mishaps.invented, time)
        for model in (PaymentIntent, Charge, IncomingPayment, Payout, Refund, InboundWebhook):
            model._default_manager.bulk_create(self._rows.get(model, []), batch_size=500)
        self._book()

    def _fates(self, ours: list[Movement], mishaps: Mishaps) -> dict[str, str]:
        """Which receipt has which mishap: another one each. A payment that is taken back later is left alone."""
        taken_back = {one.original_receipt for one in ours if one.original_receipt}
        pools = {
            kind: self.rng.sample(
                found := [x.receipt for x in ours if x.kind == kind and x.receipt not in taken_back], len(found)
            )
            for kind in ("stk", "c2b", "b2c", "reversal")
        }
        fates: dict[str, str] = {}
        wanted = [
            *(("lost", kind) for kind in self._spread(mishaps.lost, ("stk", "c2b", "b2c", "reversal"))),
            *(("wrong_amount", kind) for kind in self._spread(mishaps.wrong_amount, ("stk", "c2b", "b2c"))),
            *(("not_booked", kind) for kind in self._spread(mishaps.not_booked, ("stk", "c2b", "b2c", "reversal"))),
            *(("booked_wrong", kind) for kind in self._spread(mishaps.booked_wrong, ("stk", "c2b"))),
            *(("recorded_twice", kind) for kind in self._spread(mishaps.recorded_twice, ("stk", "c2b"))),
            *(("wrong_fee", "b2c") for _ in range(mishaps.wrong_fee)),
            *(("nameless", "stk") for _ in range(mishaps.nameless)),
            *(("silent", kind) for kind in self._spread(mishaps.silent, ("stk", "c2b"))),
        ]
        for fate, kind in wanted:
            fates[pools[kind].pop()] = fate
        return fates

    def _spread(self, count: int, kinds: tuple[str, ...]) -> list[str]:
        return [kinds[number % len(kinds)] for number in range(count)]

    def _write_one(self, movement: Movement, fate: str) -> None:
        if fate == "lost":
            self.labels.add(("missing_here", movement.receipt))
            return
        amount = movement.amount
        if fate == "wrong_amount":
            amount += self.rng.choice([-1, 1, 90])
            amount = max(amount, Decimal(1)) if amount != movement.amount else amount
            amount = movement.amount + 1 if amount == movement.amount else amount
        if fate in ("wrong_amount", "not_booked", "booked_wrong", "wrong_fee"):
            self.labels.add(("amount_differs", movement.receipt))
        at = movement.at + timedelta(seconds=self.rng.choice([-3, 0, 0, 1, 2, 4]))
        writer = {"stk": self._stk, "c2b": self._c2b, "b2c": self._b2c, "reversal": self._reversal}[movement.kind]
        object_id, kind, fee = writer(movement, amount, at, fate)
        if fate != "not_booked":
            booked = amount + (7 if fate == "booked_wrong" else 0)
            self._moves.append((object_id, kind, movement.kind, booked, fee))
        if fate == "recorded_twice":
            self.labels.add(("duplicate", movement.receipt))
            self._twice(movement, at)

    def _stk(self, movement: Movement, amount: Decimal, at: datetime, fate: str) -> tuple[str, AccountKind, Decimal]:
        charge = self._charge(amount, movement.msisdn, at, None if fate == "nameless" else movement.receipt)
        self._charges[movement.receipt] = charge
        if fate == "nameless":
            self.nameless[charge.public_id] = movement.receipt
        if fate in ("nameless", "silent"):
            self.silent.add(charge.public_id)
        else:
            self._event(charge)
        return charge.public_id, AccountKind.STORE_PAYABLE, NOTHING

    def _c2b(self, movement: Movement, amount: Decimal, at: datetime, fate: str) -> tuple[str, AccountKind, Decimal]:
        incoming = self._incoming(movement, amount, at, "pull" if fate == "silent" else "webhook")
        if fate == "silent":
            self.silent.add(incoming.public_id)
        return incoming.public_id, AccountKind.INTAKE_UNCLAIMED, NOTHING

    def _incoming(self, movement: Movement, amount: Decimal, at: datetime, source: str) -> IncomingPayment:
        return self._add(
            IncomingPayment(
                **self._common(),
                receipt=movement.receipt,
                receiver=PAYBILL,
                amount=kes(amount),
                account_reference=movement.account_reference,
                payer_phone=movement.msisdn,
                source=source,
                occurred_at=at,
            )
        )

    def _b2c(self, movement: Movement, amount: Decimal, at: datetime, fate: str) -> tuple[str, AccountKind, Decimal]:
        known = fate == "wrong_fee" or self.rng.random() < 0.5
        fee = (PAYOUT_CHARGE + (5 if fate == "wrong_fee" else 0)) if known else NOTHING
        payout = self._add(
            Payout(
                **self._common(),
                reference=movement.receipt,
                amount=kes(amount),
                fee=kes(fee),
                source="x",
                status="succeeded",
                provider_reference=movement.conversation_id,
                receipt=movement.receipt,
                occurred_at=at,
            )
        )
        return payout.public_id, AccountKind.STORE_PAYABLE, fee

    def _reversal(
        self, movement: Movement, amount: Decimal, at: datetime, fate: str
    ) -> tuple[str, AccountKind, Decimal]:
        common = self._common()
        del common["provider"]
        refund = self._add(
            Refund(
                **common,
                charge=self._charges[movement.original_receipt],
                amount=kes(amount),
                fee=kes(0),
                status="succeeded",
                provider_reference=movement.conversation_id,
                # A third of all results came without the receipt.
                receipt=None if not fate and self.rng.random() < 0.33 else movement.receipt,
                occurred_at=at,
            )
        )
        return refund.public_id, AccountKind.STORE_PAYABLE, NOTHING

    def _charge(self, amount: Decimal, phone: str, at: datetime, receipt: str | None) -> Charge:
        money, now = kes(amount), clock.now()
        intent = self._add(
            PaymentIntent(
                store=self.store,
                livemode=self.account.livemode,
                amount=money,
                amount_received=money,
                surplus=kes(0),
                status="succeeded",
                link_token=uuid.UUID(int=self.rng.getrandbits(128)).hex,
                expires_at=now + timedelta(days=1),
            )
        )
        return self._add(
            Charge(
                payment_intent=intent,
                **{name: value for name, value in self._common().items() if name != "store"},
                payment_method="mpesa_stk",
                payer=phone,
                amount=money,
                amount_received=money,
                fee=kes(0),
                status="succeeded",
                provider_reference=f"ws_{self.rng.getrandbits(64):x}",
                receipt=receipt,
                occurred_at=at if receipt else at + timedelta(seconds=70),
            )
        )

    def _twice(self, movement: Movement, at: datetime) -> None:
        """The other channel told of it too, and nobody saw that it is the same."""
        if movement.kind == "stk":
            second = self._incoming(movement, movement.amount, at, "webhook")
            self._moves.append((second.public_id, AccountKind.INTAKE_UNCLAIMED, "c2b", movement.amount, NOTHING))
        else:
            charge = self._charge(movement.amount, movement.msisdn, at, movement.receipt)
            self._event(charge)
            self._moves.append((charge.public_id, AccountKind.STORE_PAYABLE, "stk", movement.amount, NOTHING))

    def _invent(self, ours: list[Movement], count: int, time: VirtualClock) -> None:
        """Payments that somebody made us believe, and one in four whose provider gave no receipt."""
        for number, movement in enumerate(self.rng.sample(ours, count)):
            receipt = None if number % 4 == 3 else f"X{self.rng.getrandbits(40):010X}"
            charge = self._charge(Decimal(777_777), "254799999999", movement.at, receipt)
            self._event(charge)
            self.labels.add(("missing_there", receipt or charge.public_id))
            self._moves.append((charge.public_id, AccountKind.STORE_PAYABLE, "stk", Decimal(777_777), NOTHING))

    def _common(self) -> dict[str, Any]:
        return {
            "provider_account": self.account,
            "provider": "mpesa",
            "livemode": self.account.livemode,
            "store": self.store,
        }

    def _event(self, charge: Charge) -> None:
        self._add(
            InboundWebhook(
                provider_account=self.account,
                charge=charge,
                method="POST",
                path="/in/",
                body=b"{}",
                remote_addr="127.0.0.1",
                state="applied",
            )
        )

    def _add(self, row: Any) -> Any:
        self._rows.setdefault(type(row), []).append(row)
        return row

    def _book(self) -> None:
        """The ledger's side, through its own service."""
        for start in range(0, len(self._moves), 100):
            batch = WriteBatch()
            for object_id, kind, movement, amount, fee in self._moves[start : start + 100]:
                moves = [self._move(kind, amount, is_in=movement in ("stk", "c2b"))]
                moves += [self._move(AccountKind.PROVIDER_FEES, fee, is_in=False)] if fee else []
                add_transaction(
                    batch,
                    key=f"{object_id}:post",
                    kind="charge",
                    reference=object_id,
                    livemode=self.account.livemode,
                    moves=moves,
                )
            batch.execute()

    def _move(self, kind: AccountKind, amount: Decimal, *, is_in: bool) -> Move:
        clearing = AccountRef(AccountKind.PROVIDER_CLEARING, self.account.public_id, "KES", self.account.livemode)
        other = AccountRef(kind, self.store.public_id, "KES", self.account.livemode)
        debit, credit = (clearing, other) if is_in else (other, clearing)
        return Move(debit=debit, credit=credit, amount=kes(amount))


def receipt_of(charge_id: str) -> str | None:
    """What the charge's receipt is now."""
    return Charge.objects.values_list("receipt", flat=True).get(pk=ids.decode_id("ch", charge_id))
