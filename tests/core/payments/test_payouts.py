"""Sending money: once for ever by reference, held first, booked when it left, given back when it did not."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict, Denied, Invalid, NotFound
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.ledger.selectors import balance
from majuu_core.ledger.verification import find_problems
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import deactivate_provider_account
from majuu_core.merchants.services import intake_store, suspend_merchant
from majuu_core.payments.models import Payout, ProviderCall
from majuu_core.payments.outgoing import NO_ANSWER
from majuu_core.payments.payout_sending import run_due_payout_questions, send_due_payouts
from majuu_core.payments.payouts import create_payout, get_payout
from majuu_core.plugins.markers import hookimpl
from majuu_core.providers import (
    InvalidCredentials,
    InvalidPaymentData,
    NotSent,
    OutcomeUnknown,
    PayoutRequest,
    RequestRejected,
    Result,
    ResultStatus,
    Violation,
)
from majuu_core.testing.factories import make_provider_account, make_store
from majuu_core.testing.fake import FakeProvider
from tests.core.payments.payout_support import Paymaster, audited, told

HELD = Decimal(1500)


def raising(problem: Exception) -> Any:
    """A method that only raises."""

    def method(*_: Any) -> Any:
        raise problem

    return method


def test_a_payout_that_succeeds_at_once_is_booked(paymaster: Paymaster) -> None:
    """Given a store, when it sends 1500 and the provider says done, then 1500 less is owed to it and it is told so."""
    paymaster.fund("5000")
    payout = paymaster.send("1500", description="Salary")
    assert (payout.status, payout.hold_id, payout.follow_up_at, payout.send_at) == ("succeeded", None, None, None)
    assert payout.receipt
    assert payout.receipt.startswith("MOCK")
    assert payout.created_by == "user:901"
    assert paymaster.books() == (Decimal(3500), Decimal(0))
    assert balance(paymaster.clearing()).posted.amount == Decimal(3500)
    assert told(payout) == ["payout.created", "payout.succeeded"]
    assert audited(payout) == ["payout.created", "payout.succeeded"]
    assert list(find_problems()) == []


def test_its_own_account_may_send_more_than_the_books_know(paymaster: Paymaster) -> None:
    """Given an account of the store's own, funded by other means, then a payout needs no balance here."""
    assert paymaster.send("1500").status == "succeeded"
    assert paymaster.books() == (Decimal(-1500), Decimal(0))


def test_a_declined_payout_gives_the_money_back(paymaster: Paymaster) -> None:
    """Given a number that cannot be paid (a failure as a value), then the hold is void and the failure says why."""
    payout = paymaster.send("7706")
    assert (payout.status, payout.failure_code) == ("failed", "invalid_payment_method")
    assert payout.provider_failure_code == "invalid_payment_method"
    assert paymaster.books() == (Decimal(0), Decimal(0))
    assert told(payout) == ["payout.created", "payout.failed"]
    assert list(find_problems()) == []


def test_while_it_is_pending_the_money_is_held(paymaster: Paymaster, virtual_clock: VirtualClock) -> None:
    """Given a slow provider, then the amount is held until a question learns that it was sent."""
    payout = paymaster.send("7721")
    assert (payout.status, paymaster.books()) == ("pending", (Decimal(0), Decimal(7721)))
    assert run_due_payout_questions() == 0
    virtual_clock.advance(10)
    assert run_due_payout_questions() == 1
    payout.refresh_from_db()
    assert (payout.status, paymaster.books()) == ("succeeded", (Decimal(-7721), Decimal(0)))
    assert told(payout) == ["payout.created", "payout.succeeded"]


def test_the_same_reference_and_content_is_the_same_payout(paymaster: Paymaster) -> None:
    first, second = paymaster.send("1500"), paymaster.send("1500")
    assert first.pk == second.pk
    assert (Payout.objects.count(), paymaster.books()) == (1, (Decimal(-1500), Decimal(0)))


