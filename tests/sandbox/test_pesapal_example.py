"""The example of the plugin walkthrough: its own tests pass, and with it a store takes a payment. Core is unchanged."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from moneyed import Money

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.ledger.verification import find_problems
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.addresses import account_callback_url
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.testing.factories import make_provider_account, make_store
from majuu_core.webhooks.inbound import RawRequest, receive_webhook
from majuu_core.webhooks.inbound_processing import process_waiting
from tests.core.payments.incoming_support import payable
from tests.sandbox.support import ROOT

EXAMPLE = ROOT / "docs/examples/majuu-pesapal"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(EXAMPLE / "src")


@pytest.mark.slow
def test_the_example_passes_its_own_tests() -> None:
    sources = [str(EXAMPLE / "src"), *map(str, ROOT.glob("packages/*/src"))]
    # Nothing of this repository's tests, and no Django settings: as on the machine of somebody who writes a provider.
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sources)}

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", "-p", "no:django"],
        cwd=EXAMPLE,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.django_db
def test_a_store_takes_a_payment(example: None, temporary_plugin: Any, settings: Any) -> None:
    """Given the example's own plugin file, when the customer pays at Pesapal's page, then the unsigned notification
    makes core ask for the truth, and the books hold it. A notification before that changes nothing."""
    from majuu_pesapal import majuu_hooks
    from majuu_pesapal.testing.server import IPN_ID, KEY, SECRET, Pesapal, serve

    temporary_plugin(majuu_hooks)
    pesapal = Pesapal()
    with serve(pesapal) as url, use_clock(VirtualClock()):
        settings.MAJUU_PUBLIC_URL = "https://pay.example.co.ke"
        settings.MAJUU_PROVIDERS = {"pesapal": {"test": {"base_url": url}}}
        store = make_store()
        keys = {"consumer_key": KEY, "consumer_secret": SECRET, "ipn_id": IPN_ID, "username": "duka"}
        account = make_provider_account(store=store, provider="pesapal", credentials=keys)
        details = IntentDetails(amount=Money("1500", "KES"), return_url="https://duka.example/back")
        intent = create_payment_intent(store=store, livemode=False, details=details)
        _, charge = confirm_payment_intent(intent=intent, choice=PaymentChoice(payment_method="pesapal"))
        [order] = pesapal.orders.values()
        assert (charge.status, charge.provider_reference) == ("requires_action", order.tracking_id)

        notify(account, order.tracking_id, charge.public_id)  # the customer is still at it
        assert seen(intent, charge) == ("requires_action", "requires_action", Decimal(0))
        order.state = 1
        notify(account, order.tracking_id, charge.public_id)

        assert seen(intent, charge) == ("succeeded", "succeeded", Decimal(1500))
        assert charge.receipt == f"PSP{order.tracking_id[-6:]}"
        assert list(find_problems()) == []


def notify(account: ProviderAccount, tracking_id: str, reference: str) -> None:
    """Pesapal, or anybody, says that something changed; the worker looks at it."""
    from majuu_pesapal.testing import notification

    message = notification(reference, tracking_id)
    _, subject, secret = urlsplit(account_callback_url(account.pk)).path.strip("/").split("/")
    answer = receive_webhook(
        RawRequest(
            method=message.method,
            subject=subject,
            secret=secret,
            headers=message.headers,
            query=message.query,
            body=message.body,
            remote_addr=message.remote_addr,
        )
    )
    assert answer is not None
    assert (answer.status, answer.body) == (200, b'{"status":200}')
    process_waiting()


def seen(intent: PaymentIntent, charge: Charge) -> tuple[str, str, Decimal]:
    """What the intent, the charge and the books say."""
    intent.refresh_from_db()
    charge.refresh_from_db()
    return intent.status, charge.status, payable(intent.store)
