"""Rotation: a new key at once, the old one for up to seven days; limits go over, and nobody gets two successors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from majuu_core.common.clock import VirtualClock
from majuu_core.merchants.api_keys import (
    authenticate,
    key_status,
    revoke_api_key,
    rotate_api_key,
    update_api_key,
)
from majuu_core.merchants.errors import ActionRefused, InvalidInput, KeyExpired
from majuu_core.merchants.models import ApiKey
from majuu_core.merchants.services import suspend_merchant, update_store
from majuu_core.testing.factories import make_api_key, make_user
from tests.core.merchants.support import actions_on, everything, last_entry

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
LIMITS: dict[str, Any] = {"allowed_addresses": ["10.0.0.0/8"], "rate_limit": 50, "monthly_quota": 1000}


def test_both_keys_work_until_the_overlap_ends(virtual_clock: VirtualClock) -> None:
    """given a key / when it is rotated with an overlap of 2 days / then the old one ends exactly then."""
    old = make_api_key()
    new = rotate_api_key(api_key=old.row, overlap=2 * DAY)
    virtual_clock.advance(2 * DAY - timedelta(seconds=1))
    assert {authenticate(key).key_id for key in (old.key, new.key)} == {old.row.pk, new.row.pk}
    virtual_clock.advance(1)
    with pytest.raises(KeyExpired):
        authenticate(old.key)
    assert authenticate(new.key).key_id == new.row.pk


def test_without_overlap_the_old_key_ends_at_once(virtual_clock: VirtualClock) -> None:
    old = make_api_key()
    authenticate(old.key)
    rotate_api_key(api_key=old.row, overlap=timedelta(0))
    with pytest.raises(KeyExpired):
        authenticate(old.key)


def test_everything_goes_over_but_the_key(virtual_clock: VirtualClock) -> None:
    user = make_user()
    ends = virtual_clock.now() + 90 * DAY
    old = make_api_key(scopes=["payments:read"], name="Till", expires_at=ends, **LIMITS)
    new = rotate_api_key(api_key=old.row, overlap=DAY, created_by=user)
    row = ApiKey.objects.get(pk=new.row.pk)
    assert (row.store_id, row.livemode, row.kind, row.name) == (old.row.store_id, False, "secret", "Till")
    assert (row.scopes, row.expires_at, row.created_by) == (["payments:read"], ends, user)
    assert {name: getattr(row, name) for name in LIMITS} == LIMITS
    assert (row.rotated_from_id, row.first_key_id) == (old.row.pk, old.row.pk)
    assert new.key != old.key
    before = ApiKey.objects.get(pk=old.row.pk)
    assert (before.rotated_at, before.expires_at) == (virtual_clock.now(), virtual_clock.now() + DAY)
    assert before.successor == row


def test_a_live_key_is_replaced_by_a_live_one(virtual_clock: VirtualClock) -> None:
    old = make_api_key(livemode=True)
    new = rotate_api_key(api_key=old.row, overlap=DAY)
    assert authenticate(new.key).livemode is True
    assert new.row.live_approval_id == old.row.live_approval_id is not None


def test_a_line_of_keys_shares_its_limits(virtual_clock: VirtualClock) -> None:
    first = make_api_key(rate_limit=5)
    second = rotate_api_key(api_key=first.row, overlap=DAY)
    third = rotate_api_key(api_key=second.row, overlap=DAY)
    identities = [authenticate(made.key) for made in (first, second, third)]
    assert [identity.first_key_id for identity in identities] == [first.row.pk] * 3
    assert [identity.rate_limit for identity in identities] == [5] * 3


def test_a_key_that_ends_sooner_ends_sooner(virtual_clock: VirtualClock) -> None:
    ends = virtual_clock.now() + timedelta(hours=1)
    old = make_api_key(expires_at=ends)
    rotate_api_key(api_key=old.row, overlap=7 * DAY)
    assert ApiKey.objects.get(pk=old.row.pk).expires_at == ends


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), 7 * DAY + timedelta(seconds=1)])
def test_an_overlap_has_0_to_7_days(overlap: timedelta) -> None:
    made = make_api_key()
    before = everything()
    with pytest.raises(InvalidInput) as caught:
        rotate_api_key(api_key=made.row, overlap=overlap)
    assert [(item.field, item.code) for item in caught.value.violations] == [("overlap", "out_of_range")]
    assert everything() == before


def rotated(row: ApiKey, clock: VirtualClock) -> None:
    rotate_api_key(api_key=row, overlap=DAY)


def revoked(row: ApiKey, clock: VirtualClock) -> None:
    revoke_api_key(api_key=row)


def expired(row: ApiKey, clock: VirtualClock) -> None:
    clock.advance(31 * DAY)


def suspended(row: ApiKey, clock: VirtualClock) -> None:
    suspend_merchant(merchant=row.store.merchant, reason="test")


def switched_off(row: ApiKey, clock: VirtualClock) -> None:
    update_store(store=row.store, is_active=False)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (rotated, "key_rotated"),
        (revoked, "key_revoked"),
        (expired, "key_expired"),
        (suspended, "merchant_suspended"),
        (switched_off, "store_inactive"),
    ],
)
def test_what_cannot_be_rotated(spoil: Any, code: str, virtual_clock: VirtualClock) -> None:
    made = make_api_key(livemode=True, expires_at=virtual_clock.now() + 30 * DAY)
    spoil(made.row, virtual_clock)
    before = everything()
    with pytest.raises(ActionRefused) as caught:
        rotate_api_key(api_key=made.row, overlap=DAY)
    assert caught.value.code == code
    assert everything() == before


def test_the_audit_log_tells_both_sides(virtual_clock: VirtualClock) -> None:
    old = make_api_key()
    new = rotate_api_key(api_key=old.row, overlap=DAY)
    assert actions_on(old.row.public_id) == ["api_key.created", "api_key.rotated"]
    assert last_entry().changes == {
        "expires_at": [None, "2026-01-06T09:00:00+00:00"],
        "successor": [None, new.row.public_id],
    }
    assert actions_on(new.row.public_id) == ["api_key.created"]
    assert new.key not in repr(everything())


def test_a_rotated_key_is_not_made_to_last_longer(virtual_clock: VirtualClock) -> None:
    old = make_api_key()
    rotate_api_key(api_key=old.row, overlap=DAY)
    before = everything()
    for later in (None, virtual_clock.now() + 2 * DAY):
        with pytest.raises(InvalidInput) as caught:
            update_api_key(api_key=old.row, expires_at=later)
        assert caught.value.code == "key_rotated"
    assert everything() == before
    sooner = virtual_clock.now() + timedelta(hours=1)
    assert update_api_key(api_key=old.row, expires_at=sooner).expires_at == sooner


def test_the_database_knows_of_rotation_too() -> None:
    first, second = make_api_key().row, make_api_key().row
    for pk, values in (
        (first.pk, {"rotated_at": first.created_at}),  # would never end
        (first.pk, {"rotated_from": first}),
        (first.pk, {"rate_limit": 0}),
        (first.pk, {"rate_limit": 100_001}),
        (first.pk, {"monthly_quota": 0}),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            ApiKey.objects.filter(pk=pk).update(**values)
    ApiKey.objects.filter(pk=first.pk).update(rotated_from=second)
    third = make_api_key().row
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.filter(pk=third.pk).update(rotated_from=second)


def test_status(virtual_clock: VirtualClock) -> None:
    row = make_api_key(expires_at=virtual_clock.now() + DAY).row
    assert key_status(row) == "active"
    virtual_clock.advance(DAY)
    assert key_status(row) == "expired"
    assert key_status(revoke_api_key(api_key=row)) == "revoked"
