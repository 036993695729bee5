"""Wallets over the API: doors, doubles, other people's wallets, files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from majuu_core.ledger.verification import find_problems
from majuu_core.merchants.models import Store
from majuu_core.payments.models import Charge, PaymentIntent, Payout
from majuu_core.testing.factories import make_api_key, make_provider_account, make_store
from majuu_core.wallets.deposits import credit_watched_deposits
from majuu_core.wallets.models import Wallet, WalletDeposit, WalletPayment, WalletWithdrawal
from tests.core.api.support import Shop

NEW = {"customer_reference": "C-1", "currency": "KES", "customer_name": "Wanjiku", "customer_phone": "254712345678"}


@pytest.fixture(autouse=True)
def _custodial(settings: Any, db: None) -> Iterator[None]:
    settings.MAJUU_CUSTODIAL = True
    yield
    assert list(find_problems()) == []


@pytest.fixture
def wallet(shop: Shop) -> str:
    """A wallet with KES 1500.00, made and filled over the API; its id."""
    made = shop.post("/wallets", NEW).data["id"]
    fill(shop, made, "1500.00")
    return made


def fill(shop: Shop, wallet: str, amount: str) -> None:
    begun = shop.post(f"/wallets/{wallet}/deposits", {"amount": amount}).data
    shop.post(f"/payment-intents/{begun['payment_intent']['id']}/confirm", {"payment_method": "mock"})
    assert credit_watched_deposits() == 1


def order(shop: Shop, amount: str = "300.00") -> str:
    return shop.post("/payment-intents", {"amount": amount, "currency": "KES"}).data["id"]


def available(shop: Shop, wallet: str) -> tuple[str, str]:
    shown = shop.get(f"/wallets/{wallet}").data
    return shown["balance"], shown["available"]


def test_a_wallet_is_opened_and_read(shop: Shop) -> None:
    made = shop.post("/wallets", NEW)
    assert made.status_code == 201
    assert made.data == {
        **NEW,
        "id": Wallet.objects.get().public_id,
        "object": "wallet",
        "livemode": False,
        "status": "active",
        "status_reason": None,
        "balance": "0.00",
        "available": "0.00",
        "created_at": made.data["created_at"],
    }
    assert shop.get(f"/wallets/{made.data['id']}").data == made.data
    assert shop.post("/wallets", NEW).data == made.data  # a customer has one


def test_fill_pay_withdraw(shop: Shop, wallet: str) -> None:
    """given a filled wallet / when it pays and is withdrawn from / then balances and movements say so."""
    intent = order(shop)
    paid = shop.post(f"/wallets/{wallet}/payments", {"payment_intent": intent})
    assert paid.status_code == 201
    assert (paid.data["amount"], paid.data["charge"]["payment_method"]) == ("300.00", "wallet")
    assert paid.data["payment_intent"]["status"] == "succeeded"
    assert shop.get(f"/payment-intents/{intent}").data["latest_charge"]["id"] == paid.data["charge"]["id"]

    taken = shop.post(f"/wallets/{wallet}/withdrawals", {"amount": "200.00", "reference": "W-1"})
    assert taken.status_code == 201
    assert (taken.data["status"], taken.data["payout"]["destination"]) == ("succeeded", {"phone": "254712345678"})

    assert available(shop, wallet) == ("1000.00", "1000.00")
    moved = shop.get(f"/wallets/{wallet}/movements").data
    assert [(item["type"], item["amount"], item["balance"]) for item in moved["data"]] == [
        ("withdrawal", "-200.00", "1000.00"),
        ("payment", "-300.00", "1200.00"),
        ("deposit", "1500.00", "1500.00"),
    ]
    assert (moved["has_more"], moved["next_cursor"]) == (False, None)


def test_a_deposit_shows_its_intent_and_what_was_credited(shop: Shop) -> None:
    wallet = shop.post("/wallets", NEW).data["id"]
    begun = shop.post(f"/wallets/{wallet}/deposits", {"amount": "1500", "description": "Top up", "expires_in": 600})
    assert begun.status_code == 201
    assert (begun.data["amount"], begun.data["credited"], begun.data["wallet"]) == ("1500.00", "0.00", wallet)
    assert begun.data["payment_intent"]["description"] == "Top up"
    assert begun.data["payment_intent"]["payment_url"].startswith("http://testserver/")


def test_a_deposit_that_lives_too_long_is_refused(shop: Shop, wallet: str) -> None:
    """given a lifetime beyond what a time can hold / when a deposit is begun / then 422, and nothing is there."""
    refused = shop.post(f"/wallets/{wallet}/deposits", {"amount": "10", "expires_in": 10**17})
    assert (refused.status_code, refused.data["code"]) == (422, "expires_in_invalid")
    assert WalletDeposit.objects.filter(payment_intent__amount=10).count() == 0


def test_the_same_key_moves_money_once(shop: Shop, wallet: str) -> None:
    """given keys / when each request is sent twice / then one effect, and the second answer is the first."""
    requests: list[tuple[str, Any, Any]] = [
        (f"/wallets/{wallet}/deposits", {"amount": "10.00"}, WalletDeposit),
        (f"/wallets/{wallet}/payments", {"payment_intent": order(shop)}, WalletPayment),
        (f"/wallets/{wallet}/withdrawals", {"amount": "10.00", "reference": "W-1"}, WalletWithdrawal),
    ]
    for number, (path, body, model) in enumerate(requests):
        before = model.objects.count()
        first, second = (shop.post(path, body, Idempotency_Key=f"key-{number}") for _ in range(2))
        assert first.data == second.data
        assert second.headers["Idempotency-Replayed"] == "true"
        assert model.objects.count() == before + 1
    assert available(shop, wallet) == ("1190.00", "1190.00")


def test_not_enough_money_is_a_409_that_releases_its_key(shop: Shop, wallet: str) -> None:
    """given 1500 / when 1501 are to be paid, then filled up and sent again / then refused, then done."""
    intent = order(shop, "1501.00")
    sent = (f"/wallets/{wallet}/payments", {"payment_intent": intent})
    refused = shop.post(*sent, Idempotency_Key="key-1")
    assert (refused.status_code, refused.data["code"], refused.data["param"]) == (409, "insufficient_funds", "amount")
    assert refused.data["messages"]["sw"].startswith("Salio halitoshi")
    assert (Charge.objects.filter(provider="wallet").count(), available(shop, wallet)) == (0, ("1500.00", "1500.00"))

    fill(shop, wallet, "1.00")
    assert shop.post(*sent, Idempotency_Key="key-1").status_code == 201
    assert available(shop, wallet) == ("0.00", "0.00")


def test_off_it_is_a_403_and_nothing_changes(shop: Shop, wallet: str, settings: Any) -> None:
    """given wallets are not allowed any more / when asked for / then custodial_disabled; reading goes on."""
    intent = order(shop)
    settings.MAJUU_CUSTODIAL = False
    counts = [model.objects.count() for model in (Wallet, WalletDeposit, PaymentIntent, Charge)]
    for path, body in (
        ("/wallets", {**NEW, "customer_reference": "C-2"}),
        (f"/wallets/{wallet}/deposits", {"amount": "10"}),
        (f"/wallets/{wallet}/payments", {"payment_intent": intent}),
    ):
        answer = shop.post(path, body, Idempotency_Key=f"key-{len(path)}")
        assert (answer.status_code, answer.data["code"]) == (403, "custodial_disabled")
    assert counts == [model.objects.count() for model in (Wallet, WalletDeposit, PaymentIntent, Charge)]
    assert available(shop, wallet) == ("1500.00", "1500.00")


READS = ("", "/movements", "/statement", "/statement?format=csv", "/statement?format=pdf")
WRITES = {
    "/deposits": {"amount": "10"},
    "/payments": {"payment_intent": "pi_x"},
    "/withdrawals": {"amount": "10", "reference": "W-1"},
    "/freeze": {"reason": "Because of it."},
    "/unfreeze": None,
    "/close": None,
}


def test_another_store_s_and_mode_s_wallet_is_a_404(shop: Shop, store: Store, wallet: str) -> None:
    """given a wallet / when another store, or the store's live key, uses it / then 404, and it is as it was."""
    other = make_store()
    make_provider_account(store=other)
    strangers = (Shop(make_api_key(store=other).key), Shop(make_api_key(store=store, livemode=True).key))
    for stranger in strangers:
        for path in READS:
            answer = stranger.get(f"/wallets/{wallet}{path}")
            assert (answer.status_code, answer.data["code"]) == (404, "wallet_not_found")
        for path, body in WRITES.items():
            answer = stranger.post(f"/wallets/{wallet}{path}", body)
            assert (answer.status_code, answer.data["code"]) == (404, "wallet_not_found")
        assert stranger.get("/wallets").data["data"] == []
    assert (available(shop, wallet), Payout.objects.count()) == (("1500.00", "1500.00"), 0)
    assert Wallet.objects.get().status == "active"


