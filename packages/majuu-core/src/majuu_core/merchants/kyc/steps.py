"""Writing down what was done to a case, and who may do what a reviewer does."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model

from majuu_core.audit.services import current_actor, record_entry
from majuu_core.common import clock
from majuu_core.common.problems import Conflict, Denied, Invalid
from majuu_core.common.storable import storable
from majuu_core.merchants.kyc.transitions import Mover, check_move
from majuu_core.merchants.kyc_models import KycCase, KycDecision
from majuu_core.merchants.people import acting_person

REVIEW = "majuu_merchants.review_kyccase"
MOST_REASON = 1000


def lock_case(case: KycCase) -> KycCase:
    """The row as it is now, locked until the transaction ends: the one lock of all KYC services."""
    return KycCase.objects.select_for_update().get(pk=case.pk)


def move(case: KycCase, to: str, mover: Mover, kind: str, *, reason: str = "", **values: Any) -> KycDecision:
    """Bring a locked case into another state, with these values, and write it down. Raises ActionRefused."""
    check_move(case, to, mover)
    before = case.state
    set_values(case, state=to, **values)
    return note_step(case, kind, reason=reason, from_state=before, to_state=to)


def set_values(case: KycCase, **values: Any) -> None:
    """Change columns of a locked case."""
    for name, value in values.items():
        setattr(case, name, value)
    case.updated_at = clock.now()
    case.save(update_fields=[*values, "updated_at"])


def note_step(
    case: KycCase, kind: str, *, reason: str = "", from_state: str = "", to_state: str = "", subject: str = ""
) -> KycDecision:
    """Write a step down, for good: in the case and in the audit trail, which does not repeat the reason."""
    step = KycDecision.objects.create(
        case=case, kind=kind, from_state=from_state, to_state=to_state, actor=acting_person()[:80], reason=reason
    )
    changes: dict[str, Any] = {"decision": str(step.pk)}
    if from_state or to_state:
        changes["risk" if kind == KycDecision.Kind.RISK_SET else "state"] = [from_state, to_state]
    if subject:
        changes["subject"] = subject
    record_case_entry(case, str(kind), changes)
    return step


def record_case_entry(case: KycCase, what: str, changes: dict[str, Any]) -> None:
    """An audit entry about a case. ``changes`` must not hold what the case keeps encrypted."""
    record_entry(action=f"kyc_case.{what}", object_id=case.public_id, merchant_id=case.merchant_id, changes=changes)


def checked_reason(text: str, *, field: str = "reason") -> str:
    """A reason that people can read later. Raises Invalid when there is none."""
    found = storable(" ".join(text.replace("\0", "").split(" ")).strip(), MOST_REASON)
    if not found:
        raise Invalid("reason_required", "Say why: it is kept with the case.", field=field)
    return found


def reviewing_user(case: KycCase) -> Any:
    """The acting user, who may review this case.

    Raises Denied for anybody who is not a signed-in user with the permission, Conflict for somebody of that business.
    """
    actor = current_actor()
    if actor.type != "user" or not actor.id.isdecimal():
        raise Denied("person_required", "A signed-in person has to do this, in the console.")
    user = get_user_model()._default_manager.filter(pk=int(actor.id), is_active=True).first()
    if user is None or not user.has_perm(REVIEW):
        raise Denied("review_not_allowed", "You may not review KYC cases.")
    if case.merchant.memberships.filter(user=user).exists():
        raise Conflict("own_business", "You belong to this business: somebody else has to review it.")
    if case.documents.filter(uploaded_by=user).exists():
        raise Conflict("own_document", "You uploaded a document of this case: somebody else has to review it.")
    if case.decisions.filter(kind=KycDecision.Kind.SUBMITTED, actor=acting_person()).exists():
        raise Conflict("own_case", "You handed this case in: somebody else has to review it.")
    return user
