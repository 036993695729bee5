"""Payouts: batches of payments to receivers, each of which ends in a way of its own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from majuu_sim.faults import FaultQueue, FaultScript
from majuu_sim.paypal import formats, outcomes, refusals
from majuu_sim.paypal.bank import Bank
from majuu_sim.paypal.bodies import link
from majuu_sim.paypal.books import MASS_PAY, PAYOUT_RETURNED, Movement
from majuu_sim.paypal.config import Account
from majuu_sim.paypal.currencies import Amount, rounded
from majuu_sim.paypal.formats import iso
from majuu_sim.paypal.office import Planned, Told
from majuu_sim.paypal.records import ORDINARY

PAYOUT_ITEM = "payout_item"
EVENTS = {
    "SUCCESS": "SUCCEEDED",
    "UNCLAIMED": "UNCLAIMED",
    "RETURNED": "RETURNED",
    "FAILED": "FAILED",
    "BLOCKED": "BLOCKED",
    "ONHOLD": "HELD",
}
TAKES_MONEY = frozenset({"SUCCESS", "UNCLAIMED", "RETURNED", "PENDING", "ONHOLD"})
ERRORS = {
    "FAILED": ("RECEIVER_ACCOUNT_LOCKED", "Receiver's account is locked."),
    "BLOCKED": ("TRANSACTION_DECLINED_BY_TRAVEL_RULE", "The payment was blocked."),
    "UNCLAIMED": ("RECEIVER_UNREGISTERED", "Receiver is unregistered."),
}


@dataclass(slots=True, kw_only=True)
class Item:
    """One payment to one receiver."""

    id: str
    batch_id: str
    amount: Amount
    receiver: str
    recipient_type: str
    sender_item_id: str
    note: str
    fee: Decimal
    status: str = "PENDING"
    transaction_id: str = ""
    processed_at: datetime | None = None
    script: FaultScript = ORDINARY
    reads: dict[str, int] = field(default_factory=ORDINARY.reads)

    def to_dict(self) -> dict[str, Any]:
        """For the control API."""
        return {
            "id": self.id,
            "batch": self.batch_id,
            "status": self.status,
            "receiver": self.receiver,
            "sender_item_id": self.sender_item_id,
            **self.amount.to_dict(),
            "transaction_id": self.transaction_id,
        }


@dataclass(slots=True, kw_only=True)
class Batch:
    """What one request paid."""

    id: str
    account: Account
    header: dict[str, Any]
    items: list[Item]
    status: str = "PENDING"
    created_at: datetime
    completed_at: datetime | None = None
    reads: dict[str, int]

    @property
    def currency(self) -> str:
        """All items have one."""
        return self.items[0].amount.currency

    @property
    def total(self) -> Amount:
        """Without fees."""
        return Amount(sum((one.amount.value for one in self.items), Decimal(0)), self.currency)

    @property
    def fees(self) -> Amount:
        """What PayPal asks for all of it."""
        return Amount(sum((one.fee for one in self.items), Decimal(0)), self.currency)


class Payouts:
    """All of payouts but the HTTP."""

    def __init__(self, bank: Bank, faults: FaultQueue) -> None:
        """Work on ``bank``; ``faults`` holds the scripts of single items."""
        self._bank = bank
        self._faults = faults
        self.batches: dict[str, Batch] = {}
        self.items: dict[str, Item] = {}

    def clear(self) -> None:
        """Forget every batch."""
        self.batches.clear()
        self.items.clear()

    def find(self, account: Account, batch_id: str) -> Batch:
        """An account's own batch; Refusal when it has none of this id."""
        found = self.batches.get(batch_id)
        if found is None or found.account.client_id != account.client_id:
            raise _not_found()
        return found

    def find_item(self, account: Account, item_id: str) -> tuple[Batch, Item]:
        """An account's own item; Refusal when it has none of this id."""
        item = self.items.get(item_id)
        if item is None:
            raise _not_found()
        return self.find(account, item.batch_id), item

    def by_sender_id(self, account: Account, sender_batch_id: str) -> Batch | None:
        """The batch the sender called so."""
        for batch in self.batches.values():
            ours = batch.account.client_id == account.client_id
            if ours and sender_batch_id and batch.header.get("sender_batch_id") == sender_batch_id:
                return batch
        return None

    def create(
        self,
        account: Account,
        header: dict[str, Any],
        wanted: list[tuple[dict[str, Any], Amount]],
        script: FaultScript | None,
    ) -> Batch:
        """Take a batch; Refusal when its name was used before or there is too little money."""
        sender_batch_id = str(header.get("sender_batch_id") or "")
        before = self.by_sender_id(account, sender_batch_id)
        if before is not None:
            raise self._duplicate(before)
        chosen, bank = script or ORDINARY, self._bank
        batch_id = formats.batch_id(bank.rng)
        items = [self._item(batch_id, header, data, amount, chosen) for data, amount in wanted]
        batch = Batch(
            id=batch_id, account=account, header=header, items=items, created_at=bank.now, reads=chosen.reads()
        )
        needed = Amount(batch.total.value + batch.fees.value, batch.currency)
        if not bank.books.can_pay(account.client_id, needed):
            text = refusals.DESCRIPTIONS["INSUFFICIENT_FUNDS"]
            raise refusals.Refusal(422, name="INSUFFICIENT_FUNDS", message=text)
        self.batches[batch.id] = batch
        self.items.update((one.id, one) for one in items)
        denied = chosen.outcome == outcomes.PAYOUT_DENIED
        bank.later(bank.config.payout_seconds, f"payout batch {batch.id}", lambda: self.work(batch, denied))
        return batch

    def _item(
        self, batch_id: str, header: dict[str, Any], data: dict[str, Any], amount: Amount, script: FaultScript
    ) -> Item:
        receiver = str(data["receiver"])
        own = self._faults.take(PAYOUT_ITEM, receiver)
        chosen = own or (script if script.outcome in outcomes.PAYOUT_STATUS else ORDINARY)
        return Item(
            id=formats.batch_id(self._bank.rng),
            batch_id=batch_id,
            amount=amount,
            receiver=receiver,
            recipient_type=str(data.get("recipient_type") or header.get("recipient_type") or "EMAIL"),
            sender_item_id=str(data.get("sender_item_id") or ""),
            note=str(data.get("note") or ""),
            fee=rounded(self._bank.config.payout_fee, amount.currency),
            script=chosen,
            reads=chosen.reads(),
        )

    def _duplicate(self, batch: Batch) -> refusals.Refusal:
        detail: dict[str, Any] = {
            "field": "SENDER_BATCH_ID",
            "location": "body",
            "issue": "Batch with given sender_batch_id already exists",
            "link": [link(self._bank.origin.api, f"/v1/payments/payouts/{batch.id}", "self")],
        }
        return refusals.Refusal(400, name="USER_BUSINESS_ERROR", message="User business error.", details=[detail])

    # What becomes of it.

    def work(self, batch: Batch, denied: bool) -> list[Planned]:
        """Pay every item, or deny the batch; what is to be told."""
        if batch.status != "PENDING":
            return []
        batch.completed_at = self._bank.now
        batch.status = "DENIED" if denied else "SUCCESS"
        plan = []
        for item in batch.items:
            if denied:
                item.status, item.processed_at = "FAILED", self._bank.now
            else:
                plan += self._pay(batch, item)
        event_type = f"PAYMENT.PAYOUTSBATCH.{batch.status}"
        told = Told(event_type=event_type, resource_type="payouts", resource=batch_body(batch, self._bank))
        return [*plan, *self._bank.office.plain(batch.account, batch.id, told)]

    def _pay(self, batch: Batch, item: Item) -> list[Planned]:
        status = outcomes.PAYOUT_STATUS.get(item.script.outcome or outcomes.PAY, "SUCCESS")
        if status in TAKES_MONEY:
            item.transaction_id = self._bank.new_id()
            self._book(batch, item, MASS_PAY, -item.amount.value, -item.fee, item.transaction_id)
        config = self._bank.config
        if status in ("PENDING", "ONHOLD"):
            self._later(config.clearing_seconds, batch, item, "SUCCESS")
        if status == "UNCLAIMED":
            self._later(config.unclaimed_seconds, batch, item, "RETURNED")
        return self._end(batch, item, status)

    def _later(self, seconds: float, batch: Batch, item: Item, status: str) -> None:
        self._bank.later(seconds, f"end of payout {item.id}", lambda: self.end(batch, item, status))

    def end(self, batch: Batch, item: Item, status: str) -> list[Planned]:
        """Let an item end as SUCCESS, RETURNED, FAILED, BLOCKED or UNCLAIMED; nothing when it has."""
        if status not in EVENTS:
            raise ValueError(f"a payout cannot end as {status!r}; known: {', '.join(EVENTS)}")
        if item.status not in ("PENDING", "ONHOLD", "UNCLAIMED"):
            return []
        return self._end(batch, item, status)

    def _end(self, batch: Batch, item: Item, status: str) -> list[Planned]:
        item.status, item.processed_at = status, self._bank.now
        if item.transaction_id and status in ("RETURNED", "FAILED", "BLOCKED"):
            self._book(batch, item, PAYOUT_RETURNED, item.amount.value, item.fee)
        if status not in EVENTS:
            return []
        told = self._told(batch, self._claimed(item))
        return self._bank.office.plan(item.script, account=batch.account, subject=item.id, told=told)

    def cancel(self, batch: Batch, item: Item) -> list[Planned]:
        """Take back what nobody claimed; Refusal otherwise."""
        if item.status != "UNCLAIMED":
            raise refusals.Refusal(400, name="ITEM_ALREADY_PAID", message="The item cannot be canceled.")
        return self._end(batch, item, "RETURNED")

    def _book(self, batch: Batch, item: Item, code: str, value: Decimal, fee: Decimal, movement_id: str = "") -> None:
        self._bank.books.record(
            Movement(
                id=movement_id or self._bank.new_id(),
                account=batch.account.client_id,
                code=code,
                amount=Amount(value, item.amount.currency),
                fee=fee,
                at=self._bank.now,
                reference_id="" if movement_id else item.transaction_id,
                custom_id=item.sender_item_id,
            )
        )

    def _claimed(self, item: Item) -> Item:
        """The item as its script wants it told."""
        script = item.script
        value = Amount(Decimal(script.event_amount), item.amount.currency) if script.event_amount else item.amount
        status = outcomes.PAYOUT_STATUS.get(script.event_outcome or "", item.status)
        return replace(item, amount=value, status=status if status in EVENTS else item.status)

    def _told(self, batch: Batch, item: Item) -> Told:
        event_type = f"PAYMENT.PAYOUTS-ITEM.{EVENTS[item.status]}"
        body = item_body(batch, item, self._bank.origin.api)
        summary = f"A payout item has {EVENTS[item.status].lower()}"
        return Told(event_type=event_type, resource_type="payouts_item", resource=body, summary=summary)