def test_another_store_s_intent_is_not_paid(shop: Shop, wallet: str) -> None:
    other = make_store()
    foreign = order(Shop(make_api_key(store=other).key))
    answer = shop.post(f"/wallets/{wallet}/payments", {"payment_intent": foreign})
    assert (answer.status_code, answer.data["code"]) == (404, "payment_intent_not_found")
    assert available(shop, wallet) == ("1500.00", "1500.00")


def test_scopes(shop: Shop, store: Store, wallet: str) -> None:
    """given keys for other things, and one that only reads / when used / then 403 scope_missing, nothing changed."""
    foreign = Shop(make_api_key(store=store, scopes=["payments:write", "payments:read"]).key)
    reader = Shop(make_api_key(store=store, scopes=["wallets:read"]).key)
    pytest.importorskip("reportlab")
    for path in READS:
        assert raw(reader, f"/wallets/{wallet}{path}").status_code == 200
        assert foreign.get(f"/wallets/{wallet}{path}").data["code"] == "scope_missing"
    for key in (foreign, reader):
        assert key.post("/wallets", NEW).data["code"] == "scope_missing"
        for path, body in WRITES.items():
            assert key.post(f"/wallets/{wallet}{path}", body).data["code"] == "scope_missing"
    assert Wallet.objects.get().status == "active"


