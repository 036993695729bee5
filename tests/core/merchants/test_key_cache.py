"""The cache of key records: bounded, and never older than it may be."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime, timedelta

from majuu_core.merchants.key_cache import KeyCache, KeyRecord

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def record(*, read_at: datetime = NOON, last_used_at: datetime | None = None) -> KeyRecord:
    return KeyRecord(
        key_id=uuid.uuid4(),
        store_id=uuid.uuid4(),
        merchant_id=uuid.uuid4(),
        livemode=False,
        kind="secret",
        scopes=frozenset(),
        expires_at=None,
        revoked_at=None,
        last_used_at=last_used_at,
        store_is_active=True,
        merchant_status="approved",
        read_at=read_at,
        found=None,
        first_key_id=uuid.uuid4(),
        networks=(),
        rate_limit=None,
        monthly_quota=None,
    )


def test_a_record_is_believed_for_so_many_seconds() -> None:
    cache, kept = KeyCache(), record()
    cache.put("a", kept, generation=cache.generation)
    assert cache.get("a", now=NOON, seconds=5) is kept
    assert cache.get("a", now=NOON + timedelta(seconds=4.9), seconds=5) is kept
    assert cache.get("a", now=NOON + timedelta(seconds=5), seconds=5) is None
    assert cache.get("a", now=NOON, seconds=0) is None
    assert cache.get("b", now=NOON, seconds=5) is None


def test_a_record_from_the_future_is_not_believed() -> None:
    cache = KeyCache()
    cache.put("a", record(read_at=NOON + timedelta(hours=1)), generation=cache.generation)
    assert cache.get("a", now=NOON, seconds=5) is None


def test_the_cache_is_bounded_and_the_oldest_leaves_first() -> None:
    cache = KeyCache(size=3)
    for name in "abcad":
        cache.put(name, record(), generation=cache.generation)
    assert len(cache) == 3
    assert [name for name in "abcd" if cache.get(name, now=NOON, seconds=5)] == ["a", "c", "d"]


def test_clearing_forgets_and_keeps_out_what_was_read_before() -> None:
    cache = KeyCache()
    generation = cache.generation
    cache.put("a", record(), generation=generation)
    cache.clear()
    assert cache.get("a", now=NOON, seconds=5) is None
    cache.put("a", record(), generation=generation)
    assert len(cache) == 0
    cache.put("a", record(), generation=cache.generation)
    assert len(cache) == 1


def test_one_thread_writes_the_use() -> None:
    cache, kept, claimed = KeyCache(), record(), []
    cache.put("a", kept, generation=cache.generation)
    threads = [
        threading.Thread(target=lambda: claimed.append(cache.claim_use("a", kept, now=NOON, every=MINUTE)))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == [False] * 15 + [True]
    assert cache.claim_use("a", kept, now=NOON + timedelta(seconds=59), every=MINUTE) is False
    assert cache.claim_use("a", kept, now=NOON + MINUTE, every=MINUTE) is True


def test_a_key_that_is_not_cached_is_judged_by_its_record() -> None:
    cache = KeyCache()
    assert cache.claim_use("a", record(last_used_at=NOON), now=NOON + timedelta(seconds=30), every=MINUTE) is False
    assert cache.claim_use("a", record(last_used_at=NOON), now=NOON + MINUTE, every=MINUTE) is True
    assert cache.claim_use("a", record(), now=NOON, every=MINUTE) is True
