from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel

import majuu_mpesa
from majuu_core.providers import PaymentProvider, incomplete_capabilities, operations
from majuu_mpesa.provider import MpesaProvider
from tests.mpesa.support import make_provider

SOURCE = Path(majuu_mpesa.__file__).parent
MAY_USE_DJANGO = {"apps.py", "majuu_hooks.py"}


def test_the_provider_describes_itself() -> None:
    info = MpesaProvider.info

    assert issubclass(MpesaProvider, PaymentProvider)
    assert (MpesaProvider.code, info.display_name, info.replay_safe) == ("mpesa", "M-Pesa", False)
    assert (info.countries, info.currencies) == (frozenset({"KE"}), frozenset({"KES"}))
    assert info.takes("mpesa_stk", "KES")
    assert not info.takes("mpesa_stk", "USD")
    [method] = info.payment_methods
    assert [(field.name, field.kind, field.required) for field in method.fields] == [("phone", "phone", True)]
    assert info.follow_up_seconds[:7] == (10, 20, 40, 120, 300, 900, 3600)


def test_no_capability_is_half_done() -> None:
    assert incomplete_capabilities(MpesaProvider) == {}
    assert operations(MpesaProvider) >= {
        *("sale", "prepare_payment", "explain_failure"),
        *("verify_webhook", "parse_webhook", "webhook_response"),
        *("prepare_payout", "payout", "fetch_payout"),
        *("refund_routes", "refund", "fetch_refund"),
        *("register_incoming", "read_incoming_check", "incoming_check_response", "verify_incoming", "list_incoming"),
        *("request_balances", "make_qr_code", "self_checks"),
        "credentials_from_environment",
    }


def test_credentials_of_another_provider_are_refused() -> None:
    class Other(BaseModel):
        key: str = "x"

    with pytest.raises(TypeError, match="MpesaCredentials"):
        MpesaProvider(replace(make_provider().context, credentials=Other()))


def test_the_hook_offers_the_provider() -> None:
    hooks = pytest.importorskip("majuu_mpesa.majuu_hooks", reason="the plugin system is not installed")

    assert hooks.register_payment_providers() == [MpesaProvider]
    assert hooks.register_payment_providers.majuu_impl


def test_the_app_has_a_name_and_no_models() -> None:
    from majuu_mpesa.apps import MpesaConfig

    assert (MpesaConfig.name, MpesaConfig.label, MpesaConfig.verbose_name) == ("majuu_mpesa", "majuu_mpesa", "M-Pesa")
    assert not (SOURCE / "models.py").exists()


@pytest.mark.parametrize("path", sorted(SOURCE.glob("*.py")), ids=lambda path: path.name)
def test_only_the_two_entry_modules_know_django(path: Path) -> None:
    tree = ast.parse(path.read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    if path.name not in MAY_USE_DJANGO:
        assert not any(name.split(".")[0] == "django" for name in imported)
        assert not any(name.startswith("majuu_core.plugins") for name in imported)
    allowed = ("majuu_core.common", "majuu_core.providers", "majuu_core.plugins")
    assert all(name.startswith(allowed) for name in imported if name.startswith("majuu_core"))
