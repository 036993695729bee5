"""A store that sends money through the mock provider, and what the books and the outbox say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.audit.services import Actor, acting_as
from majuu_core.events.models import Event
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.selectors import balance
from majuu_core.ledger.services import Move, record_transaction
from majuu_core.merchants.models import Store
from majuu_core.merchants.provider_accounts import provider_for
from majuu_core.payments.addresses import payout_callback_url
from majuu_core.payments.models import Payout
from majuu_core.payments.payouts import PayoutDetails, create_payout
from majuu_core.testing.factories import make_provider_account, make_store
from majuu_core.testing.fake import FakeProvider
from majuu_core.webhooks.inbound import RawRequest, receive_webhook

MAKER = Actor(type="user", id="901")
CHECKER = Actor(type="user", id="902")


class Paymaster:
    """A store with one mock account: its own, or the platform's when ``pooled``."""

    def __init__(self, *, pooled: bool = False, funds: str = "", store: Store | None = None) -> None:
        self.store = store or make_store()
        self.account = make_provider_account(store=self.store, platform=pooled)
        if funds:
            self.fund(funds)

    def fund(self, amount: str, currency: str = "KES") -> None:
        """Money that customers paid, as the books have it."""
        record_transaction(
            key=f"funds:{self.store.public_id}",
            kind="charge",
            reference="test",
            livemode=False,
            moves=[Move(debit=self.clearing(currency), credit=self.payable(currency), amount=Money(amount, currency))],
        )

    def fund_more(self, amount: str) -> None:
        move = Move(debit=self.clearing(), credit=self.payable(), amount=Money(amount, "KES"))
        key = f"more:{self.store.public_id}:{amount}"
        record_transaction(key=key, kind="charge", reference="test", livemode=False, moves=[move])

    def details(self, amount: str = "1500", reference: str = "SAL-1", **fields: Any) -> PayoutDetails:
        fields.setdefault("destination", {"phone": "254712345678"})
        currency = fields.pop("currency", "KES")
        return PayoutDetails(amount=Money(amount, currency), reference=reference, **fields)

    def send(self, amount: str = "1500", reference: str = "SAL-1", **fields: Any) -> Payout:
        with acting_as(MAKER):
            return create_payout(store=self.store, livemode=False, details=self.details(amount, reference, **fields))

    def clearing(self, currency: str = "KES") -> AccountRef:
        return AccountRef(AccountKind.PROVIDER_CLEARING, self.account.public_id, currency, False)

    def payable(self, currency: str = "KES") -> AccountRef:
        return AccountRef(AccountKind.STORE_PAYABLE, self.store.public_id, currency, False)

    def books(self, currency: str = "KES") -> tuple[Decimal, Decimal]:
        """What we owe the store, and how much of it is held."""
        now = balance(self.payable(currency))
        return now.posted.amount, now.debits_pending.amount

    def webhook(self, payout: Payout, *, address: str = "", topic: str = "") -> RawRequest:
        """What the mock provider would send now about the payout, to the payout's own address."""
        provider = provider_for(self.account)
        assert isinstance(provider, FakeProvider)
        told = provider.make_webhook(
            reference=payout.public_id, provider_reference=payout.provider_reference or "", type="payout.updated"
        )
        return to_address(address or payout_callback_url(payout.pk), told.headers, told.body, topic)

    def deliver(self, payout: Payout, **where: str) -> None:
        answer = receive_webhook(self.webhook(payout, **where))
        assert answer is not None
        assert answer.status == 200


def to_address(url: str, headers: Mapping[str, str], body: bytes, topic: str = "") -> RawRequest:
    subject, secret = url.rstrip("/").split("/")[-2:]
    return RawRequest(
        method="POST",
        subject=subject,
        secret=secret,
        headers=headers,
        query={},
        body=body,
        remote_addr="127.0.0.1",
        topic=topic,
    )


def told(payout: Payout) -> Sequence[str]:
    """The events about the payout, in order."""
    return list(Event.objects.filter(object_id=payout.public_id).order_by("pk").values_list("type", flat=True))


def audited(payout: Payout) -> Sequence[str]:
    return list(AuditEntry.objects.filter(object_id=payout.public_id).order_by("pk").values_list("action", flat=True))
