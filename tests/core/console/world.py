"""A little of everything the console shows, made by the real services where there is one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import models
from moneyed import Money

from majuu_core.audit.services import Actor, acting_as
from majuu_core.common import clock
from majuu_core.events.models import Event
from majuu_core.merchants.kyc.cases import open_case, save_business
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.payments.alerts import Trouble, raise_alert
from majuu_core.payments.balances import request_balances
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.customers import CustomerDetails, create_customer
from majuu_core.payments.dispute_applying import apply_dispute
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.models import (
    Charge,
    Claim,
    Dispute,
    PaymentIntent,
    PayoutBatch,
    ProviderCall,
    Refund,
    SavedMethod,
    Sighting,
)
from majuu_core.payments.payout_batches import create_batch, preview_csv
from majuu_core.payments.refunds import RefundDetails, create_refund
from majuu_core.payments.routing import create_routing_rule
from majuu_core.reports.models import Close, Mismatch, Settlement, SettlementLine
from majuu_core.testing.factories import make_api_key, make_merchant, make_provider_account, make_store, make_user
from majuu_core.testing.kyc import BUSINESS
from majuu_core.wallets.models import Wallet
from majuu_core.webhooks.endpoints import create_webhook_endpoint
from majuu_core.webhooks.models import InboundEvent, InboundWebhook, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from tests.core.payments.dispute_support import told
from tests.core.payments.incoming_support import arrive, claim


@dataclass
class World:
    """Shops with payments. Each call of ``add`` brings one more of every kind of row."""

    stores: list[Store] = field(default_factory=list)
    accounts: list[ProviderAccount] = field(default_factory=list)
    intents: list[PaymentIntent] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)
    inbound: list[InboundWebhook] = field(default_factory=list)
    endpoints: list[WebhookEndpoint] = field(default_factory=list)
    deliveries: list[WebhookDelivery] = field(default_factory=list)
    batches: list[PayoutBatch] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)

    def add(self, count: int = 1, amount: str = "1500.00") -> World:
        for _ in range(count):
            self._add_one(amount)
        return self

    def _add_one(self, amount: str) -> None:
        number = len(self.stores) + 1
        store = make_store(name=f"Shop {number}")
        account = make_provider_account(store=store)
        make_api_key(store=store)
        save_business(case=open_case(merchant=make_merchant(approved=False)), values=BUSINESS)
        customer = create_customer(store=store, livemode=False, details=CustomerDetails(reference=f"C-{number}"))
        SavedMethod.objects.create(
            customer=customer,
            provider_account=account,
            livemode=False,
            payment_method="mock",
            status="active",
            provider_reference="seti_1",
            method_reference="pm_1",
            brand="visa",
            last4="4242",
        )
        create_routing_rule(store=store, livemode=False, provider_account=account)
        Wallet.objects.create(store=store, livemode=False, currency="KES", customer_reference=f"C-{number}")
        details = IntentDetails(amount=Money(amount, "KES"), reference=f"ORD-{number}", description="Shoes")
        intent = create_payment_intent(store=store, livemode=False, details=details)
        intent, charge = confirm_payment_intent(intent=intent, choice=PaymentChoice(payment_method="mock"))
        self.stores.append(store)
        self.accounts.append(account)
        self.intents.append(intent)
        self.charges.append(charge)
        self._add_payouts(store, number)
        Sighting.objects.create(
            charge=charge, livemode=False, amount=charge.amount, seen_on=clock.now().date(), created_by=f"user:{number}"
        )
        if charge.status == Charge.Status.SUCCEEDED:
            wanted = RefundDetails(charge=charge.public_id, amount=Money("100.00", "KES"), reason="Wrong size")
            self.refunds += create_refund(store=store, livemode=False, details=wanted)
            self._add_dispute(account, charge)
        self._add_calls(account, charge)
        self._add_operations(account)
        self._add_webhooks(store, intent, number)
        self._add_incoming(account, store, number)
        add_reconciliation(account, number)

    def _add_dispute(self, account: ProviderAccount, charge: Charge) -> None:
        """A small one that was won."""
        state = told(charge, "won", amount="50", withdrawn="0")
        self.disputes.append(apply_dispute(account=account, state=state, at=clock.now()).dispute)

    def _add_payouts(self, store: Store, number: int) -> None:
        """A batch whose sum needs a second person: two payouts that wait."""
        table = f"reference,amount,phone\nSAL-{number}A,40000,254712345678\nSAL-{number}B,40000,254712345679\n"
        with acting_as(Actor(type="user", id="900")):
            preview = preview_csv(store=store, livemode=False, content=table.encode(), name="Salaries")
            self.batches.append(create_batch(store=store, livemode=False, preview=preview))

    def _add_incoming(self, account: ProviderAccount, store: Store, number: int) -> None:
        for receipt in (f"FREE{number}", f"CLAIMED{number}"):
            arrive(account, receipt, payer_name="=Jane <b>Wanjiru</b>", account_reference="shoes")
        self.claims.append(claim(store, f"CLAIMED{number}"))

    def _add_calls(self, account: ProviderAccount, charge: Charge) -> None:
        ProviderCall.objects.create(
            provider_account=account,
            charge=charge,
            operation="stk_push",
            method="POST",
            url="https://provider.example/push",
            request_headers={"Authorization": "[redacted]"},
            request_body='{"Amount": 1500}',
            status=200,
            response_body='{"ResponseCode": "0"}',
            started_at=clock.now(),
            duration_ms=81,
        )
        inbound = InboundWebhook.objects.create(
            provider_account=account,
            charge=charge,
            method="POST",
            path="/in/p0/…",
            headers={"content-type": "application/json"},
            body=b'{"Body": {"stkCallback": {"ResultCode": 0}}}',
            remote_addr="127.0.0.1",
            trust="unsigned",
            state=InboundWebhook.State.PARKED,
            reason="No charge of this account has the reference ws_CO_1.",
        )
        InboundEvent.objects.create(
            inbound=inbound, provider_account=account, event_id=f"event-{inbound.pk}", type="payment.updated"
        )
        self.inbound.append(inbound)

    def _add_operations(self, account: ProviderAccount) -> None:
        request_balances(account=account)
        trouble = Trouble(
            subject=account.public_id,
            title=f"No callbacks for {account.name}",
            detail="Look.",
            livemode=False,
            account=account,
        )
        raise_alert(kind="callback_silence", trouble=trouble)

    def _add_webhooks(self, store: Store, intent: PaymentIntent, number: int) -> None:
        created = create_webhook_endpoint(store=store, livemode=False, url=f"https://shop{number}.example.com/hook")
        self.endpoints.append(created.endpoint)
        for event in Event.objects.filter(object_id=intent.public_id, type="payment_intent.succeeded"):
            delivery = WebhookDelivery.objects.create(
                event=event,
                endpoint=created.endpoint,
                state=WebhookDelivery.State.FAILED,
                attempts=1,
                response_status=500,
                last_error="HTTP 500",
            )
            WebhookAttempt.objects.create(
                delivery=delivery, number=1, response_status=500, response_body="boom", duration_ms=12
            )
            self.deliveries.append(delivery)


def add_reconciliation(account: ProviderAccount, number: int) -> Mismatch:
    """A statement with a line that nobody knows here, the close that found it, and the difference."""
    settlement = Settlement.objects.create(
        provider_account=account, livemode=False, source="upload", file_name=f"statement-{number}.csv", new_lines=1
    )
    day = clock.now().date()
    line = SettlementLine.objects.create(
        settlement=settlement,
        seen_in=settlement,
        provider_account=account,
        livemode=False,
        day=day,
        receipt=f"UBO{number:07}",
        kind="charge",
        direction="in",
        amount=250,
        currency="KES",
        occurred_at=clock.now(),
        counterparty="254712345678 - JANE DOE",
        line_number=2,
        outcome="missing_here",
    )
    add_bank_payout(line, f"po_{number}")
    close = Close.objects.create(provider_account=account, livemode=False, day=day, time_zone="UTC", state="done")
    return Mismatch.objects.create(
        close=close,
        provider_account=account,
        livemode=False,
        key=f"missing_here:in:{line.receipt}::",
        kind="missing_here",
        direction="in",
        receipt=line.receipt,
        line=line,
        there=250,
        currency="KES",
        occurred_at=line.occurred_at,
    )


def add_bank_payout(line: SettlementLine, name: str) -> None:
    """A payout to the bank on the same statement."""
    SettlementLine.objects.create(
        settlement=line.settlement,
        seen_in=line.settlement,
        provider_account=line.provider_account,
        livemode=False,
        day=line.day,
        receipt=name,
        kind="payout",
        direction="out",
        amount=240,
        currency="KES",
        occurred_at=line.occurred_at,
        line_number=3,
        line_id=f"txn-{name}",
        payout_reference=name,
        outcome="matched",
    )


def make_staff(*permissions: str, superuser: bool = False):
    """A member of staff with Django permissions such as "majuu_payments.view_charge"."""
    user = make_user(is_staff=True, is_superuser=superuser)
    for name in permissions:
        app, codename = name.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return get_user_model().objects.get(pk=user.pk)  # permissions are cached on the instance


def one_of(model: type[models.Model]) -> models.Model:
    """Some row of the model; the test world has one of each."""
    row = model._default_manager.first()
    assert row is not None, f"the test world has no {model.__name__}"
    return row


def labels(rows: Iterable[type[models.Model]]) -> list[str]:
    return [model._meta.label for model in rows]
