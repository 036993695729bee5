"""Merchants, their stores and their people: the one way to make and change them."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django.db import IntegrityError, transaction

from majuu_core.audit.services import record_entry
from majuu_core.common import clock, randomness
from majuu_core.common.problems import NotFound
from majuu_core.merchants.api_keys import forget_cached_keys
from majuu_core.merchants.errors import ActionRefused, InvalidInput
from majuu_core.merchants.models import KycCase, LiveApproval, Membership, Merchant, Store
from majuu_core.merchants.people import acting_person
from majuu_core.merchants.saving import insert_row, update_row
from majuu_core.providers.types import Violation

UPDATABLE_STORE_FIELDS = frozenset(
    {"name", "default_currency", "late_success", "is_active", "account_prefix", "auto_claim_score"}
)
INTAKE_CODE = "ADMIN_SHOP"


def create_merchant(*, name: str, country: str = "KE", owner: Any = None, is_system: bool = False) -> Merchant:
    """A new business, waiting for review; ``owner`` becomes its first member. Raises InvalidInput."""
    merchant = Merchant(name=name.strip(), country=country, is_system=is_system)
    with transaction.atomic():
        insert_row(merchant)
        record_entry(
            action="merchant.created",
            object_id=merchant.public_id,
            merchant_id=merchant.pk,
            changes={"name": [None, merchant.name], "country": [None, country]},
        )
        if owner is not None:
            add_member(merchant=merchant, user=owner, role=Membership.Role.OWNER)
    return merchant


def approve_merchant(*, merchant: Merchant) -> Merchant:
    """Let a business take live payments. A platform action. Approving an approved one changes nothing.

    A reviewed business is approved by kyc.review.approve, which comes here.
    """
    with transaction.atomic():
        row = _set_status(merchant, Merchant.Status.APPROVED, action="merchant.approved")
        _grant_live(row)
    return row


def _grant_live(merchant: Merchant) -> None:
    case = KycCase.objects.filter(merchant=merchant, state=KycCase.State.APPROVED).first()
    values = {"case": case, "approved_by": acting_person(), "approved_at": clock.now()}
    # What was approved without a case, and has one now, says so from now on.
    _, is_new = LiveApproval.objects.get_or_create(merchant=merchant, defaults=values)
    if not is_new and case is not None:
        LiveApproval.objects.filter(merchant=merchant).update(**values)


def suspend_merchant(*, merchant: Merchant, reason: str) -> Merchant:
    """Stop a business: its live keys are refused from now on (see api_keys.authenticate). ``reason`` is audited."""
    return _set_status(merchant, Merchant.Status.SUSPENDED, action="merchant.suspended", reason=reason)


def _set_status(merchant: Merchant, status: str, *, action: str, reason: str = "") -> Merchant:
    with transaction.atomic():
        row = Merchant.objects.select_for_update().get(pk=merchant.pk)
        changes: dict[str, Any] = update_row(row, {"status": status})
        if changes:
            details = {"reason": reason} if reason else {}
            record_entry(action=action, object_id=row.public_id, merchant_id=row.pk, changes=changes | details)
        forget_cached_keys()
    return row


def create_store(
    *,
    merchant: Merchant,
    name: str,
    code: str = "",
    default_currency: str = "KES",
    late_success: str = Store.LateSuccess.SUCCEED,
) -> Store:
    """A new point of sale. Without ``code`` one is made from the name. Raises InvalidInput."""
    store = Store(
        merchant=merchant,
        name=name.strip(),
        code=code or _free_code(name),
        default_currency=default_currency,
        late_success=late_success,
    )
    with transaction.atomic():
        insert_row(store)
        record_entry(
            action="store.created",
            object_id=store.public_id,
            merchant_id=merchant.pk,
            store_id=store.pk,
            changes={field: [None, getattr(store, field)] for field in ("name", "code", "default_currency")},
        )
    return store


def update_store(*, store: Store, **values: Any) -> Store:
    """Change the fields of UPDATABLE_STORE_FIELDS. Raises InvalidInput; a name that is none of them is a TypeError."""
    if foreign := values.keys() - UPDATABLE_STORE_FIELDS:
        raise TypeError(f"a store's {', '.join(sorted(foreign))} cannot be changed")
    with transaction.atomic():
        row = Store.objects.select_for_update().get(pk=store.pk)
        changes = update_row(row, values)
        if changes:
            record_entry(
                action="store.updated",
                object_id=row.public_id,
                merchant_id=row.merchant_id,
                store_id=row.pk,
                changes=changes,
            )
        forget_cached_keys()
    return row


def intake_store() -> Store:
    """The platform's store that owns money until somebody claims it. A migration makes it; a lost one is made anew.

    Its business is approved: its own stores may have live keys.
    """
    found = Store.objects.select_related("merchant").filter(code=INTAKE_CODE).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            owner = Merchant(name="Platform", status=Merchant.Status.APPROVED, is_system=True)
            owner.save(force_insert=True)
            LiveApproval.objects.create(merchant=owner, approved_by="system")
            store = Store(merchant=owner, name="Intake", code=INTAKE_CODE)
            store.save(force_insert=True)
            return store
    except IntegrityError:  # another process was faster
        return Store.objects.select_related("merchant").get(code=INTAKE_CODE)


def add_member(*, merchant: Merchant, user: Any, role: str) -> Membership:
    """Give a user a role in a business. Raises InvalidInput when they have one already or the role does not exist."""
    membership = Membership(merchant=merchant, user=user, role=role)
    with transaction.atomic():
        locked = Merchant.objects.select_for_update().get(pk=merchant.pk)
        if locked.is_system:
            raise ActionRefused("merchant_is_system", "Nobody can join the platform's own business.")
        insert_row(membership)
        _record_membership(membership, "membership.created", {"role": [None, role]})
    return membership


def change_role(*, merchant: Merchant, user: Any, role: str) -> Membership:
    """Give a member another role; the one they have already changes nothing. The last owner stays owner.

    Raises InvalidInput for a role that does not exist, NotFound for somebody who is no member, ActionRefused
    (``last_owner``).
    """
    if role not in Membership.Role.values:
        raise InvalidInput(Violation(code="invalid_choice", message="There is no such role.", field="role"))
    with transaction.atomic():
        Merchant.objects.select_for_update().get(pk=merchant.pk)
        membership = Membership.objects.filter(merchant=merchant, user=user).first()
        if membership is None:
            raise NotFound("member_unknown", "This person is not a member.")
        if role != Membership.Role.OWNER:
            _check_owner_remains(membership)
        changes = update_row(membership, {"role": role})
        if changes:
            _record_membership(membership, "membership.updated", changes)
    return membership


def update_merchant(*, merchant: Merchant, name: str) -> Merchant:
    """Change the name that people know the business by. Raises InvalidInput."""
    with transaction.atomic():
        row = Merchant.objects.select_for_update().get(pk=merchant.pk)
        changes = update_row(row, {"name": name.strip()})
        if changes:
            record_entry(action="merchant.updated", object_id=row.public_id, merchant_id=row.pk, changes=changes)
    return row


def remove_member(*, merchant: Merchant, user: Any) -> None:
    """Take a user's role away; nothing happens when they have none. The last owner stays: raises ActionRefused."""
    with transaction.atomic():
        # One lock for all changes to the members of a business, or two owners could remove each other.
        Merchant.objects.select_for_update().get(pk=merchant.pk)
        membership = Membership.objects.filter(merchant=merchant, user=user).first()
        if membership is None:
            return
        _check_owner_remains(membership)
        _record_membership(membership, "membership.removed", {"role": [membership.role, None]})
        membership.delete()


def _check_owner_remains(membership: Membership) -> None:
    owners = Membership.objects.filter(merchant=membership.merchant, role=Membership.Role.OWNER)
    if membership.role == Membership.Role.OWNER and not owners.exclude(pk=membership.pk).exists():
        raise ActionRefused("last_owner", "A business keeps at least one owner. Make somebody else owner first.")


def _record_membership(membership: Membership, action: str, changes: dict[str, Any]) -> None:
    merchant: Merchant = membership.merchant
    user = {"user": str(membership.user_id)}
    record_entry(action=action, object_id=merchant.public_id, merchant_id=merchant.pk, changes=changes | user)


def _free_code(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "store"
    if not Store.objects.filter(code=base).exists():
        return base
    return f"{base}-{randomness.encode_url_safe(randomness.id_bits(40).to_bytes(5, 'big'))}"
