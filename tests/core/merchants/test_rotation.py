"""Changing the master key: everything stored moves over, nothing stops working, nothing is lost."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from majuu_core.common.crypto import key_id
from majuu_core.database import sealed
from majuu_core.database.sealed import SealedColumn, register_sealed_column, sealed_columns
from majuu_core.merchants.api_keys import authenticate
from majuu_core.merchants.credentials import SEALED
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import open_credentials, rotate_credentials, update_credentials
from majuu_core.testing import FakeProvider
from majuu_core.testing.factories import make_api_key, make_provider_account, make_store
from majuu_core.webhooks.models import WebhookEndpoint, WebhookSecret
from tests.core.merchants.support import actions_on, everything

pytestmark = pytest.mark.django_db

OLD = "tests-only-master-key-0123456789abcdef"
NEW = "tests-only-newer-master-key-0123456789"
SECRET = "a-mock-secret-nobody-should-see"


def run(command: str, *arguments: str) -> str:
    out = io.StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def secret_of(account: ProviderAccount) -> str:
    opened = open_credentials(ProviderAccount.objects.get(pk=account.pk))
    assert isinstance(opened, FakeProvider.credentials_schema)
    return opened.secret.get_secret_value()


def make_webhook_secret() -> WebhookSecret:
    endpoint = WebhookEndpoint.objects.create(store=make_store(), livemode=False, url="https://shop.example/hook")
    column = next(column for column in sealed_columns() if column.model == "majuu_webhooks.WebhookSecret")
    secret = WebhookSecret(endpoint=endpoint)
    secret.sealed = column.seal(secret, b"whsec")
    secret.save()
    return secret


def test_the_command_moves_everything_to_the_newest_key(settings: Any) -> None:
    accounts = [make_provider_account(credentials={"secret": SECRET}) for _ in range(3)]
    webhook_secret = make_webhook_secret()
    settings.MAJUU_ENCRYPTION_KEYS = [NEW, OLD]
    fresh = make_provider_account(credentials={"secret": SECRET})
    assert [secret_of(account) for account in accounts] == [SECRET] * 3

    text = run("majuu_rotate_keys")

    assert f"Newest key: {key_id(NEW)}" in text
    assert "majuu_merchants.ProviderAccount.credentials: 3 encrypted anew" in text
    assert "majuu_webhooks.WebhookSecret.sealed: 1 encrypted anew" in text
    assert "Secrets under older keys: 0" in text
    settings.MAJUU_ENCRYPTION_KEYS = [NEW]
    assert [secret_of(account) for account in [*accounts, fresh]] == [SECRET] * 4
    webhook_secret.refresh_from_db()
    column = next(column for column in sealed_columns() if column.model == "majuu_webhooks.WebhookSecret")
    assert column.open(webhook_secret) == b"whsec"
    expected = ["provider_account.created", "provider_account.credentials_rotated"]
    assert [actions_on(account.public_id) for account in accounts] == [expected] * 3
    assert actions_on(fresh.public_id) == ["provider_account.created"]


def test_running_it_again_changes_nothing(settings: Any) -> None:
    make_provider_account()
    settings.MAJUU_ENCRYPTION_KEYS = [NEW, OLD]
    run("majuu_rotate_keys")
    before = everything()
    assert "ProviderAccount.credentials: 0 encrypted anew" in run("majuu_rotate_keys")
    assert everything() == before


def test_more_rows_than_one_chunk(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "_CHUNK", 2)
    accounts = [make_provider_account(credentials={"secret": SECRET}) for _ in range(5)]
    spoilt = accounts[1]
    ProviderAccount.objects.filter(pk=spoilt.pk).update(credentials="m1.00000000.AAAA")
    settings.MAJUU_ENCRYPTION_KEYS = [NEW, OLD]
    report = rotate_credentials()
    assert report.resealed == 4
    assert report.unreadable == [spoilt.public_id]


def test_check_says_what_still_needs_an_older_key_and_changes_nothing(settings: Any) -> None:
    made = make_api_key()
    make_provider_account()
    assert "Secrets under older keys: 0" in run("majuu_rotate_keys", "--check")
    settings.MAJUU_ENCRYPTION_KEYS = [NEW, OLD]
    before = everything()
    with pytest.raises(CommandError, match="Older keys are still needed"):
        run("majuu_rotate_keys", "--check")
    assert everything() == before
    assert "API keys under older keys: 1" in run("majuu_rotate_keys")
    with pytest.raises(CommandError, match="Older keys are still needed"):
        run("majuu_rotate_keys", "--check")
    authenticate(made.key)
    assert "API keys under older keys: 0" in run("majuu_rotate_keys", "--check")


def test_a_secret_that_no_key_opens_is_named_and_the_others_move(settings: Any) -> None:
    lost, kept = make_provider_account(), make_provider_account(credentials={"secret": SECRET})
    ProviderAccount.objects.filter(pk=lost.pk).update(credentials=kept.credentials)
    settings.MAJUU_ENCRYPTION_KEYS = [NEW, OLD]
    with pytest.raises(CommandError, match=lost.public_id) as caught:
        run("majuu_rotate_keys")
    assert kept.public_id not in str(caught.value)
    settings.MAJUU_ENCRYPTION_KEYS = [NEW]
    assert secret_of(kept) == SECRET


def test_credentials_replaced_meanwhile_are_not_overwritten(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    account = make_provider_account(credentials={"secret": SECRET})
    settings.MAJUU_ENCRYPTION_KEYS = [NEW, OLD]
    original = SealedColumn.open

    def open_and_be_overtaken(self: SealedColumn, row: Any) -> bytes:
        plain = original(self, row)
        monkeypatch.setattr(SealedColumn, "open", original)
        update_credentials(account=account, credentials={"secret": "the-new-secret-of-the-merchant"})
        return plain

    monkeypatch.setattr(SealedColumn, "open", open_and_be_overtaken)
    assert rotate_credentials().resealed == 0
    assert secret_of(account) == "the-new-secret-of-the-merchant"
    assert "provider_account.credentials_rotated" not in actions_on(account.public_id)


def test_a_column_is_registered_once() -> None:
    assert register_sealed_column(SEALED) is SEALED
    other = SealedColumn(model=SEALED.model, column=SEALED.column, purpose="other", bound_to=str)
    with pytest.raises(ValueError, match="registered twice"):
        register_sealed_column(other)
    assert list(sealed_columns()).count(SEALED) == 1


def test_generated_keys_are_long_random_and_usable(settings: Any) -> None:
    first, second = run("majuu_generate_key").strip(), run("majuu_generate_key").strip()
    assert first != second
    assert len(base64.urlsafe_b64decode(first + "=")) == 32
    settings.MAJUU_ENCRYPTION_KEYS = [first]
    account = make_provider_account(credentials={"secret": SECRET})
    assert secret_of(account) == SECRET


def test_a_key_can_be_generated_before_there_is_one(settings: Any) -> None:
    settings.MAJUU_ENCRYPTION_KEYS = []
    assert len(run("majuu_generate_key").strip()) == 43
