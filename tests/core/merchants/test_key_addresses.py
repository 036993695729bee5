"""Where keys are used from: one audit entry for a key, an address and a day, whoever counts and however often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from pytest_django import DjangoAssertNumQueries

from majuu_core.audit.models import AuditEntry
from majuu_core.common import clock
from majuu_core.common.clock import VirtualClock
from majuu_core.merchants import key_addresses
from majuu_core.merchants.api_keys import KeyIdentity, authenticate, key_public_id
from majuu_core.merchants.client_tokens import authenticate_token, grant_token
from majuu_core.merchants.key_addresses import SeenAddresses, forget_old_addresses, note_use, seen_addresses
from majuu_core.merchants.models import ApiKeyAddress
from majuu_core.testing.factories import make_api_key

pytestmark = pytest.mark.django_db
HERE, THERE = "196.201.214.200", "41.90.1.1"


def used(
    identity: KeyIdentity,
    address: str = HERE,
    client: str = "curl/8.5.0",
    seen: SeenAddresses = seen_addresses,
    **how: Any,
) -> None:
    """A use that is written at once."""
    note_use(identity, address=address, client=client, seen=seen, **how)
    seen.write()


def entries() -> list[tuple[str, str]]:
    """The keys and addresses that the trail says were used."""
    rows = AuditEntry.objects.filter(action="api_key.used").order_by("pk")
    return list(rows.values_list("object_id", "remote_addr"))


def test_the_first_use_from_an_address_leaves_one_entry(virtual_clock: VirtualClock) -> None:
    """given a new key / when it is used thrice from one address / then one entry says who, where, and with what"""
    identity = authenticate(make_api_key().key)
    for _ in range(3):
        used(identity, request_id="req-1")
    entry = AuditEntry.objects.get(action="api_key.used")
    assert (entry.actor_type, entry.actor_id, entry.object_id) == ("key", *[key_public_id(identity.key_id)] * 2)
    assert (entry.merchant_id, entry.store_id) == (identity.merchant_id, identity.store_id)
    assert (entry.remote_addr, entry.request_id) == (HERE, "req-1")
    assert (entry.changes, entry.personal) == ({"client": "curl/8.5.0"}, {})


def test_tokens_of_a_client_count_together_in_the_client_s_name(virtual_clock: VirtualClock) -> None:
    """given two access tokens of one client / when both are used from one address / then one entry names the client"""
    made = make_api_key(kind="client")
    for _ in range(2):
        used(authenticate_token(grant_token(client_id=made.row.client_id, secret=made.key).token))
    entry = AuditEntry.objects.get(action="api_key.used")
    assert (entry.actor_type, entry.actor_id) == ("client", made.row.client_id)
    assert entry.object_id == made.row.public_id


def test_another_address_another_key_and_another_day_leave_theirs(virtual_clock: VirtualClock) -> None:
    first, second = authenticate(make_api_key().key), authenticate(make_api_key().key)
    for identity, address in [(first, HERE), (first, THERE), (second, HERE), (first, HERE)]:
        used(identity, address)
    ids = key_public_id(first.key_id), key_public_id(second.key_id)
    assert entries() == [(ids[0], HERE), (ids[0], THERE), (ids[1], HERE)]
    virtual_clock.advance(timedelta(days=1))
    used(first)
    used(first)
    assert entries()[3:] == [(ids[0], HERE)]


def test_a_day_begins_at_midnight_utc(settings: Any) -> None:
    settings.TIME_ZONE = "Africa/Nairobi"
    identity = authenticate(make_api_key().key)
    moments = [(20, 59), (21, 1), (23, 59)]
    for hour, minute in moments:
        with clock.use_clock(VirtualClock(datetime(2026, 1, 5, hour, minute, tzinfo=UTC))):
            used(identity)
    assert len(entries()) == 1
    with clock.use_clock(VirtualClock(datetime(2026, 1, 6, 0, 0, tzinfo=UTC))):
        used(identity)
    assert len(entries()) == 2


def test_a_network_of_ipv6_counts_once_and_the_entry_names_the_address() -> None:
    identity = authenticate(make_api_key().key)
    for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"):
        used(identity, address)
    assert [address for _, address in entries()] == ["2001:db8::1", "2001:db8:0:1::1"]


def test_a_second_process_writes_nothing() -> None:
    """given two processes that know nothing of each other / when each sees the first use / then one entry is there"""
    identity = authenticate(make_api_key().key)
    for _ in range(2):
        used(identity, seen=SeenAddresses())
    assert len(entries()) == 1


def test_a_later_request_asks_nobody(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    identity = authenticate(make_api_key().key)
    used(identity)
    with django_assert_num_queries(0):
        used(identity)


def test_the_first_request_waits_for_no_entry(
    virtual_clock: VirtualClock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """given a first use / when others follow / then it is written with the one that comes five seconds later"""
    first, second = authenticate(make_api_key().key), authenticate(make_api_key().key)
    with django_assert_num_queries(0):
        note_use(first, address=HERE, client="")
        virtual_clock.advance(4)
        note_use(second, address=HERE, client="")
    assert entries() == []
    virtual_clock.advance(1)
    note_use(second, address=HERE, client="")
    assert entries() == [(key_public_id(first.key_id), HERE), (key_public_id(second.key_id), HERE)]


def test_a_key_that_is_gone_holds_up_no_other(virtual_clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """given the uses of two keys, one of which cannot be written ever / when written / then the other one is"""
    first, second = authenticate(make_api_key().key), authenticate(make_api_key().key)
    record = key_addresses._record

    def refuse(identity: KeyIdentity, client: str) -> None:
        if identity == first:
            raise IntegrityError("gone")
        record(identity, client)

    monkeypatch.setattr(key_addresses, "_record", refuse)
    note_use(first, address=HERE, client="")
    used(second)
    assert entries() == [(key_public_id(second.key_id), HERE)]


def test_a_publishable_key_leaves_no_entry(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    identity = authenticate(make_api_key(kind="publishable").key)
    with django_assert_num_queries(0):
        used(identity)
    assert not ApiKeyAddress.objects.exists()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("x" * 300, "x" * 80),
        ("", ""),
        ("shop\x00/1", "shop\N{REPLACEMENT CHARACTER}/1"),
        ("shop sk_test_0123456789abcdef", "shop [redacted]"),
    ],
)
def test_the_client_is_shortened_and_tells_no_secret(sent: str, kept: str) -> None:
    used(authenticate(make_api_key().key), client=sent)
    assert AuditEntry.objects.get(action="api_key.used").changes == {"client": kept}


def test_a_database_that_refuses_stops_no_request(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    """given a database that cannot be written / when a key is used / then it goes on, and the next use is written"""
    identity = authenticate(make_api_key().key)

    def refuse(*given: Any) -> None:
        raise OperationalError("read-only")

    with monkeypatch.context() as broken:
        broken.setattr(key_addresses, "_record", refuse)
        used(identity)
    assert (entries(), ApiKeyAddress.objects.count()) == ([], 0)
    assert [record.message for record in caplog.records] == [
        "the first use of an API key from an address was not written: OperationalError"
    ]
    used(identity)
    assert len(entries()) == 1


def test_memory_has_an_end() -> None:
    identity, seen = authenticate(make_api_key().key), SeenAddresses(size=2)
    for address in ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.1"):
        used(identity, address, seen=seen)
    assert [address for _, address in entries()] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]


def test_addresses_are_forgotten_and_entries_stay(virtual_clock: VirtualClock) -> None:
    """given uses on four days / when old addresses are forgotten / then two days and today are left, and all entries"""
    identity = authenticate(make_api_key().key)
    for day in range(4):
        virtual_clock.advance(timedelta(days=min(day, 1)))
        used(identity)
    assert forget_old_addresses() == 1
    assert (ApiKeyAddress.objects.count(), len(entries())) == (3, 4)
    seen_addresses.forget()
    used(identity)
    assert len(entries()) == 4
