"""The inbox of incoming money: claimed for a store by a person, undone by two, and by nobody without permission."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from majuu_core.audit.models import AuditEntry
from majuu_core.console.cells import address_of
from majuu_core.merchants.services import intake_store
from majuu_core.payments.models import Claim, IncomingPayment
from majuu_core.testing.factories import make_provider_account, make_store
from majuu_core.testing.people import sign_in
from tests.core.console.world import World, make_staff
from tests.core.payments.incoming_support import arrive, claim, the_money

MAY = ("majuu_payments.view_incomingpayment", "majuu_payments.change_incomingpayment")
MAY_UNDO = ("majuu_payments.view_claim", "majuu_payments.change_claim")


def action(row: Any, name: str) -> str:
    model = row._meta.model_name
    return reverse(f"console:majuu_payments_{model}_{name}", args=[row.public_id])


def test_a_person_claims_for_a_store(world: World, staff_client: Any) -> None:
    free, store = the_money("FREE1"), world.stores[0]
    client: Client = staff_client(*MAY)
    page = client.post(action(free, "claim"))
    assert page.status_code == 200
    assert "Claim for a store" in page.content.decode()
    wrong = client.post(action(free, "claim"), {"store": "nobody", "reference": "A-1"})
    assert "There is no active store with this code." in wrong.content.decode()
    assert the_money("FREE1").ownership == "unclaimed"
    client.post(action(free, "claim"), {"store": store.code, "reference": "A-1"})
    made = Claim.objects.get(receipt="FREE1")
    assert (made.store, made.reference, made.created_by[:5]) == (store, "A-1", "user:")
    again = client.post(action(free, "claim"), {"store": store.code, "reference": "A-2"}, follow=True)
    assert "This receipt has been claimed already." in again.content.decode()


def an_unspent_claim() -> Claim:
    """Money that a store claimed and still has; the world's stores have promised theirs to payouts."""
    store = make_store()
    arrive(make_provider_account(store=store), "UNSPENT1")
    return claim(store, "UNSPENT1")


def test_two_people_undo_a_claim(db: None, staff_client: Any) -> None:
    made = an_unspent_claim()
    first, second = staff_client(*MAY_UNDO), staff_client(*MAY_UNDO)
    assert "Say why" in first.post(action(made, "undo")).content.decode()
    first.post(action(made, "undo"), {"reason": "Typed by mistake."})
    own = first.post(action(made, "allow"), follow=True).content.decode()
    assert "Somebody else has to do this" in own
    assert the_money("UNSPENT1").ownership == "claimed"
    second.post(action(made, "allow"))
    assert the_money("UNSPENT1").ownership == "unclaimed"
    assert AuditEntry.objects.filter(action="claim.undone", actor_type="user").count() == 1


def test_a_request_can_be_turned_down(db: None, staff_client: Any) -> None:
    made = an_unspent_claim()
    first, second = staff_client(*MAY_UNDO), staff_client(*MAY_UNDO)
    first.post(action(made, "undo"), {"reason": "Typed by mistake."})
    assert Claim.objects.filter(pk=made.pk, undo_requested_at__isnull=False).exists()
    second.post(action(made, "keep"))
    made.refresh_from_db()
    assert (made.undo_requested_at, made.undone_at, the_money("UNSPENT1").ownership) == (None, None, "claimed")


@pytest.mark.parametrize("name", ["claim", "confirm"])
def test_who_may_only_look_changes_nothing(world: World, staff_client: Any, name: str) -> None:
    client = staff_client("majuu_payments.view_incomingpayment", "majuu_payments.view_claim")
    before = list(IncomingPayment.objects.values())
    given = {"store": world.stores[0].code, "reference": "A-1", "reason": "because"}
    assert client.post(action(the_money("FREE1"), name), given).status_code == 403
    for undoing in ("undo", "allow", "keep"):
        assert client.post(action(world.claims[0], undoing), given).status_code == 403
    assert list(IncomingPayment.objects.values()) == before
    assert (
        "Claim for a store"
        not in client.get(
            reverse("console:majuu_payments_incomingpayment_change", args=[the_money("FREE1").public_id])
        ).content.decode()
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("ownership=unclaimed", {"FREE1"}),
        ("verified=no", set()),
        ("verified=yes&q=CLAIMED1", {"CLAIMED1"}),
        ("age=day", set()),
    ],
)
def test_filters(world: World, staff_client: Any, query: str, found: set[str]) -> None:
    text = staff_client(*MAY).get(reverse("console:majuu_payments_incomingpayment_changelist") + "?" + query)
    assert {receipt for receipt in ("FREE1", "CLAIMED1") if receipt + "<" in text.content.decode()} == found


def test_addresses_are_registered_by_who_may(world: World, staff_client: Any) -> None:
    account = world.accounts[0]
    address = reverse("console:majuu_merchants_provideraccount_register", args=[account.public_id])
    assert staff_client("majuu_merchants.view_provideraccount").post(address).status_code == 403
    assert AuditEntry.objects.filter(action="provider_account.incoming_registered").count() == 0
    may = ("majuu_merchants.view_provideraccount", "majuu_merchants.change_provideraccount")
    page = staff_client(*may).post(address, follow=True)
    assert "The provider knows our addresses now." in page.content.decode()
    assert AuditEntry.objects.filter(action="provider_account.incoming_registered").count() == 1


def test_superusers_see_the_buttons(world: World) -> None:
    client = Client()
    sign_in(client, make_staff(superuser=True))
    page = client.get(reverse("console:majuu_payments_claim_change", args=[world.claims[0].public_id]))
    assert "Ask to undo" in page.content.decode()


def test_the_page_says_who_may_claim_the_money(db: None, staff_client: Any, settings: Any) -> None:
    """given money at the platform's account / when custody is off, on, and a store is named / then it says who."""
    store, client = make_store(name="Duka"), staff_client(*MAY)
    arrive(make_provider_account(platform=True))
    row = the_money()

    def page() -> str:
        return unescape(client.get(address_of(row)).content.decode())

    off = "It came to the platform's account, and this site does not hold money for others (MAJUU_CUSTODIAL)."
    assert f"The platform's own stores only. {off}" in page()
    answer = client.post(action(row, "claim"), {"store": store.code, "reference": "A-1"}, follow=True)
    assert "Money at the platform's account for other merchants: this site does not hold" in unescape(
        answer.content.decode()
    )
    assert the_money().ownership == "unclaimed"
    IncomingPayment.objects.filter(pk=row.pk).update(store=store)
    assert f"Duka, but not now. {off}" in page()
    settings.MAJUU_CUSTODIAL = True
    assert f"Stores of {store.merchant}." in page()
    IncomingPayment.objects.filter(pk=row.pk).update(store=intake_store())
    assert "Any store." in page()
    client.post(action(row, "claim"), {"store": store.code, "reference": "A-1"})
    assert "Nobody any more." in page()
