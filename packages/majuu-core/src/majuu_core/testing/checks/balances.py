"""What stands on the accounts behind a provider account."""

from __future__ import annotations

from typing import cast

from majuu_core.providers import BalanceAnswer, BalanceQuery, SupportsBalances
from majuu_core.testing.harness import ProviderHarness, new_reference
from majuu_core.testing.kit import check
from majuu_core.testing.steps import expect

_NEEDS = ("request_balances",)
_WEBHOOK = "https://pay.example.com/in/account/secret/balance"


def _ask(harness: ProviderHarness) -> BalanceAnswer:
    query = BalanceQuery(reference=new_reference("bal"), webhook_url=_WEBHOOK)
    return cast(SupportsBalances, harness.make_provider()).request_balances(query)


@check(
    "balance",
    needs=_NEEDS,
    why="An answer that comes later is known by the reference alone; without one it is parked for ever.",
    fix="Return the balances, or None for them together with the provider's reference of the question.",
)
def answer_is_now_or_has_a_reference(harness: ProviderHarness) -> None:
    answer = _ask(harness)
    expect(answer.balances is not None or answer.provider_reference, "neither balances nor a reference came back")
    if answer.balances is not None:
        expect(answer.balances, "an empty list of balances came back")


@check(
    "balance",
    needs=_NEEDS,
    why="Amounts of two currencies in one account cannot be compared with a limit.",
    fix="Give all parts of an account its own currency.",
)
def parts_share_the_currency(harness: ProviderHarness) -> None:
    known = harness.provider_class.info.currencies
    for balance in _ask(harness).balances or ():
        code = balance.current.currency.code
        expect(code in known, f"{balance.name} is in {code}, which info.currencies does not hold")
        for part in (balance.available, balance.reserved, balance.uncleared):
            expect(part is None or part.currency.code == code, f"{balance.name} is in {code}, a part of it in {part}")


@check(
    "balance",
    needs=_NEEDS,
    why="Payouts are planned with what is available; a current amount in its place promises money that is blocked.",
    fix="Read the provider's field order with care: available is what is left of current after what is reserved.",
)
def available_is_not_more_than_current(harness: ProviderHarness) -> None:
    for balance in _ask(harness).balances or ():
        if balance.available is None or balance.available.currency != balance.current.currency:
            continue
        reserved = balance.reserved
        blocked = reserved.amount if reserved is not None and reserved.currency == balance.current.currency else 0
        left = balance.current.amount - max(blocked, 0)
        expect(
            balance.available.amount <= left,
            f"{balance.name}: {balance.available} available of {balance.current}, with {reserved} reserved",
        )
