"""``manage.py majuu_mpesa_check``: the general check, of M-Pesa accounts only."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from majuu_core.plugins import hookimpl
from majuu_core.testing.factories import make_provider_account
from majuu_mpesa.management.commands.majuu_mpesa_check import Command
from majuu_mpesa.provider import MpesaProvider
from majuu_sim.daraja import SANDBOX_PASSKEY, SANDBOX_SHORTCODE, DarajaSimulator

pytestmark = pytest.mark.django_db


class Plugin:
    @hookimpl
    def register_payment_providers(self) -> list[type[MpesaProvider]]:
        return [MpesaProvider]


@pytest.fixture
def daraja(settings: Any, temporary_plugin: Callable[[object], object]) -> Iterator[Any]:
    temporary_plugin(Plugin())
    with DarajaSimulator(seed=3).serve() as sim:
        settings.MAJUU_PROVIDERS = {"mpesa": {"test": {"base_url": sim.base_url}}}
        yield sim


def make_account(**changes: str) -> Any:
    credentials = {
        "consumer_key": "majuu-sim-key",
        "consumer_secret": "majuu-sim-secret",
        "shortcode": SANDBOX_SHORTCODE,
        "passkey": SANDBOX_PASSKEY,
        **changes,
    }
    return make_provider_account(provider="mpesa", credentials=credentials)


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(Command(), *arguments, stdout=out)
    return out.getvalue()


def test_all_mpesa_accounts_are_checked_and_no_other(daraja: Any) -> None:
    """given an M-Pesa and a mock account / when called without a name / then only the first is printed, and is well."""
    ours, other = make_account(), make_provider_account()
    printed = run()
    assert ours.public_id in printed
    assert other.public_id not in printed
    assert "ok       Credentials" in printed
    for secret in ("majuu-sim-secret", SANDBOX_PASSKEY):
        assert secret not in printed


def test_wrong_keys_fail_the_command(daraja: Any) -> None:
    """given an account with a wrong secret / when it is named / then the command fails and says what to do."""
    bad = make_account(consumer_secret="wrong-secret-of-the-app")
    with pytest.raises(CommandError, match="1 of 1 accounts have errors"):
        run(bad.public_id)
    bad.refresh_from_db()
    assert bad.health == "unhealthy"


def test_an_account_of_another_provider_is_not_mpesas_to_check(daraja: Any) -> None:
    """given a mock account / when it is named / then it is refused."""
    with pytest.raises(CommandError, match="no such account"):
        run(make_provider_account().public_id)
