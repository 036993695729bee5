"""The addresses of Majuu that the demo's providers are told, as a person would enter them in their dashboards."""

from __future__ import annotations

from typing import Any

import httpx

from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import update_credentials
from majuu_core.payments.addresses import account_callback_url
from majuu_sim.paypal.config import Account
from majuu_sim.stripe.config import WEBHOOK_SECRET
from sandbox_project.play.scene import NotSeen, Scene


def tell_addresses(scene: Scene) -> None:
    """Set up the webhooks at Stripe and PayPal, which have forgotten those of an earlier run. Raises NotSeen."""
    _enter(scene.stripe, "/control/endpoints", url=_callback(scene, "stripe"), secrets=[WEBHOOK_SECRET])
    made = _enter(scene.paypal, "/control/webhooks", url=_callback(scene, "paypal"))
    app = Account()
    credentials = {"client_id": app.client_id, "client_secret": app.client_secret, "webhook_id": made["id"]}
    update_credentials(account=_account(scene, "paypal"), credentials=credentials)


def _callback(scene: Scene, provider: str) -> str:
    return account_callback_url(_account(scene, provider).pk)


def _account(scene: Scene, provider: str) -> ProviderAccount:
    return ProviderAccount.objects.get(pk=ProviderAccount.uuid_of(scene.accounts[provider]))


def _enter(dashboard: httpx.Client, path: str, **wanted: Any) -> dict[str, Any]:
    answer = dashboard.post(path, json=wanted)
    if answer.status_code != httpx.codes.CREATED:
        raise NotSeen(f"{dashboard.base_url}{path.lstrip('/')} answered {answer.status_code}: {answer.text[:300]}")
    return dict(answer.json())
