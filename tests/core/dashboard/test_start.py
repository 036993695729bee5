"""From signing up to a business of one's own."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from majuu_core.merchants.models import KycCase, Membership, Merchant
from majuu_core.testing.factories import make_user
from majuu_core.testing.people import sign_in
from tests.core.dashboard.conftest import Business


def test_a_newcomer_registers_a_business_and_owns_it(db: None) -> None:
    user = make_user()
    browser = Client()
    sign_in(browser, user)
    assert browser.get(reverse("dashboard:start"))["Location"] == reverse("dashboard:register")
    answer = browser.post(reverse("dashboard:register"), {"name": " Duka Mpya ", "country": "UG"})
    merchant = Merchant.objects.get(name="Duka Mpya")
    assert answer["Location"] == reverse("dashboard:overview", args=[merchant.public_id])
    assert (merchant.country.code, merchant.status) == ("UG", "pending")
    assert Membership.objects.get(merchant=merchant).role == "owner"
    assert KycCase.objects.get(merchant=merchant).state == "draft"
    assert browser.get(reverse("dashboard:start"))["Location"] == answer["Location"]


def test_a_business_needs_a_name_and_a_country_that_exists(business: Business) -> None:
    before = Merchant.objects.count()
    answer = business.browser("owner").post(reverse("dashboard:register"), {"name": "", "country": "XX"})
    assert answer.status_code == 422
    assert Merchant.objects.count() == before


def test_who_has_two_businesses_chooses(business: Business) -> None:
    Membership.objects.create(merchant=business.elsewhere, user=business.people["owner"], role="viewer")
    page = business.browser("owner").get(reverse("dashboard:start")).content.decode()
    assert business.url("overview") in page
    assert reverse("dashboard:overview", args=[business.elsewhere.public_id]) in page


def test_the_mode_is_kept_and_begins_live_for_an_approved_business(business: Business) -> None:
    browser = business.browser("viewer")
    assert "Latest live payments" in browser.get(business.url("overview")).content.decode()
    browser.get(business.url("overview"), {"mode": "test"})
    assert "Latest test payments" in browser.get(business.url("overview")).content.decode()
