"""A phone is asked to pay a few times, not all day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.merchants.models import Store
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.testing.factories import make_provider_account
from tests.core.checkout.phone_provider import PhonePlugin, PhoneProvider, failed
from tests.core.payments.support import Till

Plugs = Callable[[Any], Any]


@pytest.fixture
def phones(till: Till, temporary_plugin: Plugs) -> type[PhoneProvider]:
    """Prompts fail at once, so that the next one may start."""
    plugin = PhonePlugin()
    temporary_plugin(plugin)
    plugin.provider.on_sale = failed()
    make_provider_account(store=till.store, provider="phone", credentials={}, priority=1)
    return plugin.provider


def prompt(intent: PaymentIntent, phone: str = "0712345678") -> Charge:
    choice = PaymentChoice(payment_method="phone_push", payment_method_data={"phone": phone})
    return confirm_payment_intent(intent=intent, choice=choice)[1]


def written() -> list[Any]:
    rows = [list(model.objects.order_by("pk").values()) for model in (Charge, PaymentIntent, Store)]
    return [*rows, AuditEntry.objects.count(), LedgerTransaction.objects.count()]


def test_the_sixth_prompt_within_ten_minutes_is_refused(
    till: Till, phones: type[PhoneProvider], virtual_clock: VirtualClock
) -> None:
    for spelling in ("0712345678", "0712 345 678", "0712345678", "0712 345678", "0712345678"):
        prompt(till.intent(), spelling)
        virtual_clock.advance(timedelta(minutes=1))
    intent = till.intent()
    before = written()
    with pytest.raises(Conflict) as refused:
        prompt(intent, "07 12 34 56 78")
    assert (refused.value.code, refused.value.retry_after) == ("too_many_attempts", 5 * 60)
    assert "5 min" in refused.value.message
    assert written() == before
    assert len(phones.sent) == 5
    # Another phone is not concerned, and the first one only for ten minutes.
    prompt(till.intent(), "0712345679")
    virtual_clock.advance(timedelta(minutes=5))
    assert prompt(intent).payer == "254712345678"


def test_the_eleventh_prompt_for_an_intent_within_an_hour_is_refused(
    till: Till, phones: type[PhoneProvider], virtual_clock: VirtualClock
) -> None:
    intent = till.intent()
    for number in range(10):
        prompt(intent, f"071234567{number}")
    before = written()
    with pytest.raises(Conflict) as refused:
        prompt(intent, "0722000000")
    assert (refused.value.code, refused.value.retry_after) == ("too_many_attempts", 3600)
    assert written() == before
    prompt(till.intent(), "0722000000")
    virtual_clock.advance(timedelta(hours=1))
    prompt(intent, "0733000000")


def test_methods_without_a_phone_have_no_limit(till: Till, phones: type[PhoneProvider]) -> None:
    intent = till.intent("7702")
    for _ in range(11):
        till.pay(intent)
    assert Charge.objects.count() == 11


def test_the_operator_sets_the_limits(till: Till, phones: type[PhoneProvider], settings: Any) -> None:
    settings.MAJUU_PROMPT_LIMITS = {"phone": (1, timedelta(seconds=30)), "intent": None}
    prompt(till.intent())
    with pytest.raises(Conflict) as refused:
        prompt(till.intent())
    assert refused.value.retry_after == 30
    settings.MAJUU_PROMPT_LIMITS = {"phone": None, "intent": None}
    intent = till.intent()
    for _ in range(11):
        prompt(intent)
