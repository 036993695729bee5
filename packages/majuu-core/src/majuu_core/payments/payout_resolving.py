"""What a person decides about a payout that no question and no message could settle."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from majuu_core.audit.services import build_entry
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.database.batch import WriteBatch
from majuu_core.payments.models import Payout
from majuu_core.payments.outgoing import apply_outgoing
from majuu_core.payments.payout_sending import PAYOUTS
from majuu_core.payments.transitions import OPEN_OUTGOING
from majuu_core.providers import Failure, FailureCode, Result, ResultStatus

MAX_REASON = 500


def resolve_payout(*, payout: Payout, succeeded: bool, reason: str, receipt: str = "") -> Payout:
    """Settle a payout by hand, as the provider's statement shows it: one that is open, or one that is parked.

    ``succeeded`` books the amount that was to be sent; otherwise the hold is released. The decision and its reason are
    audited, and the same doubt parks it no second time. If the provider later says that a payout held for failed was
    sent, that still counts. Raises Conflict when there is nothing to decide, Invalid without a reason.
    """
    if len(reason.strip()) < 5:
        text = "Say what the decision rests on, e.g. the line of the statement."
        raise Invalid("reason_missing", text, field="reason")
    payout.refresh_from_db()
    decided = Payout.Status.SUCCEEDED if succeeded else Payout.Status.FAILED
    if payout.status == Payout.Status.REQUIRES_APPROVAL:
        raise Conflict("payout_waits", "The payout waits for approval: approve or refuse it first.")
    if payout.status not in OPEN_OUTGOING and not payout.is_parked:
        raise Conflict("payout_settled", f"The payout is {payout.status} already.")
    if payout.status == Payout.Status.SUCCEEDED and not succeeded:
        raise Conflict("payout_settled", "The payout was sent, as the provider said; that cannot be undone here.")
    entry = build_entry(
        action="payout.resolved",
        object_id=payout.public_id,
        merchant_id=payout.store.merchant_id,
        store_id=payout.store_id,
        changes={"outcome": [payout.status, decided.value], "reason": reason.strip(), "receipt": receipt},
    )

    def extend(batch: WriteBatch) -> None:
        batch.insert(entry)

    with transaction.atomic():
        apply_outgoing(PAYOUTS, payout.pk, _result(succeeded, reason.strip(), receipt), extend=extend)
        # The reason stays: it tells what has been looked at.
        Payout.objects.filter(pk=payout.pk).update(is_parked=False, follow_up_at=None, send_at=None)
    return Payout.objects.get(pk=payout.pk)


def _result(succeeded: bool, reason: str, receipt: str) -> Result:
    if succeeded:
        details: dict[str, Any] = {"receipt": receipt} if receipt else {}
        return Result(status=ResultStatus.SUCCEEDED, **details)
    failure = Failure(code=FailureCode.PROCESSING_ERROR, provider_code="resolved_by_hand", message=reason[:MAX_REASON])
    return Result(status=ResultStatus.FAILED, failure=failure)
