"""A day at the simulated Stripe, closed against its balance transactions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from moneyed import Money

from majuu_core.common import clock
from majuu_core.common.clock import VirtualClock
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.selectors import balance
from majuu_core.ledger.verification import find_problems
from majuu_core.payments.models import Charge
from majuu_core.payments.refunds import RefundDetails, create_refund
from majuu_core.payments.settling import apply_result
from majuu_core.providers import Result, ResultStatus
from majuu_core.providers.installed import installed_providers
from majuu_core.reports.bank_payouts import content_of
from majuu_core.reports.due import run_due_closes
from majuu_core.reports.models import BankPayout, Close, Mismatch, SettlementLine
from majuu_sim.stripe import StripeAccount
from tests.sandbox.test_stripe import KEY, CardShop, Plugin

DAY = timedelta(days=1)


@pytest.fixture
def open_shop(
    db: None, virtual_clock: VirtualClock, settings: Any, temporary_plugin: Callable[[object], object]
) -> Iterator[Callable[..., CardShop]]:
    """Call it with the Stripe account and the simulator's settings."""
    if "stripe" not in installed_providers():
        temporary_plugin(Plugin())
    with ExitStack() as stack:

        def make(account: StripeAccount | None = None, **options: Any) -> CardShop:
            shop = CardShop(virtual_clock, account=account, **options)
            stack.enter_context(shop.sim.serve())
            settings.MAJUU_PROVIDERS = {"stripe": {"test": {"base_url": shop.sim.base_url}}}
            shop.open()
            type(shop.account).objects.filter(pk=shop.account.pk).update(created_at=clock.now() - 2 * DAY)
            return shop

        yield make
    assert list(find_problems()) == []


@pytest.fixture
def shop(open_shop: Callable[..., CardShop]) -> CardShop:
    return open_shop()


def next_close(shop: CardShop) -> list[tuple[str, str]]:
    """Two hours after the next midnight, the worker closes what is due; the differences that are open afterwards."""
    now = clock.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    shop.clock.advance(midnight + timedelta(hours=2, minutes=1) - now)
    shop.sim.run_due()
    while run_due_closes(limit=10):
        pass
    assert set(Close.objects.values_list("state", flat=True)) == {"done"}
    rows = Mismatch.objects.exclude(state="resolved").order_by("kind")
    return [(row.kind, row.object_id or row.receipt) for row in rows]


def on(shop: CardShop, kind: AccountKind, owner: str) -> Money:
    return balance(AccountRef(kind, owner, "KES", livemode=False)).posted


def test_a_day_with_payments_a_refund_and_a_payout_ends_without_a_difference(shop: CardShop) -> None:
    """given a charge whose fee Stripe told, one whose fee no event told, and a part given back / when the money goes to
    the bank / then nothing is left at Stripe, here and there, and the payout adds up."""
    first, second = shop.pay("pm_card_visa", "1500"), shop.pay(amount="800")
    shop.sim.pay_session(second.provider_reference or "")
    shop.deliver()
    create_refund(
        store=shop.store,
        livemode=False,
        details=RefundDetails(charge=first.public_id, amount=Money(500, "KES"), reason="Wrong size"),
    )
    shop.deliver()
    assert list(Charge.objects.filter(fee__gt=0)) == [first]
    assert next_close(shop) == []
    charges = list(Charge.objects.order_by("pk"))
    lines = SettlementLine.objects.filter(kind="charge").order_by("line_number")
    assert {line.object_id for line in lines} == {first.public_id, second.public_id}
    assert sorted(charge.fee.amount for charge in charges) == sorted(line.fee for line in lines)
    fees = sum((charge.fee for charge in charges), Money(0, "KES"))
    assert fees.amount > 0
    assert on(shop, AccountKind.PROVIDER_FEES, shop.store.public_id) == fees
    assert on(shop, AccountKind.PROVIDER_CLEARING, shop.account.public_id) == Money(1800, "KES") - fees

    shop.clock.advance(2 * DAY)
    shop.sim.run_due()
    shop.sim.make_payout("kes")
    assert next_close(shop) == []
    assert on(shop, AccountKind.PROVIDER_CLEARING, shop.account.public_id) == Money(0, "KES")
    assert on(shop, AccountKind.BANK, shop.store.merchant.public_id) == Money(1800, "KES") - fees
    payout = BankPayout.objects.get()
    content = content_of(payout)
    assert (content.count, content.adds_up_to(payout.money)) == (3, True)

    shop.sim.fail_payout(payout.payout_reference)
    assert next_close(shop) == []
    assert on(shop, AccountKind.BANK, shop.store.merchant.public_id) == Money(0, "KES")


def test_a_payment_unknown_here_and_one_missing_there_are_what_is_found(shop: CardShop) -> None:
    known, forged = shop.pay("pm_card_visa", "1500"), shop.pay(amount="800")
    shop.deliver()
    apply_result(charge_id=forged.pk, result=Result(status=ResultStatus.SUCCEEDED, receipt="ch_forged"))
    unknown = pay_elsewhere(shop, 70_000)

    assert next_close(shop) == [("missing_here", unknown), ("missing_there", forged.public_id)]
    known.refresh_from_db()
    assert known.fee.amount > 0
    assert on(shop, AccountKind.PROVIDER_FEES, shop.store.public_id) == known.fee


def pay_elsewhere(shop: CardShop, amount: int) -> str:
    """A payment that another system takes in the same Stripe account; returns Stripe's charge."""
    values = {"amount": amount, "currency": "kes", "payment_method": "pm_card_visa", "confirm": "true"}
    more = {"return_url": "https://duka.example/thanks"}
    request = Request(  # noqa: S310 - the simulator's own address
        f"{shop.sim.base_url}/v1/payment_intents",
        data=urlencode({**values, **more}).encode(),
        headers={"Authorization": f"Bearer {KEY}"},
    )
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - the simulator's own address
        found = str(json.load(answer)["latest_charge"])
    shop.letters()  # other people's: nobody delivers them
    return found


def test_payments_settled_in_another_currency_are_no_difference(open_shop: Callable[..., CardShop]) -> None:
    """given an account in the United States that settles in dollars only / when customers pay in shillings / then what
    they paid is compared, and the books hold dollars at Stripe."""
    shop = open_shop(
        account=StripeAccount(secret_key=KEY, settles=("usd",)),
        exchange_rates={("kes", "usd"): Decimal("0.0077")},
    )
    charge = shop.pay("pm_card_visa", "1300")
    shop.deliver()

    assert next_close(shop) == []
    line = SettlementLine.objects.get(kind="charge")
    assert (line.money, line.presented) == (Money("10.01", "USD"), Money(1300, "KES"))
    assert on(shop, AccountKind.PROVIDER_CLEARING, shop.account.public_id) == Money(0, "KES")
    held = balance(AccountRef(AccountKind.PROVIDER_CLEARING, shop.account.public_id, "USD", livemode=False)).posted
    assert held == Money("10.01", "USD") - Money(line.fee or 0, "USD")
    charge.refresh_from_db()
    assert charge.fee == Money(0, "KES")
