"""What invitations know about a person: the address they were invited by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction

from majuu_core.merchants.invitation_models import Invitation
from majuu_core.merchants.invitations import revoke_invitation
from majuu_core.plugins.personal_data import Identity, PersonalData, PersonalRecord


def _find(identity: Identity, related: frozenset[str]) -> Iterable[PersonalRecord]:
    for row in Invitation.objects.filter(email__in=identity.emails).order_by("pk"):
        yield PersonalRecord(
            id=row.public_id,
            kind="Invitation",
            data={"email": row.email, "role": row.role, "created_at": row.created_at.isoformat()},
        )


def _erase(names: Sequence[str]) -> int:
    """The row stays, without the address; one that is open is withdrawn: nobody could accept it any more."""
    with transaction.atomic():
        rows = list(Invitation.objects.filter(pk__in=[Invitation.uuid_of(name) for name in names]).order_by("pk"))
        for row in rows:
            revoke_invitation(invitation=row)
        Invitation.objects.filter(pk__in=[row.pk for row in rows]).update(email="")
    return len(rows)


INVITATIONS = PersonalData(name="merchants.invitations", label="Invitations", find=_find, erase=_erase)
