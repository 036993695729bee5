"""Keys in the dashboard."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from majuu_core.common import clock
from majuu_core.merchants.api_keys import authenticate
from majuu_core.merchants.client_tokens import authenticate_token, grant_token
from majuu_core.merchants.errors import KeyRevoked
from majuu_core.merchants.models import ApiKey
from majuu_core.merchants.services import suspend_merchant
from majuu_core.testing.factories import make_api_key, make_merchant
from majuu_core.testing.people import sign_in
from tests.core.dashboard.conftest import Business

KEY = re.compile(r'id="secret">(\w+)<')


def test_a_key_is_shown_once_and_opens_the_door(business: Business) -> None:
    browser = business.browser("developer")
    sent = {"store": business.store.public_id, "kind": "secret", "name": "Shop", "scopes": "refunds:read"}
    answer = browser.post(business.url("key_new") + "?mode=live", sent)
    found = KEY.search(answer.content.decode())
    assert found is not None
    row = ApiKey.objects.get()
    assert (row.livemode, row.name, row.scopes) == (True, "Shop", ["refunds:read"])
    assert row.created_by == business.people["developer"]
    assert answer["Cache-Control"] == "no-store, private"
    assert authenticate(found[1]).key_id == row.pk
    for page in (business.url("keys"), business.url("key", row.public_id)):
        shown = browser.get(page).content.decode()
        assert found[1] not in shown
        assert str(row) in shown


def test_a_client_is_made_with_its_secret_and_revoked_as_a_whole(business: Business) -> None:
    """given a developer / when they make, rotate and revoke an OAuth client / then its secrets buy tokens so long"""
    browser = business.browser("developer")
    sent = {"store": business.store.public_id, "kind": "client", "name": "ERP", "scopes": "payments:read"}
    answer = browser.post(business.url("key_new") + "?mode=live", sent)
    found = KEY.search(answer.content.decode())
    row = ApiKey.objects.get()
    assert found is not None
    assert (row.kind, row.prefix, row.livemode) == ("client", "ck_live_", True)
    assert row.client_id in answer.content.decode()
    token = grant_token(client_id=row.client_id, secret=found[1]).token
    assert authenticate_token(token).scopes == {"payments:read"}
    shown = browser.get(business.url("key", row.public_id)).content.decode()
    assert row.client_id in shown
    assert found[1] not in shown
    rotated = KEY.search(browser.post(business.url("key_rotate", row.public_id), {"overlap": "3"}).content.decode())
    assert rotated is not None
    assert grant_token(client_id=row.client_id, secret=rotated[1]).scopes == ("payments:read",)
    browser.post(business.url("key_revoke", row.public_id))
    assert ApiKey.objects.filter(revoked_at=None).count() == 0
    with pytest.raises(KeyRevoked):
        authenticate_token(token)


def test_a_business_that_is_not_approved_gets_test_keys_only(business: Business) -> None:
    suspend_merchant(merchant=business.merchant, reason="test")
    browser = business.browser("owner")
    sent = {"store": business.store.public_id, "kind": "secret"}
    answer = browser.post(business.url("key_new") + "?mode=live", sent)
    assert answer.status_code == 422
    assert ApiKey.objects.count() == 0
    assert browser.post(business.url("key_new") + "?mode=test", sent).status_code == 200
    assert ApiKey.objects.get().livemode is False


def test_a_store_of_another_business_cannot_be_chosen(business: Business) -> None:
    other = make_api_key().row.store
    answer = business.browser("owner").post(business.url("key_new"), {"store": other.public_id, "kind": "secret"})
    assert answer.status_code == 422
    assert ApiKey.objects.filter(created_by=business.people["owner"]).count() == 0


def test_a_rotated_key_works_as_long_as_was_chosen(business: Business) -> None:
    made = make_api_key(store=business.store)
    answer = business.browser("owner").post(business.url("key_rotate", made.row.public_id), {"overlap": "3"})
    found = KEY.search(answer.content.decode())
    assert found is not None
    assert authenticate(found[1]).first_key_id == made.row.pk
    made.row.refresh_from_db()
    assert made.row.expires_at is not None
    assert timedelta(days=3) - timedelta(minutes=1) < made.row.expires_at - clock.now() <= timedelta(days=3)


def test_limits_are_changed_and_a_wrong_one_is_said(business: Business) -> None:
    made = make_api_key(store=business.store)
    browser = business.browser("owner")
    where = business.url("key_limits", made.row.public_id)
    assert browser.post(where, {"allowed_addresses": "not-an-address"}).status_code == 422
    answer = browser.post(where, {"allowed_addresses": "197.248.0.0/16 10.0.0.1", "rate_limit": "60", "scopes": "*"})
    assert answer["Location"] == business.url("key", made.row.public_id)
    made.row.refresh_from_db()
    assert (made.row.allowed_addresses, made.row.rate_limit) == (["197.248.0.0/16", "10.0.0.1"], 60)


def test_a_revoked_key_is_revoked(business: Business) -> None:
    made = make_api_key(store=business.store)
    business.browser("developer").post(business.url("key_revoke", made.row.public_id))
    made.row.refresh_from_db()
    assert made.row.revoked_at is not None


def test_a_strangers_key_is_not_touched(business: Business) -> None:
    theirs = make_api_key()
    browser = business.browser("owner")
    for name in ("key", "key_rotate", "key_limits", "key_revoke"):
        assert browser.post(business.url(name, theirs.row.public_id)).status_code in (404, 405)
    assert browser.get(business.url("key", theirs.row.public_id)).status_code == 404
    theirs.row.refresh_from_db()
    assert (theirs.row.revoked_at, theirs.row.rotated_at) == (None, None)


def test_a_business_without_a_store_is_told_to_open_one(business: Business) -> None:
    merchant = make_merchant(name="New", owner=business.people["stranger"])
    browser = business.browser("stranger")
    sign_in(browser, business.people["stranger"])
    business.merchant = merchant
    assert "Open a store first" in browser.get(business.url("keys")).content.decode()
