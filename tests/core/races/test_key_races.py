"""API keys under pressure: two rotations at once, a quota's last requests, and a revocation seen by another process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from majuu_core.audit.models import AuditEntry
from majuu_core.common import clock
from majuu_core.merchants.api_keys import authenticate, revoke_api_key, rotate_api_key, update_api_key
from majuu_core.merchants.client_tokens import authenticate_token, grant_token
from majuu_core.merchants.errors import ActionRefused, KeyRevoked
from majuu_core.merchants.key_addresses import SeenAddresses, note_use
from majuu_core.merchants.key_quota import QuotaTakings
from majuu_core.merchants.key_usage import UsageBuffer
from majuu_core.merchants.models import ApiKey, ApiKeyAddress, ApiKeyMonth, ApiKeyUsage
from majuu_core.merchants.services import suspend_merchant
from majuu_core.testing.factories import make_api_key
from tests.core.races.threads import answers, at_once

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
DAY = timedelta(days=1)


def test_two_rotations_at_once_make_one_successor() -> None:
    made = make_api_key()
    results = at_once([lambda: rotate_api_key(api_key=made.row, overlap=DAY)] * 4)
    refused = [item for item in results if isinstance(item, ActionRefused)]
    assert [item.code for item in refused] == ["key_rotated"] * 3
    assert ApiKey.objects.filter(rotated_from=made.row).count() == 1
    assert ApiKey.objects.count() == 2


def test_a_rotation_and_a_suspension_at_once_do_not_hang() -> None:
    """given a live key / when it is rotated while its business is suspended / then one goes first, and no live key is
    made after the suspension."""
    made = make_api_key(livemode=True)
    merchant = made.row.store.merchant
    results = at_once(
        [
            lambda: str(rotate_api_key(api_key=made.row, overlap=DAY).row.pk),
            lambda: str(suspend_merchant(merchant=merchant, reason="test").pk),
        ]
    )
    assert not isinstance(results[1], Exception)
    if isinstance(results[0], Exception):
        assert isinstance(results[0], ActionRefused)
        assert results[0].code == "merchant_suspended"
        assert ApiKey.objects.count() == 1


@pytest.mark.parametrize("turn", range(5))
def test_a_client_that_is_revoked_while_it_is_rotated_ends_whole(turn: int) -> None:
    """given an OAuth client / when its secret is replaced while it is revoked / then no secret of it is left."""
    made = make_api_key(kind="client")
    results = at_once(
        [
            lambda: str(rotate_api_key(api_key=made.row, overlap=DAY).row.pk),
            lambda: str(revoke_api_key(api_key=made.row).pk),
        ]
    )
    assert not isinstance(results[1], Exception)
    if isinstance(results[0], Exception):
        assert isinstance(results[0], ActionRefused)
        assert results[0].code == "key_revoked"
    assert not ApiKey.objects.filter(store=made.row.store, revoked_at=None).exists()


def test_a_token_granted_while_its_client_is_revoked_opens_nothing() -> None:
    made = make_api_key(kind="client")
    results = at_once(
        [
            lambda: grant_token(client_id=made.row.client_id, secret=made.key).token,
            lambda: str(revoke_api_key(api_key=made.row).pk),
        ]
    )
    if isinstance(results[0], Exception):
        assert isinstance(results[0], KeyRevoked)
    else:
        with pytest.raises(KeyRevoked):
            authenticate_token(results[0])


@pytest.mark.parametrize("processes", [1, 4])
def test_a_quotas_last_requests_are_let_in_once(processes: int) -> None:
    """given 60 requests left / when 8 threads of one or four processes make 160 / then exactly 60 are let in."""
    row = make_api_key(monthly_quota=60).row
    takings = [QuotaTakings() for _ in range(processes)]

    def use(number: int) -> int:
        own = takings[number % processes]
        return sum(own.use_one(first_key_id=row.pk, quota=60, now=clock.now()).allowed for _ in range(20))

    allowed = answers(at_once([partial(use, number) for number in range(8)]))
    assert sum(allowed) == 60
    assert ApiKeyMonth.objects.get().used == 60


def test_processes_that_count_at_once_lose_nothing() -> None:
    row = make_api_key().row

    def count() -> None:
        buffer = UsageBuffer()
        for _ in range(10):
            buffer.add(row.pk, now=clock.now())
            buffer.write()

    answers(at_once([count] * 6))
    assert ApiKeyUsage.objects.get().requests == 60


def test_processes_that_see_a_first_use_at_once_write_one_entry() -> None:
    """given a key used from two addresses / when four processes see both at once / then each has one entry"""
    identity = authenticate(make_api_key().key)

    def use() -> None:
        seen = SeenAddresses()
        for address in ("196.201.214.200", "41.90.1.1"):
            note_use(identity, address=address, client="shop/1", seen=seen)
        seen.write()

    answers(at_once([use] * 4))
    found = AuditEntry.objects.filter(action="api_key.used").values_list("remote_addr", flat=True)
    assert sorted(found) == ["196.201.214.200", "41.90.1.1"]
    assert ApiKeyAddress.objects.count() == 2


def test_a_revocation_and_a_change_at_once_leave_the_key_revoked() -> None:
    made = make_api_key()
    at_once(
        [
            lambda: revoke_api_key(api_key=made.row).pk,
            lambda: update_api_key(api_key=made.row, name="changed").pk,
        ]
    )
    with pytest.raises(KeyRevoked):
        authenticate(made.key)


_CHILD = """
import json, sys
import django
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
from majuu_core.merchants.api_keys import authenticate, revoke_api_key
from majuu_core.merchants.errors import KeyRefused
from majuu_core.merchants.models import ApiKey
for line in sys.stdin:
    what, key = json.loads(line)
    try:
        if what == "revoke":
            revoke_api_key(api_key=ApiKey.objects.get(last4=key))
        print(json.dumps("revoked" if what == "revoke" else str(authenticate(key).key_id)), flush=True)
    except KeyRefused as problem:
        print(json.dumps(problem.code), flush=True)
"""


@contextmanager
def another_process() -> Iterator[Any]:
    """A worker that has its own memory and its own connection; call it with what to do and a key."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": str(django_settings.SETTINGS_MODULE),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-c", _CHILD, str(connection.settings_dict["NAME"])]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    assert child.stdin is not None
    assert child.stdout is not None

    def ask(what: str, key: str) -> str:
        child.stdin.write(json.dumps([what, key]) + "\n")  # type: ignore[union-attr]
        child.stdin.flush()  # type: ignore[union-attr]
        answer: str = json.loads(child.stdout.readline())  # type: ignore[union-attr]
        return answer

    try:
        yield ask
    finally:
        child.stdin.close()
        child.stdout.close()
        child.wait(30)


def test_the_next_request_with_a_revoked_key_is_refused_by_every_process() -> None:
    """given two processes that used a key a moment ago / when each revokes one / then the other refuses it at once."""
    first, second = make_api_key(), make_api_key()
    with another_process() as ask:
        for made in (first, second):
            assert ask("use", made.key) == str(made.row.pk)
            assert authenticate(made.key).key_id == made.row.pk
        revoke_api_key(api_key=first.row)
        assert ask("use", first.key) == "key_revoked"
        assert ask("revoke", second.row.last4) == "revoked"
    with pytest.raises(KeyRevoked):
        authenticate(second.key)
