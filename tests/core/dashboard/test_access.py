"""Who is let in where: strangers nowhere, members as far as their role goes, and nobody past a second factor."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from majuu_core.audit.models import AuditEntry
from majuu_core.merchants.access import ACCESS, Action, may
from majuu_core.merchants.models import ApiKey, Membership, Store
from tests.core.dashboard.conftest import ROLES, Business

# Page: the roles that may look at it.
PAGES: dict[str, set[str]] = {
    "overview": set(ROLES),
    "settings": set(ROLES),
    "stores": set(ROLES),
    "payments": set(ROLES),
    "disputes": set(ROLES),
    "store_new": {"owner", "developer"},
    "keys": {"owner", "developer"},
    "key_new": {"owner", "developer"},
    "webhooks": {"owner", "developer"},
    "webhook_new": {"owner", "developer"},
    "kyc": {"owner"},
    "kyc_business": {"owner"},
    "kyc_people": {"owner"},
    "kyc_person_new": {"owner"},
    "kyc_account": {"owner"},
    "kyc_documents": {"owner"},
    "team": {"owner"},
}


@pytest.mark.parametrize("role", ROLES)
def test_every_role_sees_its_pages_and_no_others(business: Business, role: str) -> None:
    browser = business.browser(role)
    found = {page: browser.get(business.url(page)).status_code for page in PAGES}
    assert found == {page: 200 if role in roles else 403 for page, roles in PAGES.items()}


def test_for_a_stranger_the_business_does_not_exist(business: Business) -> None:
    browser = business.browser("stranger")
    assert {browser.get(business.url(page)).status_code for page in PAGES} == {404}
    before = AuditEntry.objects.count()
    answer = browser.post(business.url("store_new"), {"name": "Mine", "default_currency": "KES"})
    assert answer.status_code == 404
    assert (Store.objects.filter(name="Mine").count(), AuditEntry.objects.count()) == (0, before)


def test_a_row_of_another_business_does_not_exist_here(business: Business) -> None:
    store = Store.objects.create(merchant=business.elsewhere, name="Theirs", code="theirs")
    answer = business.browser("owner").post(business.url("store_edit", store.public_id), {"name": "Taken"})
    assert answer.status_code == 404
    store.refresh_from_db()
    assert store.name == "Theirs"


@pytest.mark.parametrize("role", ["developer", "finance", "viewer"])
def test_who_may_not_change_changes_nothing(business: Business, role: str) -> None:
    browser = business.browser(role)
    member = Membership.objects.get(user=business.people[role])
    before = AuditEntry.objects.count()
    answers = [
        browser.post(business.url("settings"), {"name": "Mine now"}),
        browser.post(business.url("team"), {"email": "friend@example.com", "role": "owner"}),
        browser.post(business.url("team_act", str(member.pk), "role"), {"role": "owner"}),
        browser.post(business.url("kyc_act", "open")),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4
    member.refresh_from_db()
    business.merchant.refresh_from_db()
    assert (member.role, business.merchant.name) == (role, "Duka Ltd")
    assert AuditEntry.objects.count() == before


def test_nobody_signed_out_is_let_in(business: Business) -> None:
    answer = Client().get(business.url("overview"))
    assert (answer.status_code, answer["Location"]) == (
        302,
        f"{reverse('account_login')}?next={business.url('overview').replace('/', '%2F')}",
    )


def test_an_owner_without_a_second_factor_sets_one_up_first(business: Business) -> None:
    answer = business.browser("owner", verified=False).get(business.url("overview"))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("two_factor:setup"))


def test_a_viewer_needs_none(business: Business) -> None:
    assert business.browser("viewer", verified=False).get(business.url("overview")).status_code == 200


def test_a_key_is_made_only_right_after_the_second_factor(business: Business) -> None:
    browser = business.browser("owner", fresh=False)
    sent = {"store": business.store.public_id, "kind": "secret"}
    answer = browser.post(business.url("key_new"), sent)
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("majuu_confirm"))
    assert ApiKey.objects.count() == 0


def test_pages_are_kept_by_nobody(business: Business) -> None:
    answer = business.browser("owner").get(business.url("overview"))
    assert answer["Cache-Control"] == "no-store"
    assert "script-src 'self';" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"


def test_forms_without_their_token_are_refused(business: Business) -> None:
    browser = business.browser("owner")
    browser.handler.enforce_csrf_checks = True
    assert browser.post(business.url("settings"), {"name": "Mine now"}).status_code == 403
    business.merchant.refresh_from_db()
    assert business.merchant.name == "Duka Ltd"


def test_the_table_of_roles_knows_every_role_and_owners_may_all() -> None:
    assert set(ACCESS) == set(Membership.Role.values)
    assert all(may("owner", action) for action in Action)
    assert [action for action in Action if may("viewer", action)] == [Action.READ]
    assert not may("", Action.READ)
