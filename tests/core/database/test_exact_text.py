"""Keys that differ by case or by a space at the end are two keys, on every database."""

from __future__ import annotations

import uuid

import pytest
from django.apps import apps
from django.db import connection

from majuu_core.idempotency.models import IdempotencyKey
from majuu_core.idempotency.services import Begun, RequestIdentity, begin_request
from majuu_core.testing.factories import make_provider_account
from majuu_core.webhooks.models import InboundEvent, InboundWebhook

EXACT = {
    "majuu_idempotency.IdempotencyKey": ["key"],
    "majuu_webhooks.InboundEvent": ["event_id"],
    "majuu_payments.Charge": ["provider_reference", "receipt"],
    "majuu_payments.PaymentIntent": ["link_token", "customer_email_key", "customer_phone_key"],
    "majuu_ledger.LedgerTransaction": ["key"],
    "majuu_merchants.ApiKey": ["key_hash"],
}


@pytest.mark.django_db
@pytest.mark.parametrize("other", ["Order-7", "order-7 "])
def test_keys_that_look_alike_are_two_keys(other: str) -> None:
    for key in ("order-7", other):
        identity = RequestIdentity(store_id=uuid.UUID(int=7), livemode=False, key=key, request_hash="a" * 64)
        assert isinstance(begin_request(identity), Begun)
    assert IdempotencyKey.objects.filter(key="order-7").count() == 1
    assert IdempotencyKey.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("other", ["Evt-1", "evt-1 "])
def test_events_that_look_alike_are_two_events(other: str) -> None:
    account = make_provider_account()
    inbound = InboundWebhook.objects.create(
        provider_account=account, method="POST", path="/in", body=b"{}", remote_addr="127.0.0.1"
    )
    for event_id in ("evt-1", other):
        InboundEvent.objects.create(inbound=inbound, provider_account=account, event_id=event_id, type="paid")
    assert InboundEvent.objects.filter(event_id="evt-1").count() == 1


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "mysql", reason="other databases compare texts exactly anyway")
@pytest.mark.parametrize(("label", "names"), EXACT.items())
def test_the_columns_are_as_the_models_say_but_exact(label: str, names: list[str]) -> None:
    model = apps.get_model(label)
    for name in names:
        field = model._meta.get_field(name)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT collation_name, is_nullable, character_maximum_length FROM information_schema.columns "
                "WHERE table_schema = DATABASE() AND table_name = %s AND column_name = %s",
                [model._meta.db_table, field.column],
            )
            found = cursor.fetchone()
        assert found == ("utf8mb4_nopad_bin", "YES" if field.null else "NO", field.max_length)
