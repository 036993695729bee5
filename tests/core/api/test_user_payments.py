"""A person sees the payments that are theirs by a verified address or number, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from moneyed import Money

from majuu_core.accounts.models import Profile
from majuu_core.merchants.models import Store
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.representation import represent_time
from majuu_core.testing.factories import make_provider_account, make_store, make_user
from tests.core.api.test_sign_in import call, login, somebody

pytestmark = pytest.mark.django_db
PHONE = "+254712345678"
FIELDS = {
    *("object", "id", "store", "amount", "amount_paid", "amount_refunded", "currency", "status", "refund_status"),
    *("payment_method", "receipts", "created_at", "paid_at"),
}


def token_of(user: Any) -> str:
    found: str = login(user).json()["access_token"]
    return found


def seen_by(user: Any, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call("GET", f"/user/payments{query}", token=token_of(user)).json()["data"]
    return found


def owe(store: Store | None = None, *, livemode: bool = True, amount: str = "1500", **details: Any) -> PaymentIntent:
    wanted = IntentDetails(amount=Money(amount, "KES"), **details)
    return create_payment_intent(store=store or make_store(), livemode=livemode, details=wanted)


def pay(intent: PaymentIntent) -> Charge:
    """Paid live by another phone. The mock provider takes no live money: the rows are written as they end."""
    now, money = timezone.now(), intent.amount
    fee: Any = Money("13.37", "KES")
    PaymentIntent.objects.filter(pk=intent.pk).update(status="succeeded", amount_received=money, succeeded_at=now)
    return Charge.objects.create(
        payment_intent=intent,
        livemode=True,
        provider_account=make_provider_account(store=intent.store, livemode=True),
        provider="mock",
        payment_method="mock",
        payer="254799999999",
        amount=money,
        amount_received=money,
        fee=fee,
        status="succeeded",
        provider_reference=f"ref-{intent.public_id}",
        receipt="SFG7ABC123",
        occurred_at=now,
    )


def prove(user: Any, phone: str = PHONE) -> None:
    Profile.objects.update_or_create(user=user, defaults={"phone": phone, "phone_verified_at": timezone.now()})


def test_a_payment_is_shown_with_its_receipt_and_nothing_of_the_stores() -> None:
    """given a paid order / when its customer asks / then exactly what a receipt says"""
    user, store = somebody(), make_store(name="Duka la Asha")
    details: dict[str, Any] = {"reference": "ORD-7", "description": "Two baskets", "metadata": {"margin": "12"}}
    intent = owe(store, customer_email=user.email, **details)
    charge = pay(intent)
    intent.refresh_from_db()
    (found,) = seen_by(user)
    assert found.keys() == FIELDS
    times = {"created_at": found.pop("created_at"), "paid_at": found.pop("paid_at")}
    assert all(times.values())
    (receipt,) = found.pop("receipts")
    assert receipt.pop("paid_at") == represent_time(charge.occurred_at)
    assert receipt == {"receipt": "SFG7ABC123", "payment_method": "mock", "amount": "1500.00", "currency": "KES"}
    assert found == {
        "object": "user_payment",
        "id": intent.public_id,
        "store": "Duka la Asha",
        "amount": "1500.00",
        "amount_paid": "1500.00",
        "amount_refunded": "0.00",
        "currency": "KES",
        "status": "succeeded",
        "refund_status": "none",
        "payment_method": "mock",
    }
    text = call("GET", "/user/payments", token=token_of(user)).content.decode()
    hidden = ["ORD-7", "baskets", "margin", "13.37", "254799999999", user.email, charge.public_id, store.public_id]
    hidden += [charge.provider_account.public_id, "ref-", intent.link_token]
    assert [word for word in hidden if word in text] == []


def test_an_order_that_nobody_paid_has_no_receipt() -> None:
    user = somebody()
    owe(customer_email=user.email)
    (found,) = seen_by(user)
    assert (found["status"], found["payment_method"], found["receipts"], found["paid_at"]) == (
        "requires_payment_method",
        None,
        [],
        None,
    )


def test_payments_of_all_stores_and_contacts_come_newest_first_in_pages() -> None:
    """given payments by address and by number in three stores / when read page by page / then each once, in order"""
    user = somebody()
    prove(user)
    EmailAddress.objects.create(user=user, email="second@example.com", verified=True)
    made = [
        owe(customer_email=user.email.upper()),
        owe(customer_phone="0712 345 678"),
        owe(customer_email="Second@Example.com", customer_phone=PHONE),
    ]
    token = token_of(user)
    first = call("GET", "/user/payments?limit=2", token=token).json()
    second = call("GET", f"/user/payments?limit=2&cursor={first['next_cursor']}", token=token).json()
    assert (first["has_more"], second["has_more"], second["next_cursor"]) == (True, False, None)
    listed = [row["id"] for row in first["data"] + second["data"]]
    assert listed == [intent.public_id for intent in reversed(made)]


def test_only_one_status_is_listed_on_demand() -> None:
    user = somebody()
    paid = owe(customer_email=user.email)
    pay(paid)
    owe(customer_email=user.email)
    assert [row["id"] for row in seen_by(user, "?status=succeeded")] == [paid.public_id]
    assert seen_by(user, "?status=canceled") == []


@pytest.mark.parametrize(
    "details",
    [
        {"customer_email": "joe@example.com"},
        {"customer_email": ""},
        {"customer_email": "as_a@example.com"},
        {"customer_email": "asha@example.com.evil.test"},
        {"customer_email": "âsha@example.com"},
        {"customer_phone": "0712345679"},
        {"customer_phone": "+255712345678"},
        {"metadata": {"email": "asha@example.com"}, "reference": "asha@example.com"},
    ],
)
def test_what_is_made_out_to_somebody_else_is_not_shown(details: dict[str, Any]) -> None:
    """given a person with a verified address and number / when an order names another / then they do not see it"""
    user = make_user(email="asha@example.com")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    prove(user)
    owe(**details)
    assert seen_by(user) == []


def test_nobody_sees_by_an_unverified_address_or_number() -> None:
    """given contacts that were only said / when the person asks / then nothing, also not what names nobody"""
    user = somebody()
    EmailAddress.objects.create(user=user, email="victim@example.com", verified=False)
    Profile.objects.create(user=user, phone=PHONE)
    owe(customer_email="victim@example.com")
    owe(customer_phone=PHONE)
    owe()
    assert seen_by(user) == []


def test_an_account_without_any_verified_contact_sees_nothing() -> None:
    user = somebody()
    token = token_of(user)
    owe(customer_email=user.email)
    owe()
    EmailAddress.objects.filter(user=user).update(verified=False)
    answer = call("GET", "/user/payments", token=token)
    assert (answer.status_code, answer.json()["data"]) == (200, [])


def test_another_number_takes_the_payments_of_the_old_one_away() -> None:
    """given payments by a verified number / when the number is changed and changed back / then they are gone"""
    user = somebody()
    prove(user)
    owe(customer_phone=PHONE)
    token = token_of(user)
    assert len(call("GET", "/user/payments", token=token).json()["data"]) == 1
    for number in ("+254700000001", PHONE):
        call("PATCH", "/user/profile", {"phone": number}, token)
        assert call("GET", "/user/payments", token=token).json()["data"] == []


def test_test_payments_are_not_shown() -> None:
    user = somebody()
    owe(customer_email=user.email, livemode=False)
    assert seen_by(user) == []


@pytest.mark.parametrize(
    ("query", "field"), [("?limit=0", "limit"), ("?limit=101", "limit"), ("?cursor=pi_x", "cursor")]
)
@pytest.mark.parametrize("verified", [True, False])
def test_a_page_that_cannot_be_is_refused(query: str, field: str, verified: bool) -> None:
    user = somebody()
    token = token_of(user)
    EmailAddress.objects.filter(user=user).update(verified=verified)
    answer = call("GET", f"/user/payments{query}", token=token)
    assert (answer.status_code, answer.json()["param"]) == (422, field)


@pytest.mark.parametrize("contacts", ["address", "number", "both"])
def test_twenty_payments_cost_as_much_as_one(contacts: str) -> None:
    user = somebody()
    prove(user)
    details: dict[str, Any] = {"customer_email": user.email, "customer_phone": PHONE}
    if contacts != "both":
        details.pop("customer_phone" if contacts == "address" else "customer_email")
    token = token_of(user)

    def count(expected: int) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert len(call("GET", "/user/payments", token=token).json()["data"]) == expected
        return len(asked)

    pay(owe(**details))
    one = count(1)
    for number in range(19):
        intent = owe(**details)
        if number % 5 == 0:
            pay(intent)
    assert count(20) == one
