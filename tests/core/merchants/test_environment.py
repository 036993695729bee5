"""The platform's account from the environment: made, kept up to date, and never told."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from majuu_core.merchants.environment import adopt_environment
from majuu_core.merchants.errors import ActionRefused, InvalidInput
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import candidate_accounts, open_credentials
from majuu_core.plugins import hookimpl
from majuu_core.providers import EnvironmentAccount, InvalidPaymentData, Violation
from majuu_core.testing.factories import make_store
from majuu_core.testing.fake import FakeProvider
from tests.core.merchants.support import actions_on, everything

pytestmark = pytest.mark.django_db
SECRET, OTHER = "secret-of-sixteen-characters", "another-of-sixteen-characters"


class Adopter(FakeProvider):
    code = "adopter"
    info = replace(FakeProvider.info, payment_methods=(replace(FakeProvider.info.payment_methods[0], code="adopter"),))

    @classmethod
    def credentials_from_environment(cls, environ: Mapping[str, str]) -> EnvironmentAccount | None:
        if "ADOPTER_SECRET" not in environ and "ADOPTER_MODE" not in environ:
            return None
        if environ.get("ADOPTER_MODE") == "nonsense":
            raise InvalidPaymentData(Violation(code="mode", message="ADOPTER_MODE must be test.", field="ADOPTER_MODE"))
        return EnvironmentAccount(
            livemode=False,
            credentials={"secret": environ["ADOPTER_SECRET"]} if "ADOPTER_SECRET" in environ else {},
            used=tuple(name for name in environ if name.startswith("ADOPTER_")),
            missing=() if "ADOPTER_SECRET" in environ else ("ADOPTER_SECRET",),
            callback_url=environ.get("ADOPTER_CALLBACK_URL", ""),
            notes=("A note.",),
        )


class Plugin:
    @hookimpl
    def register_payment_providers(self) -> list[type[FakeProvider]]:
        return [Adopter]


@pytest.fixture(autouse=True)
def _adopter(temporary_plugin: Callable[[object], object]) -> None:
    temporary_plugin(Plugin())


def adopt(**environ: str) -> Any:
    return adopt_environment(provider="adopter", environ=environ)


def test_the_environments_account_is_made_once_and_belongs_to_the_platform() -> None:
    """given a name in the environment / when adopted twice / then one account of the platform, used by any store."""
    first, second = adopt(ADOPTER_SECRET=SECRET), adopt(ADOPTER_SECRET=SECRET)
    assert (first.change, second.change) == ("created", "unchanged")
    account = ProviderAccount.objects.get(provider="adopter")
    assert (account.store, account.livemode, account.name) == (None, False, "From the environment")
    assert open_credentials(account).secret.get_secret_value() == SECRET  # type: ignore[attr-defined]
    assert candidate_accounts(store=make_store(), livemode=False) == [account]
    assert actions_on(account.public_id) == ["provider_account.created"]


def test_a_changed_value_is_brought_up_to_date() -> None:
    """given an adopted account / when the secret in the environment changed / then the same account has the new one."""
    account = adopt(ADOPTER_SECRET=SECRET).account
    assert adopt(ADOPTER_SECRET=OTHER).change == "updated"
    account.refresh_from_db()
    assert open_credentials(account).secret.get_secret_value() == OTHER  # type: ignore[attr-defined]
    assert ProviderAccount.objects.filter(provider="adopter").count() == 1
    assert actions_on(account.public_id) == ["provider_account.created", "provider_account.updated"]


def test_credentials_that_do_not_open_any_more_are_entered_again(settings: Any) -> None:
    """given an account sealed by a lost key / when adopted / then it opens again."""
    account = adopt(ADOPTER_SECRET=SECRET).account
    settings.MAJUU_ENCRYPTION_KEYS = ["another-master-key-0123456789-abcdefgh"]
    assert adopt(ADOPTER_SECRET=SECRET).change == "updated"
    account.refresh_from_db()
    assert open_credentials(account).secret.get_secret_value() == SECRET  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("provider", "environ", "error", "says"),
    [
        ("adopter", {}, ActionRefused, "None of the names"),
        ("adopter", {"ADOPTER_MODE": "test"}, ActionRefused, r"Set ADOPTER_SECRET too\. Read so far: ADOPTER_MODE\."),
        ("adopter", {"ADOPTER_MODE": "nonsense"}, InvalidInput, "ADOPTER_MODE must be test"),
        ("adopter", {"ADOPTER_SECRET": "short-secret"}, InvalidInput, "at least 16"),
        ("mock", {"ADOPTER_SECRET": SECRET}, ActionRefused, "reads nothing from the environment"),
        ("nobody", {"ADOPTER_SECRET": SECRET}, InvalidInput, "There is no such provider"),
    ],
)
def test_what_cannot_be_adopted_changes_nothing(
    provider: str, environ: dict[str, str], error: type[Exception], says: str
) -> None:
    """given an environment that is no account / when adopted / then it is said why; nothing changed."""
    before = everything()
    with pytest.raises(error, match=says) as caught:
        adopt_environment(provider=provider, environ=environ)
    assert not any(value in str(caught.value) for value in environ.values() if len(value) > 8)
    assert everything() == before


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://testserver/callback", "is not needed"),
        ("https://elsewhere.example/callback", "names elsewhere.example, and MAJUU_PUBLIC_URL is http://testserver"),
    ],
)
def test_a_callback_address_is_explained(address: str, says: str) -> None:
    """given a callback address in the environment / when adopted / then the notes say what becomes of it."""
    notes = adopt(ADOPTER_SECRET=SECRET, ADOPTER_CALLBACK_URL=address).notes
    assert notes[0] == "A note."
    assert says in notes[1]


def test_the_command_names_what_it_read_and_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """given the environment of a process / when the command runs / then names, never secrets, and what to do next."""
    monkeypatch.setenv("ADOPTER_SECRET", SECRET)
    out = io.StringIO()
    call_command("majuu_platform_account", "adopter", "--name", "Ours", stdout=out)
    account = ProviderAccount.objects.get(name="Ours")
    assert out.getvalue().splitlines() == [
        f"created: Ours (adopter, test) {account.public_id}, used by every store without one of its own",
        "read: ADOPTER_SECRET",
        "note: A note.",
        f"next: manage.py majuu_check_account {account.public_id} --callback",
    ]
    monkeypatch.delenv("ADOPTER_SECRET")
    with pytest.raises(CommandError, match="None of the names"):
        call_command("majuu_platform_account", "adopter", stdout=out)
    assert SECRET not in out.getvalue()
