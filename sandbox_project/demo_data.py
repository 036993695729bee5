"""A shop with everything it needs to be paid: people, keys, provider accounts, a webhook endpoint.

Safe to run again: what is there stays, what is missing is made. Secrets that are shown only once (the API key, the
webhook secret, a password) are kept in ``var/demo.json``, which only its owner can read.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured

from majuu_core.common.crypto import DecryptionError
from majuu_core.merchants.api_keys import authenticate, create_api_key
from majuu_core.merchants.credentials import open_credentials
from majuu_core.merchants.errors import CredentialsUnreadable, KeyRefused
from majuu_core.merchants.models import Merchant, ProviderAccount, Store
from majuu_core.merchants.provider_accounts import create_provider_account, update_credentials
from majuu_core.merchants.services import approve_merchant, create_merchant, create_store
from majuu_core.testing.fake import MockCredentials
from majuu_core.webhooks.endpoints import (
    SigningKey,
    create_webhook_endpoint,
    open_secrets,
    rotate_secret,
    update_webhook_endpoint,
)
from majuu_core.webhooks.models import WebhookEndpoint
from sandbox_project.places import CERTIFICATE_NAME, paypal_url, shop_url, stripe_url, var_folder

STORE_CODE = "duka-la-mfano"
USERNAME = "demo"
SHORTCODE = "174379"  # of the simulated paybill
Secrets = dict[str, Any]


def secrets_path() -> Path:
    """The file of the secrets: ``demo.json`` in the folder SANDBOX_VAR."""
    return var_folder() / "demo.json"


def read_secrets() -> Secrets:
    """What was kept the last time; nothing before the first time."""
    try:
        found = json.loads(secrets_path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found if isinstance(found, dict) else {}


def load_demo_data() -> None:
    """Make what is missing. Raises ImproperlyConfigured with DEBUG off: a demo log-in has no place on a real site."""
    if not settings.DEBUG:
        raise ImproperlyConfigured("Demo data is for trying things out: it is only loaded with DEBUG=on.")
    kept = read_secrets()
    user = _load_user(kept)
    store = _load_store(user)
    kept["store"] = {"id": store.public_id, "name": store.name}
    kept["provider_accounts"] = _load_provider_accounts(store)
    kept["shortcode"] = SHORTCODE
    _load_api_key(store, kept)
    _load_webhook_endpoint(store, kept)
    _write_secrets(kept)


def _load_user(kept: Secrets) -> Any:
    users = get_user_model()._default_manager
    user = users.filter(username=USERNAME).first()
    if user is None:
        user = users.model(username=USERNAME, email="demo@duka.example", first_name="Demo", is_staff=True)
        user.is_superuser = True
    password = kept.get("console", {}).get("password", "")
    if not password or not user.check_password(password):
        password = f"{secrets.token_hex(3)}-{secrets.token_hex(3)}"
        user.set_password(password)
        user.save()
    EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
    kept["console"] = {"username": USERNAME, "password": password}
    return user


def _load_store(user: Any) -> Store:
    store = Store.objects.select_related("merchant").filter(code=STORE_CODE).first()
    if store is not None:
        return store
    merchant: Merchant = create_merchant(name="Duka la Mfano Ltd", owner=user)
    return create_store(merchant=approve_merchant(merchant=merchant), name="Duka la Mfano", code=STORE_CODE)


def _load_provider_accounts(store: Store) -> dict[str, str]:
    """Accounts at the simulated providers, at a bank and at the mock provider; their public ids by provider."""
    wanted = {
        "mpesa": ("Simulated paybill", _mpesa()),
        **_elsewhere(),
        "manual": ("Equity Bank and the counter", _bank()),
        "mock": ("Mock", {"secret": MockCredentials.generate().secret.get_secret_value()}),
    }
    found = {}
    for priority, (provider, (name, credentials)) in enumerate(reversed(wanted.items())):
        account = ProviderAccount.objects.filter(store=store, provider=provider, livemode=False).first()
        if account is None:
            account = create_provider_account(
                store=store, provider=provider, livemode=False, name=name, credentials=credentials, priority=priority
            )
        elif _differs(account, credentials):
            account = update_credentials(account=account, credentials=credentials)
        found[provider] = account.public_id
    return found


def _mpesa() -> dict[str, Any]:
    from majuu_sim.daraja.config import SANDBOX_PASSKEY, SANDBOX_SHORTCODE, App

    app = App()
    keys = {"consumer_key": app.consumer_key, "consumer_secret": app.consumer_secret, "passkey": SANDBOX_PASSKEY}
    return keys | {"shortcode": SANDBOX_SHORTCODE} | _initiator()


def _elsewhere() -> dict[str, tuple[str, dict[str, Any]]]:
    """Accounts at the simulated Stripe and PayPal where these are there: real ones would not know their keys."""
    from majuu_sim.paypal.config import Account
    from majuu_sim.stripe.config import SECRET_KEY, WEBHOOK_SECRET

    found: dict[str, tuple[str, dict[str, Any]]] = {}
    if stripe_url():
        found["stripe"] = ("Simulated Stripe", {"secret_key": SECRET_KEY, "webhook_secrets": [WEBHOOK_SECRET]})
    if paypal_url():
        app = Account()
        found["paypal"] = ("Simulated PayPal", {"client_id": app.client_id, "client_secret": app.client_secret})
    return found


def _bank() -> dict[str, Any]:
    """Where customers transfer to or pay in cash, and how the bank writes its statements."""
    return {
        "currencies": ["KES", "USD"],
        "bank_name": "Equity Bank",
        "branch": "Kimathi Street",
        "account_name": "Duka la Mfano Ltd",
        "account_number": "0123456789012",
        "swift": "EQBLKENA",
        "cash": "At our counter, Moi Avenue 12, Nairobi, on weekdays from 8 to 5.",
        "amount_may_differ": True,
        "statement": {
            "date": "Date",
            "date_format": "DD/MM/YYYY",
            "credit": "Money in",
            "debit": "Money out",
            "currency": "KES",
            "description": ["Narrative"],
            "payer": "Name",
            "bank_reference": "Reference",
            "balance": "Balance",
        },
    }


def _initiator() -> dict[str, str]:
    """Who may send money out at the simulated M-Pesa. Its certificate is another one whenever it is started."""
    from majuu_sim.daraja.config import Initiator

    certificate = var_folder() / CERTIFICATE_NAME
    if not certificate.exists():
        return {}
    who = Initiator()
    return {
        "initiator_name": who.name,
        "initiator_password": who.password,
        "certificate": certificate.read_text(encoding="ascii"),
        "c2b_version": "v1",
    }


def _differs(account: ProviderAccount, credentials: dict[str, Any]) -> bool:
    """Whether the account has to be written anew: its secret is lost, or the simulator's certificate is another."""
    if not _opens(lambda: open_credentials(account)):
        return True
    if account.provider != "mpesa":
        return False
    known = str(getattr(open_credentials(account), "certificate", None) or "")
    return known.strip() != str(credentials.get("certificate", "")).strip()