def test_freeze_release_close(shop: Shop, wallet: str) -> None:
    frozen = shop.post(f"/wallets/{wallet}/freeze", {"reason": "Lost phone."})
    assert (frozen.data["status"], frozen.data["status_reason"]) == ("frozen", "Lost phone.")
    answer = shop.post(f"/wallets/{wallet}/payments", {"payment_intent": order(shop)})
    assert (answer.status_code, answer.data["code"]) == (409, "wallet_frozen")
    assert shop.post(f"/wallets/{wallet}/unfreeze").data["status"] == "active"
    assert shop.post(f"/wallets/{wallet}/close").data["code"] == "wallet_not_empty"
    shop.post(f"/wallets/{wallet}/withdrawals", {"amount": "1500", "reference": "W-1"})
    assert shop.post(f"/wallets/{wallet}/close", {"reason": "Done."}).data["status"] == "closed"


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("", {"currency": "KES"}, "parameter_missing"),
        ("", {**NEW, "currency": "XYZ"}, "currency_unknown"),
        ("", {**NEW, "balance": "100"}, "parameter_unknown"),
        ("/deposits", {"amount": 1.5}, "parameter_invalid"),
        ("/deposits", {"amount": "0"}, "amount_not_positive"),
        ("/deposits", {"amount": "1.234"}, "amount_too_precise"),
        ("/deposits", {"amount": "1", "payment_methods": ["cowrie"]}, "payment_method_unknown"),
        ("/withdrawals", {"amount": "-1", "reference": "W-1"}, "amount_not_positive"),
        ("/withdrawals", {"amount": "1", "reference": ""}, "parameter_invalid"),
        ("/freeze", {"reason": ""}, "reason_missing"),
    ],
)
def test_wrong_bodies_are_a_422(shop: Shop, wallet: str, path: str, body: dict[str, Any], code: str) -> None:
    answer = shop.post(f"/wallets/{wallet}{path}" if path else "/wallets", body)
    assert (answer.status_code, answer.data["code"]) == (422, code)
    assert (available(shop, wallet), WalletDeposit.objects.count()) == (("1500.00", "1500.00"), 1)


