"""Detail pages: the timeline, what is shown and what never is, and the few things that can be done."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.console.cells import address_of, moment_cell, money_text, pretty
from majuu_core.merchants.models import ApiKey
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.models import Charge, ProviderCall
from majuu_core.testing.audit import address_in
from majuu_core.webhooks.endpoints import disable_webhook_endpoint
from majuu_core.webhooks.models import WebhookDelivery, WebhookSecret
from tests.core.console.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


def text_of(answer) -> str:
    source = re.sub(r"<[^>]*>", " ", answer.content.decode())
    return " ".join(html.unescape(source).replace("\u00a0", " ").split())


def post(client: Client, page: str, action: str):
    """Press a button of a page: the form's own address and token."""
    source = client.get(page).content.decode()
    form = re.search(rf'<form method="post" action="([^"]*/{action}/)">.*?value="([^"]+)"', source, re.DOTALL)
    assert form is not None, f"no button for {action}"
    return client.post(form[1], {"csrfmiddlewaretoken": form[2]}, follow=True)


@pytest.fixture
def waiting(world) -> Charge:
    """A charge that the mock provider leaves open."""
    details = IntentDetails(amount=Money("7722", "KES"))
    intent = create_payment_intent(store=world.stores[0], livemode=False, details=details)
    return confirm_payment_intent(intent=intent, choice=PaymentChoice(payment_method="mock"))[1]


def test_the_timeline_tells_the_whole_payment_in_order(world, superuser_client) -> None:
    text = text_of(superuser_client.get(address_of(world.intents[0])))
    expected = [
        "Payment intent over KES 1,500.00",
        "Charge of KES 1,500.00 by mock Succeeded",
        "Receipt " + world.charges[0].receipt,
        "Asked the provider: stk_push",
        "HTTP 200 · 81 ms · https://provider.example/push",
        "The provider told us: webhook Parked",
        "No charge of this account has the reference ws_CO_1.",
        "Booked: charge",
        "Event ",
        "Payment intent succeeded",
    ]
    places = [text.find(line) for line in expected]
    assert -1 not in places
    assert places == sorted(places)  # the clock stands still: causes come before effects
    for line in (
        "Booked: charge hold Pending (a hold) KES 1,500.00 provider_clearing → store_payable",
        "Booked: charge Posts a hold KES 1,500.00 provider_clearing → store_payable",
        "Event payment_intent.created",
        "Event payment_intent.succeeded Gave up https://shop1.example.com/hook · 1 attempt",
        "Payment intent created by system",
        "Charge started by system",
    ):
        assert line in re.sub(r"receipt_long|policy", "", text)


@pytest.mark.parametrize(
    ("permission", "line"),
    [
        ("majuu_payments.view_charge", "Charge of"),
        ("majuu_payments.view_providercall", "Asked the provider"),
        ("majuu_webhooks.view_inboundwebhook", "The provider told us"),
        ("majuu_ledger.view_ledgertransaction", "Booked:"),
        ("majuu_events.view_event", "Event payment_intent.created"),
        ("majuu_webhooks.view_webhookdelivery", "Gave up"),
        ("majuu_audit.view_auditentry", "Charge started"),
    ],
)
def test_the_timeline_leaves_out_what_the_user_may_not_see(permission, line, world, staff_client) -> None:
    page = address_of(world.intents[0])
    view = "majuu_payments.view_paymentintent"
    with_it = text_of(staff_client(view, permission, "majuu_events.view_event").get(page))
    events_only = {"majuu_events.view_event"} - {permission}
    without = text_of(staff_client(view, *events_only).get(page))
    assert (line in with_it, line in without) == (True, False)


def test_asking_the_provider_applies_its_answer_in_the_users_name(waiting, superuser_client, virtual_clock) -> None:
    virtual_clock.advance(6)
    answer = post(superuser_client, address_of(waiting), "ask")
    assert "The provider was asked. The charge is now: Failed." in text_of(answer)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.failure_code) == ("failed", "declined")
    entry = AuditEntry.objects.get(action="charge.failed", object_id=waiting.public_id)
    assert (entry.actor_type, address_in(entry)) == ("user", "127.0.0.1")
    assert entry.actor_id == superuser_client.session["_auth_user_id"]


