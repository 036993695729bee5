"""Invitations: for one address, once, for a week."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail

from majuu_core.audit.models import AuditEntry
from majuu_core.common import clock
from majuu_core.common.problems import Conflict, Denied, NotFound
from majuu_core.merchants.errors import ActionRefused, InvalidInput
from majuu_core.merchants.invitations import (
    MOST_OPEN,
    accept_invitation,
    find_invitation,
    invite,
    revoke_invitation,
    send_invitation,
)
from majuu_core.merchants.models import Invitation, Membership
from majuu_core.merchants.services import add_member, change_role, intake_store, remove_member
from majuu_core.testing.factories import make_merchant, make_user

pytestmark = pytest.mark.django_db


def person(email: str, *, verified: bool = True) -> Any:
    user = make_user(email=email)
    EmailAddress.objects.create(user=user, email=email, verified=verified, primary=True)
    return user


def test_who_was_invited_joins_with_the_role() -> None:
    merchant = make_merchant()
    made = invite(merchant=merchant, email=" Asha@Example.com ", role="finance")
    assert made.invitation.email == "asha@example.com"
    user = person("asha@example.com")
    membership = accept_invitation(token=made.token, user=user)
    assert (membership.merchant, membership.role) == (merchant, "finance")
    row = Invitation.objects.get()
    assert (row.accepted_by, row.accepted_at is not None) == (user, True)
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions[-3:] == ["invitation.created", "membership.created", "invitation.accepted"]


def test_a_token_is_not_stored_and_not_audited() -> None:
    made = invite(merchant=make_merchant(), email="asha@example.com", role="viewer")
    assert made.token not in repr(made)
    assert made.token not in str(Invitation.objects.values().get())
    entries = str(list(AuditEntry.objects.values()))
    assert made.token not in entries
    assert "asha@example.com" not in entries


def test_the_mail_has_the_link() -> None:
    made = invite(merchant=make_merchant(name="Duka <Moja>"), email="asha@example.com", role="viewer")
    assert send_invitation(invitation=made.invitation, link="https://pay.example.com/x") is True
    letter = mail.outbox[0]
    assert (letter.to, letter.subject) == (["asha@example.com"], "Join Duka <Moja> on Majuu")
    assert "https://pay.example.com/x\n" in str(letter.body)
    assert "Duka <Moja> on Majuu as viewer" in str(letter.body)


@pytest.mark.parametrize("verified", [False, True])
def test_only_a_verified_address_that_was_invited_opens_it(verified: bool) -> None:
    made = invite(merchant=make_merchant(), email="asha@example.com", role="owner")
    user = person("asha@example.com" if not verified else "other@example.com", verified=verified)
    with pytest.raises(Denied) as refusal:
        accept_invitation(token=made.token, user=user)
    assert refusal.value.code == "other_address"
    assert Membership.objects.filter(user=user).count() == 0
    assert find_invitation(made.token) == made.invitation


def test_it_works_once() -> None:
    made = invite(merchant=make_merchant(), email="asha@example.com", role="viewer")
    user = person("asha@example.com")
    accept_invitation(token=made.token, user=user)
    with pytest.raises(NotFound):
        accept_invitation(token=made.token, user=user)
    assert Membership.objects.filter(user=user).count() == 1


def test_after_seven_days_it_is_over() -> None:
    time = clock.VirtualClock()
    with clock.use_clock(time):
        made = invite(merchant=make_merchant(), email="asha@example.com", role="viewer")
        user = person("asha@example.com")
        time.advance(timedelta(days=7) - timedelta(seconds=1))
        assert find_invitation(made.token) == made.invitation
        time.advance(1)
        with pytest.raises(NotFound):
            accept_invitation(token=made.token, user=user)
    assert Membership.objects.filter(user=user).count() == 0


def test_a_withdrawn_one_and_one_that_was_replaced_do_not_work() -> None:
    merchant = make_merchant()
    first = invite(merchant=merchant, email="asha@example.com", role="viewer")
    second = invite(merchant=merchant, email="ASHA@example.com", role="finance")
    with pytest.raises(NotFound):
        find_invitation(first.token)
    revoke_invitation(invitation=second.invitation)
    revoke_invitation(invitation=second.invitation)
    with pytest.raises(NotFound):
        find_invitation(second.token)
    assert AuditEntry.objects.filter(action="invitation.revoked").count() == 2


@pytest.mark.parametrize("what", ["removed", "downgraded", "switched off"])
def test_with_its_owner_an_invitation_loses_its_force(what: str) -> None:
    inviter, other = make_user(), make_user()
    merchant = make_merchant(owner=inviter)
    add_member(merchant=merchant, user=other, role="owner")
    made = invite(merchant=merchant, email="asha@example.com", role="owner", invited_by=inviter)
    assert find_invitation(made.token) == made.invitation
    if what == "removed":
        remove_member(merchant=merchant, user=inviter)
    elif what == "downgraded":
        change_role(merchant=merchant, user=inviter, role="viewer")
    else:
        inviter.is_active = False
        inviter.save()
    user = person("asha@example.com")
    members = merchant.memberships.count()
    with pytest.raises(NotFound) as refusal:
        accept_invitation(token=made.token, user=user)
    assert refusal.value.code == "invitation_unknown"
    with pytest.raises(NotFound):
        find_invitation(made.token)
    assert merchant.memberships.count() == members
    assert Invitation.objects.get().accepted_at is None


def test_guessing_finds_nothing() -> None:
    invite(merchant=make_merchant(), email="asha@example.com", role="viewer")
    for token in ("", "x", "x" * 5000, Invitation.objects.get().token_hash):
        with pytest.raises(NotFound):
            find_invitation(token)


def test_members_and_nonsense_are_not_invited() -> None:
    merchant = make_merchant()
    add_member(merchant=merchant, user=person("asha@example.com"), role="viewer")
    with pytest.raises(Conflict) as known:
        invite(merchant=merchant, email="Asha@example.com", role="owner")
    assert known.value.code == "already_member"
    with pytest.raises(InvalidInput) as wrong:
        invite(merchant=merchant, email="nobody", role="king")
    assert [item.field for item in wrong.value.violations] == ["email", "role"]
    with pytest.raises(ActionRefused) as system:
        invite(merchant=intake_store().merchant, email="x@example.com", role="owner")
    assert system.value.code == "merchant_is_system"
    assert Invitation.objects.count() == 0


def test_there_is_an_end_to_open_invitations() -> None:
    merchant = make_merchant()
    for number in range(MOST_OPEN):
        invite(merchant=merchant, email=f"p{number}@example.com", role="viewer")
    with pytest.raises(Conflict) as refusal:
        invite(merchant=merchant, email="one-more@example.com", role="viewer")
    assert refusal.value.code == "too_many_invitations"
    invite(merchant=merchant, email="p0@example.com", role="owner")  # takes the place of its earlier one
    assert merchant.invitations.filter(revoked_at=None).count() == MOST_OPEN


def test_the_last_owner_stays_owner() -> None:
    owner, other = make_user(), make_user()
    merchant = make_merchant(owner=owner)
    add_member(merchant=merchant, user=other, role="viewer")
    with pytest.raises(ActionRefused) as refusal:
        change_role(merchant=merchant, user=owner, role="viewer")
    assert refusal.value.code == "last_owner"
    assert change_role(merchant=merchant, user=other, role="owner").role == "owner"
    assert change_role(merchant=merchant, user=owner, role="viewer").role == "viewer"
    before = AuditEntry.objects.count()
    change_role(merchant=merchant, user=owner, role="viewer")
    assert AuditEntry.objects.count() == before


def test_a_role_is_given_to_members_only_and_has_to_exist() -> None:
    owner = make_user()
    merchant = make_merchant(owner=owner)
    with pytest.raises(NotFound):
        change_role(merchant=merchant, user=make_user(), role="viewer")
    with pytest.raises(InvalidInput):
        change_role(merchant=merchant, user=owner, role="king")
    assert Membership.objects.get(merchant=merchant).role == "owner"
