from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel

import majuu_paypal
from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.providers import (
    PaymentProvider,
    SelfCheck,
    WebhookRejected,
    WebhookRequest,
    incomplete_capabilities,
    operations,
)
from majuu_paypal import failures
from majuu_paypal.certificates import roots
from majuu_paypal.explanations import EXPLANATIONS
from majuu_paypal.messages import NEEDED_EVENTS
from majuu_paypal.options import OptionsError
from majuu_paypal.provider import PaypalProvider
from tests.paypal.scripted import CREDENTIALS, ScriptedPaypal, answer

SOURCE = Path(majuu_paypal.__file__).parent
MAY_USE_DJANGO = {"apps.py", "majuu_hooks.py"}
ADDRESS = "https://pay.example.com/in/aabbccdd00112233/zzyyxxwwvvuuttrr0123"


def test_the_provider_describes_itself() -> None:
    info = PaypalProvider.info

    assert issubclass(PaypalProvider, PaymentProvider)
    assert (PaypalProvider.code, info.display_name, info.replay_safe) == ("paypal", "PayPal", True)
    assert info.takes("paypal", "USD")
    assert not info.takes("paypal", "KES")
    assert (info.partial_refunds, info.partial_captures, info.refund_window_days) == (True, True, 180)
    assert [field.name for field in info.payout_fields] == ["email", "phone", "paypal_id"]
    assert {field.name for field in info.evidence_fields} >= {"notes", "tracking_number", "PROOF_OF_FULFILLMENT"}


def test_no_capability_is_half_done() -> None:
    assert incomplete_capabilities(PaypalProvider) == {}
    assert operations(PaypalProvider) >= {
        *("sale", "authorize", "capture", "void", "complete", "refund", "fetch_refund"),
        *("prepare_payment", "explain_failure", "verify_webhook", "parse_webhook", "webhook_response"),
        *("prepare_payout", "payout", "fetch_payout", "list_settlement_lines", "self_checks"),
        *("fetch_dispute", "list_disputes", "submit_evidence", "accept_dispute", "credentials_from_environment"),
    }


def test_credentials_of_another_provider_are_refused() -> None:
    class Other(BaseModel):
        key: str = "x"

    with pytest.raises(TypeError, match="PaypalCredentials"):
        PaypalProvider(replace(ScriptedPaypal().provider().context, credentials=Other()))


def test_the_hook_offers_the_provider() -> None:
    hooks = pytest.importorskip("majuu_paypal.majuu_hooks", reason="the plugin system is not installed")

    assert hooks.register_payment_providers() == [PaypalProvider]
    assert hooks.register_payment_providers.majuu_impl


def test_the_app_has_a_name_and_no_models() -> None:
    from majuu_paypal.apps import PaypalConfig

    assert (PaypalConfig.name, PaypalConfig.label, PaypalConfig.verbose_name) == (
        "majuu_paypal",
        "majuu_paypal",
        "PayPal",
    )
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


def test_every_decline_of_a_payment_is_explained_in_both_languages() -> None:
    for code in (*failures.DECLINES, *failures.PROCESSOR):
        assert set(EXPLANATIONS[code]) == {"en", "sw"}, code
        assert EXPLANATIONS[code]["en"] != EXPLANATIONS[code]["sw"]


def test_paypals_own_authority_is_in_the_trust_store() -> None:
    found = roots("")

    assert {one.subject.rfc4514_string().rpartition("O=")[2][:12] for one in found} == {"DigiCert Inc"}


def test_a_root_that_cannot_be_read_is_a_setting_to_mend(tmp_path: Path) -> None:
    broken = tmp_path / "root.pem"
    broken.write_text("nothing")

    for path in (str(broken), str(tmp_path / "missing.pem")):
        with pytest.raises(OptionsError, match="root_certificates"):
            roots(path)


def test_a_wrong_setting_refuses_messages_and_says_so() -> None:
    clock = VirtualClock()
    headers = {
        "paypal-transmission-id": "1",
        "paypal-transmission-time": clock.now().isoformat(),
        "paypal-transmission-sig": "c2ln",
        "paypal-cert-url": "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1",
        "paypal-auth-algo": "SHA256withRSA",
    }
    message = WebhookRequest(method="POST", headers=headers, query={}, body=b"{}", remote_addr="203.0.113.9")
    paypal = ScriptedPaypal(answer({}))
    provider = paypal.provider(options={"webhook_verification": "perhaps"})

    with use_clock(clock), pytest.raises(WebhookRejected, match="webhook_verification must be"):
        provider.verify_webhook(message)

    assert paypal.requests == []


def _checks(paypal: ScriptedPaypal, **settings: str) -> dict[str, SelfCheck]:
    return {one.name: one for one in paypal.provider(options=settings).self_checks(callback_url=ADDRESS)}


def _webhook(
    url: str = ADDRESS, names: tuple[str, ...] = ("*",), webhook_id: str = CREDENTIALS["webhook_id"]
) -> object:
    found = {"id": webhook_id, "url": url, "event_types": [{"name": name} for name in names]}
    return answer({"webhooks": [found]})


def test_a_good_account_passes_its_checks() -> None:
    found = _checks(ScriptedPaypal(_webhook()))  # type: ignore[arg-type]

    assert {one.state for one in found.values()} == {"ok"}
    assert set(found) == {"webhook_verification", "callback_url", "access_token", "webhook", "webhook_events"}


@pytest.mark.parametrize(
    ("reply", "name", "state"),
    [
        (_webhook(url="https://elsewhere.example/in"), "webhook", "error"),
        (_webhook(webhook_id="ANOTHER1"), "webhook", "error"),
        (answer({"webhooks": []}), "webhook", "error"),
        (answer({}, 500), "webhook", "error"),
        (_webhook(names=NEEDED_EVENTS), "webhook_events", "ok"),
        (_webhook(names=NEEDED_EVENTS[1:]), "webhook_events", "error"),
        (_webhook(names=tuple(set(NEEDED_EVENTS) - {"PAYMENT.REFUND.FAILED"})), "webhook_events", "warning"),
    ],
)
def test_what_is_wrong_with_the_webhook(reply: object, name: str, state: str) -> None:
    found = _checks(ScriptedPaypal(reply))  # type: ignore[arg-type]

    assert found[name].state == state
    assert "zzyyxx" not in found[name].message


def test_settings_and_keys_that_are_wrong_are_answers() -> None:
    wrong_keys = _checks(ScriptedPaypal(token=answer({"error": "invalid_client"}, 401)))
    wrong_settings = _checks(ScriptedPaypal(), base_url="nowhere", webhook_verification="perhaps")

    assert wrong_keys["access_token"].state == "error"
    assert (wrong_settings["settings"].state, wrong_settings["webhook_verification"].state) == ("error", "error")
