from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.common.money import CURRENCY_CODES, AmountError
from majuu_core.ledger.chart import CHART, AccountKind, AccountRef, Category, Side, fx_trading, parse_account
from majuu_core.ledger.models import LedgerAccount

accounts = st.builds(
    AccountRef,
    kind=st.sampled_from(AccountKind),
    owner=st.from_regex(r"[A-Za-z0-9_./:-]{1,64}", fullmatch=True),
    currency=st.sampled_from(CURRENCY_CODES),
    livemode=st.booleans(),
)


def test_every_kind_is_in_the_chart() -> None:
    assert set(CHART) == set(AccountKind)
    assert all(entry.meaning.endswith(".") and entry.owned_by for entry in CHART.values())


def test_kinds_and_categories_fit_their_columns() -> None:
    assert max(len(kind.value) for kind in AccountKind) <= 32
    assert {category.value for category in Category} == set(LedgerAccount.Category.values)


def test_assets_and_expenses_grow_by_debits_the_rest_by_credits() -> None:
    growing_by_debit = {kind for kind in AccountKind if kind.normal_side is Side.DEBIT}

    assert growing_by_debit == {
        AccountKind.PROVIDER_CLEARING,
        AccountKind.BANK,
        AccountKind.TRUST_BANK,
        AccountKind.DISPUTES_HELD,
        AccountKind.PROVIDER_FEES,
        AccountKind.LOSSES,
        AccountKind.ROUNDING,
    }


def test_only_wallets_are_guarded() -> None:
    assert [kind for kind in AccountKind if kind.guarded] == [AccountKind.WALLET]


def test_the_id_of_an_account_never_changes() -> None:
    ref = AccountRef(AccountKind.STORE_PAYABLE, "st_01", "KES", True)

    assert ref.id == uuid.UUID("1ff0a72f-faee-5d01-b3c9-10744c5818fc")
    assert ref.id == AccountRef(AccountKind.STORE_PAYABLE, "st_01", "KES", True).id


@given(accounts, accounts)
def test_two_accounts_share_an_id_only_when_they_are_one(one: AccountRef, other: AccountRef) -> None:
    assert (one.id == other.id) == (one == other)


@given(accounts)
def test_what_an_account_is_written_as_can_be_read_back(ref: AccountRef) -> None:
    assert parse_account(str(ref)) == ref


@pytest.mark.parametrize(
    "text",
    [
        "",
        "store_payable",
        "store_payable:st_01:KES",
        "store_payable:st_01:KES:real",
        "nonsense:st_01:KES:test",
        "store_payable:st_01:XXX:test",
        "store_payable::KES:test",
    ],
)
def test_what_is_no_account_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_account(text)


@pytest.mark.parametrize("owner", ["", "x" * 65, "a|b", "two words", "st_01\n", "ünïcode"])
def test_an_owner_is_a_short_plain_id(owner: str) -> None:
    with pytest.raises(ValueError, match="cannot own an account"):
        AccountRef(AccountKind.STORE_PAYABLE, owner, "KES", False)


def test_the_currency_must_be_known() -> None:
    with pytest.raises(AmountError):
        AccountRef(AccountKind.STORE_PAYABLE, "st_01", "ZZZ", False)


def test_a_currency_pair_has_one_name_in_both_directions() -> None:
    kes, usd = fx_trading("KES", "USD", livemode=False), fx_trading("USD", "KES", livemode=False)

    assert (kes.owner, kes.currency) == ("KES/USD", "KES")
    assert (usd.owner, usd.currency) == ("KES/USD", "USD")


def test_a_currency_pair_has_two_currencies() -> None:
    with pytest.raises(ValueError, match="two currencies"):
        fx_trading("KES", "KES", livemode=False)
