"""From where secret keys are used: the first use from an address on a day (UTC) leaves an audit entry, no other does.

A process notes a key, an address and a day once, and writes what it noted a few seconds later, with one of the requests
that follow or when it ends: the first request does not wait for it. One that is killed loses what it has not written.
The row that says "seen today" is unique, so two processes at once write one entry. Publishable keys are left out: they
are used from customers' browsers, and the trail must not become a list of who looked at a shop.
"""

from __future__ import annotations

import logging
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from django.db import DatabaseError, IntegrityError, transaction

from majuu_core.audit.services import Actor, acting_as, record_entry
from majuu_core.common import clock
from majuu_core.common.redaction import redact_text
from majuu_core.common.storable import storable
from majuu_core.merchants.api_keys import KeyIdentity, key_public_id
from majuu_core.merchants.key_usage import WRITTEN_EVERY, at_process_end
from majuu_core.merchants.key_usage_models import ApiKeyAddress
from majuu_core.throttling.services import address_key

MOST_REMEMBERED = 20_000
LONGEST_CLIENT = 80
KEPT_DAYS = 2
_log = logging.getLogger("majuu.api_keys")


@dataclass(frozen=True, slots=True, kw_only=True)
class _FirstUse:
    identity: KeyIdentity
    address: str
    counted_as: str
    day: date
    client: str
    request_id: str


@dataclass(slots=True)
class SeenAddresses:
    """What one process knows of a day, and what it has yet to write. Bounded; safe between threads."""

    size: int = MOST_REMEMBERED
    _days: dict[tuple[uuid.UUID, str], date] = field(default_factory=dict)
    _waiting: list[_FirstUse] = field(default_factory=list)
    _since: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def claim(self, key_id: uuid.UUID, address: str, day: date) -> bool:
        """True for the one caller that should note the use; the oldest that is remembered is forgotten for it."""
        name = key_id, address
        if self._days.get(name) == day:  # what nearly every request comes to
            return False
        with self._lock:
            if self._days.get(name) == day or len(self._waiting) >= self.size:
                return False
            self._days.pop(name, None)
            while len(self._days) >= self.size:
                self._days.pop(next(iter(self._days)))
            self._days[name] = day
            return True

    def wait(self, use: _FirstUse, now: datetime) -> None:
        """Keep a use until it is time to write."""
        with self._lock:
            self._waiting.append(use)
            self._since = self._since or now

    def is_due(self, now: datetime) -> bool:
        """True when something has waited for some seconds, or the clock was put back."""
        since = self._since
        return since is not None and not timedelta(0) <= now - since < WRITTEN_EVERY

    def write(self) -> None:
        """Write the entries that wait. What the database refuses is kept for the next time."""
        with self._lock:
            taken, self._waiting, self._since = self._waiting, [], None
        for number, use in enumerate(taken):
            try:
                _write(use)
            except IntegrityError:
                _log.warning("the first use of an API key that is gone was not written")
            except DatabaseError as problem:
                name = type(problem).__name__
                _log.warning("the first use of an API key from an address was not written: %s", name)
                self._put_back(taken[number:])
                return

    def forget(self) -> None:
        """Know nothing. For tests."""
        with self._lock:
            self._days.clear()
            self._waiting, self._since = [], None

    def _put_back(self, uses: list[_FirstUse]) -> None:
        with self._lock:
            self._waiting = uses + self._waiting
            self._since = self._since or clock.now()


seen_addresses = SeenAddresses()


at_process_end(seen_addresses.write, "the first uses of API keys from addresses were not written")


def note_use(
    identity: KeyIdentity, *, address: str, client: str, request_id: str = "", seen: SeenAddresses = seen_addresses
) -> None:
    """Note the use if it is the day's first of a secret key from this address; write what was noted some seconds ago.

    A client's access tokens count together, as a use of its secret by the client. IPv6 counts by networks of 64 bits,
    as everywhere; the entry names the very address. ``client`` is the User-Agent; its first 80 characters are kept.
    """
    now = clock.now()
    counted_as, day = address_key(address), now.astimezone(UTC).date()
    if identity.is_secret and seen.claim(identity.key_id, counted_as, day):
        use = _FirstUse(
            identity=identity, address=address, counted_as=counted_as, day=day, client=client, request_id=request_id
        )
        seen.wait(use, now)
    if seen.is_due(now):
        seen.write()


def forget_old_addresses() -> int:
    """Delete what is only kept to tell a day's first use. Returns how many rows. The trail keeps the entries."""
    before = clock.now().astimezone(UTC).date() - timedelta(days=KEPT_DAYS)
    deleted, _ = ApiKeyAddress.objects.filter(day__lt=before).delete()
    return deleted


def _write(use: _FirstUse) -> None:
    kind, holder = use.identity.holder
    actor = Actor(type=kind, id=holder, remote_addr=use.address, request_id=use.request_id)
    row = ApiKeyAddress(api_key_id=use.identity.key_id, day=use.day, address=use.counted_as)
    with transaction.atomic(), acting_as(actor):
        if _is_first(row):
            _record(use.identity, use.client)


def _is_first(row: ApiKeyAddress) -> bool:
    """Whether nobody had this row before. Who comes second waits until the first one's entry is written."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def _record(identity: KeyIdentity, client: str) -> None:
    record_entry(
        action="api_key.used",
        object_id=key_public_id(identity.key_id),
        merchant_id=identity.merchant_id,
        store_id=identity.store_id,
        changes={"client": storable(redact_text(client), LONGEST_CLIENT)},
    )
