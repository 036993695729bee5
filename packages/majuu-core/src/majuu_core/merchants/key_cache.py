"""What this process remembers of API keys. Keyed by hash: no key is ever kept in memory."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from majuu_core.common.client_address import Network
from majuu_core.database.compiled import Found

MAX_KEYS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A key, its store and its merchant, as read from the database at ``read_at``."""

    key_id: uuid.UUID
    store_id: uuid.UUID
    merchant_id: uuid.UUID
    livemode: bool
    kind: str
    scopes: frozenset[str]
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    store_is_active: bool
    merchant_status: str
    read_at: datetime
    found: Found | None  # the row as the database gave it
    first_key_id: uuid.UUID
    networks: tuple[Network, ...]
    rate_limit: int | None
    monthly_quota: int | None
    token_expires_at: datetime | None = None  # of an OAuth client's access token, which stands for the client's key


class KeyCache:
    """Key records by hash: bounded, the oldest leaves first. Safe between threads."""

    def __init__(self, size: int = MAX_KEYS) -> None:
        self._records: dict[str, KeyRecord] = {}
        self._size = size
        self._lock = threading.Lock()
        self.generation = 0

    def get(self, key_hash: str, *, now: datetime, seconds: int) -> KeyRecord | None:
        """The record if it is not older than ``seconds``."""
        record = self._records.get(key_hash)
        if record is None or not timedelta(0) <= now - record.read_at < timedelta(seconds=seconds):
            return None
        return record

    def last(self, key_hash: str) -> KeyRecord | None:
        """The record, however old: to compare with what the database says now."""
        return self._records.get(key_hash)

    def put(self, key_hash: str, record: KeyRecord, *, generation: int) -> None:
        """Keep a record, unless the cache was cleared since ``generation`` was read: then it may be out of date."""
        with self._lock:
            if generation != self.generation:
                return
            self._records.pop(key_hash, None)
            while len(self._records) >= self._size:
                self._records.pop(next(iter(self._records)))
            self._records[key_hash] = record

    def claim_use(self, key_hash: str, record: KeyRecord, *, now: datetime, every: timedelta) -> bool:
        """True for the one caller in this process that should write down that the key is in use."""
        with self._lock:
            current = self._records.get(key_hash, record)
            if current.last_used_at is not None and now - current.last_used_at < every:
                return False
            if key_hash in self._records:
                self._records[key_hash] = replace(current, last_used_at=now)
            return True

    def clear(self) -> None:
        """Forget everything: some key, store or merchant changed."""
        with self._lock:
            self.generation += 1
            self._records.clear()

    def __len__(self) -> int:
        return len(self._records)


key_cache = KeyCache()
