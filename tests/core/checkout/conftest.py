from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from majuu_core.common.money import Money
from majuu_core.merchants.models import Store
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.models import PaymentIntent
from majuu_core.testing.factories import make_provider_account, make_store
from tests.core.checkout.phone_provider import PhonePlugin, PhoneProvider

MakeIntent = Callable[..., PaymentIntent]


@pytest.fixture
def phone_provider(temporary_plugin) -> type[PhoneProvider]:
    """A provider that prompts phones, installed for the test."""
    plugin = PhonePlugin()
    temporary_plugin(plugin)
    return plugin.provider


@pytest.fixture
def store(db) -> Store:
    return make_store(name="Mama Njeri Fashions")


@pytest.fixture
def make_intent(store, virtual_clock) -> MakeIntent:
    """An intent of the store, payable by the accounts the test made."""

    def make(amount: str = "1500.00", currency: str = "KES", **details) -> PaymentIntent:
        wanted = IntentDetails(amount=Money(amount, currency), **details)
        return create_payment_intent(store=store, livemode=False, details=wanted)

    return make


@pytest.fixture
def mock_account(store):
    return make_provider_account(store=store)


@pytest.fixture
def phone_account(store, phone_provider):
    return make_provider_account(store=store, provider="phone", credentials={}, priority=1)


@pytest.fixture
def browser() -> Client:
    """A browser that follows no redirects and checks CSRF, as a real one would be checked."""
    return Client(enforce_csrf_checks=True)
