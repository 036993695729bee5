"""Rows for benchmarks: stores with keys, payments that are over, charges that wait for their provider's callback.

Made by the application's own services once, then multiplied in SQL. ``call`` runs a function of this module in a
process with the application's settings, because one benchmark may need several databases.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import md5
from typing import TYPE_CHECKING, Any
from uuid import UUID

from benchmarks.load import UNIQUE, build_request
from benchmarks.servers import ROOT, django_environment

if TYPE_CHECKING:
    from django.db import models

BODY = {
    "amount": "1500.00",
    "currency": "KES",
    "reference": "order-42",
    "description": "Order 42",
    "customer_email": "user@example.com",
    "customer_phone": "+254712345678",
    "metadata": {"order_id": "42", "channel": "web"},
}
_FAKE_CREDENTIALS = {"consumer_key": "k" * 16, "consumer_secret": "s" * 16, "passkey": "p" * 16, "shortcode": "174379"}


@dataclass(frozen=True, kw_only=True)
class Template:
    """Rows of one store to be multiplied: a charge that waits, its intent and its hold."""

    account: UUID
    intent: UUID
    charge: UUID
    transaction: UUID
    transfer: UUID


@dataclass(frozen=True, kw_only=True)
class Stock:
    """What ``prepare`` made. ``start`` is the number of milliseconds that the ids of multiplied rows begin with."""

    key: str
    start: int
    signed: Sequence[Template]  # one of each store, paid by the mock provider
    unsigned: Template  # paid by M-Pesa


def call(database_url: str, function: str, **arguments: Any) -> Any:
    """Run a function of this module in a process of its own, against this database."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.stock"],
        cwd=ROOT,
        env=django_environment(database_url),
        input=pickle.dumps((function, arguments)),
        stdout=subprocess.PIPE,
        check=True,
    )
    return pickle.loads(done.stdout)  # noqa: S301 - our own process wrote it


def accept_request(stock: Stock) -> bytes:
    """The request that creates a payment intent, with a place for a unique key."""
    headers = {"Authorization": f"Bearer {stock.key}", "Idempotency-Key": UNIQUE.decode()}
    return build_request("/api/v1/payment-intents", json.dumps(BODY).encode(), headers)


# --- inside the process with the application's settings --------------------------------------------------------------


def prepare(*, stores: int) -> Stock:
    """Stores with an account at the mock provider each; the first one also at M-Pesa, and with an API key."""
    from majuu_core.testing.factories import make_api_key, make_provider_account, make_store

    made = [make_store() for _ in range(stores)]
    signed = [_template(store, make_provider_account(store=store), "mock", "7723") for store in made]
    mpesa = make_provider_account(store=made[0], provider="mpesa", credentials=_FAKE_CREDENTIALS)
    return Stock(
        key=make_api_key(store=made[0]).key,
        start=signed[0].charge.int >> 80,
        signed=signed,
        unsigned=_template(made[0], mpesa, "mpesa_stk", "1500"),
    )


def _template(store: Any, account: Any, method: str, amount: str) -> Template:
    from unittest.mock import patch

    from majuu_core.common.money import Money
    from majuu_core.ledger.models import LedgerTransfer
    from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
    from majuu_core.payments.intents import IntentDetails, create_payment_intent
    from majuu_core.providers import Result, ResultStatus
    from majuu_mpesa.provider import MpesaProvider

    details = IntentDetails(amount=Money(amount, "KES"), reference="order-42", description="Order 42")
    intent = create_payment_intent(store=store, livemode=False, details=details)
    choice = PaymentChoice(payment_method=method, payment_method_data={"phone": "0712345678"})
    prompted = Result(status=ResultStatus.PENDING, provider_reference=f"ws_CO_template_{store.code}")
    with patch.object(MpesaProvider, "sale", lambda self, request: prompted):
        _, charge = confirm_payment_intent(intent=intent, choice=choice)
    assert charge.hold_id is not None
    hold = LedgerTransfer.objects.get(pk=charge.hold_id)
    return Template(
        account=account.pk, intent=intent.pk, charge=charge.pk, transaction=hold.transaction_id, transfer=hold.pk
    )


