"""Demo data: everything a shop needs, made once, and its secrets for its owner only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured

from majuu_core.merchants.api_keys import authenticate
from majuu_core.merchants.models import ApiKey, Merchant, ProviderAccount, Store
from majuu_core.merchants.provider_accounts import provider_for
from majuu_core.plugins.manager import temporary_plugin
from majuu_core.webhooks.endpoints import open_secrets
from majuu_core.webhooks.models import WebhookEndpoint
from majuu_core.webhooks.signing import key_of
from majuu_mpesa import majuu_hooks
from majuu_paypal import majuu_hooks as paypal_hooks
from majuu_stripe import majuu_hooks as stripe_hooks
from sandbox_project.demo_data import STORE_CODE, load_demo_data, read_secrets
from sandbox_project.majuu_hooks import register_demo_data

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _sandbox(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.DEBUG = True
    settings.VAR = tmp_path
    settings.SANDBOX_SHOP_URL = "http://127.0.0.1:8002"
    settings.MAJUU_ALLOW_PRIVATE_WEBHOOK_ADDRESSES = True
    with temporary_plugin(majuu_hooks, name="majuu_mpesa"):
        yield


def counts() -> list[int]:
    """How many there are, the platform's own merchant and store left out."""
    models = (ApiKey, ProviderAccount, WebhookEndpoint, get_user_model())
    own = (Merchant.objects.filter(is_system=False), Store.objects.filter(merchant__is_system=False))
    return [*(rows.count() for rows in own), *(model._default_manager.count() for model in models)]


def signing_keys(endpoint: WebhookEndpoint) -> list[bytes]:
    rows = endpoint.secrets.values_list("sealed", "expires_at")
    return [key for key, ends in open_secrets(endpoint.public_id, rows) if ends is None]


def test_it_makes_a_shop_that_can_be_paid() -> None:
    load_demo_data()

    kept = read_secrets()
    store = Store.objects.get(code="duka-la-mfano")
    assert store.merchant.status == Merchant.Status.APPROVED
    assert authenticate(kept["api_key"]).store_id == store.pk
    accounts = {account.provider: account for account in ProviderAccount.objects.filter(store=store, livemode=False)}
    assert {code: account.public_id for code, account in accounts.items()} == kept["provider_accounts"]
    assert {provider_for(account).code for account in accounts.values()} == {"manual", "mock", "mpesa"}
    assert accounts["mpesa"].priority > accounts["mock"].priority
    endpoint = WebhookEndpoint.objects.get(store=store)
    assert endpoint.url == "http://127.0.0.1:8002/webhooks"
    assert signing_keys(endpoint) == [key_of(kept["webhook"]["secret"])]
    user = get_user_model()._default_manager.get(username=kept["console"]["username"])
    assert user.check_password(kept["console"]["password"])
    assert user.is_staff


def test_where_stripe_and_paypal_are_simulated_there_are_accounts(settings: Any) -> None:
    """Without the simulators none are made: real providers would not know the keys (see the test above)."""
    settings.SANDBOX_STRIPE_URL, settings.SANDBOX_PAYPAL_URL = "http://127.0.0.1:8003", "http://127.0.0.1:8004"

    with temporary_plugin(stripe_hooks, name="majuu_stripe"), temporary_plugin(paypal_hooks, name="majuu_paypal"):
        load_demo_data()
        load_demo_data()

        accounts = ProviderAccount.objects.filter(store__code=STORE_CODE).order_by("-priority")
        assert [account.provider for account in accounts] == ["mpesa", "stripe", "paypal", "manual", "mock"]
        assert [provider_for(account).code for account in accounts[1:3]] == ["stripe", "paypal"]


def test_only_the_owner_reads_the_secrets(tmp_path: Path) -> None:
    load_demo_data()

    assert (tmp_path / "demo.json").stat().st_mode & 0o777 == 0o600


def test_a_second_time_changes_nothing() -> None:
    load_demo_data()
    before, rows = read_secrets(), counts()

    load_demo_data()

    assert (read_secrets(), counts()) == (before, rows)


def test_a_shop_that_moved_is_followed(settings: Any) -> None:
    load_demo_data()
    before = read_secrets()
    settings.SANDBOX_SHOP_URL = "http://127.0.0.1:9002"

    load_demo_data()

    assert WebhookEndpoint.objects.get().url == "http://127.0.0.1:9002/webhooks"
    assert read_secrets() == before


def test_lost_secrets_are_replaced_by_new_ones_that_work(tmp_path: Path) -> None:
    load_demo_data()
    old = read_secrets()
    (tmp_path / "demo.json").unlink()

    load_demo_data()

    new = read_secrets()
    assert new["api_key"] != old["api_key"]
    assert authenticate(new["api_key"]).store_id == Store.objects.get(code=STORE_CODE).pk
    assert signing_keys(WebhookEndpoint.objects.get()) == [key_of(new["webhook"]["secret"])]
    assert get_user_model()._default_manager.get().check_password(new["console"]["password"])


def test_what_an_old_key_sealed_is_made_anew(settings: Any) -> None:
    load_demo_data()
    old = read_secrets()
    settings.MAJUU_ENCRYPTION_KEYS = ["another-master-key-0123456789abcdef0123"]

    load_demo_data()

    new = read_secrets()
    assert new["provider_accounts"] == old["provider_accounts"]
    assert {provider_for(account).code for account in ProviderAccount.objects.all()} == {"manual", "mock", "mpesa"}
    assert signing_keys(WebhookEndpoint.objects.get()) == [key_of(new["webhook"]["secret"])]
    assert authenticate(new["api_key"]).store_id == Store.objects.get(code=STORE_CODE).pk


def test_on_a_real_site_nothing_is_made(settings: Any, tmp_path: Path) -> None:
    settings.DEBUG = False

    with pytest.raises(ImproperlyConfigured, match="only loaded with DEBUG=on"):
        load_demo_data()

    assert counts() == [0] * 6
    assert not (tmp_path / "demo.json").exists()


def test_it_is_offered_through_the_hook() -> None:
    offered: list[Any] = list(register_demo_data())

    assert [(item.name, item.load) for item in offered] == [("sandbox.duka", load_demo_data)]


def test_without_a_shop_there_is_no_endpoint(settings: Any, tmp_path: Path) -> None:
    settings.SANDBOX_SHOP_URL = ""

    load_demo_data()

    assert WebhookEndpoint.objects.count() == 0
    assert "webhook" not in json.loads((tmp_path / "demo.json").read_text())