def _opens(read: Callable[[], object]) -> bool:
    """False when the key that sealed a secret is gone, as when somebody deleted the folder but kept the database."""
    try:
        read()
    except (CredentialsUnreadable, DecryptionError):
        return False
    return True


def _load_api_key(store: Store, kept: Secrets) -> None:
    try:
        if authenticate(str(kept.get("api_key", ""))).store_id == store.pk:
            return
    except KeyRefused:
        pass
    kept["api_key"] = create_api_key(store=store, livemode=False, name="Demo shop").key


def _load_webhook_endpoint(store: Store, kept: Secrets) -> None:
    """The shop's endpoint, moved when the shop has moved. Without a shop there is none."""
    if not shop_url():
        return
    url = f"{shop_url()}/webhooks"
    known = kept.get("webhook", {})
    mine = WebhookEndpoint.objects.filter(store=store, livemode=False, status=WebhookEndpoint.Status.ENABLED)
    endpoint = next((row for row in mine.order_by("pk") if row.description == "Demo shop"), None)
    if endpoint is None:
        created = create_webhook_endpoint(store=store, livemode=False, url=url, description="Demo shop")
    elif known.get("id") != endpoint.public_id or not _opens(lambda: _signing_keys(endpoint)):
        created = rotate_secret(endpoint=endpoint, overlap=timedelta(0))  # the old one is lost: nobody verifies by it
    else:
        created = None
    if endpoint is not None and endpoint.url != url:
        update_webhook_endpoint(endpoint=endpoint, url=url)
    if created is not None:
        kept["webhook"] = {"id": created.endpoint.public_id, "secret": created.secret}


def _signing_keys(endpoint: WebhookEndpoint) -> list[SigningKey]:
    return open_secrets(endpoint.public_id, endpoint.secrets.values_list("sealed", "expires_at"))


def _write_secrets(kept: Secrets) -> None:
    path = secrets_path()
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(kept, file, indent=2)
        file.write("\n")
    new.replace(path)