def test_a_charge_that_is_over_has_no_button(world, superuser_client) -> None:
    page = superuser_client.get(address_of(world.charges[0]))
    assert "Ask the provider now" not in page.content.decode()


def test_asking_about_a_charge_that_ended_meanwhile(world, waiting, superuser_client, virtual_clock) -> None:
    virtual_clock.advance(6)
    post(superuser_client, address_of(waiting), "ask")
    token = superuser_client.cookies["csrftoken"].value
    address = reverse("console:majuu_payments_charge_ask", args=[waiting.public_id])
    answer = superuser_client.post(address, {"csrfmiddlewaretoken": token}, follow=True)
    assert "Nothing to ask: the charge is already failed." in text_of(answer)


def test_who_may_not_change_charges_may_not_ask(waiting, staff_client, virtual_clock) -> None:
    virtual_clock.advance(6)
    client = staff_client("majuu_payments.view_charge")
    assert "Ask the provider now" not in client.get(address_of(waiting)).content.decode()
    address = reverse("console:majuu_payments_charge_ask", args=[waiting.public_id])
    assert client.post(address).status_code == 403
    waiting.refresh_from_db()
    assert waiting.status == "pending"


def test_a_link_cannot_ask_and_a_foreign_form_cannot_either(waiting, superuser_client, virtual_clock) -> None:
    virtual_clock.advance(6)
    address = reverse("console:majuu_payments_charge_ask", args=[waiting.public_id])
    assert superuser_client.get(address).status_code == 405
    assert superuser_client.post(address).status_code == 403
    waiting.refresh_from_db()
    assert waiting.status == "pending"


def test_actions_on_rows_that_are_not_there(world, superuser_client) -> None:
    superuser_client.get(address_of(world.charges[0]))
    token = superuser_client.cookies["csrftoken"].value
    for name in ("majuu_payments_charge_ask", "majuu_events_event_replay", "majuu_webhooks_webhookdelivery_send_again"):
        for key in ("ch_00000000000000000000000000", "nonsense"):
            address = reverse(f"console:{name}", args=[key])
            assert superuser_client.post(address, {"csrfmiddlewaretoken": token}).status_code == 404


def test_delivering_again_from_a_delivery(world, superuser_client) -> None:
    old = world.deliveries[0]
    answer = post(superuser_client, address_of(old), "send_again")
    new = WebhookDelivery.objects.exclude(pk=old.pk).get()
    assert answer.redirect_chain == [(address_of(new), 302)]
    assert (new.event_id, new.endpoint_id, new.replay, new.state) == (old.event_id, old.endpoint_id, 1, "pending")
    entry = AuditEntry.objects.get(action="webhook_delivery.replayed")
    assert (entry.actor_type, entry.object_id) == ("user", old.event.public_id)


def test_delivering_an_event_again(world, superuser_client) -> None:
    event = world.deliveries[0].event
    answer = post(superuser_client, address_of(event), "replay")
    assert "On its way again: 1 delivery." in text_of(answer)
    assert WebhookDelivery.objects.filter(event=event).count() == 2


def test_a_replay_that_is_refused_says_why(world, superuser_client) -> None:
    disable_webhook_endpoint(endpoint=world.endpoints[0], reason="It answered 410.")
    before = WebhookDelivery.objects.count()
    for row, action in ((world.deliveries[0], "send_again"), (world.deliveries[0].event, "replay")):
        answer = post(superuser_client, address_of(row), action)
        assert "endpoint" in text_of(answer).lower()
        assert answer.status_code == 200
    assert WebhookDelivery.objects.filter(state="pending").count() == 0
    assert WebhookDelivery.objects.count() == before


