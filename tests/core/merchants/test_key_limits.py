"""Where a key may be used from, and how its limits are changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.merchants.api_keys import authenticate, create_api_key, revoke_api_key, update_api_key
from majuu_core.merchants.errors import ActionRefused, AddressNotAllowed, InvalidInput
from majuu_core.merchants.key_limits import checked_networks, is_inside, parse_networks
from majuu_core.merchants.models import ApiKey
from majuu_core.testing.factories import make_api_key, make_store
from tests.core.merchants.support import actions_on, everything, last_entry

pytestmark = pytest.mark.django_db


def test_networks_are_written_one_way() -> None:
    given = [" 196.201.214.200 ", "10.0.0.0/8", "2001:db8::/48", "196.201.214.200/32", "2001:DB8:0:0::1"]
    assert checked_networks(given) == ["196.201.214.200", "10.0.0.0/8", "2001:db8::/48", "2001:db8::1"]
    assert checked_networks([]) == []


@pytest.mark.parametrize(
    "given", [["nonsense"], ["10.0.0.1/8"], ["10.0.0.0/33"], ["10.0.0.0-10.0.0.9"], [""], "10.0.0.1", ["::/0"] * 51]
)
def test_what_is_no_list_of_networks(given: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_networks(given)
    assert (caught.value.code, caught.value.field) == ("invalid_address", "allowed_addresses")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.1.2.3", True),
        ("11.1.2.3", False),
        ("196.201.214.200", True),
        ("196.201.214.201", False),
        ("2001:db8::5", True),
        ("2001:db9::5", False),
        ("::ffff:10.1.2.3", True),
        ("::ffff:11.1.2.3", False),
        ("", False),
        ("nonsense", False),
    ],
)
def test_inside_and_outside(address: str, expected: bool) -> None:
    assert is_inside(address, parse_networks(["10.0.0.0/8", "196.201.214.200", "2001:db8::/48"])) is expected


def test_a_key_opens_only_from_its_addresses() -> None:
    made = make_api_key(allowed_addresses=["10.0.0.0/8"])
    assert authenticate(made.key, address="10.9.8.7").key_id == made.row.pk
    for address in ("196.201.214.200", "", "2001:db8::1"):
        with pytest.raises(AddressNotAllowed):
            authenticate(made.key, address=address)


def test_a_refused_address_is_audited_once_an_hour(virtual_clock: VirtualClock) -> None:
    """given a key for one network / when it is tried from two others all the time / then four entries in two hours."""
    made = make_api_key(allowed_addresses=["10.0.0.0/8"])
    for _ in range(2):
        for address in ("196.201.214.200", "41.90.1.1", "196.201.214.200"):
            with pytest.raises(AddressNotAllowed):
                authenticate(made.key, address=address)
        virtual_clock.advance(timedelta(hours=1))
    found = AuditEntry.objects.filter(action="api_key.address_refused").order_by("created_at", "remote_addr")
    assert [(entry.remote_addr, entry.actor_type, entry.actor_id) for entry in found] == [
        ("196.201.214.200", "key", made.row.public_id),
        ("41.90.1.1", "key", made.row.public_id),
    ] * 2
    assert {entry.object_id for entry in found} == {made.row.public_id}
    assert ApiKey.objects.get().last_used_at is None


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"allowed_addresses": ["x"]}, "allowed_addresses", "invalid_address"),
        ({"rate_limit": 0}, "rate_limit", "out_of_range"),
        ({"rate_limit": 100_001}, "rate_limit", "out_of_range"),
        ({"rate_limit": True}, "rate_limit", "out_of_range"),
        ({"rate_limit": "5"}, "rate_limit", "out_of_range"),
        ({"monthly_quota": 0}, "monthly_quota", "out_of_range"),
        ({"monthly_quota": 2_000_000_001}, "monthly_quota", "out_of_range"),
        ({"scopes": ["nonsense"]}, "scopes", "invalid_scope"),
    ],
)
def test_limits_that_cannot_be(values: dict[str, Any], field: str, code: str) -> None:
    store = make_store()
    made = make_api_key(store=store)
    before = everything()
    for refused in (
        lambda: create_api_key(store=store, livemode=False, **values),
        lambda: update_api_key(api_key=made.row, **values),
    ):
        with pytest.raises(InvalidInput) as caught:
            refused()
        assert [(item.field, item.code) for item in caught.value.violations] == [(field, code)]
    assert everything() == before


def test_changed_limits_hold_with_the_next_request() -> None:
    made = make_api_key()
    authenticate(made.key, address="41.90.1.1")
    update_api_key(api_key=made.row, allowed_addresses=["10.0.0.0/8"], rate_limit=7, monthly_quota=9)
    with pytest.raises(AddressNotAllowed):
        authenticate(made.key, address="41.90.1.1")
    identity = authenticate(made.key, address="10.0.0.1")
    assert (identity.rate_limit, identity.monthly_quota) == (7, 9)


def test_a_change_is_audited_with_before_and_after() -> None:
    made = make_api_key(rate_limit=5)
    update_api_key(api_key=made.row, name="Till", rate_limit=None, allowed_addresses=["10.0.0.0/8"])
    assert actions_on(made.row.public_id) == ["api_key.created", "api_key.updated"]
    assert last_entry().changes == {
        "name": ["", "Till"],
        "rate_limit": [5, None],
        "allowed_addresses": [[], ["10.0.0.0/8"]],
    }
    before = everything()
    update_api_key(api_key=made.row, name="Till")
    assert everything() == before


def test_a_revoked_key_is_not_changed() -> None:
    made = make_api_key()
    revoke_api_key(api_key=made.row)
    before = everything()
    with pytest.raises(ActionRefused) as caught:
        update_api_key(api_key=made.row, name="x")
    assert caught.value.code == "key_revoked"
    with pytest.raises(TypeError, match="livemode"):
        update_api_key(api_key=made.row, livemode=True)
    assert everything() == before


def test_the_limits_of_a_new_key_are_audited() -> None:
    make_api_key(rate_limit=5, monthly_quota=100, allowed_addresses=["10.0.0.1"])
    changes = last_entry().changes
    assert changes["rate_limit"] == [None, 5]
    assert changes["monthly_quota"] == [None, 100]
    assert changes["allowed_addresses"] == [None, ["10.0.0.1"]]
