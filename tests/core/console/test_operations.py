"""A provider account's page as operators use it, the cards of the first page, and an intent's QR code."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.common import clock
from majuu_core.console.cells import address_of
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.alerts import keep_alerts
from majuu_core.payments.balances import request_balances
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.models import Alert, BalanceSnapshot, PaymentIntent, ProviderCall
from majuu_core.payments.qr_codes import account_reference
from majuu_core.plugins.manager import registries
from majuu_core.testing.factories import make_provider_account
from majuu_core.testing.people import sign_in
from majuu_core.webhooks.models import InboundWebhook
from tests.core.console.test_details import post, text_of
from tests.core.console.world import World, make_staff

pytestmark = pytest.mark.django_db
ACTIONS = ("check", "self_test", "balances")


@pytest.fixture
def account(world: World) -> ProviderAccount:
    return world.accounts[0]


def action(account: ProviderAccount, name: str) -> str:
    return reverse(f"console:majuu_merchants_provideraccount_{name}", args=[account.public_id])


def test_the_page_shows_what_operators_look_for(
    account: ProviderAccount, superuser_client: Client, virtual_clock: Any
) -> None:
    """given an account with a call, a callback, balances and an alert / when opened / then all are on its page."""
    text = text_of(superuser_client.get(address_of(account)))
    assert re.search(r"Last callback 2\d{3}-\d\d-\d\d \d\d:\d\d:\d\d", text)
    assert "Last callback test that arrived never" in text
    assert "Payouts KES 20,000.00 KES 12,500.00 KES 7,500.00 KES 0.00" in text
    assert f"No callbacks for {account.name} open" in text
    assert "stk_push HTTP 200 81 ms" in text
    assert "No charge of this account has the reference ws_CO_1." in text


def test_checking_from_the_page(account: ProviderAccount, superuser_client: Client) -> None:
    """given the button / when pressed / then every answer is told, and the user is in the audit trail."""
    text = text_of(post(superuser_client, address_of(account), "check"))
    assert "Credentials: The provider takes them." in text
    assert "Stored credentials: They open" in text
    account.refresh_from_db()
    assert account.health == "healthy"
    entry = AuditEntry.objects.get(action="provider_account.checked")
    assert (entry.actor_type, entry.object_id) == ("user", account.public_id)


def test_asking_for_balances_from_the_page(account: ProviderAccount, superuser_client: Client) -> None:
    """given the button / when pressed / then there is one more report."""
    text = text_of(post(superuser_client, address_of(account), "balances"))
    assert "Balances: The provider told them." in text
    assert BalanceSnapshot.objects.filter(provider_account=account, status="reported").count() == 2


@pytest.mark.django_db(transaction=True)
def test_testing_callbacks_from_the_page(
    live_server: Any, settings: Any, world: World, superuser_client: Client
) -> None:
    """given a running site / when the button is pressed / then the message arrives, and the page says when."""
    settings.MAJUU_PUBLIC_URL = live_server.url
    account = world.accounts[0]
    text = text_of(post(superuser_client, address_of(account), "self_test"))
    assert "Callback self-test: A message to our public address arrived as iwh_" in text
    assert "Last callback test that arrived never" not in text
    assert InboundWebhook.objects.filter(topic="selftest", state="applied").count() == 1


@pytest.mark.parametrize("name", ACTIONS)
def test_who_may_not_change_accounts_has_no_buttons(account: ProviderAccount, staff_client: Any, name: str) -> None:
    """given staff who may look / when they open the page or send the form / then no button, 403, nothing done."""
    client = staff_client("majuu_merchants.view_provideraccount")
    page = text_of(client.get(address_of(account)))
    for hidden in (
        "Check the account",
        "Test callbacks",
        "Ask for balances",
        "No callbacks for",
        "Payouts",
        "stk_push",
    ):
        assert hidden not in page
    before = (BalanceSnapshot.objects.count(), InboundWebhook.objects.count(), AuditEntry.objects.count())
    assert client.post(action(account, name)).status_code == 403
    assert (BalanceSnapshot.objects.count(), InboundWebhook.objects.count(), AuditEntry.objects.count()) == before


@pytest.mark.parametrize("name", ACTIONS)
def test_the_buttons_are_forms_of_this_site_only(account: ProviderAccount, superuser_client: Client, name: str) -> None:
    """given a link or a foreign form / when followed / then 405 and 403; an account that is not there is 404."""
    assert superuser_client.get(action(account, name)).status_code == 405
    assert superuser_client.post(action(account, name)).status_code == 403
    superuser_client.get(address_of(account))
    token = {"csrfmiddlewaretoken": superuser_client.cookies["csrftoken"].value}
    address = action(account, name).replace(account.public_id, "pa_00000000000000000000000000")
    assert superuser_client.post(address, token).status_code == 404


def queries_of(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


def test_the_page_costs_the_same_for_twenty_calls(world: World, superuser_client: Client) -> None:
    """given one account / when it has many calls / then its page needs as many queries as before."""
    address = address_of(world.accounts[0])
    before = queries_of(superuser_client, address)
    for _ in range(19):
        ProviderCall.objects.create(
            provider_account=world.accounts[0],
            charge=world.charges[0],
            operation="stk_query",
            method="POST",
            url="https://provider.example/query",
            status=200,
            started_at=clock.now(),
            duration_ms=1,
        )
    assert queries_of(superuser_client, address) == before


# --- The first page --------------------------------------------------------------------------------------------------


def test_open_alerts_and_balances_are_on_the_first_page(world: World, superuser_client: Client) -> None:
    """given an open alert and a report / when the first page is opened / then both are there."""
    text = text_of(superuser_client.get("/console/"))
    assert f"No callbacks for {world.accounts[0].name} test" in text
    assert "Payouts KES 20,000.00 KES 12,500.00" in text
    keep_alerts(kind=Alert.Kind.CALLBACK_SILENCE, troubles=())
    assert "No callbacks for" not in text_of(superuser_client.get("/console/"))


def test_the_cards_are_for_those_who_may_see_them(world: World, staff_client: Any) -> None:
    """given staff without the permissions / when the first page is opened / then neither card is there."""
    text = text_of(staff_client("majuu_payments.view_charge").get("/console/"))
    assert "No callbacks for" not in text
    assert "Payouts" not in text
    assert "No callbacks for" in text_of(staff_client("majuu_payments.view_alert").get("/console/"))


def test_the_first_page_costs_the_same_for_twenty_accounts(world: World, superuser_client: Client) -> None:
    """given one and twenty accounts with balances / when the first page is opened / then the queries are as many."""
    before = queries_of(superuser_client, "/console/")
    for _ in range(19):
        request_balances(account=make_provider_account())
    assert queries_of(superuser_client, "/console/") == before


def test_live_alerts_are_a_health_check(world: World) -> None:
    """given an alert of test mode, then of live mode / when asked for health / then only the live one counts."""
    check = registries().health_checks["majuu.alerts"].function
    assert check().healthy is True
    live = make_provider_account(livemode=True, name="Live")
    Alert.objects.create(
        kind="unhealthy",
        subject="x",
        open_key="x",
        livemode=True,
        provider_account=live,
        title="Live is down",
        detail="d",
    )
    assert (check().healthy, check().detail) == (False, "Live is down")


# --- QR codes --------------------------------------------------------------------------------------------------------


@pytest.fixture
def intent(world: World) -> PaymentIntent:
    details = IntentDetails(amount=Money("250.00", "KES"), reference="<b>7</b>")
    return create_payment_intent(store=world.stores[0], livemode=False, details=details)


def test_a_qr_code_is_shown_with_what_it_says(intent: PaymentIntent, superuser_client: Client) -> None:
    """given an open intent / when the button is pressed / then the picture, the amount and the reference, escaped."""
    answer = post(superuser_client, address_of(intent), "qr_code")
    source = answer.content.decode()
    assert answer.status_code == 200
    assert 'src="data:image/png;base64,iVBORw0KGgo' in source
    assert account_reference(intent) in source
    assert "<b>7</b>" not in source
    assert "KES 250.00" in text_of(answer)


def test_a_paid_intent_has_no_button_and_no_code(world: World, superuser_client: Client) -> None:
    """given a paid intent / when its form is sent all the same / then the reason is told."""
    paid = world.intents[0]
    paid.refresh_from_db()
    assert "Make a QR code" not in text_of(superuser_client.get(address_of(paid)))
    token = {"csrfmiddlewaretoken": superuser_client.cookies["csrftoken"].value}
    address = reverse("console:majuu_payments_paymentintent_qr_code", args=[paid.public_id])
    assert "Only an intent that can still be paid" in text_of(superuser_client.post(address, token, follow=True))


def test_a_qr_code_needs_the_permission(intent: PaymentIntent, staff_client: Any) -> None:
    """given staff who may look / when they ask for a code / then 403."""
    client = staff_client("majuu_payments.view_paymentintent")
    assert "Make a QR code" not in text_of(client.get(address_of(intent)))
    assert (
        client.post(reverse("console:majuu_payments_paymentintent_qr_code", args=[intent.public_id])).status_code == 403
    )


@pytest.mark.parametrize("key", ["nonsense", "pa_00000000000000000000000000"])
def test_an_account_that_is_none_is_not_found(key, db) -> None:
    """given an id that no account has, or none can have / when its pages are asked for / then 404, not a failure."""
    client = Client(raise_request_exception=False)
    sign_in(client, make_staff(superuser=True))
    pages = [reverse(f"console:majuu_merchants_provideraccount_{name}", args=[key]) for name in ("mapping", "register")]
    assert client.get(pages[0]).status_code == 404
    assert client.post(pages[1]).status_code == 404
