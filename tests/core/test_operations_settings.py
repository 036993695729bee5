"""The settings of balances and alerts: their defaults, and what they refuse."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from majuu_core import configuration
from majuu_core.common import clock, ids
from majuu_core.common.clock import VirtualClock
from majuu_core.configuration import LowBalance, low_balances


def limits(account_id: str = "pa_1", provider: str = "mpesa", currency: str = "KES") -> tuple[LowBalance, ...]:
    return low_balances(account_id=account_id, provider=provider, currency=currency)


def test_without_settings_there_are_defaults(settings: Any) -> None:
    """given no settings / when read / then an hour, a quarter of an hour, no limit and nobody to write to."""
    settings.ADMINS = []
    assert configuration.balance_minutes() == 60
    assert configuration.callback_silence_minutes() == 15
    assert configuration.alert_emails() == ()
    assert limits() == ()


@pytest.mark.parametrize("name", ["MAJUU_BALANCE_MINUTES", "MAJUU_CALLBACK_SILENCE"])
@pytest.mark.parametrize("value", [-1, 1.5, "60", True, None, 10**6])
def test_minutes_are_whole_and_sane(settings: Any, name: str, value: Any) -> None:
    """given a value that is no number of minutes / when checked / then the check names the setting."""
    setattr(settings, name, value)
    assert [error.msg for error in configuration.check_settings() if name in error.msg]


def test_limits_are_read_by_account_then_by_provider(settings: Any) -> None:
    """given limits of both kinds / when read / then the account's own stand in for the provider's, by currency."""
    settings.MAJUU_LOW_BALANCE = {
        "mpesa/KES": {"Utility Account": 20000, "Working Account": "99.50"},
        "pa_2/KES": "5000",
    }
    assert limits() == (
        LowBalance("Utility Account", Decimal(20000)),
        LowBalance("Working Account", Decimal("99.50")),
    )
    assert limits("pa_2") == (LowBalance("", Decimal(5000)),)
    assert limits(currency="USD") == ()
    assert limits(provider="mock") == ()
    assert configuration.limited_accounts() == {"mpesa", "pa_2"}


@pytest.mark.parametrize(
    "value",
    [
        *([], "x", {"mpesa": 5}, {"mpesa/kes": 5}, {5: 5}, {"mpesa/KES": 5.5}, {"mpesa/KES": "NaN"}),
        *({"mpesa/KES": "-1"}, {"mpesa/KES": True}, {"mpesa/KES": {"Utility": None}}, {"mpesa/KES": "many"}),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(settings: Any, value: Any) -> None:
    """given another form / when read / then ImproperlyConfigured names the setting; an empty one is no limit."""
    settings.MAJUU_LOW_BALANCE = value
    if not value:
        assert limits() == ()
        return
    with pytest.raises(ImproperlyConfigured, match="MAJUU_LOW_BALANCE"):
        limits()


def test_addresses_are_a_list_of_texts(settings: Any) -> None:
    """given one text instead of a list / when read / then it is refused; an empty list means ADMINS."""
    settings.ADMINS = ["asha@example.com"]
    settings.MAJUU_ALERT_EMAILS = []
    assert configuration.alert_emails() == ("asha@example.com",)
    settings.MAJUU_ALERT_EMAILS = "ops@example.com"
    with pytest.raises(ImproperlyConfigured, match="MAJUU_ALERT_EMAILS"):
        configuration.alert_emails()


def test_the_first_id_of_a_moment_comes_before_all_made_since(virtual_clock: VirtualClock) -> None:
    """given ids made before, at and after a moment / when compared with its first id / then they lie on their side."""
    before = ids.new_uuid()
    virtual_clock.advance(timedelta(milliseconds=1))
    moment = clock.now()
    at = [ids.new_uuid() for _ in range(100)]
    virtual_clock.advance(timedelta(milliseconds=1))
    assert before < ids.first_uuid(moment) < min(at) < ids.first_uuid(clock.now()) < ids.new_uuid()
