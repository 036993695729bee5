"""Receipts cannot be found out by trying, and who only waits for one is not taken for a guesser."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from majuu_core.common.clock import VirtualClock
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.payments.models import Claim
from majuu_core.testing.factories import make_api_key, make_provider_account, make_store
from tests.core.api.support import Shop
from tests.core.payments.incoming_support import arrive

RECEIPT = "UKP7X1A2B3"
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _three(settings: Any, virtual_clock: VirtualClock) -> None:
    settings.MAJUU_RATE_LIMITS = {"receipt_store": (3, 10 * MINUTE)}


@pytest.fixture
def paybill(db: None, custodian: None) -> ProviderAccount:
    return make_provider_account(platform=True)


def verify(shop: Shop, receipt: str) -> Any:
    return shop.get(f"/incoming-payments/verify?receipt={receipt}")


def claim(shop: Shop, receipt: str) -> Any:
    return shop.post("/incoming-payments/claim", {"receipt": receipt, "reference": "1"})


def read(shop: Shop, receipt: str) -> Any:
    text = f"{receipt} Confirmed. Ksh1,500.00 paid to DUKA on 5/1/26 at 11:00 AM."
    return shop.post("/incoming-payments/verify-message", {"text": text})


def by_number(shop: Shop, number: str) -> Any:
    return shop.get(f"/incoming-payments/verify?external_reference={number}")


WAYS = [verify, claim, read, by_number]


@pytest.mark.parametrize("way", WAYS)
def test_after_some_wrong_ones_not_even_a_right_one_is_looked_up(
    shop: Shop, store: Store, paybill: ProviderAccount, virtual_clock: VirtualClock, way: Any
) -> None:
    """given 3 in ten minutes / when three unknown receipts were named in any way / then no way says anything for ten
    minutes, another store is not concerned, and nothing is claimed."""
    arrive(paybill)
    answers = [way(shop, f"UKP7X1A2C{number}") for number in range(3)]
    assert {answer.status_code for answer in answers} <= {200, 404}
    for asked in WAYS:
        refused = asked(shop, RECEIPT)
        assert (refused.status_code, refused.data["code"]) == (429, "rate_limited")
        assert refused.headers["Retry-After"] == "600"
    assert not Claim.objects.exists()
    assert verify(Shop(make_api_key(store=make_store()).key), RECEIPT).status_code == 200
    virtual_clock.advance(10 * MINUTE)
    assert claim(shop, RECEIPT).status_code == 200


def test_asking_for_one_receipt_again_and_again_is_no_guessing(shop: Shop, paybill: ProviderAccount) -> None:
    answers = [verify(shop, "UKP7X1A2C9") for _ in range(20)] + [claim(shop, "ukp7x1a2c9") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200, 404}
    arrive(paybill)
    assert claim(shop, RECEIPT).status_code == 200


def test_right_receipts_are_not_counted(shop: Shop, paybill: ProviderAccount) -> None:
    arrive(paybill)
    assert [verify(shop, RECEIPT).data["state"] for _ in range(10)] == ["available"] * 10
    assert [claim(shop, RECEIPT).status_code for _ in range(10)] == [200] * 10


def test_what_others_have_counts_as_a_guess(shop: Shop, paybill: ProviderAccount, settings: Any) -> None:
    settings.MAJUU_RATE_LIMITS = {"receipt_store": (1, 10 * MINUTE)}
    arrive(paybill)
    assert claim(shop, RECEIPT).status_code == 200
    stranger = Shop(make_api_key(store=make_store()).key)
    assert [claim(stranger, RECEIPT).status_code for _ in range(2)] == [409, 429]


def test_a_day_has_its_own_limit(
    shop: Shop, paybill: ProviderAccount, settings: Any, virtual_clock: VirtualClock
) -> None:
    settings.MAJUU_RATE_LIMITS = {"receipt_store_day": (2, timedelta(days=1))}
    for number in range(2):
        verify(shop, f"UKP7X1A2C{number}")
        virtual_clock.advance(60 * MINUTE)
    assert (verify(shop, RECEIPT).status_code, verify(shop, RECEIPT).headers["Retry-After"]) == (429, "3600")
