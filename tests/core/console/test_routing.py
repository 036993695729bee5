"""Routing rules and the pause of an account, as operators see and change them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.test import Client
from django.urls import reverse

from majuu_core.console.cells import address_of
from majuu_core.merchants.breaker import record_silence
from majuu_core.payments.models import RoutingRule
from majuu_core.testing.factories import make_provider_account
from majuu_core.testing.people import sign_in
from tests.core.console.world import World, make_staff

ADD = "console:majuu_payments_routingrule_add"


def filled(world: World, **fields: Any) -> dict[str, Any]:
    store, account = world.stores[0], world.accounts[0]
    return {"store": str(store.pk), "provider_account": str(account.pk), "currency": "KES", "position": "1", **fields}


def test_a_rule_is_made_and_removed(world: World, staff_client: Any) -> None:
    client: Client = staff_client(
        *("majuu_payments.view_routingrule", "majuu_payments.add_routingrule", "majuu_payments.delete_routingrule")
    )
    RoutingRule.objects.all().delete()
    # when
    made = client.post(reverse(ADD), filled(world, payment_method="mock", min_amount="5000"))
    # then
    assert made.status_code == 302
    rule = RoutingRule.objects.get()
    assert (rule.payment_method, rule.min_amount, rule.livemode) == ("mock", Decimal(5000), False)
    page = client.get(address_of(rule)).content.decode()
    assert "KES from 5000" in page
    removed = client.post(reverse("console:majuu_payments_routingrule_remove", args=[rule.public_id]))
    assert (removed.status_code, RoutingRule.objects.count()) == (302, 0)


def test_what_can_never_fit_is_refused_beside_its_field(world: World) -> None:
    client = Client()
    sign_in(client, make_staff(superuser=True))
    stranger = make_provider_account()
    before = RoutingRule.objects.count()
    page = client.post(reverse(ADD), filled(world, provider_account=str(stranger.pk))).content.decode()
    assert "Choose an account of this store or of the platform" in page
    page = client.post(reverse(ADD), filled(world, payment_method="card")).content.decode()
    assert "does not offer" in page
    assert RoutingRule.objects.count() == before


def test_who_may_only_look_changes_nothing(world: World, staff_client: Any) -> None:
    client: Client = staff_client("majuu_payments.view_routingrule")
    rule = RoutingRule.objects.get()
    assert client.post(reverse(ADD), filled(world)).status_code == 403
    remove = reverse("console:majuu_payments_routingrule_remove", args=[rule.public_id])
    assert client.post(remove).status_code == 403
    assert RoutingRule.objects.count() == 1


def test_a_paused_account_says_so_and_can_be_called_again(world: World, staff_client: Any) -> None:
    account = world.accounts[0]
    for _ in range(5):
        record_silence(account, "timed out")
    client: Client = staff_client("majuu_merchants.view_provideraccount", "majuu_merchants.change_provideraccount")
    page = client.get(address_of(account)).content.decode()
    assert "paused" in page
    assert "timed out" in page
    assert "Call it again now" in page
    assert "/in/a" in page
    client.post(reverse("console:majuu_merchants_provideraccount_resume", args=[account.public_id]))
    account.refresh_from_db()
    assert (account.breaker, account.breaker_failures) == ("closed", 0)
    looking: Client = staff_client("majuu_merchants.view_provideraccount")
    page = looking.get(address_of(account)).content.decode()
    assert "/in/a" not in page