@pytest.mark.parametrize("kind", ["delivery", "event"])
def test_who_may_not_add_deliveries_may_not_replay(kind, world, staff_client) -> None:
    client = staff_client("majuu_webhooks.view_webhookdelivery", "majuu_events.view_event")
    row = world.deliveries[0] if kind == "delivery" else world.deliveries[0].event
    name = {"delivery": "majuu_webhooks_webhookdelivery_send_again", "event": "majuu_events_event_replay"}[kind]
    assert "Deliver again" not in client.get(address_of(row)).content.decode()
    assert client.post(reverse(f"console:{name}", args=[row.public_id])).status_code == 403
    assert WebhookDelivery.objects.count() == 1


def test_no_secret_is_ever_shown(world, superuser_client) -> None:
    account, endpoint = world.accounts[0], world.endpoints[0]
    key = ApiKey.objects.get(store=world.stores[0])
    secret = WebhookSecret.objects.get(endpoint=endpoint)
    for row in (account, endpoint, key, world.stores[0]):
        source = superuser_client.get(address_of(row)).content.decode()
        for hidden in (account.credentials, key.key_hash, secret.sealed, "mock-secret"):
            assert hidden not in source
    assert f"{key.prefix}…{key.last4}" in superuser_client.get(address_of(key)).content.decode()


def test_a_ledger_account_shows_its_balance(world, superuser_client) -> None:
    listed = text_of(superuser_client.get(reverse("console:majuu_ledger_ledgeraccount_changelist")))
    # Two payments of 1,500.00; 100.00 went back.
    assert f"store payable KES test {world.stores[0].public_id} Liability KES 2,900.00" in listed


def test_what_came_in_is_shown_as_text_never_as_html(world, superuser_client) -> None:
    inbound = world.inbound[0]
    type(inbound).objects.filter(pk=inbound.pk).update(body=b"<script>alert(1)</script>\xff", reason="<b>why</b>")
    source = superuser_client.get(address_of(inbound)).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\xff" in source
    assert "<b>why</b>" not in source


def test_a_call_without_an_answer(world, superuser_client) -> None:
    call = ProviderCall.objects.get()
    ProviderCall.objects.update(status=None, error="timeout")
    text = text_of(superuser_client.get(address_of(call)))
    assert "no answer" in text
    assert "timeout" in text


def test_an_unknown_id_leads_home_with_a_word(world, superuser_client) -> None:
    for key in ("pi_00000000000000000000000000", "nonsense"):
        answer = superuser_client.get(reverse("console:majuu_payments_paymentintent_change", args=[key]), follow=True)
        assert answer.redirect_chain == [(reverse("console:index"), 302)]
        assert "doesn’t exist" in text_of(answer)


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("1500", "KES", "KES 1,500.00"),
        ("1500.5000", "KES", "KES 1,500.50"),
        ("0.0025", "KES", "KES 0.0025"),
        ("1500", "UGX", "UGX 1,500"),
        ("-20", "USD", "USD -20.00"),
        ("1E+3", "KES", "KES 1,000.00"),
    ],
)
def test_money_keeps_its_currency_and_all_its_decimals(amount, currency, expected) -> None:
    assert money_text(Money(amount, currency)) == expected.replace(" ", "\u00a0")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": 1}, '<pre class="mj-pre">{\n  &quot;a&quot;: 1\n}</pre>'),
        (b'{"b":[1]}', '<pre class="mj-pre">{\n  &quot;b&quot;: [\n    1\n  ]\n}</pre>'),
        ("a=1&b=<2>", '<pre class="mj-pre">a=1&amp;b=&lt;2&gt;</pre>'),
        (memoryview(b"\xff"), '<pre class="mj-pre">\\xff</pre>'),
        ("", "–"),
        ({}, "–"),
        (None, "–"),
    ],
)
def test_bodies_are_laid_out_for_reading(value, expected) -> None:
    assert pretty(value) == expected


def test_a_huge_body_is_cut() -> None:
    assert pretty("x" * 100_005).endswith("… 5 characters more</pre>")


def test_times_are_in_the_projects_zone() -> None:
    with timezone.override("Africa/Nairobi"):
        cell = moment_cell(datetime(2026, 1, 5, 22, 30, 9, tzinfo=UTC))
    assert '>2026-01-06 01:30:09 <span class="mj-zone">EAT</span><' in cell
    assert "EAT" in cell
