"""Same key and same body: one effect, same answer. Same key and another body: refused."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from majuu_core.common import clock
from majuu_core.common.crypto import Cipher, DecryptionError
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.configuration import encryption_keys
from majuu_core.idempotency.models import IdempotencyKey

KEEP = timedelta(hours=96)  # promise P1 asks for 72 at least
LOCK = timedelta(seconds=90)
MAX_KEY_LENGTH = 255
_SEALED = "m1."


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestIdentity:
    """One request under one key."""

    store_id: uuid.UUID
    livemode: bool
    key: str
    request_hash: str


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What was answered the first time."""

    status: int
    body: str


@dataclass(frozen=True, slots=True)
class Begun:
    """The request may go on; finish or release it. ``taken_over`` when an earlier one died half-way."""

    row_id: uuid.UUID
    locked_until: datetime
    taken_over: bool


def hash_request(method: str, path: str, body: bytes) -> str:
    """What two requests must share to be the same one."""
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).hexdigest()


def check_key(key: str) -> str:
    """The key, if it can be one. Raises Invalid."""
    if not key or len(key) > MAX_KEY_LENGTH or not key.isascii() or not key.isprintable():
        raise Invalid(
            "idempotency_key_invalid",
            f"Idempotency-Key must be 1 to {MAX_KEY_LENGTH} printable ASCII characters, e.g. a UUID.",
            field="Idempotency-Key",
        )
    return key


def build_finished(identity: RequestIdentity, *, status: int, body: str) -> IdempotencyKey:
    """A row that already holds its answer: the guard of a batch whose effect and answer are written together."""
    return IdempotencyKey(
        store_id=identity.store_id,
        livemode=identity.livemode,
        key=identity.key,
        request_hash=identity.request_hash,
        state=IdempotencyKey.State.FINISHED,
        locked_until=None,
        response_status=status,
        response_body=body,
        created_at=clock.now(),
    )


def find_answer(identity: RequestIdentity) -> StoredAnswer | None:
    """The stored answer, None when the key is new.

    Raises Conflict: ``idempotency_key_reused`` for another body, ``idempotency_key_in_use`` while the first request
    still runs.
    """
    row = _find(identity)
    return None if row is None else _answer(row, identity)


def begin_request(identity: RequestIdentity) -> Begun | StoredAnswer:
    """Take the key for a request whose effect needs more than one transaction. Raises Conflict as find_answer does."""
    now = clock.now()
    ends = now + LOCK
    row = IdempotencyKey(
        store_id=identity.store_id,
        livemode=identity.livemode,
        key=identity.key,
        request_hash=identity.request_hash,
        locked_until=ends,
        created_at=now,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return _join(identity)
    return Begun(row.pk, ends, taken_over=False)


def finish_request(begun: Begun, *, status: int, body: str, secret: bool = False) -> None:
    """Store the answer; whoever asks again gets it. ``secret`` answers are encrypted.

    A run that was taken over meanwhile stores nothing: the answer of the other one counts.
    """
    stored = _cipher().encrypt(body.encode(), bound_to=str(begun.row_id)) if secret else body
    _mine(begun).update(
        state=IdempotencyKey.State.FINISHED, locked_until=None, response_status=status, response_body=stored
    )


def release_request(begun: Begun) -> None:
    """Forget the key: the request was refused before it had any effect, and may be sent again."""
    _mine(begun).delete()


def purge_keys() -> int:
    """Remove keys older than KEEP; returns how many."""
    return IdempotencyKey.objects.filter(created_at__lt=clock.now() - KEEP).delete()[0]


def _mine(begun: Begun) -> QuerySet[IdempotencyKey]:
    return IdempotencyKey.objects.filter(
        pk=begun.row_id, state=IdempotencyKey.State.IN_PROGRESS, locked_until=begun.locked_until
    )


def _cipher() -> Cipher:
    return Cipher(encryption_keys(), "idempotent-answer")


def _opened(row: IdempotencyKey) -> str:
    """The stored body; JSON never begins as an encrypted value does."""
    if not row.response_body.startswith(_SEALED):
        return row.response_body
    try:
        return _cipher().decrypt(row.response_body, bound_to=str(row.pk)).decode()
    except DecryptionError:
        raise Conflict(
            "idempotency_answer_lost",
            "The first answer cannot be read any more. Use a new key.",
            field="Idempotency-Key",
        ) from None


def _find(identity: RequestIdentity) -> IdempotencyKey | None:
    return IdempotencyKey.objects.filter(
        store_id=identity.store_id, livemode=identity.livemode, key=identity.key
    ).first()


def _answer(row: IdempotencyKey, identity: RequestIdentity) -> StoredAnswer:
    if row.request_hash != identity.request_hash:
        raise Conflict(
            "idempotency_key_reused",
            "This Idempotency-Key was used with another request. Use a new key for a new request.",
            field="Idempotency-Key",
        )
    if row.state != IdempotencyKey.State.FINISHED or row.response_status is None:
        raise Conflict(
            "idempotency_key_in_use",
            "The first request with this Idempotency-Key is still running. Ask again in a moment.",
            field="Idempotency-Key",
            retry_after=2,
        )
    return StoredAnswer(row.response_status, _opened(row))


def _join(identity: RequestIdentity) -> Begun | StoredAnswer:
    row = _find(identity)
    if row is None:  # released between our insert and our look: free again
        return begin_request(identity)
    now = clock.now()
    expired = row.state == IdempotencyKey.State.IN_PROGRESS and row.locked_until and row.locked_until <= now
    if expired and row.request_hash == identity.request_hash:
        ends = now + LOCK
        taken = IdempotencyKey.objects.filter(pk=row.pk, locked_until=row.locked_until).update(locked_until=ends)
        if taken == 1:
            return Begun(row.pk, ends, taken_over=True)
    return _answer(row, identity)
