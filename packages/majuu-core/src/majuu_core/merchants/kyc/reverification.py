"""Businesses whose details have to be confirmed again: found by the worker, told once."""

from __future__ import annotations

from django.db import transaction

from majuu_core.common import clock
from majuu_core.merchants.kyc import letters
from majuu_core.merchants.kyc.steps import lock_case, move
from majuu_core.merchants.kyc.transitions import Mover
from majuu_core.merchants.kyc_models import KycCase, KycDecision

_MOST = 200


def mark_due() -> int:
    """Mark approved cases whose day has come, and write to the businesses. Returns how many. Two workers may do it."""
    today = clock.now().date()
    due = KycCase.objects.filter(state=KycCase.State.APPROVED, next_review_on__lte=today).order_by("next_review_on")
    return sum(_mark(case) for case in due[:_MOST])


def _mark(case: KycCase) -> bool:
    with transaction.atomic():
        row = lock_case(case)
        if row.state != KycCase.State.APPROVED:
            return False
        move(row, KycCase.State.REVERIFICATION_DUE, Mover.SYSTEM, KycDecision.Kind.REVIEW_DUE, told="")
        letters.write(row, "due")
    return True
