"""Plugins inside Django: what ``ready()`` loads, what ``manage.py check`` finds, what the command lists."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from majuu_core.plugins import hookimpl
from majuu_core.plugins.manager import load_plugins, plugins, registries
from majuu_core.providers import PaymentProvider, Result
from majuu_core.providers.installed import installed_providers
from majuu_core.providers.registry import DuplicateProviderCode, UnknownProvider
from majuu_core.testing.fake import FakeProvider

Register = Callable[[object], object]


def offer(*providers: Any) -> object:
    class Offer:
        @hookimpl
        def register_payment_providers(self) -> list[Any]:
            return list(providers)

    return Offer()


def ids(messages: list[CheckMessage]) -> list[str | None]:
    return [message.id for message in messages]


def found(tag: str = "majuu") -> list[CheckMessage]:
    return run_checks(tags=[tag])


def test_the_installed_plugins_are_in_order() -> None:
    assert found() == []
    assert FakeProvider in registries().payment_providers
    assert installed_providers().get("mock") is FakeProvider


def test_loading_again_keeps_the_registries() -> None:
    before = registries()

    load_plugins()

    assert registries() is before


@pytest.mark.django_db  # Django's own checks ask the database what it can
def test_a_misspelt_hook_fails_check(temporary_plugin: Register) -> None:
    class Typo:
        @hookimpl
        def register_payment_provider(self) -> list[Any]:
            return []

    temporary_plugin(Typo())

    [message] = found()
    assert message.id == "majuu.E001"
    assert "there is no hook named 'register_payment_provider'" in message.msg
    assert message.hint == "Did you mean 'register_payment_providers'?"
    with pytest.raises(SystemCheckError, match="register_payment_provider"):
        call_command("check")


def test_a_hook_unlike_any_other_points_to_the_documentation(temporary_plugin: Register) -> None:
    class Strange:
        @hookimpl
        def xyzzy(self) -> None:
            return None

    temporary_plugin(Strange())

    assert [message.hint for message in found()] == ["See docs/reference/hooks.md."]


def test_half_a_capability_fails_check_and_is_not_used(temporary_plugin: Register) -> None:
    class Half(PaymentProvider):
        code = "half"
        info = FakeProvider.info
        credentials_schema = FakeProvider.credentials_schema

        def check_credentials(self) -> None:
            return None

        def fetch_payment(self, request: Any) -> Result:
            raise NotImplementedError

        def refund(self, request: Any) -> Result:
            raise NotImplementedError

    temporary_plugin(offer(Half))

    [message] = found()
    assert message.id == "majuu.E003"
    assert "implements SupportsRefund only in part: fetch_refund missing" in message.msg
    assert installed_providers().get("half") is Half


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"code": ""}, "has no code"),
        ({"code": "x", "info": None}, "has no info"),
        ({"code": "x", "credentials_schema": dict}, "has no credentials_schema"),
        (
            {"code": "x", "fetch_payment": PaymentProvider.fetch_payment, "__abstractmethods__": None},
            "does not implement fetch_payment",
        ),
    ],
)
def test_an_incomplete_provider_fails_check_and_is_not_used(
    temporary_plugin: Register, fault: dict[str, Any], words: str
) -> None:
    fault = {name: value for name, value in fault.items() if name != "__abstractmethods__"}
    broken = type("Broken", (FakeProvider,), fault)
    temporary_plugin(offer(broken))

    messages = found()

    assert "majuu.E002" in ids(messages)
    assert any(words in message.msg for message in messages)
    assert broken not in list(installed_providers())


def test_something_else_than_a_provider_fails_check(temporary_plugin: Register) -> None:
    temporary_plugin(offer(dict))

    [message] = found()
    assert (message.id, message.msg) == ("majuu.E002", "builtins.dict is not a payment provider.")


def test_another_contract_version_fails_check_and_is_not_used(temporary_plugin: Register) -> None:
    newer = type("Newer", (FakeProvider,), {"code": "newer", "contract_version": 2})
    temporary_plugin(offer(newer))

    [message] = found()
    assert message.id == "majuu.E004"
    assert "written for contract version 2, this core has 1" in message.msg
    with pytest.raises(UnknownProvider):
        installed_providers().get("newer")


def test_two_providers_with_one_code_fail_check_and_stop_the_start(temporary_plugin: Register) -> None:
    second = type("Second", (FakeProvider,), {})
    temporary_plugin(offer(second))

    [message] = found()
    assert message.id == "majuu.E005"
    assert "'mock'" in message.msg
    with pytest.raises(DuplicateProviderCode):
        installed_providers()


def test_a_temporary_provider_is_gone_afterwards() -> None:
    other = type("Other", (FakeProvider,), {"code": "other", "info": replace(FakeProvider.info, display_name="Other")})

    with plugins().temporary(offer(other)):
        assert installed_providers().get("other") is other

    with pytest.raises(UnknownProvider):
        installed_providers().get("other")


def test_the_command_lists_plugins_versions_and_hooks(temporary_plugin: Register) -> None:
    class Typo:
        @hookimpl
        def register_payment_provider(self) -> list[Any]:
            return []

    temporary_plugin(Typo())
    text, data = StringIO(), StringIO()

    call_command("majuu_plugins", stdout=text)
    call_command("majuu_plugins", "--json", stdout=data)

    assert "majuu_core 0.1.0\n" in text.getvalue()
    assert "  register_payment_providers\n" in text.getvalue()
    assert "  register_payment_provider  (no such hook: never called)" in text.getvalue()
    rows = {row["name"]: row for row in json.loads(data.getvalue())}
    assert rows["majuu_core"]["version"] == "0.1.0"
    assert "register_payment_providers" in rows["majuu_core"]["hooks"]
    assert [row["unknown_hooks"] for row in rows.values() if row["unknown_hooks"]] == [["register_payment_provider"]]
