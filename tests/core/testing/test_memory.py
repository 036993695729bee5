"""The cache and the HTTP client that tests give to providers."""

from __future__ import annotations

import httpx
import pytest
from pydantic import SecretStr

from majuu_core.common.clock import VirtualClock
from majuu_core.providers import NotSent
from majuu_core.testing import MemoryCache, MockCredentials, provider_context
from majuu_core.testing.memory import RecordingHttp


def test_entries_expire_by_the_injected_clock(virtual_clock: VirtualClock, memory_cache: MemoryCache) -> None:
    memory_cache.set("token", "abc", seconds=60)

    virtual_clock.advance(59)
    assert memory_cache.get("token") == "abc"
    virtual_clock.advance(1)
    assert memory_cache.get("token") is None


def test_a_deleted_entry_is_gone_and_deleting_again_is_fine(memory_cache: MemoryCache) -> None:
    memory_cache.set("token", "abc", seconds=60)

    memory_cache.delete("token")
    memory_cache.delete("token")

    assert memory_cache.get("token") is None


def test_a_lock_has_one_holder_and_is_free_afterwards(memory_cache: MemoryCache) -> None:
    with memory_cache.lock("token", seconds=5) as first, memory_cache.lock("token", seconds=5) as second:
        assert (first, second) == (True, False)
    with memory_cache.lock("token", seconds=5) as third:
        assert third is True


def test_a_lock_that_is_held_too_long_falls(virtual_clock: VirtualClock, memory_cache: MemoryCache) -> None:
    with memory_cache.lock("token", seconds=5):
        virtual_clock.advance(5)
        with memory_cache.lock("token", seconds=5) as second:
            assert second is True


def test_a_context_without_network_says_that_nothing_was_sent() -> None:
    context = provider_context(MockCredentials(secret=SecretStr("0123456789abcdef")))

    with pytest.raises(NotSent):
        context.http.send("GET", "https://provider.invalid/", operation="ping")


def test_a_context_records_its_exchanges_redacted() -> None:
    context = provider_context(
        MockCredentials(secret=SecretStr("0123456789abcdef")),
        handler=lambda request: httpx.Response(200, json={"a": 1}),
    )

    answer = context.http.send(
        "POST", "https://provider.invalid/x", operation="ping", headers={"Authorization": "Bearer abcdefgh12345"}
    )

    assert answer.json() == {"a": 1}
    assert isinstance(context.http, RecordingHttp)
    [exchange] = context.http.exchanges
    assert (exchange.operation, exchange.status) == ("ping", 200)
    assert "abcdefgh12345" not in repr(exchange)
