"""API keys in the console: made, rotated, limited and revoked by those who may and just showed their second factor."""

from __future__ import annotations

import html
import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.console.cells import address_of
from majuu_core.merchants import key_format
from majuu_core.merchants.api_keys import authenticate, revoke_api_key, rotate_api_key
from majuu_core.merchants.client_tokens import authenticate_token, grant_token
from majuu_core.merchants.errors import KeyRevoked
from majuu_core.merchants.models import ApiKey, ApiKeyMonth, ApiKeyUsage, Store
from majuu_core.testing.factories import make_api_key, make_merchant, make_store
from majuu_core.testing.people import sign_in
from tests.core.console.world import make_staff

pytestmark = pytest.mark.django_db

VIEW, ADD, CHANGE = (f"majuu_merchants.{name}_apikey" for name in ("view", "add", "change"))
NEW = {"name": "Web shop", "mode": "test", "kind": "secret", "scopes": "*"}


@pytest.fixture
def store(virtual_clock: VirtualClock) -> Store:
    return make_store()


def staff(*permissions: str, fresh: bool = True) -> Client:
    client = Client()
    sign_in(client, make_staff(*permissions), fresh=fresh)
    return client


def page(row: Store | ApiKey, name: str) -> str:
    return reverse(f"console:majuu_merchants_{row._meta.model_name}_{name}", args=[row.public_id])


def text_of(answer: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.content.decode())).split())


def shown_key(answer: Any) -> str:
    (key,) = re.findall(r'value="([spc]k_[^"]+)"', answer.content.decode())
    return str(key)


def keys() -> list[dict[str, Any]]:
    return [dict(row) for row in ApiKey.objects.order_by("pk").values()]


