"""Lists: filtered, paged, exported; as many queries for many rows as for one."""

from __future__ import annotations

import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.common.xlsx import read_xlsx
from majuu_core.merchants.invitations import invite
from majuu_core.merchants.models import Membership
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.models import Charge, PaymentIntent, Refund
from majuu_core.testing.factories import make_api_key, make_provider_account, make_store, make_user
from majuu_core.webhooks.endpoints import create_webhook_endpoint, disable_webhook_endpoint, send_test_event
from majuu_core.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.core.dashboard.conftest import Business


def intent_of(business: Business, reference: str = "", **details: object) -> PaymentIntent:
    wanted = IntentDetails(amount=Money("1500", "KES"), reference=reference, **details)  # type: ignore[arg-type]
    return create_payment_intent(store=business.store, livemode=False, details=wanted)


def fill(business: Business, number: int) -> None:
    """This many rows in every list."""
    for _ in range(number):
        intent_of(business)
        store = make_store(merchant=business.merchant)
        make_api_key(store=store)
        made = create_webhook_endpoint(store=store, livemode=False, url="https://shop.example.com/hook")
        for endpoint in {made.endpoint, WebhookEndpoint.objects.earliest("pk")}:
            send_test_event(endpoint=endpoint)
        user = make_user()
        Membership.objects.create(merchant=business.merchant, user=user, role="viewer")
        if business.merchant.invitations.count() < 18:
            invite(merchant=business.merchant, email=f"i-{user.pk}@example.com", role="viewer")


def counted(business: Business) -> dict[str, int]:
    browser = business.browser("owner")
    first = WebhookEndpoint.objects.order_by("pk").first()
    pages = {name: business.url(name) for name in ("payments", "stores", "keys", "webhooks", "team", "overview")}
    pages["webhook"] = business.url("webhook", first.public_id) if first else ""
    found = {}
    for name, page in pages.items():
        browser.get(page, {"mode": "test"})
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert browser.get(page).status_code == 200
        found[name] = len(queries)
    return found


def test_twenty_rows_cost_as_many_queries_as_one(business: Business) -> None:
    fill(business, 1)
    one = counted(business)
    fill(business, 19)
    assert counted(business) == one
    assert max(one.values()) <= 14


def test_every_payment_is_on_exactly_one_page(business: Business) -> None:
    made = [intent_of(business, f"order-{number}").reference for number in range(30)]
    browser = business.browser("viewer")
    shown, page = [], business.url("payments") + "?mode=test"
    while page:
        answer = browser.get(page)
        shown += [row.reference for row in answer.context["page"].rows]
        page = answer.context["page"].next_url
    assert shown == made[::-1]


def test_payments_are_found_by_state_day_and_reference(business: Business) -> None:
    one, other = intent_of(business, "A-1"), intent_of(business, "A-2")
    PaymentIntent.objects.filter(pk=other.pk).update(status="canceled", created_at="2026-01-05T12:00:00Z")
    browser = business.browser("viewer")

    def found(**asked: str) -> set[str]:
        answer = browser.get(business.url("payments"), {"mode": "test", **asked})
        return {row.public_id for row in answer.context["page"].rows}

    assert found() == {one.public_id, other.public_id}
    assert found(status="canceled") == found(day="2026-01-05") == found(reference="A-2") == {other.public_id}
    assert found(reference=one.public_id) == {one.public_id}
    assert found(day="2026-01-06") == found(status="nonsense") == found(day="nonsense") == set()
    assert found(mode="live") == set()


