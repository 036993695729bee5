"""The cache that providers share: encrypted, kept apart, and never in the way of a payment."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.core.cache import cache
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from majuu_core.merchants import shared_cache
from majuu_core.merchants.shared_cache import DjangoSharedCache
from majuu_core.providers.base import SharedCache


def mpesa(*, livemode: bool = False) -> DjangoSharedCache:
    return DjangoSharedCache(provider="mpesa", livemode=livemode)


def test_it_is_what_the_contract_asks_for() -> None:
    shared: SharedCache = mpesa()
    shared.set("token", "abc", seconds=60)
    assert shared.get("token") == "abc"
    shared.delete("token")
    assert shared.get("token") is None
    shared.delete("token")


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(value=st.text(max_size=200))
def test_any_text_comes_back(value: str) -> None:
    mpesa().set("token", value, seconds=60)
    assert mpesa().get("token") == value


def test_providers_and_modes_are_kept_apart_accounts_share() -> None:
    mpesa(livemode=False).set("token", "test token", seconds=60)
    mpesa(livemode=True).set("token", "live token", seconds=60)
    DjangoSharedCache(provider="bank", livemode=False).set("token", "bank token", seconds=60)
    assert mpesa(livemode=False).get("token") == "test token"
    assert mpesa(livemode=True).get("token") == "live token"
    assert DjangoSharedCache(provider="bank", livemode=True).get("token") is None


def test_tokens_are_not_readable_in_the_cache() -> None:
    mpesa().set("token", "a-secret-access-token", seconds=60)
    stored = cache.get("majuu:mpesa:test:token")
    assert stored.startswith("m1.")
    assert "a-secret-access-token" not in stored


def test_a_value_copied_to_another_name_does_not_open() -> None:
    mpesa(livemode=False).set("token", "test token", seconds=60)
    cache.set("majuu:mpesa:live:token", cache.get("majuu:mpesa:test:token"))
    assert mpesa(livemode=True).get("token") is None


@pytest.mark.parametrize("planted", ["plain text", 12, b"bytes", "m1.00000000.AAAA"])
def test_what_others_put_there_is_nothing(planted: object) -> None:
    cache.set("majuu:mpesa:test:token", planted)
    assert mpesa().get("token") is None


def test_a_value_under_a_removed_master_key_is_nothing(settings: Any) -> None:
    mpesa().set("token", "abc", seconds=60)
    settings.MAJUU_ENCRYPTION_KEYS = ["a-master-key-that-came-out-of-nowhere"]
    assert mpesa().get("token") is None


def test_values_end() -> None:
    mpesa().set("token", "abc", seconds=0)
    assert mpesa().get("token") is None


def test_a_lock_is_held_by_one_and_given_back() -> None:
    with mpesa().lock("renew", seconds=5) as held:
        assert held is True
        with mpesa().lock("other", seconds=5) as other, mpesa(livemode=True).lock("renew", seconds=5) as live:
            assert (other, live) == (True, True)
        before = time.monotonic()
        with mpesa().lock("renew", seconds=1) as second:
            assert second is False
        assert 0.9 <= time.monotonic() - before < 5
    with mpesa().lock("renew", seconds=5) as again:
        assert again is True


def test_a_lock_is_given_back_after_an_error() -> None:
    with pytest.raises(KeyError), mpesa().lock("renew", seconds=30):
        raise KeyError
    with mpesa().lock("renew", seconds=1) as held:
        assert held is True


def test_a_lock_that_outlived_its_time_is_not_taken_from_its_next_holder() -> None:
    with mpesa().lock("renew", seconds=5):
        cache.set("majuu:mpesa:test:lock:renew", "somebody else", timeout=5)
    assert cache.get("majuu:mpesa:test:lock:renew") == "somebody else"


def test_those_who_wait_go_one_after_another() -> None:
    inside, most, order = [], [], []

    def work(number: int) -> None:
        with mpesa().lock("renew", seconds=10) as held:
            assert held
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.01)
            inside.remove(number)
            order.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert sorted(order) == list(range(6))


class BrokenCache:
    """A cache server that went away."""

    def __getattr__(self, name: str) -> Any:
        def fail(*args: object, **kwargs: object) -> None:
            raise ConnectionError("no cache at redis://user:secret@cache:6379")

        return fail


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_cache, "cache", BrokenCache())


@pytest.mark.usefixtures("broken")
def test_a_cache_that_is_down_does_not_stop_payments(caplog: pytest.LogCaptureFixture) -> None:
    shared = mpesa()
    shared.set("token", "a-secret-access-token", seconds=60)
    assert shared.get("token") is None
    shared.delete("token")
    before = time.monotonic()
    with shared.lock("renew", seconds=30) as held:
        assert held is False
    assert time.monotonic() - before < 1
    assert "ConnectionError" in caplog.text
    assert "secret" not in caplog.text
