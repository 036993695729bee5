from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel

import majuu_stripe
from majuu_core.providers import PaymentProvider, incomplete_capabilities, operations
from majuu_stripe.provider import StripeProvider
from tests.stripe.support import make_provider

SOURCE = Path(majuu_stripe.__file__).parent
MAY_USE_DJANGO = {"apps.py", "majuu_hooks.py"}


def test_the_provider_describes_itself() -> None:
    info = StripeProvider.info

    assert issubclass(StripeProvider, PaymentProvider)
    assert (StripeProvider.code, info.display_name) == ("stripe", "Stripe")
    assert (info.replay_safe, info.partial_refunds, info.partial_captures) == (True, True, True)
    assert info.takes("card", "KES")
    assert not info.takes("card", "SSP")
    [method] = info.payment_methods
    assert method.fields == ()  # a customer enters nothing here: the card goes to Stripe
    assert len(info.evidence_fields) == len({field.name for field in info.evidence_fields}) == 27


def test_no_capability_is_half_done() -> None:
    assert incomplete_capabilities(StripeProvider) == {}
    assert operations(StripeProvider) == {
        *("sale", "authorize", "capture", "void", "prepare_payment", "explain_failure"),
        *("refund", "fetch_refund", "list_settlement_lines", "self_checks", "credentials_from_environment"),
        *("verify_webhook", "parse_webhook", "webhook_response"),
        *("fetch_dispute", "list_disputes", "submit_evidence", "accept_dispute"),
        *("save_method", "fetch_saved_method", "forget_method"),
    }


def test_credentials_of_another_provider_are_refused() -> None:
    class Other(BaseModel):
        key: str = "x"

    with pytest.raises(TypeError, match="StripeCredentials"):
        StripeProvider(replace(make_provider().context, credentials=Other()))


def test_the_hook_offers_the_provider() -> None:
    hooks = pytest.importorskip("majuu_stripe.majuu_hooks", reason="the plugin system is not installed")

    assert hooks.register_payment_providers() == [StripeProvider]
    assert hooks.register_payment_providers.majuu_impl


def test_the_sdk_is_imported_only_when_it_is_needed() -> None:
    code = "import sys, majuu_stripe.provider; sys.exit('stripe' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


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
