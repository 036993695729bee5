"""FakeProvider, the provider behind the "mock" payment method."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from moneyed import Money
from pydantic import SecretStr, ValidationError

from majuu_core.common.clock import VirtualClock
from majuu_core.providers import (
    FailureCode,
    FetchRequest,
    FollowUpRequest,
    InvalidCredentials,
    InvalidPaymentData,
    NotSent,
    OutcomeUnknown,
    PaymentRequest,
    PayoutRequest,
    RateLimited,
    RequestRejected,
    Result,
    ResultStatus,
    SavedMethodStatus,
    SaveMethodRequest,
    Trust,
    WebhookRejected,
)
from majuu_core.testing import FakeProvider, MockCredentials, provider_context
from majuu_core.testing.harness import new_reference
from majuu_core.testing.mock_amounts import MAGIC_AMOUNTS, Behaviour, Trouble, behaviour_for

SECRET = "a-secret-of-the-mock-tests"


@pytest.fixture
def clock(virtual_clock: VirtualClock) -> VirtualClock:
    return virtual_clock


def make(*, livemode: bool = False, secret: str = SECRET) -> FakeProvider:
    return FakeProvider(provider_context(MockCredentials(secret=SecretStr(secret)), livemode=livemode))


def payment(amount: object, currency: str = "KES", **fields: str) -> PaymentRequest:
    reference = new_reference("ch")
    return PaymentRequest(
        idempotency_key=f"key-{reference}",
        reference=reference,
        amount=Money(str(amount), currency),
        payment_method="mock",
        payment_method_data={},
        **fields,  # type: ignore[arg-type]
    )


def follow_up(result: Result, *, amount: Money | None = None, prefix: str = "re", key: str = "") -> FollowUpRequest:
    reference = new_reference(prefix)
    return FollowUpRequest(
        idempotency_key=key or f"key-{reference}",
        reference=reference,
        provider_reference=result.provider_reference or "",
        amount=amount,
    )


def look_up(request: PaymentRequest, result: Result | None = None) -> Result:
    return make().fetch_payment(
        FetchRequest(
            reference=request.reference,
            provider_reference=result.provider_reference if result else None,
            amount=request.amount,
        )
    )


@pytest.mark.parametrize("currency", ["KES", "UGX", "BHD"])
def test_an_ordinary_amount_succeeds_at_once(clock: VirtualClock, currency: str) -> None:
    result = make().sale(payment(1500, currency))

    assert result.status is ResultStatus.SUCCEEDED
    assert result.amount == Money(1500, currency)
    assert result.occurred_at == clock.now()
    assert result.receipt is not None
    assert result.receipt.startswith("MOCK")


@pytest.mark.parametrize(
    "behaviour", [item for item in MAGIC_AMOUNTS if item.trouble is None and not item.completion], ids=lambda b: b.name
)
def test_every_magic_amount_behaves_as_the_table_says(clock: VirtualClock, behaviour: Behaviour) -> None:
    request = payment(behaviour.amount)

    first = make().sale(request)

    assert first.status is (behaviour.after if behaviour.seconds == 0 else behaviour.before)
    if behaviour.seconds:
        clock.advance(behaviour.seconds - 1)
        assert look_up(request, first).status is behaviour.before
        clock.advance(1)
    else:
        clock.advance(timedelta(days=30))
    last = look_up(request, first)
    assert last.status is (behaviour.before if behaviour.seconds is None else behaviour.after)
    assert (last.failure.code if last.failure else None) is behaviour.failure
    assert last.provider_reference == first.provider_reference


@pytest.mark.parametrize(
    ("amount", "kind"),
    [
        (7731, OutcomeUnknown),
        (7732, OutcomeUnknown),
        (7733, OutcomeUnknown),
        (7741, NotSent),
        (7742, NotSent),
        (7743, RequestRejected),
        (7744, RateLimited),
        (7745, InvalidCredentials),
    ],
)
def test_every_trouble_is_raised_as_the_contract_names_it(
    clock: VirtualClock, amount: int, kind: type[Exception]
) -> None:
    behaviour, request = behaviour_for(Money(amount, "KES")), payment(amount)

    with pytest.raises(kind):
        make().sale(request)

    clock.advance(behaviour.trouble_seconds or 10**6)
    if behaviour.trouble_seconds is None:
        with pytest.raises(kind):
            make().sale(request)
    else:
        assert make().sale(request).status is behaviour.after
    assert behaviour.trouble in set(Trouble)


@pytest.mark.parametrize(
    ("amount", "status"),
    [(7731, ResultStatus.SUCCEEDED), (7732, ResultStatus.FAILED), (7733, ResultStatus.UNKNOWN)],
)
def test_the_truth_about_a_lost_answer_can_be_fetched_by_our_reference(
    clock: VirtualClock, amount: int, status: ResultStatus
) -> None:
    request = payment(amount)
    with pytest.raises(OutcomeUnknown):
        make().sale(request)

    assert look_up(request).status is ResultStatus.UNKNOWN
    clock.advance(5)

    assert look_up(request).status is status


def test_a_resent_key_after_a_lost_answer_finds_the_same_payment(clock: VirtualClock) -> None:
    request = payment(7731)
    with pytest.raises(OutcomeUnknown):
        make().sale(request)
    clock.advance(5)

    assert make().sale(request).provider_reference == look_up(request).provider_reference


def test_a_hold_cannot_use_the_amounts_whose_answer_is_lost(clock: VirtualClock) -> None:
    with pytest.raises(RequestRejected, match="sale only"):
        make().authorize(payment(7731))


def test_wrong_amount_and_currency_are_reported_as_the_table_says(clock: VirtualClock) -> None:
    assert make().sale(payment(7751)).amount == Money(7750, "KES")
    assert make().sale(payment(7752)).amount == Money(7752, "USD")
    assert make().sale(payment(7752, "USD")).amount == Money(7752, "EUR")


def test_the_redirect_goes_to_the_return_address(clock: VirtualClock) -> None:
    action = make().sale(payment(7711, return_url="https://shop.example/back")).next_action

    assert action is not None
    assert (action.type, action.data) == ("redirect", {"url": "https://shop.example/back"})
    assert action.expires_at == clock.now() + timedelta(seconds=5)


def test_another_process_knows_the_payment(clock: VirtualClock) -> None:
    request = payment(7721)
    first = make().sale(request)
    script = (
        "import sys\nfrom datetime import datetime\n"
        "from majuu_core.common.clock import VirtualClock, use_clock\n"
        "from majuu_core.providers import FetchRequest\n"
        "from majuu_core.testing import FakeProvider, MockCredentials, provider_context\n"
        "secret, reference, ours, now = sys.argv[1:]\n"
        "provider = FakeProvider(provider_context(MockCredentials(secret=secret)))\n"
        "with use_clock(VirtualClock(datetime.fromisoformat(now))):\n"
        "    found = provider.fetch_payment(FetchRequest(reference=ours, provider_reference=reference))\n"
        "print(found.status, found.amount.amount, found.amount.currency)\n"
    )
    later = (clock.now() + timedelta(seconds=5)).isoformat()
    arguments = [sys.executable, "-c", script, SECRET, first.provider_reference or "", request.reference, later]

    seen = subprocess.run(arguments, capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]})

    assert seen.stdout.split() == ["succeeded", "7721.00", "KES"]


@pytest.mark.parametrize(("amount", "status"), [(7713, "succeeded"), (7714, "failed")])
def test_an_approved_payment_waits_until_it_is_completed(clock: VirtualClock, amount: int, status: str) -> None:
    provider, request = make(), payment(amount)
    first = provider.sale(request)
    wanted = follow_up(first, prefix="ch")

    early = provider.complete(wanted)
    clock.advance(5)
    approved = provider.fetch_payment(FetchRequest(reference="ch_1", provider_reference=first.provider_reference))
    done = provider.complete(wanted)

    assert (first.status, early.status) == (ResultStatus.REQUIRES_ACTION, ResultStatus.REQUIRES_ACTION)
    assert (approved.status, approved.needs_completion) == (ResultStatus.PENDING, True)
    assert (done.status, done.needs_completion, provider.complete(wanted)) == (status, False, done)


def test_the_webhook_tells_that_a_payment_is_approved(clock: VirtualClock) -> None:
    provider, request = make(), payment(7713)
    reference = provider.sale(request).provider_reference or ""
    [waiting] = provider.parse_webhook(provider.make_webhook(reference="ch_1", provider_reference=reference))
    clock.advance(5)

    [approved] = provider.parse_webhook(provider.make_webhook(reference="ch_1", provider_reference=reference))

    assert (waiting.result.needs_completion, approved.result.needs_completion) == (False, True)
    assert waiting.event_id != approved.event_id


def test_a_hold_is_captured_once_in_part_and_then_gone(clock: VirtualClock) -> None:
    provider = make()
    held = provider.authorize(payment(1000))

    taken = provider.capture(follow_up(held, amount=Money(400, "KES"), prefix="ch"))

    assert held.status is ResultStatus.AUTHORIZED
    assert (taken.status, taken.amount) == (ResultStatus.SUCCEEDED, Money(400, "KES"))
    assert provider.capture(follow_up(held, amount=Money(400, "KES"), prefix="ch")) == taken
    for call in (
        lambda: provider.capture(follow_up(held, amount=Money(600, "KES"), prefix="ch")),
        lambda: provider.void(follow_up(held, prefix="ch")),
    ):
        with pytest.raises(RequestRejected, match="the payment is succeeded, not authorized"):
            call()


def test_captured_money_is_given_back_by_the_hold_s_reference_too(clock: VirtualClock) -> None:
    provider = make()
    held = provider.authorize(payment(1000))
    provider.capture(follow_up(held, amount=Money(400, "KES"), prefix="ch"))

    result = provider.refund(follow_up(held))

    assert (result.status, result.amount) == (ResultStatus.SUCCEEDED, Money(400, "KES"))


def test_a_voided_hold_stays_void(clock: VirtualClock) -> None:
    provider = make()
    held = provider.authorize(payment(1000))
    wanted = follow_up(held, prefix="ch")

    voided = provider.void(wanted)

    assert voided.status is ResultStatus.CANCELED
    assert provider.void(wanted) == voided
    with pytest.raises(RequestRejected, match="the payment is canceled"):
        provider.capture(follow_up(held, prefix="ch"))


def test_refunds_together_are_never_more_than_the_payment(clock: VirtualClock) -> None:
    provider = make()
    paid = provider.sale(payment(20000))
    half = follow_up(paid, amount=Money(10000, "KES"))
    provider.refund(follow_up(paid, amount=Money(7702, "KES")))  # declined: it does not count

    first, again = provider.refund(half), provider.refund(half)

    assert first == again
    with pytest.raises(RequestRejected, match="more would be given back"):
        provider.refund(follow_up(paid, amount=Money(10001, "KES")))
    assert provider.refund(follow_up(paid, amount=Money(10000, "KES"))).status is ResultStatus.SUCCEEDED


def test_a_method_is_saved_used_and_forgotten(clock: VirtualClock) -> None:
    provider, reference = make(), new_reference("pm")
    wanted = SaveMethodRequest(
        idempotency_key="k",
        reference=reference,
        payment_method="mock",
        payment_method_data={"behaviour": "action"},
        return_url="https://shop.example/cards",
    )

    asked = provider.save_method(wanted)
    clock.advance(5)
    saved = provider.fetch_saved_method(FetchRequest(reference=reference, provider_reference=asked.provider_reference))
    by_it = replace(payment(1000), saved_method=saved.method_reference)
    before = provider.sale(by_it).status
    removed = provider.forget_method(saved)
    after = provider.sale(replace(payment(1000), saved_method=saved.method_reference))

    assert asked.next_action is not None
    assert asked.next_action.data == {"url": "https://shop.example/cards"}
    assert (saved.status, saved.last4, saved.expires) == (SavedMethodStatus.ACTIVE, "4242", "2030-04")
    assert (before, removed.status) == (ResultStatus.SUCCEEDED, SavedMethodStatus.REMOVED)
    assert after.failure is not None
    assert after.failure.code is FailureCode.INVALID_PAYMENT_METHOD


def test_an_unknown_behaviour_of_a_saving_is_refused_by_name(clock: VirtualClock) -> None:
    wanted = SaveMethodRequest(
        idempotency_key="k",
        reference=new_reference("pm"),
        payment_method="mock",
        payment_method_data={"behaviour": "maybe"},
    )

    with pytest.raises(InvalidPaymentData, match="one of active, action, declined"):
        make().save_method(wanted)


def test_a_refund_of_nothing_is_refused_and_never_becomes_a_full_refund(clock: VirtualClock) -> None:
    paid = make().sale(payment(1000))

    with pytest.raises(InvalidPaymentData, match="above zero"):
        make().refund(follow_up(paid, amount=Money(0, "KES")))
    with pytest.raises(InvalidPaymentData, match="above zero"):
        make().refund(follow_up(paid, amount=Money(-5, "KES")))


def test_refunds_follow_the_same_table(clock: VirtualClock) -> None:
    paid = make().sale(payment(20000))
    request = follow_up(paid, amount=Money(7721, "KES"))

    pending = make().refund(request)
    clock.advance(5)
    found = make().fetch_refund(
        FetchRequest(reference=request.reference, provider_reference=pending.provider_reference)
    )

    assert pending.status is ResultStatus.PENDING
    assert (found.status, found.amount) == (ResultStatus.SUCCEEDED, Money(7721, "KES"))


def test_payouts_follow_the_same_table(clock: VirtualClock) -> None:
    reference = new_reference("po")
    request = PayoutRequest(
        idempotency_key=reference, reference=reference, amount=Money(7702, "KES"), destination={"phone": "254712345678"}
    )

    result = make().payout(request)

    assert result.failure is not None
    assert result.failure.code is FailureCode.DECLINED


def test_a_payment_is_no_refund_and_no_payout(clock: VirtualClock) -> None:
    paid = make().sale(payment(1000))
    request = FetchRequest(reference=new_reference("re"), provider_reference=paid.provider_reference)

    assert make().fetch_refund(request).status is ResultStatus.UNKNOWN
    assert make().fetch_payout(request).status is ResultStatus.UNKNOWN


def test_a_changed_reference_is_not_believed(clock: VirtualClock) -> None:
    request = payment(100)
    reference = make().sale(request).provider_reference or ""
    richer = reference.replace("_10000KES_", "_99900KES_")
    assert richer != reference

    assert look_up(request, Result(status=ResultStatus.PENDING, provider_reference=richer)).status == "unknown"
    other = make(secret="another-account-of-the-tests")
    assert other.fetch_payment(FetchRequest(reference=request.reference, provider_reference=reference)) == Result(
        status=ResultStatus.UNKNOWN
    )


def test_live_mode_is_refused_everywhere(clock: VirtualClock) -> None:
    good, live = make(), make(livemode=True)
    paid = good.sale(payment(1000))
    held = good.authorize(payment(1000))
    message = good.make_webhook(reference="ch_1", provider_reference=paid.provider_reference or "")
    lookup = FetchRequest(reference=new_reference("ch"), provider_reference=paid.provider_reference)

    for call in (
        live.check_credentials,
        lambda: live.sale(payment(1)),
        lambda: live.authorize(payment(1)),
        lambda: live.capture(follow_up(held)),
        lambda: live.void(follow_up(held)),
        lambda: live.complete(follow_up(held)),
        lambda: live.refund(follow_up(paid)),
        lambda: live.fetch_payment(lookup),
        lambda: live.fetch_refund(lookup),
        lambda: live.fetch_payout(lookup),
    ):
        with pytest.raises(InvalidCredentials, match="test mode"):
            call()
    with pytest.raises(WebhookRejected, match="no real money"):
        live.verify_webhook(message)


def test_a_reference_that_is_no_public_id_is_refused(clock: VirtualClock) -> None:
    with pytest.raises(RequestRejected, match="is not a public id"):
        make().sale(replace(payment(1000), reference="order 17"))


def test_an_amount_with_too_many_decimals_is_refused_by_name(clock: VirtualClock) -> None:
    with pytest.raises(InvalidPaymentData) as caught:
        make().sale(payment(Decimal("10.005")))

    assert [item.code for item in caught.value.violations] == ["amount_too_precise"]


def test_a_webhook_is_signed_and_names_the_payment(clock: VirtualClock) -> None:
    provider, request = make(), payment(7702)
    result = provider.sale(request)

    message = provider.make_webhook(
        reference=request.reference, provider_reference=result.provider_reference or "", type="payment.updated"
    )
    [event] = provider.parse_webhook(message)

    assert provider.verify_webhook(message) is Trust.SIGNED
    assert (event.type, event.reference) == ("payment.updated", request.reference)
    assert event.result.failure is not None
    assert event.result.failure.code is FailureCode.DECLINED
    assert event.result.amount == Money(7702, "KES")


def test_a_webhook_about_a_foreign_reference_cannot_be_made(clock: VirtualClock) -> None:
    with pytest.raises(ValueError, match="is not a reference of this account"):
        make().make_webhook(reference="ch_1", provider_reference="mock_sale_1")


def test_credentials_need_a_long_secret_and_can_be_generated() -> None:
    with pytest.raises(ValidationError):
        MockCredentials(secret=SecretStr("short"))

    first, second = MockCredentials.generate(), MockCredentials.generate()

    assert first.secret.get_secret_value() != second.secret.get_secret_value()
    assert len(first.secret.get_secret_value()) == 32
    assert first.secret.get_secret_value() not in repr(first)


def test_other_credentials_are_a_programming_error() -> None:
    class Others(MockCredentials.__base__):  # type: ignore[name-defined,misc]
        pass

    with pytest.raises(TypeError, match="needs MockCredentials"):
        FakeProvider(provider_context(Others()))
