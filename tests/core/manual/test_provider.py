"""The provider "manual": what it tells a customer, and that it never says more than it knows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from moneyed import Money
from pydantic import ValidationError

from majuu_core.manual.credentials import ManualCredentials
from majuu_core.manual.references import grouped, make_reference
from majuu_core.providers import FetchRequest, FollowUpRequest, InvalidPaymentData, ResultStatus
from majuu_core.testing.contract import ProviderContractTests
from majuu_core.testing.harness import Outcome
from tests.core.manual.harness import ACCOUNT, ManualHarness


class TestManualProvider(ProviderContractTests):
    @pytest.fixture
    def harness(self) -> ManualHarness:
        return ManualHarness()

    @pytest.mark.xfail(reason="it holds no secret: every customer is told all of it", strict=True)
    def test_secrecy_not_in_repr(self, harness: ManualHarness) -> None:
        assert harness.secrets


def test_the_customer_is_told_where_to_pay_and_what_to_write() -> None:
    harness = ManualHarness()
    request = harness.payment(Outcome.NEEDS_ACTION)
    result = harness.make_provider().sale(request)
    reference = make_reference(request.reference)
    assert (result.status, result.provider_reference) == (ResultStatus.REQUIRES_ACTION, reference)
    assert result.amount is None
    assert result.receipt is None
    assert result.next_action is not None
    assert result.next_action.type == "display_instructions"
    assert result.next_action.data["text"].splitlines() == [
        "Bank: Equity Bank",
        "Branch: Kimathi Street",
        "Account name: Duka Ltd",
        "Account number: 0123456789012",
        "SWIFT: EQBLKENA",
        "Amount: KES 1500.00",
        f"Reference: {grouped(reference)}",
    ]
    assert result.next_action.data["reference"] == grouped(reference)


def test_cash_shows_the_place_and_not_the_bank() -> None:
    harness = ManualHarness()
    request = replace(harness.payment(Outcome.NEEDS_ACTION), payment_method="cash")
    action = harness.make_provider().sale(request).next_action
    assert action is not None
    assert "Moi Avenue 12" in action.data["text"]
    assert "Equity" not in action.data["text"]


def test_asking_never_invents_an_outcome() -> None:
    harness = ManualHarness()
    request = harness.payment(Outcome.NEEDS_ACTION)
    provider = harness.make_provider()
    result = provider.sale(request)
    known = FetchRequest(reference=request.reference, provider_reference=result.provider_reference)
    assert provider.fetch_payment(known).status is ResultStatus.PENDING
    for wrong in (None, "", "made-up", make_reference("ch_other")):
        assert provider.fetch_payment(replace(known, provider_reference=wrong)).status is ResultStatus.UNKNOWN


def test_a_refund_waits_for_a_person() -> None:
    provider = ManualHarness().make_provider()
    request = FollowUpRequest(
        idempotency_key="re_1", reference="re_1", provider_reference="x", amount=Money("500", "KES")
    )
    sent, again = provider.refund(request), provider.refund(request)
    assert sent == again
    assert sent.status is ResultStatus.PENDING
    asked = FetchRequest(reference="re_1", provider_reference=sent.provider_reference)
    assert provider.fetch_refund(asked).status is ResultStatus.PENDING


def test_an_account_takes_what_its_owner_has_said() -> None:
    provider = ManualHarness().make_provider()
    assert provider.offers("bank_transfer", "USD")
    assert provider.offers("cash", "KES")
    assert not provider.offers("bank_transfer", "UGX")
    assert not provider.offers("card", "KES")
    with pytest.raises(InvalidPaymentData) as refusal:
        provider.prepare_payment(ManualHarness().bad_payment())
    assert refusal.value.violations[0].code == "currency_unsupported"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"account_number": "", "cash": ""}, "Give a bank account"),
        ({"bank_name": ""}, "needs the bank's name"),
        ({"currencies": ["KES", "XXX"]}, "XXX: give currency codes"),
        ({"iban": "GB82WEST12345698765433"}, "check digits do not hold"),
        ({"swift": "KCB"}, "eight or eleven characters"),
        ({"time_zone": "Nairobi/Africa"}, "Name a time zone"),
        ({"statement": {"date": "Date", "currency": "KES"}}, "Name one column with the amount"),
        ({"pin": "1234"}, "Extra inputs are not permitted"),
    ],
)
def test_instructions_that_would_mislead_are_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        ManualCredentials.model_validate(ACCOUNT | changes)


def test_an_iban_is_kept_without_its_spaces() -> None:
    told = ManualCredentials.model_validate(ACCOUNT | {"iban": "gb82 west 1234 5698 7654 32"})
    assert told.iban == "GB82WEST12345698765432"
