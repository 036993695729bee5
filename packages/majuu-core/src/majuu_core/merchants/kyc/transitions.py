"""The states of a KYC case and who may move it from one to another. docs/explanation/kyc.md shows the same table."""

from __future__ import annotations

from enum import StrEnum

from majuu_core.merchants.errors import ActionRefused
from majuu_core.merchants.kyc_models import KycCase


class Mover(StrEnum):
    """Who moves a case."""

    MERCHANT = "merchant"
    REVIEWER = "reviewer"
    SECOND_REVIEWER = "second_reviewer"
    SYSTEM = "system"


_State = KycCase.State

TRANSITIONS: dict[tuple[str, str], Mover] = {
    (_State.DRAFT, _State.SUBMITTED): Mover.MERCHANT,
    (_State.NEEDS_MORE, _State.SUBMITTED): Mover.MERCHANT,
    (_State.REVERIFICATION_DUE, _State.SUBMITTED): Mover.MERCHANT,
    (_State.REJECTED, _State.DRAFT): Mover.MERCHANT,
    (_State.SUBMITTED, _State.IN_REVIEW): Mover.REVIEWER,
    (_State.IN_REVIEW, _State.NEEDS_MORE): Mover.REVIEWER,
    (_State.IN_REVIEW, _State.APPROVED): Mover.REVIEWER,
    (_State.IN_REVIEW, _State.REJECTED): Mover.REVIEWER,
    (_State.IN_REVIEW, _State.SECOND_REVIEW): Mover.REVIEWER,
    (_State.SECOND_REVIEW, _State.APPROVED): Mover.SECOND_REVIEWER,
    (_State.SECOND_REVIEW, _State.REJECTED): Mover.SECOND_REVIEWER,
    (_State.SECOND_REVIEW, _State.IN_REVIEW): Mover.SECOND_REVIEWER,
    (_State.APPROVED, _State.REVERIFICATION_DUE): Mover.SYSTEM,
}

# The business may change what it says only in these.
EDITABLE = frozenset({_State.DRAFT, _State.NEEDS_MORE, _State.REVERIFICATION_DUE})
# A reviewer has to do something about these.
WAITING = frozenset({_State.SUBMITTED, _State.IN_REVIEW, _State.SECOND_REVIEW})


def check_move(case: KycCase, to: str, mover: Mover) -> None:
    """Raises ActionRefused (``kyc_state``) when this mover cannot bring the case from where it is to ``to``."""
    if TRANSITIONS.get((case.state, to)) != mover:
        wanted = KycCase.State(to).label.lower()
        raise ActionRefused("kyc_state", f"The case is {case.get_state_display().lower()}: it cannot become {wanted}.")


def check_editable(case: KycCase) -> None:
    """Raises ActionRefused (``kyc_not_editable``) while staff have the case, or have decided about it."""
    if case.state not in EDITABLE:
        raise ActionRefused(
            "kyc_not_editable",
            f"The case is {case.get_state_display().lower()}: nothing in it can be changed now.",
        )
