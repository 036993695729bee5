"""Owners invite, change roles and take people out."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from majuu_core.merchants.invitations import invite
from majuu_core.merchants.models import Invitation, Membership
from majuu_core.testing.factories import make_user
from majuu_core.testing.people import sign_in
from tests.core.dashboard.conftest import Business


def test_an_invited_person_follows_the_link_and_joins(business: Business) -> None:
    business.browser("owner").post(business.url("team"), {"email": "asha@example.com", "role": "finance"})
    found = re.search(r"http://testserver(/dashboard/invitations/\w+/)", str(mail.outbox[-1].body))
    assert found is not None
    asha = make_user(email="asha@example.com")
    EmailAddress.objects.create(user=asha, email=asha.email, verified=True, primary=True)
    browser = Client()
    assert browser.get(found[1])["Location"].startswith(reverse("account_login"))
    sign_in(browser, asha)
    assert "finance" in browser.get(found[1]).content.decode()
    assert Membership.objects.filter(user=asha).count() == 0  # looking is not joining
    assert browser.post(found[1])["Location"] == business.url("overview")
    assert Membership.objects.get(user=asha).role == "finance"
    assert browser.get(found[1]).status_code == 404


def test_somebody_else_with_the_link_does_not_join(business: Business) -> None:
    made = invite(merchant=business.merchant, email="asha@example.com", role="owner")
    browser = business.browser("stranger")
    address = reverse("dashboard:invitation", args=[made.token])
    assert (browser.get(address).status_code, browser.post(address).status_code) == (403, 403)
    assert Membership.objects.filter(merchant=business.merchant).count() == 4


def test_a_mail_that_cannot_be_sent_is_said(business: Business, settings: object) -> None:
    settings.EMAIL_BACKEND = "nowhere.Backend"  # type: ignore[attr-defined]
    answer = business.browser("owner").post(business.url("team"), {"email": "asha@example.com", "role": "viewer"})
    assert answer.status_code == 422
    assert "could not be sent" in answer.content.decode()


def test_roles_change_and_people_leave(business: Business) -> None:
    browser = business.browser("owner")
    viewer = Membership.objects.get(user=business.people["viewer"])
    browser.post(business.url("team_act", str(viewer.pk), "role"), {"role": "developer"})
    viewer.refresh_from_db()
    assert viewer.role == "developer"
    browser.post(business.url("team_act", str(viewer.pk), "remove"))
    assert Membership.objects.filter(pk=viewer.pk).count() == 0
    assert business.browser("viewer").get(business.url("overview")).status_code == 404


def test_the_last_owner_cannot_leave(business: Business) -> None:
    browser = business.browser("owner")
    owner = Membership.objects.get(user=business.people["owner"], merchant=business.merchant)
    answer = browser.post(business.url("team_act", str(owner.pk), "remove"), follow=True)
    assert "keeps at least one owner" in answer.content.decode()
    assert Membership.objects.filter(pk=owner.pk).count() == 1


def test_a_member_of_another_business_is_not_touched(business: Business) -> None:
    theirs = Membership.objects.get(merchant=business.elsewhere)
    answer = business.browser("owner").post(business.url("team_act", str(theirs.pk), "role"), {"role": "viewer"})
    assert answer.status_code == 404
    theirs.refresh_from_db()
    assert theirs.role == "owner"


def test_an_invitation_is_withdrawn(business: Business) -> None:
    made = invite(merchant=business.merchant, email="asha@example.com", role="owner")
    other = invite(merchant=business.elsewhere, email="asha@example.com", role="owner")
    browser = business.browser("owner")
    browser.post(business.url("invitation_revoke", made.invitation.public_id))
    assert browser.post(business.url("invitation_revoke", other.invitation.public_id)).status_code == 404
    revoked = dict(Invitation.objects.values_list("merchant__name", "revoked_at"))
    assert (revoked["Duka Ltd"] is None, revoked["Elsewhere"] is None) == (False, True)


def test_invitations_are_no_way_to_fill_mailboxes(business: Business) -> None:
    browser = business.browser("owner")
    again = {"email": "asha@example.com", "role": "viewer"}
    for _ in range(5):
        assert browser.post(business.url("team"), again).status_code == 302
    mail.outbox.clear()
    refused = browser.post(business.url("team"), again | {"email": "ASHA@example.com"})
    assert (refused.status_code, "Too many requests" in refused.content.decode()) == (422, True)
    assert (len(mail.outbox), Invitation.objects.count()) == (0, 5)
    assert Invitation.objects.filter(revoked_at=None).count() == 1  # the last one stays good


def test_one_person_invites_so_many_a_day(business: Business, settings: Any) -> None:
    settings.MAJUU_RATE_LIMITS = {"invitation_sender": (2, timedelta(days=1))}
    browser = business.browser("owner")
    answers = [
        browser.post(business.url("team"), {"email": f"p{number}@example.com", "role": "viewer"}).status_code
        for number in range(3)
    ]
    assert answers == [302, 302, 422]
    assert (len(mail.outbox), Invitation.objects.count()) == (2, 2)