def test_a_new_key_is_shown_once_and_works(store: Store) -> None:
    client = staff("majuu_merchants.view_store", VIEW, ADD)
    assert "New API key …" in text_of(client.get(address_of(store)))
    form = client.get(page(store, "new_key"))
    assert form.status_code == 200
    answer = client.post(page(store, "new_key"), NEW | {"allowed_addresses": "10.0.0.1\n", "rate_limit": "50"})
    key = shown_key(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    assert key_format.is_well_formed(key)
    row = ApiKey.objects.get()
    assert authenticate(key, address="10.0.0.1").key_id == row.pk
    assert (row.name, row.livemode, row.scopes, row.rate_limit) == ("Web shop", False, ["*"], 50)
    assert row.created_by is not None
    entry = AuditEntry.objects.get(action="api_key.created")
    assert (entry.actor_type, entry.actor_id) == ("user", str(row.created_by_id))
    detail = client.get(address_of(row)).content.decode()
    assert key not in detail
    assert key[8:-4] not in detail


def test_a_client_is_made_and_shown_with_its_id(store: Store) -> None:
    """given staff who may make keys / when they make a client / then its id and, once, its secret are shown"""
    client = staff("majuu_merchants.view_store", VIEW, ADD, CHANGE)
    answer = client.post(page(store, "new_key"), NEW | {"kind": "client", "mode": "live"})
    row = ApiKey.objects.get()
    assert row.client_id in text_of(answer)
    assert "Client secret" in text_of(answer)
    token = grant_token(client_id=row.client_id, secret=shown_key(answer)).token
    assert authenticate_token(token).livemode
    detail = client.get(address_of(row))
    assert row.client_id in text_of(detail)
    assert shown_key(answer) not in detail.content.decode()
    found = client.get(reverse("console:majuu_merchants_apikey_changelist"), {"q": row.client_id})
    assert str(row) in text_of(found)
    client.post(page(row, "revoke"))
    with pytest.raises(KeyRevoked):
        authenticate_token(token)


def test_no_client_is_made_without_a_fresh_second_factor(store: Store) -> None:
    answer = staff(VIEW, ADD, fresh=False).post(page(store, "new_key"), NEW | {"kind": "client"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/confirm/")
    assert ApiKey.objects.count() == 0


def test_rotating_shows_the_new_key_and_ends_the_old(store: Store, virtual_clock: VirtualClock) -> None:
    old = make_api_key(store=store)
    answer = staff(VIEW, ADD, CHANGE).post(page(old.row, "rotate"), {"overlap": "3"})
    key = shown_key(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    assert authenticate(key).first_key_id == old.row.pk
    assert ApiKey.objects.get(pk=old.row.pk).expires_at == virtual_clock.now() + timedelta(days=3)


def test_limits_are_changed_and_what_is_not_touched_stays(store: Store, virtual_clock: VirtualClock) -> None:
    ends = virtual_clock.now() + timedelta(days=9, seconds=17)
    row = make_api_key(store=store, expires_at=ends, scopes=["payments:read"]).row
    client = staff(VIEW, CHANGE)
    source = client.get(page(row, "limits")).content.decode()
    assert "payments:read" in source
    sent = {
        "name": "Till",
        "scopes": "payments:read\npayments:write",
        "allowed_addresses": "10.0.0.0/8 2001:db8::/48",
        "rate_limit": "7",
        "monthly_quota": "900",
        "expires_at": "2026-01-14T09:00",
    }
    answer = client.post(page(row, "limits"), sent, follow=True)
    assert answer.redirect_chain == [(address_of(row), 302)]
    row.refresh_from_db()
    assert (row.name, row.scopes) == ("Till", ["payments:read", "payments:write"])
    assert (row.allowed_addresses, row.rate_limit, row.monthly_quota) == (["10.0.0.0/8", "2001:db8::/48"], 7, 900)
    assert row.expires_at == ends
    assert AuditEntry.objects.get(action="api_key.updated").changes["name"] == ["", "Till"]


def test_revoking(store: Store) -> None:
    row = make_api_key(store=store).row
    answer = staff(VIEW, CHANGE).post(page(row, "revoke"), follow=True)
    assert "The key is revoked." in text_of(answer)
    assert "Revoke" not in text_of(answer).replace("The key is revoked.", "").replace("Revoked", "")
    row.refresh_from_db()
    assert row.revoked_at is not None
    assert AuditEntry.objects.filter(action="api_key.revoked", actor_type="user").count() == 1
    assert staff(VIEW, CHANGE).get(page(row, "revoke")).status_code == 405


@pytest.mark.parametrize(
    ("name", "sent"), [("new_key", NEW), ("rotate", {"overlap": "0"}), ("limits", {"scopes": ""}), ("revoke", {})]
)
class TestWhoMayNot:
    """Every page, for everybody who must not get anywhere with it."""

    def subject(self, name: str) -> Store | ApiKey:
        row = make_api_key().row
        store: Store = row.store
        return store if name == "new_key" else row

    def test_without_permission(self, name: str, sent: dict[str, str]) -> None:
        subject, before = self.subject(name), keys()
        lacking = {"new_key": CHANGE, "rotate": CHANGE, "limits": ADD, "revoke": ADD}[name]
        assert staff(VIEW, lacking).post(page(subject, name), sent).status_code == 403
        assert keys() == before

    def test_without_a_fresh_second_factor(self, name: str, sent: dict[str, str]) -> None:
        subject, before = self.subject(name), keys()
        answer = staff(VIEW, ADD, CHANGE, fresh=False).post(page(subject, name), sent)
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("majuu_confirm"))
        assert keys() == before

    def test_who_is_not_staff(self, name: str, sent: dict[str, str]) -> None:
        subject, before = self.subject(name), keys()
        customer = Client()
        sign_in(customer, get_user_model().objects.create_user("customer"))
        answers = [client.post(page(subject, name), sent).status_code for client in (Client(), customer)]
        assert answers == [302, 403]
        assert keys() == before


@pytest.mark.parametrize(
    ("name", "sent", "words"),
    [
        ("new_key", NEW | {"scopes": "everything"}, "Give at most 50 scopes"),
        ("new_key", NEW | {"allowed_addresses": "10.0.0.300"}, '"10.0.0.300" is not an address'),
        ("new_key", NEW | {"rate_limit": "0"}, "Use a whole number from 1 to 100000."),
        ("new_key", NEW | {"expires_at": "2020-01-01T00:00"}, "This moment has passed."),
        ("new_key", NEW | {"mode": "live"}, "Live keys exist only for approved businesses."),
        ("rotate", {"overlap": "8"}, "less than or equal to 7"),
        ("limits", {"scopes": "", "monthly_quota": "-1"}, "Use a whole number from 1"),
    ],
)
def test_what_cannot_be_is_said_beside_the_field(
    name: str, sent: dict[str, str], words: str, virtual_clock: VirtualClock
) -> None:
    row = make_api_key(store=make_store(merchant=make_merchant(approved=False))).row
    before = keys()
    answer = staff(VIEW, ADD, CHANGE).post(page(row.store if name == "new_key" else row, name), sent)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert keys() == before


def test_a_key_that_is_over_offers_nothing(store: Store) -> None:
    rotated, revoked = make_api_key(store=store).row, make_api_key(store=store).row
    rotate_api_key(api_key=rotated, overlap=timedelta(days=1))
    revoke_api_key(api_key=revoked)
    client = staff(VIEW, ADD, CHANGE)
    assert "Rotate …" not in text_of(client.get(address_of(rotated)))
    assert "Change limits …" not in text_of(client.get(address_of(revoked)))
    again = client.post(page(rotated, "rotate"), {"overlap": "1"})
    assert (again.status_code, "has a successor already" in text_of(again)) == (422, True)


def test_use_and_quota_are_shown(store: Store, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    row = make_api_key(store=store, monthly_quota=2000).row
    ApiKeyUsage.objects.create(api_key=row, day=date(2026, 1, 4), requests=1234, refused=5)
    ApiKeyMonth.objects.create(api_key=row, month=date(2026, 1, 1), used=1240)
    answer = staff(VIEW).get(address_of(row))
    text = text_of(answer)
    assert "1,240 of 2,000 this month" in text
    assert '<progress class="mj-progress" max="2000" value="1240"' in answer.content.decode()
    assert "2026-01-04 1234 5 2026-01-03 0 0" in text
    assert "2025-12-07" in text
    assert "2025-12-06" not in text


def test_unknown_rows_are_not_found() -> None:
    client = staff(VIEW, ADD, CHANGE)
    for address in ("apikey/key_nonsense/rotate/", "apikey/x/limits/", "store/sto_nonsense/new_key/"):
        root = reverse("console:index") + "majuu_merchants/"
        assert client.get(root + address).status_code == 404