def _not_found() -> refusals.Refusal:
    return refusals.Refusal(404, name="INVALID_RESOURCE_ID", message="The requested resource ID was not found")


def batch_header(batch: Batch, *, whole: bool) -> dict[str, Any]:
    """How a batch stands."""
    kept = ("sender_batch_id", "recipient_type", "email_subject", "email_message")
    sender = {name: batch.header[name] for name in kept if batch.header.get(name)}
    body = {"payout_batch_id": batch.id, "batch_status": batch.status, "sender_batch_header": sender}
    if not whole:
        return body
    completed = {"time_completed": iso(batch.completed_at)} if batch.completed_at else {}
    money = {"amount": batch.total.to_payout(), "fees": batch.fees.to_payout(), "funding_source": "BALANCE"}
    return {**body, "time_created": iso(batch.created_at), **completed, **money}


def item_body(batch: Batch, item: Item, base: str) -> dict[str, Any]:
    """How an item stands."""
    detail = {
        "recipient_type": item.recipient_type,
        "amount": item.amount.to_payout(),
        "note": item.note,
        "receiver": item.receiver,
        "sender_item_id": item.sender_item_id,
        "recipient_wallet": "PAYPAL",
    }
    body: dict[str, Any] = {
        "payout_item_id": item.id,
        "payout_batch_id": batch.id,
        "transaction_status": item.status,
        "payout_item_fee": Amount(item.fee, item.amount.currency).to_payout(),
        "payout_item": detail,
    }
    if item.transaction_id:
        body["transaction_id"] = item.transaction_id
    if item.processed_at is not None:
        body["time_processed"] = iso(item.processed_at)
    if item.status in ERRORS:
        name, message = ERRORS[item.status]
        body["errors"] = {"name": name, "message": message, "debug_id": item.id.lower()}
    body["links"] = [
        link(base, f"/v1/payments/payouts-item/{item.id}", "item"),
        link(base, f"/v1/payments/payouts/{batch.id}", "batch"),
    ]
    return body


def batch_body(batch: Batch, bank: Bank, *, start: int = 0, size: int = 1000) -> dict[str, Any]:
    """The whole batch, or a page of its items."""
    base = bank.origin.api
    items = [item_body(batch, one, base) for one in batch.items[start : start + size]]
    return {
        "batch_header": batch_header(batch, whole=True),
        "items": items,
        "links": [link(base, f"/v1/payments/payouts/{batch.id}", "self")],
    }
