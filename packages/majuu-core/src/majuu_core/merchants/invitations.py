"""Asking people to join a business by e-mail. A token is in the mail only; it works once, for 7 days."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import EmailValidator
from django.db import transaction
from django.template.loader import render_to_string
from django.views.decorators.debug import sensitive_variables

from majuu_core.audit.services import record_entry
from majuu_core.common import clock, crypto, randomness
from majuu_core.common.problems import Conflict, Denied, NotFound
from majuu_core.configuration import encryption_keys
from majuu_core.merchants.access import Action, may
from majuu_core.merchants.errors import ActionRefused, InvalidInput
from majuu_core.merchants.models import Invitation, Membership, Merchant
from majuu_core.merchants.saving import insert_row
from majuu_core.merchants.services import add_member
from majuu_core.providers.types import Violation

LIFETIME = timedelta(days=7)
MOST_OPEN = 20
_PURPOSE = "invitation"
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """A new invitation. ``token`` is for the mail and for nothing else."""

    invitation: Invitation
    token: str = field(repr=False)


@sensitive_variables("token")
def invite(*, merchant: Merchant, email: str, role: str, invited_by: Any = None) -> Invited:
    """Invite somebody. An open invitation of the same address is withdrawn by the new one.

    Raises InvalidInput, ActionRefused (``merchant_is_system``) and Conflict (``already_member``,
    ``too_many_invitations``).
    """
    address = _checked(email, role)
    token = randomness.encode_url_safe(randomness.secret_bytes(32))
    row = Invitation(
        merchant=merchant,
        email=address,
        role=role,
        token_hash=_hashes(token)[0],
        invited_by=invited_by,
        expires_at=clock.now() + LIFETIME,
    )
    with transaction.atomic():
        locked = Merchant.objects.select_for_update().get(pk=merchant.pk)
        if locked.is_system:
            raise ActionRefused("merchant_is_system", "Nobody can join the platform's own business.")
        _check_room(merchant, address)
        insert_row(row)
        _record(row, "invitation.created", {"role": [None, role]})
    return Invited(invitation=row, token=token)


@sensitive_variables("link", "text")
def send_invitation(*, invitation: Invitation, link: str) -> bool:
    """Mail the link. Outside any transaction. False when the mail could not be sent: invite them again then."""
    context = {"invitation": invitation, "merchant": invitation.merchant, "link": link, "days": LIFETIME.days}
    text = render_to_string("majuu_merchants/invitation.txt", context).strip() + "\n"
    name = " ".join(invitation.merchant.name.split())
    try:
        send_mail(f"Join {name} on Majuu"[:200], text, None, [invitation.email])
    except Exception:  # each mail backend has errors of its own
        logger.exception("invitation %s cannot be mailed", invitation.public_id)
        return False
    return True


@sensitive_variables("token")
def find_invitation(token: str) -> Invitation:
    """The open invitation with this token. Raises NotFound, whatever the reason."""
    found = Invitation.objects.select_related("merchant").filter(token_hash__in=_hashes(token[:200])).first()
    if found is None or not found.is_open(clock.now()) or not _has_force(found):
        raise NotFound("invitation_unknown", "This invitation does not exist, was used, was withdrawn or is too old.")
    return found


@sensitive_variables("token")
def accept_invitation(*, token: str, user: Any) -> Membership:
    """Join the business. Only for a user who has proved that the invited address is theirs.

    Raises NotFound, Denied (``other_address``), InvalidInput when they are a member already.
    """
    with transaction.atomic():
        found = find_invitation(token)
        Merchant.objects.select_for_update().get(pk=found.merchant_id)
        row = Invitation.objects.select_for_update().select_related("merchant").get(pk=found.pk)
        if not row.is_open(clock.now()) or not _has_force(row):
            raise NotFound("invitation_unknown", "This invitation was used or withdrawn.")
        if not has_address(user, row.email):
            raise Denied("other_address", "This invitation is for another e-mail address.")
        membership = add_member(merchant=row.merchant, user=user, role=row.role)
        row.accepted_at, row.accepted_by = clock.now(), user
        row.save(update_fields=["accepted_at", "accepted_by"])
        _record(row, "invitation.accepted", {"user": str(user.pk)})
    return membership


def revoke_invitation(*, invitation: Invitation) -> Invitation:
    """Withdraw an invitation: its link stops working. One that is over already stays as it is."""
    with transaction.atomic():
        row = Invitation.objects.select_for_update().get(pk=invitation.pk)
        if row.accepted_at is None and row.revoked_at is None:
            _revoke(row)
    return row


def has_address(user: Any, email: str) -> bool:
    """Whether the user has verified that this address is theirs."""
    return bool(EmailAddress.objects.filter(user=user, verified=True, email__iexact=email).exists())


def _has_force(row: Invitation) -> bool:
    """Whether who invited may still do so: whoever is taken out of a business leaves no way back in behind."""
    if row.invited_by_id is None:
        return True
    members = Membership.objects.filter(merchant=row.merchant_id, user=row.invited_by_id, user__is_active=True)
    return any(may(role, Action.TEAM) for role in members.values_list("role", flat=True))


def _checked(email: str, role: str) -> str:
    address = email.strip().lower()
    found = []
    try:
        EmailValidator()(address)
    except ValidationError:
        found.append(Violation(code="invalid", message="Enter an e-mail address.", field="email"))
    if role not in Membership.Role.values:
        found.append(Violation(code="invalid_choice", message="There is no such role.", field="role"))
    if found:
        raise InvalidInput(*found)
    return address


def _check_room(merchant: Merchant, address: str) -> None:
    members = merchant.memberships.values_list("user_id", flat=True)
    if EmailAddress.objects.filter(user_id__in=members, verified=True, email__iexact=address).exists():
        raise Conflict("already_member", "This person is a member already.", field="email")
    still_open = merchant.invitations.filter(accepted_at=None, revoked_at=None, expires_at__gt=clock.now())
    for earlier in still_open.filter(email=address):
        _revoke(earlier)
    if still_open.count() >= MOST_OPEN:
        message = f"At most {MOST_OPEN} invitations can be open. Withdraw one first."
        raise Conflict("too_many_invitations", message)


def _revoke(row: Invitation) -> None:
    row.revoked_at = clock.now()
    row.save(update_fields=["revoked_at"])
    _record(row, "invitation.revoked", {})


@sensitive_variables("token")
def _hashes(token: str) -> list[str]:
    return [crypto.keyed_hash(master, _PURPOSE, token.encode()).hex() for master in encryption_keys()]


def _record(row: Invitation, action: str, changes: dict[str, Any]) -> None:
    # Without the address: that is personal, and the trail is kept for long.
    record_entry(action=action, object_id=row.public_id, merchant_id=row.merchant_id, changes=changes)
