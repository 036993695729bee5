"""Checking an account: every trouble is an answer, none is an exception, and no secret is printed."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from majuu_core.audit.models import AuditEntry
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import deactivate_provider_account
from majuu_core.payments.account_checks import check_account, has_errors
from majuu_core.providers import InvalidCredentials, NotSent, RateLimited
from majuu_core.testing.factories import make_provider_account
from tests.core.payments.talker import Talker

pytestmark = pytest.mark.django_db


def states(account: ProviderAccount) -> dict[str, str]:
    return {check.name: check.state for check in check_account(account)}


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("majuu_check_account", *arguments, stdout=out)
    return out.getvalue()


def test_a_good_account_has_only_good_answers() -> None:
    """given a mock account in test mode / when checked / then all is well, its health is known, and it is audited."""
    account = make_provider_account()
    assert states(account) == {"Stored credentials": "ok", "Credentials": "ok", "Mode": "ok", "Callback address": "ok"}
    account.refresh_from_db()
    assert account.health == "healthy"
    entry = AuditEntry.objects.get(action="provider_account.checked")
    assert (entry.object_id, entry.changes) == (account.public_id, {"ok": 4, "warning": 0, "error": 0})


@pytest.mark.parametrize(
    ("trouble", "state", "says", "health"),
    [
        (InvalidCredentials("wrong key"), "error", "The provider refuses them: wrong key.", "unhealthy"),
        (NotSent("no connection"), "error", "The provider gave no answer: no connection.", "unchecked"),
        (RateLimited("busy"), "warning", "The provider did not say: busy", "unchecked"),
        (RuntimeError("a bug with sk_live_0123456789abcdef"), "error", "the log says why", "unchecked"),
    ],
)
def test_what_the_provider_says_is_an_answer(
    talker: ProviderAccount, trouble: Exception, state: str, says: str, health: str
) -> None:
    """given a provider in trouble / when checked / then the answer says which, and the other checks go on."""
    Talker.trouble = trouble
    found = {check.name: check for check in check_account(talker)}
    assert found["Credentials"].state == state
    assert says in found["Credentials"].message
    assert found["Clock"].state == "warning"
    assert "sk_live" not in "".join(check.message for check in found.values())
    talker.refresh_from_db()
    assert talker.health == health


def test_checks_that_break_off_are_an_error(talker: ProviderAccount) -> None:
    """given a provider package whose checks raise / when checked / then what was found before it is kept."""
    Talker.trouble = ZeroDivisionError("oops")
    found = states(talker)
    assert found["Clock"] == "warning"
    assert found["Provider's own checks"] == "error"


def test_credentials_that_do_not_open_are_an_error(settings: Any) -> None:
    """given an account sealed with a key that is gone / when checked / then that is the answer, and nobody is asked."""
    account = make_provider_account()
    settings.MAJUU_ENCRYPTION_KEYS = ["another-master-key-0123456789-abcdefgh"]
    found = check_account(account)
    assert [(check.name, check.state) for check in found] == [("Stored credentials", "error")]
    assert "do not open" in found[0].message
    assert has_errors(found)


def test_a_provider_that_is_gone_is_an_error() -> None:
    """given an account of a package that is not installed / when checked / then it says what to install."""
    account = make_provider_account()
    account.provider = "gone"
    assert [(check.name, check.state) for check in check_account(account)] == [("Provider package", "error")]


def test_an_account_that_is_switched_off_is_only_warned_about() -> None:
    """given an account switched off / when checked / then a warning and no error."""
    account = deactivate_provider_account(account=make_provider_account())
    found = check_account(account)
    assert found[0].state == "warning"
    assert not has_errors(found)


def test_the_command_prints_a_table_and_fails_for_errors(talker: ProviderAccount) -> None:
    """given a good and a bad account / when all are checked / then it fails, naming one."""
    good = make_provider_account(name="Good")
    printed = run(good.public_id)
    assert printed.splitlines()[0] == f"Good (mock, test) {good.public_id}"
    assert "  ok       Stored credentials  They open with a key of MAJUU_ENCRYPTION_KEYS." in printed

    Talker.trouble = InvalidCredentials("wrong key")
    with pytest.raises(CommandError, match=f"1 of 2 accounts have errors: {talker.public_id}"):
        run("--all")
    run("--all", "--provider", "mock")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "Name one account"),
        (("pa_x",), "is not the public id"),
        (("--all", "--provider", "nobody"), "There is no such active account"),
    ],
)
def test_the_command_says_what_it_wants(arguments: tuple[str, ...], says: str) -> None:
    """given nothing to check / when called / then it says what to give, and nothing is audited."""
    with pytest.raises(CommandError, match=says):
        run(*arguments)
    assert not AuditEntry.objects.filter(action="provider_account.checked").exists()


def test_an_account_and_all_accounts_exclude_each_other() -> None:
    """given an account's id and --all / when called / then it is refused."""
    with pytest.raises(CommandError, match="Name one account"):
        run(make_provider_account().public_id, "--all")