def add_finished(*, stock: Stock, count: int) -> None:
    """So many payments that are over, with one row of each kind. Triggers are left out: their balances do not count."""
    from django.db import connection

    from majuu_core.audit.models import AuditEntry
    from majuu_core.events.models import Event
    from majuu_core.idempotency.models import IdempotencyKey
    from majuu_core.ledger.models import LedgerTransaction, LedgerTransfer
    from majuu_core.payments.models import Charge, PaymentIntent
    from majuu_core.webhooks.models import InboundEvent, InboundWebhook

    template, first = stock.signed[0], 1_000_000_000
    event, entry = Event.objects.order_by("pk")[0], AuditEntry.objects.order_by("pk")[0]
    answered = IdempotencyKey.objects.create(store_id=event.store_id, livemode=False, key="x", response_status=201)
    message = InboundWebhook.objects.create(
        provider_account_id=template.account, charge_id=template.charge, state="applied", body=b"{}"
    )
    told = InboundEvent.objects.create(inbound=message, provider_account_id=template.account, event_id="x")
    succeeded = {"status": "'succeeded'", "follow_up_at": "NULL"}
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for model, pk, values in (
            (PaymentIntent, template.intent, {"link_token": "left(md5('old' || n), 32)", "status": "'succeeded'"}),
            (
                Charge,
                template.charge,
                succeeded | {"payment_intent_id": _id("PaymentIntent", stock), "provider_reference": "'old-' || n"},
            ),
            (LedgerTransaction, template.transaction, {"key": "'old:' || n"}),
            (
                LedgerTransfer,
                template.transfer,
                {"transaction_id": _id("LedgerTransaction", stock), "phase": "'posted'"},
            ),
            (Event, event.pk, {"dispatched_at": "now()"}),
            (AuditEntry, entry.pk, {}),
            (IdempotencyKey, answered.pk, {"key": "'old-' || n"}),
            (InboundWebhook, message.pk, {"charge_id": _id("Charge", stock)}),
            (InboundEvent, told.pk, {"inbound_id": _id("InboundWebhook", stock), "event_id": "'old-' || n"}),
        ):
            _multiply(cursor, model, pk, stock, range(first, first + count), values)
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM ANALYZE")


def add_waiting(*, stock: Stock, numbers: range, stores: int = 1) -> list[bytes]:
    """Charges with these numbers, spread over so many stores, and for each the signed callback that completes it."""
    from majuu_core.merchants.models import ProviderAccount
    from majuu_core.merchants.provider_accounts import provider_for

    share = len(numbers) // stores
    requests: list[list[bytes]] = []
    for place, template in enumerate(stock.signed[:stores]):
        mine = numbers[place * share : (place + 1) * share]
        _add_charges(stock, template, mine, "'mock-' || n")
        provider = provider_for(ProviderAccount.objects.get(pk=template.account))
        requests.append([_signed_callback(provider, stock, number) for number in mine])
    return [request for together in zip(*requests, strict=True) for request in together]


def event_data(intent_id: str) -> dict[str, Any]:
    """What an event about an intent carries."""
    return {"payment_intent": BODY | {"id": intent_id, "object": "payment_intent", "status": "succeeded"}}


def add_deliveries(*, port: int, count: int, endpoints: int, hanging: int, path: str) -> int:
    """So many deliveries that are due, spread over new endpoints of which some hang. How many go to those that answer.

    What earlier rounds left behind is removed.
    """
    from django.db import connection

    from majuu_core.common import clock
    from majuu_core.events.models import Event
    from majuu_core.events.services import build_event
    from majuu_core.testing.factories import make_store
    from majuu_core.webhooks.endpoints import create_webhook_endpoint
    from majuu_core.webhooks.models import WebhookDelivery

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE majuu_webhooks_webhookdelivery, majuu_events_event CASCADE")
        cursor.execute("UPDATE majuu_webhooks_webhookendpoint SET status = 'disabled'")
    store, now = make_store(), clock.now()
    made = [
        create_webhook_endpoint(
            store=store, livemode=False, url=f"http://127.0.0.1:{port}{path if place < hanging else '/hook'}/{place}"
        ).endpoint
        for place in range(endpoints)
    ]
    events = [
        build_event(
            store_id=store.pk,
            livemode=False,
            type="payment_intent.succeeded",
            object_id="pi_bench",
            data=event_data("pi_bench"),
        )
        for _ in range(count)
    ]
    Event.objects.bulk_create(events, batch_size=2_000)
    deliveries = [
        WebhookDelivery(event=event, endpoint=made[place % endpoints], next_attempt_at=now)
        for place, event in enumerate(events)
    ]
    WebhookDelivery.objects.bulk_create(deliveries, batch_size=2_000)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE majuu_webhooks_webhookdelivery, majuu_events_event")
    return sum(place % endpoints >= hanging for place in range(count))


def add_unsigned(*, stock: Stock, numbers: range) -> list[bytes]:
    """Charges at M-Pesa with these numbers, and for each the callback that says it is paid."""
    _add_charges(stock, stock.unsigned, numbers, "'ws_CO_' || n")
    return [build_request(_callback_path(stock, number), _unsigned_body(number), {}) for number in numbers]


def work_off_unsigned() -> tuple[int, float]:
    """What the worker does with stored M-Pesa callbacks, the provider's answer costing nothing: how many, seconds."""
    from time import perf_counter
    from unittest.mock import patch

    from majuu_core.providers import FetchRequest, Result, ResultStatus
    from majuu_core.webhooks.inbound_processing import process_waiting
    from majuu_mpesa.provider import MpesaProvider

    def paid(self: MpesaProvider, request: FetchRequest) -> Result:
        return Result(status=ResultStatus.SUCCEEDED, provider_reference=request.provider_reference)

    done, started = 0, perf_counter()
    with patch.object(MpesaProvider, "fetch_payment", paid):
        while group := process_waiting():
            done += group
    return done, perf_counter() - started


