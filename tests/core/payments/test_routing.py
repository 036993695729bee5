"""Which account takes a payment, and which is next when it cannot."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.core.cache import cache

from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.events.models import Event
from majuu_core.ledger.verification import find_problems
from majuu_core.merchants.breaker import record_silence
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.follow_ups import run_due_follow_ups
from majuu_core.payments.models import Charge, RoutingRule
from majuu_core.payments.routing import create_routing_rule, delete_routing_rule, order_accounts
from majuu_core.plugins.markers import hookimpl
from majuu_core.providers import (
    InvalidCredentials,
    InvalidPaymentData,
    NotSent,
    OutcomeUnknown,
    PaymentProvider,
    PaymentRequest,
    RateLimited,
    RequestRejected,
    Result,
    Violation,
)
from majuu_core.testing.factories import make_provider_account
from majuu_core.testing.fake import FakeProvider
from majuu_core.testing.mock_amounts import amount_named
from tests.core.payments.support import Till

TROUBLES: dict[str, Callable[[], Exception]] = {
    "not_sent": lambda: NotSent("connection refused"),
    "unknown": lambda: OutcomeUnknown("timed out"),
    "rejected": lambda: RequestRejected("wrong", code="bad_request"),
    "credentials": lambda: InvalidCredentials("revoked"),
    "busy": lambda: RateLimited("slowly", retry_after=3),
    "data": lambda: InvalidPaymentData(Violation(code="phone_invalid", message="No.", field="phone")),
}


class Crossing(FakeProvider):
    """The mock, with accounts that go wrong as their names say."""

    code = "crossing"
    asked: list[str] = []

    def sale(self, request: PaymentRequest) -> Result:
        name = ProviderAccount.objects.get(pk=ProviderAccount.uuid_of(self.context.account_id)).name
        self.asked.append(name)
        if name in TROUBLES:
            raise TROUBLES[name]()
        return super().sale(request)


class Plugin:
    @hookimpl
    def register_payment_providers(self) -> list[type[PaymentProvider]]:
        return [Crossing]


@pytest.fixture
def crossing(till: Till, temporary_plugin: Callable[[object], object]) -> Till:
    temporary_plugin(Plugin())
    Crossing.asked = []
    ProviderAccount.objects.filter(pk=till.account.pk).update(is_active=False)
    return till


def add(till: Till, name: str, priority: int = 0, **fields: object) -> ProviderAccount:
    store = None if fields.get("platform") else till.store
    return make_provider_account(store=store, platform=store is None, provider="crossing", name=name, priority=priority)


@pytest.mark.parametrize("trouble", ["not_sent", "rejected", "credentials", "busy"])
def test_the_next_account_takes_what_the_first_certainly_did_not(crossing: Till, trouble: str) -> None:
    # given
    first, second = add(crossing, trouble, 9), add(crossing, "second", 5)
    # when
    intent, charge = crossing.pay_new("100")
    # then
    assert (charge.status, charge.provider_account_id, intent.status) == ("succeeded", second.pk, "succeeded")
    failed = Charge.objects.exclude(pk=charge.pk).get()
    assert (failed.status, failed.provider_account_id, failed.hold_id) == ("failed", first.pk, None)
    types = list(Event.objects.order_by("pk").values_list("type", flat=True))
    assert types == ["payment_intent.created", "charge.failed", "charge.succeeded", "payment_intent.succeeded"]
    assert list(find_problems()) == []


def test_a_failure_is_told_when_the_next_account_cannot_be_tried(crossing: Till) -> None:
    # given: the second account's credentials do not open
    add(crossing, "rejected", 9)
    second = add(crossing, "second", 5)
    ProviderAccount.objects.filter(pk=second.pk).update(credentials="v1:broken")
    # when
    intent, charge = crossing.pay_new("100")
    # then
    assert (charge.status, intent.status, Charge.objects.count()) == ("failed", "requires_payment_method", 1)
    types = list(Event.objects.order_by("pk").values_list("type", flat=True))
    assert types == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]


def test_an_unknown_outcome_is_never_sent_to_another_account(crossing: Till) -> None:
    add(crossing, "unknown", 9)
    add(crossing, "second", 5)
    intent, charge = crossing.pay_new("100")
    assert (charge.status, intent.status, Charge.objects.count()) == ("unknown", "processing", 1)
    assert set(Crossing.asked) == {"unknown"}


@pytest.mark.parametrize("code", ["declined", "insufficient_funds", "customer_canceled"])
def test_a_customers_own_no_is_not_asked_elsewhere(crossing: Till, code: str) -> None:
    add(crossing, "first", 9)
    add(crossing, "second", 5)
    intent, charge = crossing.pay_new(str(amount_named(code)))
    assert (charge.status, charge.failure_code, intent.status) == ("failed", code, "requires_payment_method")
    assert Crossing.asked == ["first"]
    assert Event.objects.filter(type="payment_intent.payment_failed").count() == 1


def test_unusable_data_is_not_sent_elsewhere(crossing: Till) -> None:
    add(crossing, "data", 9)
    add(crossing, "second", 5)
    _, charge = crossing.pay_new("100")
    assert (charge.provider_failure_code, Crossing.asked) == ("invalid_payment_data", ["data"])


def test_three_accounts_are_tried_and_the_last_no_is_told(crossing: Till) -> None:
    for name, priority in (("rejected", 9), ("credentials", 8), ("busy", 7), ("never", 6)):
        add(crossing, name, priority)
    intent, charge = crossing.pay_new("100")
    assert Crossing.asked == ["rejected", "credentials", "busy"]
    assert (charge.provider_failure_code, intent.status) == ("rate_limited", "requires_payment_method")
    assert Event.objects.filter(type="payment_intent.payment_failed").count() == 1
    assert crossing.books() == {}


def test_the_same_request_again_joins_the_last_attempt(crossing: Till) -> None:
    from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent

    add(crossing, "rejected", 9)
    add(crossing, "second", 5)
    intent = crossing.intent("100")
    choice = PaymentChoice(payment_method="mock")
    _, charge = confirm_payment_intent(intent=intent, choice=choice, request_key="k1")
    again = confirm_payment_intent(intent=intent, choice=choice, request_key="k1")[1]
    assert (again.pk, again.status, Charge.objects.count()) == (charge.pk, "succeeded", 2)


def test_the_shop_hears_of_the_failure_when_the_next_account_cannot_even_begin(
    crossing: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(crossing, "rejected", 9)
    add(crossing, "second", 5)
    monkeypatch.setattr("majuu_core.payments.charges.check_prompts", _refuse_after_the_first())
    intent, charge = crossing.pay_new("100")
    assert (charge.status, intent.status, Crossing.asked) == ("failed", "requires_payment_method", ["rejected"])
    assert Event.objects.filter(type="payment_intent.payment_failed", object_id=intent.public_id).count() == 1


def test_a_process_that_dies_between_two_attempts_leaves_the_news_to_the_worker(
    crossing: Till, monkeypatch: pytest.MonkeyPatch, virtual_clock: VirtualClock
) -> None:
    add(crossing, "rejected", 9)
    add(crossing, "second", 5)
    monkeypatch.setattr("majuu_core.payments.charges.check_prompts", _refuse_after_the_first(KeyboardInterrupt()))
    intent = crossing.intent("100")
    with pytest.raises(KeyboardInterrupt):
        crossing.pay(intent)
    failed = Event.objects.filter(type="payment_intent.payment_failed")
    assert not failed.exists()
    virtual_clock.advance(60)
    for _ in range(2):
        run_due_follow_ups()
        assert failed.count() == 1
    assert Charge.objects.get().follow_up_at is None


def _refuse_after_the_first(problem: BaseException | None = None) -> Callable[[Charge], None]:
    seen: list[Charge] = []

    def check(charge: Charge) -> None:
        seen.append(charge)
        if len(seen) > 1:
            raise problem or Conflict("too_many_prompts", "Not now.")

    return check


def test_a_rule_puts_its_account_first(crossing: Till) -> None:
    usual, large = add(crossing, "usual", 9), add(crossing, "large", 1)
    create_routing_rule(
        store=crossing.store,
        livemode=False,
        provider_account=large,
        payment_method="mock",
        currency="KES",
        min_amount=Decimal(5000),
    )
    by_amount = {
        amount: order_accounts(crossing.intent(amount), "mock", [usual, large])[0].name for amount in ("4999", "5000")
    }
    assert by_amount == {"4999": "usual", "5000": "large"}
    dollars = crossing.intent("9000", "USD")
    assert order_accounts(dollars, "mock", [usual, large])[0].name == "usual"


def test_the_rule_read_first_wins_and_a_removed_one_counts_no_more(crossing: Till) -> None:
    one, two = add(crossing, "one", 9), add(crossing, "two", 9)
    create_routing_rule(store=crossing.store, livemode=False, provider_account=one, position=2)
    rule = create_routing_rule(store=crossing.store, livemode=False, provider_account=two, position=1)
    intent = crossing.intent("10")
    assert [account.name for account in order_accounts(intent, "mock", [one, two])] == ["two", "one"]
    delete_routing_rule(rule=rule)
    assert [account.name for account in order_accounts(intent, "mock", [one, two])] == ["one", "two"]
    assert set(AuditEntry.objects.filter(action__startswith="routing_rule").values_list("action", flat=True)) == {
        "routing_rule.created",
        "routing_rule.deleted",
    }


def test_another_stores_account_cannot_be_routed_to(crossing: Till) -> None:
    stranger = Till()
    with pytest.raises(Invalid) as refused:
        create_routing_rule(store=crossing.store, livemode=False, provider_account=stranger.account)
    assert refused.value.code == "routing_account_unusable"
    with pytest.raises(Invalid) as refused:
        create_routing_rule(
            store=crossing.store, livemode=False, provider_account=add(crossing, "one"), payment_method="card"
        )
    assert refused.value.code == "routing_method_unknown"
    with pytest.raises(Invalid) as refused:
        create_routing_rule(
            store=crossing.store, livemode=False, provider_account=add(crossing, "two"), max_amount=Decimal(1)
        )
    assert refused.value.code == "routing_currency_missing"
    assert not RoutingRule.objects.exists()


def test_an_account_that_does_not_answer_goes_last(crossing: Till) -> None:
    silent, other = add(crossing, "silent", 9), add(crossing, "other", 1)
    for _ in range(5):
        record_silence(silent, "timed out")
    assert [account.name for account in order_accounts(crossing.intent("10"), "mock", [silent, other])] == [
        "other",
        "silent",
    ]


def test_of_equals_the_one_that_succeeds_clearly_more_often_goes_first(
    crossing: Till, virtual_clock: VirtualClock
) -> None:
    # given: twenty attempts each; customers without money say nothing of an account
    cache.clear()
    poor, good = add(crossing, "poor", 5), add(crossing, "good", 5)
    rows = []
    for account, failed in ((poor, 4), (good, 1)):
        for number in range(21):
            _, charge = crossing.pay_new("10")
            code = "processing_error" if number < failed else ""
            rows.append((charge.pk, account, code))
    for key, account, code in rows:
        Charge.objects.filter(pk=key).update(
            provider_account=account, status="failed" if code else "succeeded", failure_code=code
        )
    cache.clear()
    intent = crossing.intent("10")
    assert [account.name for account in order_accounts(intent, "mock", [poor, good])] == ["good", "poor"]
    # an hour later nobody knows
    virtual_clock.advance(3700)
    cache.clear()
    assert [account.name for account in order_accounts(intent, "mock", [poor, good])] == ["poor", "good"]
