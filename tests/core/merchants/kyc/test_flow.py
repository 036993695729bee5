"""A case from its first field to the first live key, and back."""

from __future__ import annotations

import pytest

from majuu_core.merchants.api_keys import create_api_key
from majuu_core.merchants.errors import ActionRefused
from majuu_core.merchants.kyc.cases import open_case, submit
from majuu_core.merchants.kyc.review import approve, ask_for_more, reject
from majuu_core.merchants.kyc.standing import standing
from majuu_core.merchants.models import KycCase, KycDecision, LiveApproval, Merchant
from majuu_core.testing.factories import make_store
from majuu_core.testing.kyc import accept_documents, acting, make_case, make_reviewer

pytestmark = pytest.mark.django_db


def test_a_case_is_filled_in_submitted_and_approved_and_only_then_there_is_a_live_key() -> None:
    case = make_case()
    store = make_store(merchant=case.merchant)
    with pytest.raises(ActionRefused, match="approved"):
        create_api_key(store=store, livemode=True)
    reviewer = make_reviewer()
    taken = accept_documents(submit(case=case), reviewer)
    assert (taken.state, taken.assignee) == ("in_review", reviewer)
    with acting(reviewer):
        approved = approve(case=taken)
    merchant = Merchant.objects.get(pk=case.merchant_id)
    grant = LiveApproval.objects.get(merchant=merchant)
    assert (approved.state, merchant.status, grant.case, grant.approved_by) == (
        "approved",
        "approved",
        case,
        f"user:{reviewer.pk}",
    )
    assert create_api_key(store=store, livemode=True).row.live_approval == grant


def test_a_case_goes_back_for_more_and_is_rejected_and_opened_again() -> None:
    case, reviewer = make_case(submitted=True), make_reviewer()
    taken = accept_documents(case, reviewer)
    with acting(reviewer):
        ask_for_more(case=taken, text="The certificate is not readable.")
    told = standing(case.merchant)
    assert (told.state, told.told, told.is_editable) == ("needs_more", "The certificate is not readable.", True)
    accept_documents(submit(case=case), reviewer)
    with acting(reviewer):
        reject(case=case, reason="It sells weapons.")
    assert standing(case.merchant).told == "It sells weapons."
    assert open_case(merchant=case.merchant).state == "draft"
    assert not LiveApproval.objects.filter(merchant=case.merchant).exists()
    moves = KycDecision.objects.exclude(to_state="").order_by("pk").values_list("from_state", "to_state")
    assert list(moves) == [
        ("draft", "submitted"),
        ("submitted", "in_review"),
        ("in_review", "needs_more"),
        ("needs_more", "submitted"),
        ("submitted", "in_review"),
        ("in_review", "rejected"),
        ("rejected", "draft"),
    ]
    assert KycCase.objects.count() == 1
