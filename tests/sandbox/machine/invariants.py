"""What must hold after every step, and what must hold at the end, said in the words of the promises.

Everything is recomputed from the rows and from the provider's own books; nothing is asked of the code under test.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from majuu_core.events.models import Event
from majuu_core.ledger.models import LedgerAccount, LedgerBalance, LedgerTransfer
from majuu_core.ledger.verification import find_problems
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.transitions import OPEN_CHARGE
from majuu_core.webhooks.models import InboundWebhook
from tests.sandbox.machine.drivers import Execution
from tests.sandbox.machine.world import World

ZERO = Decimal(0)
STORE_CREDITS = ("store_payable", "store_surplus", "store_unapplied")
CLOSED_INBOUND = frozenset({"applied", "duplicate", "rejected", "parked"})


@dataclass(slots=True)
class Account:
    """One account's totals, as its transfers add up."""

    debits: Decimal = ZERO
    credits: Decimal = ZERO
    held_debits: Decimal = ZERO
    held_credits: Decimal = ZERO

    def totals(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        return self.debits, self.credits, self.held_debits, self.held_credits


@dataclass(slots=True)
class Picture:
    """All rows at one moment."""

    charges: dict[str, Charge]
    intents: dict[uuid.UUID, PaymentIntent]
    inbound: dict[uuid.UUID, InboundWebhook]
    executions: list[Execution]
    currency: str

    @classmethod
    def take(cls, world: World, executions: list[Execution]) -> Picture:
        return cls(
            charges={charge.public_id: charge for charge in Charge.objects.order_by("pk")},
            intents=PaymentIntent.objects.in_bulk(),
            inbound=InboundWebhook.objects.defer("body", "headers", "query").in_bulk(),
            executions=executions,
            currency=world.driver.currency,
        )


@dataclass(slots=True)
class Watch:
    """Remembers what was, to see that nothing final changes."""

    world: World
    was: Picture | None = None
    written: tuple[int | None, int] | None = None

    @property
    def thorough(self) -> bool:
        """``majuu_ledger verify`` looks at the guards as well, which takes as long as the rest of an example."""
        return self.world.number % 20 == 0

    def check(self) -> Picture:
        """Everything that holds at any moment. Where nothing was written since, it is as it was."""
        written = rows_written(), self.world.received
        executions = self.world.driver.executions()
        if (
            self.was is not None
            and None not in written
            and (written, executions) == (self.written, self.was.executions)
        ):
            return self.was
        self.written = written
        now = Picture.take(self.world, executions)
        one_execution_per_charge(now)
        money_is_real(now)
        messages_are_conserved(now, self.world.received)
        intents_add_up(now)
        books_balance(now)
        if self.was is not None:
            nothing_final_changes(self.was, now)
        self.was = now
        return now

    def check_end(self) -> None:
        """Everything that holds once the provider has been up for a day."""
        now = self.check()
        everything_is_decided(now)
        taken_money_is_in_the_books(now)
        told_once(now)
        if self.thorough:
            assert list(find_problems()) == []
        self.world.note(seen(now))


def rows_written() -> int | None:
    """How many rows this connection has ever changed; None where the database does not count them."""
    return connection.connection.total_changes if connection.vendor == "sqlite" else None


def one_execution_per_charge(now: Picture) -> None:
    """P2: a charge is carried out at most once, what was carried out has its charge, and one prompt rings at a time."""
    begun = Counter(execution.charge for execution in now.executions)
    assert all(count == 1 for count in begun.values()), f"carried out twice: {begun}"
    assert set(begun) <= set(now.charges), "the provider took a payment that no charge knows"
    ringing = Counter(now.charges[item.charge].payment_intent_id for item in now.executions if item.is_open)
    assert all(count == 1 for count in ringing.values()), f"two prompts for one intent: {ringing}"


def money_is_real(now: Picture) -> None:
    """What a charge says it received, the provider took for that very charge; nothing is invented."""
    taken = {item.charge: item for item in now.executions if item.taken}
    for public_id, charge in now.charges.items():
        received = charge.amount_received.amount
        if charge.status != Charge.Status.SUCCEEDED:
            assert received == 0, f"{public_id} is {charge.status} and received {received}"
            continue
        assert public_id in taken, f"{public_id} succeeded, but nobody paid"
        paid = taken[public_id]
        unnamed = paid.nameless and charge.provider_reference is None
        assert unnamed or charge.provider_reference == paid.reference, f"{public_id} is known by a wrong reference"
        as_claimed = received in paid.claimed and charge.is_parked
        assert received == paid.taken or as_claimed, f"{paid.taken} were taken for {public_id}, {received} are booked"


def messages_are_conserved(now: Picture, received: int) -> None:
    """P4: every request that was answered for is there, in one of five states."""
    assert len(now.inbound) == received, f"{received} received, {len(now.inbound)} kept"
    for row in now.inbound.values():
        assert row.state in CLOSED_INBOUND | {"received"}
        assert (row.state == "received") == (row.next_attempt_at is not None or row.processed_at is None)
        assert row.state in ("applied", "duplicate", "received") or row.reason, "parked or rejected without a reason"


def intents_add_up(now: Picture) -> None:
    """What an intent received is what its charges received, and never more than it asked for."""
    received: dict[uuid.UUID, Decimal] = defaultdict(Decimal)
    open_charges: Counter[uuid.UUID] = Counter()
    for charge in now.charges.values():
        if not charge.is_parked or charge.status != Charge.Status.SUCCEEDED:
            received[charge.payment_intent_id] += charge.amount_received.amount
        open_charges[charge.payment_intent_id] += charge.status in OPEN_CHARGE
    for key, intent in now.intents.items():
        assert intent.amount_received.amount + intent.surplus.amount == received[key]
        assert ZERO <= intent.amount_received.amount <= intent.amount.amount
        assert (intent.amount_received == intent.amount) == (intent.status == PaymentIntent.Status.SUCCEEDED)
        assert open_charges[key] <= 1, "two charges of one intent are open"
        if open_charges[key]:
            assert intent.status != PaymentIntent.Status.REQUIRES_PAYMENT_METHOD, "it asks for what is under way"


def books_balance(now: Picture) -> None:
    """P6: debits are credits, the kept balances are the transfers' sums, and the books say what the charges say."""
    accounts = recompute()
    kept: dict[uuid.UUID, Account] = defaultdict(Account)
    for slot in LedgerBalance.objects.all():
        account = kept[slot.account_id]
        account.debits += slot.debits_posted
        account.credits += slot.credits_posted
        account.held_debits += slot.debits_pending
        account.held_credits += slot.credits_pending
    assert {key: item.totals() for key, item in kept.items()} == {key: item.totals() for key, item in accounts.items()}
    kinds = {row.pk: row.kind for row in LedgerAccount.objects.filter(currency=now.currency)}
    by_kind: dict[str, Account] = defaultdict(Account)
    for key, item in accounts.items():
        by_kind[kinds[key]].debits += item.debits
        by_kind[kinds[key]].credits += item.credits
        by_kind[kinds[key]].held_debits += item.held_debits
        by_kind[kinds[key]].held_credits += item.held_credits
    assert sum(item.debits for item in by_kind.values()) == sum(item.credits for item in by_kind.values())
    received = sum((charge.amount_received.amount for charge in now.charges.values()), ZERO)
    held = sum((charge.amount.amount for charge in now.charges.values() if charge.status in OPEN_CHARGE), ZERO)
    assert by_kind["provider_clearing"].debits == received
    assert sum(by_kind[kind].credits - by_kind[kind].debits for kind in STORE_CREDITS) == received
    assert by_kind["provider_clearing"].held_debits == by_kind["store_payable"].held_credits == held
    applied = sum((intent.amount_received.amount for intent in now.intents.values()), ZERO)
    assert by_kind["store_payable"].credits == applied
    assert by_kind["store_surplus"].credits == sum(intent.surplus.amount for intent in now.intents.values())


def recompute() -> dict[uuid.UUID, Account]:
    """Every account's totals, from the transfers alone."""
    accounts: dict[uuid.UUID, Account] = defaultdict(Account)
    transfers = {transfer.pk: transfer for transfer in LedgerTransfer.objects.all()}
    for transfer in transfers.values():
        debit, credit = accounts[transfer.debit_account_id], accounts[transfer.credit_account_id]
        if transfer.phase in ("posted", "post_pending"):
            debit.debits += transfer.amount
            credit.credits += transfer.amount
        if transfer.phase == "pending":
            held = transfer.amount
        else:
            held = -transfers[transfer.pending_id].amount if transfer.pending_id else ZERO
        debit.held_debits += held
        credit.held_credits += held
    return accounts


def told_once(now: Picture) -> None:
    """The shop is told of each success once."""
    told = Event.objects.filter(type__in=["charge.succeeded", "payment_intent.succeeded"])
    counted = Counter(told.values_list("type", "object_id"))
    assert all(count == 1 for count in counted.values()), counted
    charges = {public_id for public_id, charge in now.charges.items() if charge.status == "succeeded"}
    intents = {intent.public_id for intent in now.intents.values() if intent.status == "succeeded"}
    assert {object_id for type, object_id in counted if type == "charge.succeeded"} == charges
    assert {object_id for type, object_id in counted if type == "payment_intent.succeeded"} == intents


def nothing_final_changes(was: Picture, now: Picture) -> None:
    """P5: what is over stays over; only money may still turn a failure into a success."""
    for public_id, before in was.charges.items():
        charge = now.charges[public_id]
        if before.status in ("succeeded", "failed", "canceled"):
            assert charge.status in (before.status, "succeeded"), f"{before.status} became {charge.status}"
        if before.status == "succeeded":
            assert (charge.amount_received, charge.is_parked) == (before.amount_received, before.is_parked)
        for name in ("provider_reference", "receipt"):
            assert getattr(before, name) in (None, getattr(charge, name)), f"the {name} changed"
    for key, old in was.intents.items():
        intent = now.intents[key]
        assert intent.amount_received >= old.amount_received
        if old.status in ("succeeded", "canceled"):
            assert intent.status in (old.status, "succeeded"), f"{old.status} became {intent.status}"
    for key, message in was.inbound.items():
        assert message.state in ("received", now.inbound[key].state), "a closed message changed"


def everything_is_decided(now: Picture) -> None:
    """P3: nothing hangs. A charge is final or lies before a person; so is every message."""
    for charge in now.charges.values():
        assert charge.status not in OPEN_CHARGE or charge.is_parked, f"{charge.public_id} hangs in {charge.status}"
    assert [row for row in now.inbound.values() if row.state == "received"] == []


def taken_money_is_in_the_books(now: Picture) -> None:
    """No money is lost: it is booked, unless nothing we were ever told says which payment it was, or the provider
    itself denies it. Even then somebody is asked to look."""
    parked = {row.charge_id for row in now.inbound.values() if row.state == "parked"}
    for item in now.executions:
        charge = now.charges[item.charge]
        if not item.taken or charge.status == Charge.Status.SUCCEEDED:
            continue
        if item.lies:
            continue
        knowable = item.findable or charge.provider_reference is not None
        assert not knowable, f"{item.taken} taken, {item.reference} known, and {item.charge} is {charge.status}"
        assert charge.is_parked or charge.pk in parked, f"{item.taken} were taken for {item.charge} and nobody knows"


def seen(now: Picture) -> set[str]:
    """What kind of example it was: a machine that never pays proves nothing."""
    charges, intents = list(now.charges.values()), list(now.intents.values())
    found = {f"charge {charge.status}" for charge in charges} | {f"intent {intent.status}" for intent in intents}
    found |= {f"message {row.state}" for row in now.inbound.values()}
    found |= {mark for item in now.executions for mark in item.marks}
    cases = {
        "money parked": any(charge.is_parked and charge.amount_received.amount for charge in charges),
        "surplus": any(intent.surplus.amount for intent in intents),
        "paid in parts": any(
            ZERO < charge.amount_received.amount < charge.payment_intent.amount.amount for charge in charges
        ),
        "paid after cancellation": any(intent.canceled_at and intent.amount_received.amount for intent in intents),
        "taken and not known": any(
            item.taken and now.charges[item.charge].status != "succeeded" for item in now.executions
        ),
    }
    return found | {name for name, is_so in cases.items() if is_so}