@pytest.mark.parametrize(
    "other",
    [
        {"amount": "1501"},
        {"destination": {"phone": "254700000000"}},
        {"description": "Another"},
        {"metadata": {"a": "b"}},
        {"currency": "USD"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_reference_is_used_once_for_ever(paymaster: Paymaster, other: dict[str, Any]) -> None:
    """Given a payout, even a failed one, when its reference comes with other content, then it is refused."""
    first = paymaster.send("7702")
    with pytest.raises(Conflict) as refused:
        paymaster.send(**{"amount": "7702", **other})
    assert (refused.value.code, refused.value.field) == ("payout_reference_used", "reference")
    assert first.public_id in refused.value.message
    assert list(Payout.objects.values_list("pk", flat=True)) == [first.pk]


def test_references_of_stores_and_modes_do_not_meet(paymaster: Paymaster) -> None:
    """Given two stores, then each has the reference once; and neither finds the other's payout."""
    mine = paymaster.send("1500", "SAL-1")
    other = Paymaster()
    theirs = other.send("1500", "SAL-1")
    assert mine.pk != theirs.pk
    for mode, store in ((True, paymaster.store), (False, other.store)):
        with pytest.raises(NotFound):
            get_payout(store_id=store.pk, livemode=mode, public_id=mine.public_id)
    assert get_payout(store_id=paymaster.store.pk, livemode=False, public_id=mine.public_id) == mine


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"amount": "0"}, "amount_not_positive", "amount"),
        ({"amount": "-5"}, "amount_not_positive", "amount"),
        ({"reference": ""}, "payout_reference_invalid", "reference"),
        ({"reference": " A"}, "payout_reference_invalid", "reference"),
        ({"reference": "A\nB"}, "payout_reference_invalid", "reference"),
        ({"reference": "x" * 65}, "payout_reference_invalid", "reference"),
        ({"reference": "4111 1111 1111 1111"}, "card_number_refused", "reference"),
        ({"destination": {"phone": "4111111111111111"}}, "card_number_refused", "destination.phone"),
        ({"purpose": "SalaryPayment"}, "payout_purpose_unknown", "purpose"),
        ({"provider": "nobody"}, "no_payout_account", "provider"),
    ],
)
def test_what_cannot_be_sent_is_refused(paymaster: Paymaster, fields: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        paymaster.send(**fields)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert (Payout.objects.count(), LedgerTransaction.objects.count()) == (0, 0)


def test_a_plugin_may_object(paymaster: Paymaster, temporary_plugin: Any) -> None:
    class Careful:
        def validate_payout(self, payout: Payout) -> list[Violation]:
            return [Violation(code="payout_too_large", message="Send less.", field="amount")]

    Careful.validate_payout = hookimpl(Careful.validate_payout)  # type: ignore[method-assign]
    temporary_plugin(Careful())
    with pytest.raises(Invalid, match="Send less"):
        paymaster.send("1500")
    assert Payout.objects.count() == 0


def test_the_store_s_own_account_comes_before_the_platform_s(paymaster: Paymaster, custodian: None) -> None:
    make_provider_account(platform=True)
    assert paymaster.send().provider_account == paymaster.account
    deactivate_provider_account(account=paymaster.account)
    with pytest.raises(Conflict) as refused:  # on the platform's account the balance counts
        paymaster.send(reference="SAL-2")
    assert refused.value.code == "insufficient_funds"


def test_pooled_money_is_never_overdrawn(db: None, virtual_clock: VirtualClock, custodian: None) -> None:
    """Given 5000 of the store's money on the platform's account, then held money is not there to be sent again."""
    pool = Paymaster(pooled=True, funds="9000")
    pending = pool.send("7721", "A")
    assert (pending.status, pool.books()) == ("pending", (Decimal(9000), Decimal(7721)))
    with pytest.raises(Conflict) as refused:
        pool.send("1280", "B")
    assert refused.value.code == "insufficient_funds"
    assert Payout.objects.count() == 1
    assert pool.send("1279", "B").status == "succeeded"
    assert pool.send("7721", "A").pk == pending.pk  # what exists is found, covered or not


def test_a_wallet_may_pay(paymaster: Paymaster) -> None:
    """Given another ledger account as the source, then that one is debited, and must have the money."""
    wallet = AccountRef(AccountKind.WALLET, "cus_1", "KES", False)
    details = paymaster.details("1500", "W-1")
    with pytest.raises(Conflict):
        create_payout(store=paymaster.store, livemode=False, details=details, source=wallet)
    assert Payout.objects.count() == 0
    from majuu_core.ledger.services import Move, record_transaction

    moves = [Move(debit=paymaster.clearing(), credit=wallet, amount=Money(2000, "KES"))]
    record_transaction(key="deposit", kind="deposit", reference="w", livemode=False, moves=moves)
    payout = create_payout(store=paymaster.store, livemode=False, details=details, source=wallet)
    assert (payout.status, payout.source) == ("succeeded", str(wallet))
    assert balance(wallet).available.amount == Decimal(500)


# --- what goes wrong on the way -------------------------------------------------------------------------------------


def test_what_never_left_us_is_tried_again(paymaster: Paymaster, virtual_clock: VirtualClock) -> None:
    """Given a provider that cannot be reached for 5 seconds, then the worker sends it later, and nobody asks before."""
    payout = paymaster.send("7742")
    assert (payout.status, payout.follow_up_at) == ("pending", None)
    assert payout.send_at is not None
    assert (payout.send_at - virtual_clock.now()).total_seconds() == 15
    assert send_due_payouts() == 0
    virtual_clock.advance(15)
    assert (send_due_payouts(), send_due_payouts()) == (1, 0)
    payout.refresh_from_db()
    assert payout.status == "succeeded"
    assert Payout.objects.get().send_at is None
    assert told(payout) == ["payout.created", "payout.succeeded"]


def test_what_cannot_be_sent_for_a_day_has_failed(paymaster: Paymaster, virtual_clock: VirtualClock) -> None:
    payout = paymaster.send("7741")
    for _ in range(120):
        virtual_clock.advance(900)
        send_due_payouts()
    payout.refresh_from_db()
    assert (payout.status, payout.provider_failure_code) == ("failed", "not_sent")
    assert paymaster.books("KES") == (Decimal(0), Decimal(0))


def test_refused_credentials_keep_a_payout_until_they_are_mended(
    paymaster: Paymaster, virtual_clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given credentials that the provider refuses, then nothing failed: the worker sends it once they are mended."""
    with monkeypatch.context() as patch:
        patch.setattr(FakeProvider, "payout", raising(InvalidCredentials("expired")))
        payout = paymaster.send("1500")
    assert (payout.status, payout.follow_up_at, payout.failure_code) == ("pending", None, "")
    assert payout.send_at is not None
    assert (payout.send_at - virtual_clock.now()).total_seconds() == 300
    paymaster.account.refresh_from_db()
    assert (paymaster.account.health, paymaster.account.health_message) == ("unhealthy", "expired")
    assert paymaster.books() == (Decimal(0), Decimal(1500))
    virtual_clock.advance(299)
    assert send_due_payouts() == 0
    virtual_clock.advance(1)
    assert (send_due_payouts(), send_due_payouts()) == (1, 0)
    payout.refresh_from_db()
    assert payout.status == "succeeded"
    assert Payout.objects.get().send_at is None
    assert paymaster.books() == (Decimal(-1500), Decimal(0))
    assert told(payout) == ["payout.created", "payout.succeeded"]


def test_credentials_refused_for_a_day_fail_the_payout(
    paymaster: Paymaster, virtual_clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given credentials that nobody mends, then just before a day it still waits, and after it the money is free."""
    monkeypatch.setattr(FakeProvider, "payout", raising(InvalidCredentials("expired")))
    payout = paymaster.send("1500")
    Payout.objects.filter(pk=payout.pk).update(send_at=virtual_clock.now() + timedelta(hours=24, seconds=-1))
    virtual_clock.advance(24 * 3600 - 1)
    assert send_due_payouts() == 1
    payout.refresh_from_db()
    assert (payout.status, payout.send_at is not None) == ("pending", True)
    virtual_clock.advance(900)
    assert send_due_payouts() == 1
    payout.refresh_from_db()
    assert (payout.status, payout.provider_failure_code, payout.send_at) == ("failed", "invalid_credentials", None)
    assert payout.failure_message == "It could not be sent for a day: The provider refused the account's credentials."
    assert paymaster.books() == (Decimal(0), Decimal(0))
    assert told(payout) == ["payout.created", "payout.failed"]


def test_credentials_refused_after_a_lost_answer_decide_nothing(
    paymaster: Paymaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a request that may have arrived, when its repetition is refused, then it is asked about, not sent again."""
    answers: list[Exception] = [OutcomeUnknown("lost"), InvalidCredentials("expired")]
    monkeypatch.setattr(FakeProvider, "payout", lambda *_: (_ for _ in ()).throw(answers.pop(0)))
    payout = paymaster.send("1500")
    assert (payout.status, payout.send_at, answers) == ("unknown", None, [])
    assert payout.follow_up_at is not None


# --- whose account ----------------------------------------------------------------------------------------------------


class Unready(FakeProvider):
    """A provider whose accounts lack what payouts need; ``also`` is what else it objects to."""

    code = "unready"
    also: tuple[Violation, ...] = ()

    def prepare_payout(self, request: PayoutRequest) -> PayoutRequest:
        raise InvalidPaymentData(Violation(code="payouts_not_configured", message="Enter the initiator."), *self.also)


class UnreadyPlugin:
    @hookimpl
    def register_payment_providers(self) -> list[type[FakeProvider]]:
        return [Unready]


@pytest.fixture
def unready(paymaster: Paymaster, temporary_plugin: Any, monkeypatch: pytest.MonkeyPatch) -> ProviderAccount:
    """An account that comes before the paymaster's and cannot send money."""
    monkeypatch.setattr(Unready, "also", ())
    temporary_plugin(UnreadyPlugin())
    return make_provider_account(store=paymaster.store, provider="unready", priority=9)


def test_an_account_that_is_not_set_up_for_payouts_is_passed_over(
    paymaster: Paymaster, unready: ProviderAccount
) -> None:
    """Given a first account without an initiator, then the payout leaves from the next one."""
    payout = paymaster.send("1500")
    assert (payout.status, payout.provider_account) == ("succeeded", paymaster.account)


def test_when_no_account_is_set_up_the_first_says_what_is_missing(
    paymaster: Paymaster, unready: ProviderAccount
) -> None:
    deactivate_provider_account(account=paymaster.account)
    with pytest.raises(Invalid, match="Enter the initiator") as refused:
        paymaster.send("1500")
    assert (refused.value.code, Payout.objects.count()) == ("payouts_not_configured", 0)


def test_what_else_the_first_account_refuses_stays_refused(
    paymaster: Paymaster, unready: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a payout that is wrong besides, then it is not sent elsewhere in silence: the fault is told."""
    monkeypatch.setattr(Unready, "also", (Violation(code="amount_too_small", message="10 at least.", field="amount"),))
    with pytest.raises(Invalid) as refused:
        paymaster.send("1500")
    assert (refused.value.code, refused.value.field, Payout.objects.count()) == ("amount_too_small", "amount", 0)


def test_without_custody_nothing_is_sent_for_others_from_the_platform_s_account(
    db: None, virtual_clock: VirtualClock
) -> None:
    """Given a store without an account of its own, then it is told that this site holds no money for others."""
    pool = Paymaster(pooled=True, funds="9000")
    with pytest.raises(Denied) as refused:
        pool.send("1500")
    assert (refused.value.code, Payout.objects.count()) == ("custodial_disabled", 0)
    assert pool.books() == (Decimal(9000), Decimal(0))


def test_without_custody_a_payout_that_exists_is_still_found(
    db: None, virtual_clock: VirtualClock, settings: Any, custodian: None
) -> None:
    """Given a payout from the platform's account, when custody is switched off, then it goes on and is found."""
    pool = Paymaster(pooled=True, funds="9000")
    pending = pool.send("7721", "A")
    settings.MAJUU_CUSTODIAL = False
    assert pool.send("7721", "A").pk == pending.pk
    virtual_clock.advance(60)
    run_due_payout_questions()
    assert Payout.objects.get().status in ("pending", "succeeded")


def test_without_custody_an_own_account_that_is_not_set_up_is_what_is_named(
    paymaster: Paymaster, unready: ProviderAccount
) -> None:
    """Given an own account without an initiator and the platform's, then what is missing is said, not custody."""
    deactivate_provider_account(account=paymaster.account)
    make_provider_account(platform=True)
    with pytest.raises(Invalid) as refused:
        paymaster.send("1500")
    assert refused.value.code == "payouts_not_configured"


def test_the_platform_s_own_business_needs_no_permission(db: None, virtual_clock: VirtualClock) -> None:
    """Given a store of the platform's own business, then its money may leave from the platform's account."""
    pool = Paymaster(pooled=True, funds="9000", store=make_store(merchant=intake_store().merchant))
    assert pool.send("1500").status == "succeeded"


def test_a_busy_provider_is_left_alone_for_a_while(paymaster: Paymaster, virtual_clock: VirtualClock) -> None:
    payout = paymaster.send("7744")
    assert (payout.status, payout.send_at is not None) == ("pending", True)
    virtual_clock.advance(15)
    send_due_payouts()
    payout.refresh_from_db()
    assert payout.status == "succeeded"


def test_a_refused_request_has_failed(paymaster: Paymaster) -> None:
    payout = paymaster.send("7743")
    assert (payout.status, payout.provider_failure_code) == ("failed", "magic_amount")


def test_a_lost_answer_is_unknown_until_the_provider_tells(paymaster: Paymaster, virtual_clock: VirtualClock) -> None:
    """Given money that moved though the answer was lost, then it is held, asked about, and booked once."""
    payout = paymaster.send("7731")
    assert (payout.status, paymaster.books()) == ("unknown", (Decimal(0), Decimal(7731)))
    assert told(payout) == ["payout.created", "payout.updated"]
    virtual_clock.advance(10)
    run_due_payout_questions()
    payout.refresh_from_db()
    assert (payout.status, paymaster.books()) == ("succeeded", (Decimal(-7731), Decimal(0)))


def test_a_reference_that_the_provider_knows_already_is_asked_about(
    paymaster: Paymaster, monkeypatch: pytest.MonkeyPatch, virtual_clock: VirtualClock
) -> None:
    """Given a refusal because the provider has our reference, then that is no failure: the first one got through."""

    def known(self: FakeProvider, request: Any) -> Result:
        raise RequestRejected("Duplicate OriginatorConversationID.", code="duplicate_reference")

    monkeypatch.setattr(FakeProvider, "payout", known)
    payout = paymaster.send("1500")
    assert (payout.status, payout.failure_code, paymaster.books()) == ("unknown", "", (Decimal(0), HELD))


def calls_of(monkeypatch: pytest.MonkeyPatch, answers: list[Any], *, replay_safe: bool) -> list[str]:
    """Let the provider answer as told, in turn; returns the keys it was called with."""
    from dataclasses import replace

    seen: list[str] = []

    def payout(self: FakeProvider, request: Any) -> Result:
        seen.append(request.idempotency_key)
        answer = answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        assert isinstance(answer, Result)
        return answer

    monkeypatch.setattr(FakeProvider, "payout", payout)
    monkeypatch.setattr(FakeProvider, "info", replace(FakeProvider.info, replay_safe=replay_safe))
    return seen


DONE = Result(status=ResultStatus.SUCCEEDED, provider_reference="REF-0001", receipt="R1")


def test_an_unknown_outcome_is_sent_again_only_where_that_is_a_look_up(
    paymaster: Paymaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = calls_of(monkeypatch, [OutcomeUnknown("gone"), DONE], replay_safe=True)
    payout = paymaster.send("1500")
    assert (payout.status, seen) == ("succeeded", [payout.public_id] * 2)


def test_elsewhere_it_is_never_sent_again(
    paymaster: Paymaster, monkeypatch: pytest.MonkeyPatch, virtual_clock: VirtualClock
) -> None:
    """Given a provider that is not replay-safe and an answer lost for good, then a person decides in the end."""
    seen = calls_of(monkeypatch, [OutcomeUnknown("gone"), DONE], replay_safe=False)
    payout = paymaster.send("1500")
    for _ in range(40):
        virtual_clock.advance(3600)
        run_due_payout_questions()
        send_due_payouts()
    payout.refresh_from_db()
    assert (payout.status, payout.is_parked, payout.parked_reason) == ("unknown", True, NO_ANSWER)
    assert (payout.follow_up_at, paymaster.books(), len(seen)) == (None, (Decimal(0), HELD), 1)
    assert told(payout)[-1] == "payout.parked"


def test_after_a_lost_answer_a_refusal_of_the_repetition_decides_nothing(
    paymaster: Paymaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls_of(monkeypatch, [OutcomeUnknown("gone"), NotSent("away")], replay_safe=True)
    assert paymaster.send("1500").status == "unknown"


class Killed(BaseException):
    """The process ends here."""


def test_who_dies_before_the_answer_leaves_a_payout_that_is_asked_about(
    paymaster: Paymaster, monkeypatch: pytest.MonkeyPatch, virtual_clock: VirtualClock
) -> None:
    """Given a process killed while it calls, then the row and its hold stand, and the same key finds the truth."""
    seen = calls_of(monkeypatch, [Killed(), DONE], replay_safe=True)
    with pytest.raises(Killed):
        paymaster.send("1500")
    payout = Payout.objects.get()
    assert (payout.status, payout.send_at, paymaster.books()) == ("pending", None, (Decimal(0), HELD))
    assert (send_due_payouts(), run_due_payout_questions()) == (0, 0)
    virtual_clock.advance(46)
    assert run_due_payout_questions() == 1
    payout.refresh_from_db()
    assert (payout.status, seen) == ("succeeded", [payout.public_id] * 2)
    assert (paymaster.books(), ProviderCall.objects.count()) == ((Decimal(-1500), Decimal(0)), 0)


def test_who_dies_with_a_queued_payout_in_hand_does_not_send_it_twice(
    paymaster: Paymaster, monkeypatch: pytest.MonkeyPatch, virtual_clock: VirtualClock
) -> None:
    """Given a worker killed after it sent a payout of its queue, then no worker sends that one again."""
    seen = calls_of(monkeypatch, [NotSent("away"), Killed(), DONE], replay_safe=False)
    payout = paymaster.send("1500")
    virtual_clock.advance(15)
    with pytest.raises(Killed):
        send_due_payouts()
    for _ in range(5):
        virtual_clock.advance(3600)
        assert send_due_payouts() == 0
    payout.refresh_from_db()
    assert (payout.status, len(seen)) == ("pending", 2)


def test_money_that_left_after_all_is_booked(paymaster: Paymaster, virtual_clock: VirtualClock) -> None:
    """Given a payout held for failed, when the provider says that it succeeded, then the books and the shop hear it."""
    from majuu_core.payments.outgoing import apply_outgoing
    from majuu_core.payments.payout_sending import PAYOUTS

    payout = paymaster.send("7702")
    assert (payout.status, paymaster.books("KES")) == ("failed", (Decimal(0), Decimal(0)))
    late = Result(status=ResultStatus.SUCCEEDED, receipt="R1", amount=Money(7702, "KES"))
    applied = apply_outgoing(PAYOUTS, payout.pk, late)
    assert (applied.row.status, applied.row.failure_code, applied.row.receipt) == ("succeeded", "", "R1")
    assert paymaster.books() == (Decimal(-7702), Decimal(0))
    again = apply_outgoing(PAYOUTS, payout.pk, late)
    assert (again.changed, paymaster.books()) == (False, (Decimal(-7702), Decimal(0)))
    assert told(payout) == ["payout.created", "payout.failed", "payout.succeeded"]
    assert list(find_problems()) == []


@pytest.mark.parametrize(
    ("amount", "reason"),
    [("7751", "The provider reports 7750 KES; 7751"), ("7752", "The provider reports 7752 USD; 7752")],
)
def test_another_amount_or_currency_is_for_a_person(paymaster: Paymaster, amount: str, reason: str) -> None:
    payout = paymaster.send(amount)
    assert (payout.status, payout.is_parked, payout.follow_up_at) == ("pending", True, None)
    assert payout.parked_reason.startswith(reason)
    assert paymaster.books() == (Decimal(0), Decimal(amount))
    assert told(payout) == ["payout.created", "payout.parked"]


def test_the_provider_s_fee_is_booked_whenever_it_becomes_known(paymaster: Paymaster) -> None:
    from majuu_core.payments.outgoing import apply_outgoing
    from majuu_core.payments.payout_sending import PAYOUTS

    payout = paymaster.send("1500")
    with_fee = Result(status=ResultStatus.SUCCEEDED, fee=Money(23, "KES"))
    for _ in range(2):
        apply_outgoing(PAYOUTS, payout.pk, with_fee)
    payout.refresh_from_db()
    fees = AccountRef(AccountKind.PROVIDER_FEES, paymaster.store.public_id, "KES", False)
    assert (payout.fee, balance(fees).posted) == (Money(23, "KES"), Money(23, "KES"))
    assert balance(paymaster.clearing()).posted == Money(-1523, "KES")
    assert told(payout) == ["payout.created", "payout.succeeded", "payout.updated"]


@pytest.mark.parametrize("stopped", ["merchant", "account"])
def test_a_queued_payout_waits_while_its_merchant_or_account_is_stopped(
    paymaster: Paymaster, virtual_clock: VirtualClock, stopped: str
) -> None:
    payout = paymaster.send("7742")
    if stopped == "merchant":
        suspend_merchant(merchant=paymaster.store.merchant, reason="fraud")
    else:
        deactivate_provider_account(account=paymaster.account)
    virtual_clock.advance(15)
    assert send_due_payouts() == 1
    payout.refresh_from_db()
    assert (payout.status, payout.send_at is not None) == ("pending", True)
    assert ProviderCall.objects.filter(about=payout.public_id).count() == 0


def test_a_store_without_an_account_is_told(db: None) -> None:
    lonely = Paymaster.__new__(Paymaster)
    lonely.store = make_store()
    with pytest.raises(Invalid) as refused:
        lonely.send()
    assert refused.value.code == "no_payout_account"


def test_one_that_was_not_sent_and_is_spoken_of_is_asked_about_and_not_sent(
    paymaster: Paymaster, virtual_clock: VirtualClock
) -> None:
    """given a payout that waits to be sent again / when a message leaves it unknown / then it is not forgotten."""
    payout = paymaster.send("1500", "SAL-77")
    Payout.objects.filter(pk=payout.pk).update(status="unknown", send_at=virtual_clock.now(), follow_up_at=None)
    assert send_due_payouts() == 0
    payout.refresh_from_db()
    assert payout.send_at is None
    assert payout.follow_up_at is not None