def test_exports_hold_the_same_rows_and_no_formula(business: Business) -> None:
    intent_of(business, "A-1", description='=HYPERLINK("http://bad.example")')
    intent_of(business, "A-2")
    browser = business.browser("finance")
    address = business.url("export", "payments", "csv") + "?mode=test&reference=A-1"
    csv = b"".join(browser.get(address).streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert csv.count("\r\n") == 2
    assert "A-1,requires_payment_method,1500.00,0.00,0.00,KES" in csv
    assert '"\'=HYPERLINK(""http://bad.example"")"' in csv
    address = business.url("export", "payments", "xlsx") + "?mode=test"
    answer = browser.get(address)
    rows = list(read_xlsx(io.BytesIO(b"".join(answer.streaming_content))))  # type: ignore[attr-defined]
    assert [row.cells[2] for row in rows] == ["Reference", "A-2", "A-1"]
    assert answer["Content-Disposition"].startswith('attachment; filename="payments-test-')
    entries = AuditEntry.objects.filter(action="report.exported").order_by("pk")
    written = [(entry.changes["form"], entry.changes["filters"]) for entry in entries]
    assert written == [("csv", {"mode": "test", "reference": "A-1"}), ("xlsx", {"mode": "test"})]


@pytest.mark.parametrize("who", ["developer", "viewer"])
def test_who_may_not_export_gets_nothing(business: Business, who: str) -> None:
    assert business.browser(who).get(business.url("export", "payments", "csv")).status_code == 403
    assert AuditEntry.objects.filter(action="report.exported").count() == 0


def test_payouts_are_there_only_where_money_is_held_for_others(business: Business, settings: object) -> None:
    browser = business.browser("owner")
    assert browser.get(business.url("payouts")).status_code == 404
    settings.MAJUU_CUSTODIAL = True  # type: ignore[attr-defined]
    settings.MAJUU_TRUST_ACCOUNTS = {"trust": {"name": "Trust", "bank": "Bank"}}  # type: ignore[attr-defined]
    assert browser.get(business.url("payouts")).status_code == 200


def test_finance_gives_money_back_once(business: Business) -> None:
    make_provider_account(store=business.store)
    intent = intent_of(business, "A-1")
    _, charge = confirm_payment_intent(intent=intent, choice=PaymentChoice(payment_method="mock"))
    assert charge.status == Charge.Status.SUCCEEDED
    browser = business.browser("finance")
    where = business.url("payment_refund", charge.public_id)
    assert where in browser.get(business.url("payment", intent.public_id)).content.decode()
    sent = {"amount": "500.00", "reason": "Too many", "key": "once", "phone": ""}
    for _ in range(2):
        assert browser.post(where, sent)["Location"] == business.url("payment", intent.public_id)
    refund = Refund.objects.get()
    assert (refund.amount, refund.reason, refund.source) == (Money("500", "KES"), "Too many", "merchant")
    assert refund.created_by == f"user:{business.people['finance'].pk}"
    assert browser.post(where, sent | {"amount": "9999.00", "key": "twice"}).status_code == 422
    assert Refund.objects.count() == 1


@pytest.mark.parametrize("who", ["developer", "viewer", "stranger"])
def test_others_give_nothing_back(business: Business, who: str) -> None:
    make_provider_account(store=business.store)
    _, charge = confirm_payment_intent(intent=intent_of(business), choice=PaymentChoice(payment_method="mock"))
    sent = {"amount": "500.00", "reason": "Too many", "key": "once"}
    answer = business.browser(who).post(business.url("payment_refund", charge.public_id), sent)
    assert answer.status_code == (404 if who == "stranger" else 403)
    assert Refund.objects.count() == 0


def test_an_endpoint_is_added_tested_switched_off_and_deleted(business: Business) -> None:
    browser = business.browser("developer")
    browser.get(business.url("webhooks"), {"mode": "test"})
    sent = {
        "store": business.store.public_id,
        "url": "https://shop.example.com/hook",
        "event_types": "payment_intent.*",
    }
    answer = browser.post(business.url("webhook_new"), sent)
    assert "whsec_" in answer.content.decode()
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.event_types, endpoint.livemode) == (["payment_intent.*"], False)
    assert "whsec_" not in browser.get(business.url("webhook", endpoint.public_id)).content.decode()
    browser.post(business.url("webhook_act", endpoint.public_id, "test"))
    delivery = WebhookDelivery.objects.get()
    browser.post(business.url("delivery_again", delivery.public_id))
    assert WebhookDelivery.objects.count() == 2
    assert "whsec_" in browser.post(business.url("webhook_rotate", endpoint.public_id)).content.decode()
    for what, status in (("disable", "disabled"), ("enable", "enabled"), ("delete", "archived")):
        browser.post(business.url("webhook_act", endpoint.public_id, what))
        endpoint.refresh_from_db()
        assert endpoint.status == status
    assert browser.post(business.url("webhook_act", endpoint.public_id, "enable")).status_code == 404


@pytest.mark.parametrize(("before", "what"), [("enabled", "disable"), ("disabled", "enable"), ("enabled", "delete")])
def test_switching_an_endpoint_asks_for_the_second_factor_again(business: Business, before: str, what: str) -> None:
    """given an owner whose second factor was shown long ago / when they switch an endpoint on or off, or delete it /
    then nothing changes before it is shown again; a test event needs none"""
    endpoint = create_webhook_endpoint(store=business.store, livemode=False, url="https://a.example.com/").endpoint
    if before == "disabled":
        disable_webhook_endpoint(endpoint=endpoint, reason="Broken.")
    stored = WebhookEndpoint.objects.values().get()
    entries = AuditEntry.objects.filter(action__startswith="webhook_endpoint.").count()
    browser = business.browser("owner", fresh=False)
    answer = browser.post(business.url("webhook_act", endpoint.public_id, what))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/confirm/")
    assert WebhookEndpoint.objects.values().get() == stored
    assert AuditEntry.objects.filter(action__startswith="webhook_endpoint.").count() == entries
    if before == "enabled":
        browser.post(business.url("webhook_act", endpoint.public_id, "test"))
        assert WebhookDelivery.objects.count() == 1
