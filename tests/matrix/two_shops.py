"""Two businesses that know nothing of each other, each with one of everything, and the people around them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.test import Client
from moneyed import Money

from majuu_core.common import clock
from majuu_core.merchants.client_tokens import grant_token
from majuu_core.merchants.models import Merchant, Store
from majuu_core.merchants.services import add_member
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.dispute_applying import apply_dispute
from majuu_core.payments.dispute_evidence import add_file
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.models import PaymentIntent
from majuu_core.testing.factories import PASSWORD, make_api_key, make_store, make_user
from majuu_core.testing.kyc import small_pdf
from majuu_core.testing.people import sign_in
from tests.core.console.world import World
from tests.core.payments.dispute_support import told
from tests.matrix.watching import Keys, digest, hash_of_rows, keys_of_rows, new_rows


@dataclass
class Shop:
    """One business: its rows, what nobody else may read, and who works there."""

    number: int
    store: Store
    sister: Store
    owner: Any
    teammate: Any
    rows: Keys
    open_intent: PaymentIntent
    named: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    told: frozenset[str] = frozenset()

    def row(self, label: str) -> Any:
        """A row of this business, by its model's label."""
        model = next(found for found in self.rows if found._meta.label == label)
        newest = model._base_manager.filter(pk__in=self.rows[model]).order_by("-pk").first()
        assert newest is not None, f"tests/matrix/two_shops.py makes no {label}: add one to make_shop()"
        return newest

    def marks(self) -> set[str]:
        """Texts that say something about this business: public ids, and the numbers and names it was given."""
        found = {f"ORD-{self.number}", f"FREE{self.number}", f"CLAIMED{self.number}", f"Secret Duka {self.number}"}
        for model, keys in self.rows.items():
            if hasattr(model, "public_id"):
                found |= {row.public_id for row in model._base_manager.filter(pk__in=keys)}
        return found


def make_shop(world: World) -> Shop:
    """One more business in the world, with an order nobody has paid and a dispute that waits for an answer."""
    before = keys_of_rows()
    world.add()
    number, store = len(world.stores), world.stores[-1]
    Merchant.objects.filter(pk=store.merchant_id).update(name=f"Secret Duka {number} Ltd")
    Store.objects.filter(pk=store.pk).update(name=f"Secret Duka {number}")
    store.refresh_from_db()
    owner, teammate = make_user(), make_user()
    add_member(merchant=store.merchant, user=owner, role="owner")
    add_member(merchant=store.merchant, user=teammate, role="viewer")
    sister = make_store(merchant=store.merchant, name=f"Secret Duka {number} sister")
    charge = _paid(store, number)
    now = clock.now()
    times: dict[str, Any] = {"opened_at": now, "occurred_at": now, "respond_by": now + timedelta(days=7)}
    state = told(charge, provider_reference=f"disp_open_{number}", **times)
    dispute = apply_dispute(account=world.accounts[-1], state=state, at=clock.now()).dispute
    kept = add_file(dispute=dispute, field="receipt", name="way.pdf", content=small_pdf())
    details = IntentDetails(amount=Money("70.00", "KES"), reference=f"ORD-{number}-open")
    intent = create_payment_intent(store=store, livemode=False, details=details)
    shop = Shop(number, store, sister, owner, teammate, new_rows(before), intent)
    shop.named = _names(shop, dispute.public_id, kept.public_id)
    shop.keys = {
        "owner": make_api_key(store=store).key,
        "publishable": make_api_key(store=store, kind="publishable").key,
        "live mode": make_api_key(store=store, livemode=True).key,
        "sister store": make_api_key(store=sister).key,
        "wallets:read": make_api_key(store=store, scopes=["wallets:read"]).key,
        "events:read": make_api_key(store=store, scopes=["events:read"]).key,
        "client": _token_of_client(store),
    }
    shop.told = frozenset(shop.marks())
    return shop


def _token_of_client(store: Store) -> str:
    made = make_api_key(store=store, kind="client")
    return grant_token(client_id=made.row.client_id, secret=made.key).token


class TwoShops:
    """Mine and the other one, and how the database is before anybody calls."""

    def __init__(self) -> None:
        world = World()
        self.mine, self.other = make_shop(world), make_shop(world)
        self.admin = make_user(is_staff=True, is_superuser=True)
        self.client = Client()
        sign_in(self.client, self.admin)
        self.token = token_of(somebody_known())
        for key in (*self.mine.keys.values(), *self.other.keys.values()):
            self.client.get("/api/v1/ping", headers={"Authorization": f"Bearer {key}"})  # the day's first use is noted
        self.digest, self.keys = digest(), keys_of_rows()
        self.hash_of_mine, self.hash_of_theirs = hash_of_rows(self.mine.rows), hash_of_rows(self.other.rows)


def somebody_known() -> Any:
    """A person of no business, with a confirmed address and without a second factor."""
    user = make_user()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def token_of(user: Any) -> str:
    """Their own access token, as an app gets it."""
    sent = {"email": user.email, "password": PASSWORD}
    answer = Client().post("/api/v1/auth/login", sent, content_type="application/json")
    found: str = answer.json()["access_token"]
    return found


def _paid(store: Store, number: int) -> Any:
    details = IntentDetails(amount=Money("900.00", "KES"), reference=f"ORD-{number}-disputed")
    intent = create_payment_intent(store=store, livemode=False, details=details)
    return confirm_payment_intent(intent=intent, choice=PaymentChoice(payment_method="mock"))[1]


def _names(shop: Shop, dispute: str, file: str) -> dict[str, str]:
    """What the parameters of the API's addresses are for this business."""
    labels = {
        "api_key_id": "majuu_merchants.ApiKey",
        "charge_id": "majuu_payments.Charge",
        "customer_id": "majuu_payments.Customer",
        "event_id": "majuu_events.Event",
        "incoming_payment_id": "majuu_payments.IncomingPayment",
        "payout_id": "majuu_payments.Payout",
        "batch_id": "majuu_payments.PayoutBatch",
        "refund_id": "majuu_payments.Refund",
        "saved_method_id": "majuu_payments.SavedMethod",
        "wallet_id": "majuu_wallets.Wallet",
        "webhook_endpoint_id": "majuu_webhooks.WebhookEndpoint",
    }
    found = {name: shop.row(label).public_id for name, label in labels.items()}
    return found | {
        "payment_intent_id": shop.open_intent.public_id,
        "dispute_id": dispute,
        "file_id": file,
        "receipt": f"FREE{shop.number}",
        "session_id": "1",
        "link_token": shop.open_intent.link_token,
    }
