"""Holding money for others: off by default, refused then, explained when on."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from majuu_core.common.problems import Denied
from majuu_core.configuration import TrustAccount, check_settings, custodial, trust_accounts
from majuu_core.payments.custody import check_custody, require_custodial

NAMED = {"kcb": {"name": " Majuu Trust ", "bank": "KCB Bank"}}


def test_off_by_default_it_is_refused_and_nobody_is_warned() -> None:
    """given no setting / when something needs it / then Denied with a stable code; checks are silent."""
    assert custodial() is False
    with pytest.raises(Denied) as refusal:
        require_custodial("Wallets")
    assert refusal.value.code == "custodial_disabled"
    assert refusal.value.message.startswith("Wallets: ")
    assert check_custody() == []


def test_on_it_is_allowed_and_always_says_what_it_means(settings: Any) -> None:
    """given it is on, with a trust account / when checked / then one warning names the law's demands."""
    settings.MAJUU_CUSTODIAL, settings.MAJUU_TRUST_ACCOUNTS = True, NAMED
    require_custodial("Wallets")
    found = check_custody()
    assert [item.id for item in found] == ["majuu.W030"]
    assert not found[0].is_serious()
    for part in ("Central Bank", "authorisation", "trust", "KES 100 million", "two strong-rated banks", "25 %"):
        assert part in found[0].msg
    assert trust_accounts() == (TrustAccount("kcb", "Majuu Trust", "KCB Bank"),)


@pytest.mark.parametrize("accounts", [{}, None])
def test_on_without_a_trust_account_the_site_does_not_start(settings: Any, accounts: Any) -> None:
    """given it is on and no trust account is named / when checked / then an error besides the warning."""
    settings.MAJUU_CUSTODIAL = True
    if accounts is not None:
        settings.MAJUU_TRUST_ACCOUNTS = accounts
    found = check_custody()
    assert [(item.id, item.is_serious()) for item in found] == [("majuu.W030", False), ("majuu.E030", True)]


@pytest.mark.parametrize(
    "value",
    [
        ["kcb"],
        {"kcb": "KCB Bank"},
        {"kcb": {"name": "Trust"}},
        {"kcb": {"name": "", "bank": "KCB"}},
        {"kcb": {"name": "Trust", "bank": 1}},
        {"kcb": {"name": "Trust", "bank": "KCB", "more": "x"}},
        {"K C B": {"name": "Trust", "bank": "KCB"}},
        {1: {"name": "Trust", "bank": "KCB"}},
    ],
)
def test_trust_accounts_that_cannot_be_used(settings: Any, value: Any) -> None:
    """given a wrong form / when read, or checked / then ImproperlyConfigured, and majuu.E010 tells of it."""
    settings.MAJUU_CUSTODIAL, settings.MAJUU_TRUST_ACCOUNTS = True, value
    with pytest.raises(ImproperlyConfigured):
        trust_accounts()
    assert [item.id for item in check_settings()] == ["majuu.E010"]
    assert check_custody() == []


@pytest.mark.parametrize("value", [1, "True", None])
def test_the_setting_is_true_or_false(settings: Any, value: Any) -> None:
    """given something like true / when read / then refused: whoever holds money says so plainly."""
    settings.MAJUU_CUSTODIAL = value
    with pytest.raises(ImproperlyConfigured):
        custodial()
    assert "majuu.E010" in [item.id for item in check_settings()]
