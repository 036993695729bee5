"""Where a business stands, in words for the business itself. No name of a reviewer, no remark of staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from majuu_core.merchants.kyc import checklist
from majuu_core.merchants.kyc.transitions import EDITABLE
from majuu_core.merchants.kyc_models import KycCase
from majuu_core.merchants.models import Merchant

_NOT_BEGUN = "not_begun"
_State = KycCase.State
# State: (headline, what it means and what to do)
_WORDS: dict[str, tuple[str, str]] = {
    _NOT_BEGUN: ("Not begun", "Tell us who you are to get live keys. Test keys work already."),
    _State.DRAFT: ("Being filled in", "Complete the details and submit them."),
    _State.SUBMITTED: ("Submitted", "We have your details and will look at them soon."),
    _State.IN_REVIEW: ("In review", "Somebody is looking at your details."),
    _State.SECOND_REVIEW: ("In review", "Somebody is looking at your details."),
    _State.NEEDS_MORE: ("We need something more", "Complete the details and submit them again."),
    _State.APPROVED: ("Approved", "You can make live keys."),
    _State.REJECTED: ("Not approved", "Live keys cannot be used. You can open the details again and submit them anew."),
    _State.REVERIFICATION_DUE: (
        "Please confirm your details again",
        "Look through the details, correct what has changed and submit them. Payments go on meanwhile.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """``state`` is a KycCase.State, or "not_begun". ``told`` is what the reviewer wrote to the business."""

    state: str
    title: str
    text: str
    told: str
    items: tuple[checklist.Item, ...]
    is_editable: bool
    can_submit: bool
    has_live_keys: bool
    is_suspended: bool
    submitted_at: datetime | None
    next_review_on: date | None
    case: KycCase | None


def standing(merchant: Merchant) -> Standing:
    """Where the review of a business stands. A few queries, however large the case is."""
    case = KycCase.objects.filter(merchant=merchant).first()
    state = _NOT_BEGUN if case is None else case.state
    title, text = _WORDS[state]
    is_editable = case is not None and state in EDITABLE
    items = tuple(checklist.items(case)) if case is not None and is_editable else ()
    return Standing(
        state=state,
        title=title,
        text=text,
        told=case.told if case is not None else "",
        items=items,
        is_editable=is_editable,
        can_submit=is_editable and all(item.is_done for item in items),
        has_live_keys=merchant.status == Merchant.Status.APPROVED,
        is_suspended=merchant.status == Merchant.Status.SUSPENDED,
        submitted_at=case.submitted_at if case is not None else None,
        next_review_on=case.next_review_on if case is not None else None,
        case=case,
    )