def test_lists_are_filtered_paged_and_need_equal_queries(shop: Shop) -> None:
    """given 1 and then 21 wallets / when listed / then with the same number of queries, page by page, filtered."""
    shop.post("/wallets", NEW)

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert shop.get("/wallets?limit=20").status_code == 200
        return len(seen)

    queries()
    one = queries()
    for number in range(2, 22):
        shop.post("/wallets", {**NEW, "customer_reference": f"C-{number}"})
    assert queries() == one

    page = shop.get("/wallets?limit=20").data
    assert (len(page["data"]), page["has_more"]) == (20, True)
    rest = shop.get(f"/wallets?limit=20&cursor={page['next_cursor']}").data["data"]
    assert [item["customer_reference"] for item in rest] == ["C-1"]
    found = shop.get("/wallets?customer_reference=C-7&status=active").data["data"]
    assert [item["customer_reference"] for item in found] == ["C-7"]
    assert shop.get("/wallets?status=frozen").data["data"] == []


def raw(shop: Shop, path: str) -> Any:
    """An answer that is a file."""
    return shop._client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {shop.key}"})


def test_a_statement_as_json_csv_and_pdf(shop: Shop, wallet: str) -> None:
    """given a wallet / when its statement is asked for in each form / then the figures agree and files are named."""
    shown = shop.get(f"/wallets/{wallet}/statement").data
    assert (shown["opening_balance"], shown["closing_balance"], len(shown["movements"])) == ("0.00", "1500.00", 1)

    table = raw(shop, f"/wallets/{wallet}/statement?format=csv")
    rows = list(csv.DictReader(b"".join(table.streaming_content).decode().splitlines()))
    assert [row["balance"] for row in rows] == ["0.00", "1500.00", "1500.00"]
    assert table.headers["Content-Disposition"] == f'attachment; filename="statement-{wallet}.csv"'
    assert table.headers["Request-Id"].startswith("req_")

    pytest.importorskip("reportlab")
    document = raw(shop, f"/wallets/{wallet}/statement?format=pdf")
    assert (document.status_code, document.headers["Content-Type"]) == (200, "application/pdf")
    assert document.content.startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("start=soon", "time_invalid"),
        ("start=2026-01-02&end=2026-01-01T00:00:00Z", "period_invalid"),
        ("format=xml", "parameter_invalid"),
    ],
)
def test_statements_that_cannot_be_made(shop: Shop, wallet: str, query: str, code: str) -> None:
    answer = shop.get(f"/wallets/{wallet}/statement?{query}")
    assert (answer.status_code, answer.data["code"]) == (422, code)


def test_pages_of_movements(shop: Shop, wallet: str) -> None:
    for _ in range(2):
        shop.post(f"/wallets/{wallet}/payments", {"payment_intent": order(shop)})
    first = shop.get(f"/wallets/{wallet}/movements?limit=2").data
    assert [item["balance"] for item in first["data"]] == ["900.00", "1200.00"]
    second = shop.get(f"/wallets/{wallet}/movements?limit=2&cursor={first['next_cursor']}").data
    assert [item["balance"] for item in second["data"]] == ["1500.00"]
    assert second["has_more"] is False
    assert shop.get(f"/wallets/{wallet}/movements?cursor=mov_x").data["code"] == "cursor_invalid"
