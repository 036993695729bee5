"""What a person decides about a charge that no question and no callback could settle."""

from __future__ import annotations

from majuu_core.audit.services import build_entry
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.database.batch import WriteBatch
from majuu_core.payments.models import Charge
from majuu_core.payments.representation import asked_amount
from majuu_core.payments.settling import apply_result
from majuu_core.payments.transitions import OPEN_CHARGE
from majuu_core.providers import Failure, FailureCode, Result, ResultStatus


def resolve_charge(*, charge: Charge, succeeded: bool, reason: str, receipt: str = "") -> Charge:
    """Settle an open charge by hand, as the provider's statement shows it; an authorized one too, once it is parked.

    ``succeeded`` books the amount that was asked for; otherwise the hold is released and the customer may try again.
    The decision and its reason are audited. If the provider later says that a charge held for failed has succeeded,
    that still counts. Raises Conflict for a charge that is settled, Invalid without a reason.
    """
    if len(reason.strip()) < 5:
        raise Invalid(
            "reason_missing", "Say what the decision rests on, e.g. the line of the statement.", field="reason"
        )
    gave_up = charge.status == Charge.Status.AUTHORIZED and charge.is_parked
    if charge.status not in OPEN_CHARGE and not gave_up:
        raise Conflict("charge_settled", f"The charge is {charge.status} already.")
    result = _paid(charge, receipt) if succeeded else _not_paid(reason)
    entry = build_entry(
        action="charge.resolved",
        object_id=charge.public_id,
        merchant_id=charge.payment_intent.store.merchant_id,
        store_id=charge.payment_intent.store_id,
        changes={"outcome": [charge.status, result.status.value], "reason": reason.strip(), "receipt": receipt},
    )

    def extend(batch: WriteBatch) -> None:
        batch.insert(entry)

    return apply_result(charge_id=charge.pk, result=result, extend=extend).charge


def _paid(charge: Charge, receipt: str) -> Result:
    return Result(status=ResultStatus.SUCCEEDED, amount=asked_amount(charge), receipt=receipt or None)


def _not_paid(reason: str) -> Result:
    failure = Failure(code=FailureCode.PROCESSING_ERROR, provider_code="resolved_by_hand", message=reason.strip())
    return Result(status=ResultStatus.FAILED, failure=failure)
