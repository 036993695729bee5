"""What reviewers do with a case. The acting user must have the permission and not belong to the business; each step
is written down for good, and the business is told of what concerns it.

A case of high risk needs two people: the first yes brings it to ``second_review``.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db import transaction

from majuu_core.common import clock
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.merchants.errors import ActionRefused
from majuu_core.merchants.kyc import checklist, letters
from majuu_core.merchants.kyc.configuration import review_days
from majuu_core.merchants.kyc.screening import check_screened
from majuu_core.merchants.kyc.steps import (
    REVIEW,
    checked_reason,
    lock_case,
    move,
    note_step,
    reviewing_user,
    set_values,
)
from majuu_core.merchants.kyc.transitions import WAITING, Mover
from majuu_core.merchants.kyc_models import KycCase, KycDecision, KycDocument
from majuu_core.merchants.people import acting_person, require_second_person
from majuu_core.merchants.services import approve_merchant, suspend_merchant

_State, _Kind = KycCase.State, KycDecision.Kind


def take(*, case: KycCase) -> KycCase:
    """Make the acting reviewer the one who looks after the case. Raises Denied, Conflict, ActionRefused."""
    with transaction.atomic():
        row = lock_case(case)
        return _assign(row, reviewing_user(row))


def assign(*, case: KycCase, user: Any) -> KycCase:
    """Give the case to another reviewer. Raises Denied, Conflict, ActionRefused, Invalid when they may not review."""
    with transaction.atomic():
        row = lock_case(case)
        reviewing_user(row)
        if not user.is_active or not user.has_perm(REVIEW):
            raise Invalid("not_a_reviewer", "This person may not review KYC cases.", field="assignee")
        if row.merchant.memberships.filter(user=user).exists():
            raise Conflict("own_business", "This person belongs to the business: choose somebody else.")
        if row.decisions.filter(kind=_Kind.SUBMITTED, actor=f"user:{user.pk}").exists():
            raise Conflict("own_case", "This person handed the case in: choose somebody else.")
        return _assign(row, user)


def _assign(case: KycCase, user: Any) -> KycCase:
    _require_waiting(case)
    if case.assignee_id == user.pk and case.state != _State.SUBMITTED:
        return case
    text = f"To {user.get_username()}"
    if case.state == _State.SUBMITTED:
        move(case, _State.IN_REVIEW, Mover.REVIEWER, _Kind.ASSIGNED, reason=text, assignee=user)
    else:
        set_values(case, assignee=user)
        note_step(case, _Kind.ASSIGNED, reason=text)
    return case


def note(*, case: KycCase, text: str) -> KycDecision:
    """Keep a remark with the case, for staff only. Raises Denied, Conflict, Invalid."""
    remark = checked_reason(text, field="text")
    with transaction.atomic():
        row = lock_case(case)
        reviewing_user(row)
        return note_step(row, _Kind.NOTED, reason=remark)


def set_risk(*, case: KycCase, risk: str, reason: str) -> KycCase:
    """Say how risky the business is. Raises Denied, Conflict, Invalid, ActionRefused.

    Who lowers a high risk cannot be the one who approves alone afterwards.
    """
    why = checked_reason(reason)
    if risk not in KycCase.Risk.values:
        raise Invalid("invalid_choice", "There is no such risk.", field="risk")
    with transaction.atomic():
        row = lock_case(case)
        reviewing_user(row)
        if row.state not in (_State.SUBMITTED, _State.IN_REVIEW):
            raise ActionRefused("kyc_state", "The risk is set before somebody has approved the case.")
        if row.risk != risk:
            before = row.risk
            set_values(row, risk=risk)
            note_step(row, _Kind.RISK_SET, reason=why, from_state=before, to_state=risk)
    return row


def ask_for_more(*, case: KycCase, text: str) -> KycCase:
    """Give the case back to the business, which is written what is missing. Raises Denied, Conflict, Invalid,
    ActionRefused.
    """
    wanted = checked_reason(text, field="text")
    with transaction.atomic():
        row = lock_case(case)
        reviewing_user(row)
        move(row, _State.NEEDS_MORE, Mover.REVIEWER, _Kind.ASKED_FOR_MORE, reason=wanted, told=wanted)
        letters.write(row, "needs_more", text=wanted)
    return row


def approve(*, case: KycCase, reason: str = "", seen_state: str = "") -> KycCase:
    """Say yes. Approving what is approved changes nothing. ``seen_state`` is what the person saw: nothing is done when
    the case has moved since.

    Raises Denied, Conflict (own business; the second yes by the person of the first), ActionRefused (a resemblance is
    open or confirmed; something is missing; not compared with the lists yet).
    """
    with transaction.atomic():
        row = lock_case(case)
        reviewing_user(row)
        if row.state == _State.APPROVED:
            return row
        _check_seen(row, seen_state)
        if row.state == _State.SECOND_REVIEW:
            require_second_person(row.first_approver)
            _check_ready(row)
            return _approve(row, Mover.SECOND_REVIEWER, reason)
        _check_ready(row)
        if row.risk == KycCase.Risk.HIGH:
            move(
                row,
                _State.SECOND_REVIEW,
                Mover.REVIEWER,
                _Kind.FIRST_APPROVAL,
                reason=reason[:1000],
                first_approver=acting_person(),
                assignee=None,
            )
            return row
        _check_did_not_lower(row)
        return _approve(row, Mover.REVIEWER, reason)


def send_back(*, case: KycCase, reason: str) -> KycCase:
    """The second reviewer does not agree yet: the case is in review again. Raises Denied, Conflict, Invalid,
    ActionRefused.
    """
    why = checked_reason(reason)
    with transaction.atomic():
        row = lock_case(case)
        reviewing_user(row)
        if row.state == _State.SECOND_REVIEW:
            require_second_person(row.first_approver)
        move(row, _State.IN_REVIEW, Mover.SECOND_REVIEWER, _Kind.SENT_BACK, reason=why, first_approver="")
    return row


def reject(*, case: KycCase, reason: str, seen_state: str = "") -> KycCase:
    """Say no; the business is written the reason, and one that was approved before is suspended. Rejecting what is
    rejected changes nothing. Raises Denied, Conflict, Invalid, ActionRefused.
    """
    why = checked_reason(reason)
    with transaction.atomic():
        row = lock_case(case)
        reviewing_user(row)
        if row.state == _State.REJECTED:
            return row
        _check_seen(row, seen_state)
        mover = Mover.REVIEWER
        if row.state == _State.SECOND_REVIEW:
            require_second_person(row.first_approver)
            mover = Mover.SECOND_REVIEWER
        values = {"told": why, "decided_at": clock.now(), "next_review_on": None, "assignee": None}
        move(row, _State.REJECTED, mover, _Kind.REJECTED, reason=why, **values)
        letters.write(row, "rejected", text=why)
        if row.merchant.status == row.merchant.Status.APPROVED:
            suspend_merchant(merchant=row.merchant, reason=f"KYC case {row.public_id} was rejected")
    return row


def judge_document(*, document: KycDocument, accept: bool, reason: str = "") -> KycDocument:
    """Accept or refuse one document; a refusal needs a reason. Raises Denied, Conflict, Invalid, ActionRefused."""
    why = reason[:1000] if accept else checked_reason(reason)
    wanted = KycDocument.State.ACCEPTED if accept else KycDocument.State.REFUSED
    with transaction.atomic():
        case = lock_case(document.case)
        reviewing_user(case)
        _require_waiting(case)
        row = KycDocument.objects.select_for_update().get(pk=document.pk)
        if row.state == KycDocument.State.WITHDRAWN:
            raise ActionRefused("kyc_document_withdrawn", "The business has withdrawn this document.")
        if row.state != wanted:
            row.state = wanted
            row.save(update_fields=["state"])
            kind = _Kind.DOCUMENT_ACCEPTED if accept else _Kind.DOCUMENT_REFUSED
            note_step(case, kind, reason=why, subject=row.public_id)
    return row


def _approve(case: KycCase, mover: Mover, reason: str) -> KycCase:
    now = clock.now()
    move(
        case,
        _State.APPROVED,
        mover,
        _Kind.APPROVED,
        reason=reason[:1000],
        decided_at=now,
        next_review_on=next_review(case.risk, now.date()),
        told="",
        assignee=None,
    )
    approve_merchant(merchant=case.merchant)
    letters.write(case, "approved")
    return case


def next_review(risk: str, today: date) -> date:
    """When a business approved today is asked again."""
    return today + timedelta(days=review_days(risk))


def _require_waiting(case: KycCase) -> None:
    if case.state not in WAITING:
        raise ActionRefused("kyc_state", f"The case is {case.get_state_display().lower()}: there is nothing to review.")


def _check_seen(case: KycCase, seen_state: str) -> None:
    if seen_state and seen_state != case.state:
        raise Conflict("kyc_moved", f"The case is {case.get_state_display().lower()} by now. Look at it again.")


def _check_ready(case: KycCase) -> None:
    check_screened(case)
    if missing := checklist.missing(case, accepted_only=True):
        raise ActionRefused("kyc_incomplete", f"Something is not done yet: {missing[0].text}")


def _check_did_not_lower(case: KycCase) -> None:
    # Since the last approval: handing the case in anew does not make it somebody else's doing.
    lowered = case.decisions.filter(kind=_Kind.RISK_SET, from_state=KycCase.Risk.HIGH, actor=acting_person())
    approved = case.decisions.filter(kind=_Kind.APPROVED).order_by("-pk").first()
    if approved is not None:
        lowered = lowered.filter(pk__gt=approved.pk)
    if lowered.exists():
        raise Conflict("second_person_required", "You lowered the risk: somebody else has to approve the case.")
