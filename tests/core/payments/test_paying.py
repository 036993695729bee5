"""An intent is paid by the mock provider: every outcome, and what the books say then."""

from __future__ import annotations

import pytest
from moneyed import Money

from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.testing.factories import make_provider_account, make_store

pytestmark = pytest.mark.django_db


def test_a_payment_succeeds() -> None:
    store = make_store()
    make_provider_account(store=store)
    intent = create_payment_intent(store=store, livemode=False, details=IntentDetails(amount=Money("150.00", "KES")))
    intent, charge = confirm_payment_intent(intent=intent, choice=PaymentChoice(payment_method="mock"))
    assert intent.status == "succeeded"
    assert charge.status == "succeeded"