def count_succeeded(*, stock: Stock, numbers: range) -> int:
    """How many of the charges with these numbers have succeeded."""
    from majuu_core.payments.models import Charge

    low, high = _uuid("Charge", stock, numbers.start), _uuid("Charge", stock, numbers.stop)
    return Charge.objects.filter(pk__gte=low, pk__lt=high, status=Charge.Status.SUCCEEDED).count()


def _add_charges(stock: Stock, template: Template, numbers: range, provider_reference: str) -> None:
    from django.db import connection

    from majuu_core.ledger.models import LedgerTransaction, LedgerTransfer
    from majuu_core.payments.models import Charge, PaymentIntent

    with connection.cursor() as cursor:
        for model, pk, values in (
            (PaymentIntent, template.intent, {"link_token": "left(md5('link' || n), 32)"}),
            (LedgerTransaction, template.transaction, {"key": "'hold:' || n"}),
            (LedgerTransfer, template.transfer, {"transaction_id": _id("LedgerTransaction", stock)}),
            (
                Charge,
                template.charge,
                {
                    "payment_intent_id": _id("PaymentIntent", stock),
                    "hold_id": _id("LedgerTransfer", stock),
                    "provider_reference": provider_reference,
                },
            ),
        ):
            _multiply(cursor, model, pk, stock, numbers, values)
        for model in (PaymentIntent, Charge, LedgerTransaction, LedgerTransfer):
            cursor.execute(f'VACUUM ANALYZE "{model._meta.db_table}"')


def _multiply(
    cursor: Any, model: type[models.Model], pk: Any, stock: Stock, numbers: range, values: Mapping[str, str]
) -> None:
    """Insert one copy of a row for each number; ``values`` are SQL for the columns that differ, ``n`` the number."""
    from django.db.models import AutoField

    values = {"id": _id(model.__name__, stock)} | dict(values)
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, AutoField)]
    columns = [str(field.column) for field in fields]
    sources = ", ".join(values.get(column, f'template."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    table = f'"{model._meta.db_table}"'
    cursor.execute(
        f"INSERT INTO {table} ({names}) SELECT {sources} FROM {table} template, generate_series(%s::int, %s::int) n "
        "WHERE template.id = %s",
        [numbers.start, numbers.stop - 1, pk],
    )


def _id(kind: str, stock: Stock) -> str:
    """SQL for the id of number ``n``: ordered by number, like the ids of rows that came one after the other."""
    return f"overlay(md5('{kind}' || n) placing lpad(to_hex({stock.start} + n), 12, '0') from 1 for 12)::uuid"


def _uuid(kind: str, stock: Stock, number: int) -> UUID:
    digest = md5(f"{kind}{number}".encode(), usedforsecurity=False).hexdigest()
    return UUID(f"{stock.start + number:012x}{digest[12:]}")


def _callback_path(stock: Stock, number: int) -> str:
    from majuu_core import configuration
    from majuu_core.payments.addresses import charge_callback_url

    return charge_callback_url(_uuid("Charge", stock, number)).removeprefix(configuration.public_url())


def _signed_callback(provider: Any, stock: Stock, number: int) -> bytes:
    from majuu_core.common import clock
    from majuu_core.common.ids import encode_id
    from majuu_core.common.money import Money
    from majuu_core.providers import Result, ResultStatus
    from majuu_core.testing.mock_wire import WebhookBody

    result = Result(status=ResultStatus.SUCCEEDED, provider_reference=f"mock-{number}", amount=Money("7723", "KES"))
    reference = encode_id("ch", _uuid("Charge", stock, number))
    body = WebhookBody.describe("payment.updated", reference, result).model_dump_json().encode()
    stamp = str(int(clock.now().timestamp()))
    headers = {"Mock-Timestamp": stamp, "Mock-Signature": provider._signature(stamp, body)}
    return build_request(_callback_path(stock, number), body, headers)


def _unsigned_body(number: int) -> bytes:
    items = {"Amount": 1500.0, "MpesaReceiptNumber": f"UAB{number}", "TransactionDate": 20261121120000}
    items["PhoneNumber"] = 254712345678
    callback = {
        "MerchantRequestID": f"29115-{number}-1",
        "CheckoutRequestID": f"ws_CO_{number}",
        "ResultCode": 0,
        "ResultDesc": "The service request is processed successfully.",
        "CallbackMetadata": {"Item": [{"Name": name, "Value": value} for name, value in items.items()]},
    }
    return json.dumps({"Body": {"stkCallback": callback}}).encode()


if __name__ == "__main__":
    import django

    from benchmarks import stock as this  # so that what is pickled names this module, not __main__

    django.setup()
    name, arguments = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - our own process wrote it
    sys.stdout.buffer.write(pickle.dumps(getattr(this, name)(**arguments)))
