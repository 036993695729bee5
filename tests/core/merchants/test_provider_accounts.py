"""Accounts at providers: validated, encrypted, bound to their row, never mixed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import httpx
import pytest
from django.db import IntegrityError, connection, transaction
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter
from pydantic import BaseModel, ConfigDict, Field, SecretBytes, SecretStr, field_validator
from pytest_django import DjangoAssertNumQueries

from majuu_core.common.clock import VirtualClock
from majuu_core.common.redaction import MASK
from majuu_core.merchants import provider_accounts
from majuu_core.merchants.credentials import SEALED
from majuu_core.merchants.errors import CredentialsUnreadable, InvalidInput
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import (
    activate_provider_account,
    candidate_accounts,
    check_provider_account,
    create_provider_account,
    deactivate_provider_account,
    open_credentials,
    provider_for,
    record_health,
    update_credentials,
    update_provider_account,
)
from majuu_core.plugins import hookimpl
from majuu_core.providers import (
    FetchRequest,
    InvalidCredentials,
    NotSent,
    PaymentProvider,
    ProviderInfo,
    Result,
    ResultStatus,
)
from majuu_core.providers.http import Exchange, ProviderHttp
from majuu_core.providers.registry import UnknownProvider
from majuu_core.testing import FakeProvider
from majuu_core.testing.factories import make_provider_account, make_store
from tests.core.merchants.support import actions_on, everything, last_entry, table_of

pytestmark = pytest.mark.django_db

SECRET = "a-mock-secret-nobody-should-see"
OTHER_SECRET = "another-secret-nobody-should-see"


class BankCredentials(BaseModel):
    """As a plugin might have them: an alias, bytes, a choice, a nested list, an error text that repeats its input."""

    model_config = ConfigDict(extra="forbid")

    user_name: str = Field(alias="userName")
    pin: SecretStr
    certificate: SecretBytes = SecretBytes(b"")
    kind: Literal["current", "savings"] = "current"
    addresses: list[SecretStr] = []

    @field_validator("pin")
    @classmethod
    def _digits(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().isdigit():
            raise ValueError(f"{value.get_secret_value()} is not made of digits")
        return value


class BankProvider(PaymentProvider):
    code: ClassVar[str] = "bank"
    info: ClassVar[ProviderInfo] = ProviderInfo(
        display_name="Bank", payment_methods=(), currencies=frozenset(), countries=frozenset()
    )
    credentials_schema: ClassVar[type[BaseModel]] = BankCredentials
    trouble: ClassVar[Exception | None] = None

    def check_credentials(self) -> None:
        if self.trouble is not None:
            raise self.trouble

    def fetch_payment(self, request: FetchRequest) -> Result:
        return Result(status=ResultStatus.UNKNOWN)


class BankPlugin:
    @hookimpl
    def register_payment_providers(self) -> list[type[PaymentProvider]]:
        return [BankProvider]


@pytest.fixture
def bank(temporary_plugin: Callable[[object], object]) -> type[BankProvider]:
    temporary_plugin(BankPlugin())
    return BankProvider


def create(**values: Any) -> ProviderAccount:
    defaults: dict[str, Any] = {"store": None, "provider": "mock", "livemode": False, "name": "Main"}
    return create_provider_account(**defaults | {"credentials": {"secret": SECRET}} | values)


def test_credentials_are_stored_encrypted_and_open_again() -> None:
    store = make_store()
    account = create(store=store, name=" Main ", priority=3)
    row = ProviderAccount.objects.get()
    assert (row.store, row.provider, row.livemode, row.name, row.priority) == (store, "mock", False, "Main", 3)
    assert row.health == "unchecked"
    assert row.credentials.startswith("m1.")
    assert SECRET not in row.credentials
    opened = open_credentials(row)
    assert isinstance(opened, FakeProvider.credentials_schema)
    assert opened.secret.get_secret_value() == SECRET
    entry = last_entry()
    assert (entry.action, entry.object_id) == ("provider_account.created", account.public_id)
    assert (entry.merchant_id, entry.store_id) == (store.merchant_id, store.pk)
    assert entry.changes == {
        "provider": [None, "mock"],
        "livemode": [None, False],
        "name": [None, "Main"],
        "priority": [None, 3],
    }


def test_the_platform_s_account_belongs_to_no_merchant() -> None:
    account = create(store=None)
    entry = last_entry()
    assert (account.store, entry.merchant_id, entry.store_id) == (None, None, None)


def test_secrets_show_up_nowhere(settings: Any) -> None:
    account = create()
    update_credentials(account=account, credentials={"secret": OTHER_SECRET})
    provider = provider_for(account)
    for shown in (
        repr(account),
        str(account),
        repr(provider.context),
        repr(everything()),
        repr(open_credentials(account)),
    ):
        assert SECRET not in shown
        assert OTHER_SECRET not in shown


def test_an_error_report_hides_what_was_entered(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr(provider_accounts, "insert_row", fail)
    with pytest.raises(RuntimeError) as caught:
        create(name="Report")
    trace = caught.value.__traceback__
    while trace is not None and "majuu_core" not in trace.tb_frame.f_code.co_filename:
        trace = trace.tb_next  # the test's own frames know the secret, of course
    report = ExceptionReporter(None, RuntimeError, caught.value, trace).get_traceback_html()
    assert "create_provider_account" in report
    assert SafeExceptionReporterFilter.cleansed_substitute in report
    assert SECRET not in report


@pytest.mark.parametrize(
    ("credentials", "violations"),
    [
        ({}, [("credentials.secret", "missing")]),
        ({"secret": "short"}, [("credentials.secret", "too_short")]),
        ({"secret": SECRET, "more": "x"}, [("credentials.more", "extra_forbidden")]),
        ({"secret": 12, "more": "x"}, [("credentials.secret", "string_type"), ("credentials.more", "extra_forbidden")]),
        ({"secret": object()}, [("credentials", "invalid")]),
    ],
)
def test_the_provider_s_schema_judges_every_field(
    credentials: dict[str, Any], violations: list[tuple[str, str]]
) -> None:
    account = create()
    before = everything()
    with pytest.raises(InvalidInput) as caught:
        create(name="Second", credentials=credentials)
    assert [(found.field, found.code) for found in caught.value.violations] == violations
    with pytest.raises(InvalidInput):
        update_credentials(account=account, credentials=credentials)
    assert everything() == before


def test_a_plugin_s_careless_message_does_not_repeat_the_secret(bank: type[BankProvider]) -> None:
    with pytest.raises(InvalidInput) as caught:
        create(provider="bank", credentials={"userName": "wanjiku", "pin": "12ab34", "kind": "giro"})
    by_field = {found.field: found.message for found in caught.value.violations}
    assert by_field["credentials.pin"] == f"{MASK} is not made of digits"
    assert "current" in by_field["credentials.kind"]
    assert "12ab34" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_what_was_validated_is_what_opens(bank: type[BankProvider]) -> None:
    entered = {
        "userName": "wanjiku",
        "pin": SecretStr("123456"),
        "certificate": SecretBytes(b"abc"),
        "kind": "savings",
        "addresses": [SecretStr("Moi Avenue 1"), "Tom Mboya Street 2"],
    }
    account = create(provider="bank", credentials=entered)
    opened = open_credentials(ProviderAccount.objects.get(pk=account.pk))
    assert isinstance(opened, BankCredentials)
    assert opened.user_name == "wanjiku"
    assert opened.pin.get_secret_value() == "123456"
    assert opened.certificate.get_secret_value() == b"abc"
    assert [item.get_secret_value() for item in opened.addresses] == ["Moi Avenue 1", "Tom Mboya Street 2"]


def test_an_unknown_provider_is_refused_and_the_known_ones_named() -> None:
    before = everything()
    with pytest.raises(InvalidInput) as caught:
        create(provider="nobody")
    assert (caught.value.field, caught.value.code) == ("provider", "unknown_provider")
    assert "mock" in str(caught.value)
    assert everything() == before


def test_names_are_unique_per_store_provider_and_mode() -> None:
    store, other = make_store(), make_store()
    for livemode in (False, True):
        create(store=store, livemode=livemode)
        create(store=None, livemode=livemode)
    create(store=other)
    before = everything()
    for owner in (store, None):
        with pytest.raises(InvalidInput):
            create(store=owner)
    for name in ("", "  ", "x" * 101):
        with pytest.raises(InvalidInput) as caught:
            create(store=store, name=name)
        assert caught.value.field == "name"
    assert everything() == before


def test_update_credentials_replaces_them_and_forgets_the_health(virtual_clock: VirtualClock) -> None:
    account = record_health(account=create(), healthy=False, message="refused")
    virtual_clock.advance(10)
    updated = update_credentials(account=account, credentials={"secret": OTHER_SECRET})
    row = ProviderAccount.objects.get()
    assert (row.health, row.health_message, row.health_checked_at) == ("unchecked", "", None)
    assert row.updated_at == virtual_clock.now()
    assert (
        FakeProvider.credentials_schema.model_validate(open_credentials(updated)).secret.get_secret_value()
        == OTHER_SECRET
    )
    assert last_entry().changes == {"credentials": "replaced"}


def test_credentials_copied_to_another_row_do_not_open() -> None:
    account, victim = create(name="One"), create(name="Two")
    ProviderAccount.objects.filter(pk=victim.pk).update(credentials=account.credentials)
    victim.refresh_from_db()
    with pytest.raises(CredentialsUnreadable, match=victim.public_id):
        open_credentials(victim)


def test_credentials_that_do_not_open_say_what_to_do(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    account = create()

    class Stricter(BaseModel):
        secret: SecretStr
        passkey: SecretStr

    monkeypatch.setattr(FakeProvider, "credentials_schema", Stricter)
    with pytest.raises(CredentialsUnreadable, match=r"\(passkey\)\. Enter them again") as caught:
        open_credentials(account)
    assert SECRET not in str(caught.value)
    assert caught.value.__context__ is None
    settings.MAJUU_ENCRYPTION_KEYS = ["a-master-key-that-came-out-of-nowhere"]
    with pytest.raises(CredentialsUnreadable, match="not configured any more"):
        open_credentials(account)


def test_switching_off_and_on_again(virtual_clock: VirtualClock) -> None:
    account = create()
    virtual_clock.advance(5)
    assert deactivate_provider_account(account=account).is_active is False
    assert ProviderAccount.objects.get().updated_at == virtual_clock.now()
    deactivate_provider_account(account=account)
    assert activate_provider_account(account=account).is_active is True
    assert ProviderAccount.objects.get().is_active is True
    expected = ["provider_account.created", "provider_account.updated", "provider_account.updated"]
    assert actions_on(account.public_id) == expected


def test_update_provider_account() -> None:
    account = create()
    updated = update_provider_account(account=account, name="Other", priority=-2)
    assert (updated.name, updated.priority) == ("Other", -2)
    assert last_entry().changes == {"name": ["Main", "Other"], "priority": [0, -2]}
    before = everything()
    with pytest.raises(InvalidInput):
        update_provider_account(account=account, name="")
    update_provider_account(account=account, name="Other")
    assert everything() == before


def test_candidates_are_the_store_s_own_then_the_platform_s(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    store = make_store()
    low = make_provider_account(store=store, priority=-1)
    platform_high = make_provider_account(platform=True, priority=9)
    high = make_provider_account(store=store, priority=5)
    platform_low = make_provider_account(platform=True)
    make_provider_account()  # another store's
    make_provider_account(store=store, livemode=True, priority=50)
    deactivate_provider_account(account=make_provider_account(store=store, priority=50))
    deactivate_provider_account(account=make_provider_account(platform=True, priority=50))
    expected = [high, low, platform_high, platform_low]
    with django_assert_num_queries(1):
        assert candidate_accounts(store=store, livemode=False) == expected
    assert candidate_accounts(store=store.pk, livemode=False) == expected
    assert candidate_accounts(store=uuid.uuid4(), livemode=False) == [platform_high, platform_low]


def test_provider_for_makes_a_provider_without_a_query(
    settings: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.MAJUU_PROVIDERS = {
        "mock": {"base_url": "https://both", "size": 3, "test": {"size": 4}, "live": {"size": 5}}
    }
    account = ProviderAccount.objects.get(pk=create().pk)
    with django_assert_num_queries(0):
        provider = provider_for(account)
    assert isinstance(provider, FakeProvider)
    assert provider.context.account_id == account.public_id
    assert provider.context.livemode is False
    assert provider.context.options == {"base_url": "https://both", "size": "4"}


def test_provider_for_reports_every_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Exchange] = []
    client = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, json={"token": "x"})))
    monkeypatch.setattr("majuu_core.providers.http.shared_client", lambda: client)
    http = provider_for(create(), observe=seen.append).context.http
    assert isinstance(http, ProviderHttp)
    http.send("GET", "https://provider.example/x", operation="look")
    assert [(exchange.operation, exchange.status) for exchange in seen] == [("look", 200)]
    assert seen[0].response_body == f'{{"token": "{MASK}"}}'


def test_a_provider_that_was_uninstalled_is_named(bank: type[BankProvider], temporary_plugin: Any) -> None:
    account = create(provider="bank", credentials={"userName": "w", "pin": "1234"})
    account.provider = "gone"
    with pytest.raises(UnknownProvider, match="gone"):
        provider_for(account)


def test_checking_credentials_writes_down_what_the_provider_said(
    bank: type[BankProvider], monkeypatch: pytest.MonkeyPatch, virtual_clock: VirtualClock
) -> None:
    account = create(provider="bank", credentials={"userName": "w", "pin": "1234"})
    checked = check_provider_account(account=account)
    assert (checked.health, checked.health_message, checked.health_checked_at) == ("healthy", "", virtual_clock.now())
    virtual_clock.advance(10)
    monkeypatch.setattr(bank, "trouble", InvalidCredentials("refused: Bearer abcdefghijkl"))
    assert check_provider_account(account=account).health == "unhealthy"
    row = ProviderAccount.objects.get()
    assert (row.health, row.health_message) == ("unhealthy", f"refused: Bearer {MASK}")
    assert last_entry().changes == {"health": ["healthy", "unhealthy"]}
    before = everything()
    monkeypatch.setattr(bank, "trouble", NotSent("no connection"))
    with pytest.raises(NotSent):
        check_provider_account(account=account)
    assert everything() == before


def test_a_known_refusal_is_not_written_again_within_a_minute(virtual_clock: VirtualClock) -> None:
    account = record_health(account=create(), healthy=False, message="x" * 400)
    assert len(account.health_message) == 300
    before = everything()
    virtual_clock.advance(59)
    record_health(account=account, healthy=False, message="again")
    assert everything() == before
    virtual_clock.advance(1)
    assert record_health(account=account, healthy=False, message="again").health_checked_at == virtual_clock.now()
    assert actions_on(account.public_id) == ["provider_account.created", "provider_account.updated"]


@pytest.mark.parametrize("column", ["livemode", "provider", "store_id"])
def test_raw_sql_cannot_change_mode_provider_or_store(column: str) -> None:
    create(store=None)
    store_id = make_store().pk if connection.vendor == "postgresql" else make_store().pk.hex
    values: dict[str, Any] = {"livemode": True, "provider": "mpesa", "store_id": store_id}
    before = everything()
    with pytest.raises(Exception, match="never change"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table_of('majuu_merchants.ProviderAccount')} SET {column} = %s", [values[column]])
    assert everything() == before


def test_writing_the_same_values_again_is_no_change() -> None:
    account = create()
    account.save()
    assert ProviderAccount.objects.filter(pk=account.pk).update(livemode=False, provider="mock") == 1


def test_the_database_keeps_platform_names_apart_too() -> None:
    if connection.vendor == "mysql":
        pytest.skip("MariaDB has no partial unique indexes; the service refuses the second name there")
    create()
    with pytest.raises(IntegrityError), transaction.atomic():
        ProviderAccount.objects.create(provider="mock", livemode=False, name="Main", credentials="")


def test_the_sealed_column_is_registered_for_rotation() -> None:
    from majuu_core.database.sealed import sealed_columns

    assert SEALED in set(sealed_columns())
