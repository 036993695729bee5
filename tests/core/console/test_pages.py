"""Every page of the console, for everybody: superuser, limited staff, no staff, nobody."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse

from majuu_core.console.base import ReadOnlyAdmin
from majuu_core.console.cells import address_of
from majuu_core.console.site import console_policy, console_site
from majuu_core.payments.models import RoutingRule
from majuu_core.testing.factories import make_user
from majuu_core.testing.people import enrol, sign_in, totp_code
from tests.core.console.world import World, labels, make_staff, one_of

pytestmark = pytest.mark.django_db
console_site.register_pages()
MODELS = list(console_site._registry)
every_model = pytest.mark.parametrize("model", MODELS, ids=labels(MODELS))


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


def names(model) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}"


def list_address(model) -> str:
    return reverse(f"console:{names(model)}_changelist")


def test_the_console_shows_these_models() -> None:
    assert sorted(labels(MODELS)) == [
        "majuu_audit.AuditEntry",
        "majuu_events.Event",
        "majuu_ledger.LedgerAccount",
        "majuu_ledger.LedgerTransaction",
        "majuu_ledger.LedgerTransfer",
        "majuu_merchants.ApiKey",
        "majuu_merchants.KycCase",
        "majuu_merchants.Merchant",
        "majuu_merchants.ProviderAccount",
        "majuu_merchants.Store",
        "majuu_payments.Alert",
        "majuu_payments.BalanceSnapshot",
        "majuu_payments.Charge",
        "majuu_payments.Claim",
        "majuu_payments.Customer",
        "majuu_payments.Dispute",
        "majuu_payments.IncomingPayment",
        "majuu_payments.PaymentIntent",
        "majuu_payments.Payout",
        "majuu_payments.PayoutBatch",
        "majuu_payments.ProviderCall",
        "majuu_payments.Refund",
        "majuu_payments.RoutingRule",
        "majuu_payments.Sighting",
        "majuu_reports.BankPayout",
        "majuu_reports.Close",
        "majuu_reports.Mismatch",
        "majuu_reports.Settlement",
        "majuu_wallets.Wallet",
        "majuu_webhooks.InboundWebhook",
        "majuu_webhooks.WebhookDelivery",
        "majuu_webhooks.WebhookEndpoint",
    ]


@every_model
def test_a_superuser_sees_list_and_detail(model, world, superuser_client) -> None:
    row = one_of(model)
    listed = superuser_client.get(list_address(model))
    assert listed.status_code == 200
    assert address_of(row) in listed.content.decode()
    detail = superuser_client.get(address_of(row))
    assert detail.status_code == 200
    assert superuser_client.get(reverse(f"console:{names(model)}_history", args=[row.pk])).status_code == 200


@every_model
def test_nothing_can_be_added_changed_or_deleted(model, world, superuser_client) -> None:
    row = one_of(model)
    before = {item.name: getattr(row, item.attname) for item in model._meta.concrete_fields}
    token = superuser_client.get(list_address(model)).cookies["csrftoken"].value
    body = {"csrfmiddlewaretoken": token, "name": "changed", "_save": "1", "post": "yes"}
    added = superuser_client.post(reverse(f"console:{names(model)}_add"), body)
    # A routing rule has a form, which this body does not fill in: test_routing.py.
    assert added.status_code == (200 if model is RoutingRule else 403)
    assert model.objects.count() == 1 or model is not RoutingRule
    assert superuser_client.post(address_of(row), body).status_code == 403
    assert superuser_client.post(reverse(f"console:{names(model)}_delete", args=[row.pk]), body).status_code == 403
    row.refresh_from_db()
    assert {item.name: getattr(row, item.attname) for item in model._meta.concrete_fields} == before


@every_model
def test_limited_staff_see_only_what_they_may(model, world, staff_client) -> None:
    row = one_of(model)
    permission = f"{model._meta.app_label}.view_{model._meta.model_name}"
    allowed, other = staff_client(permission), staff_client("majuu_merchants.view_membership")
    assert allowed.get(list_address(model)).status_code == 200
    assert allowed.get(address_of(row)).status_code == 200
    assert other.get(list_address(model)).status_code == 403
    assert other.get(address_of(row)).status_code == 403


@every_model
def test_nobody_else_gets_in(model, world) -> None:
    row = one_of(model)
    customer, unverified, without_device = Client(), Client(), Client()
    sign_in(customer, make_user())
    with_device = make_staff(superuser=True)
    enrol(with_device)
    sign_in(unverified, with_device, verified=False)
    sign_in(without_device, make_staff(superuser=True), verified=False)
    for address in (list_address(model), address_of(row)):
        answers = [client.get(address) for client in (Client(), unverified, without_device)]
        assert [answer.status_code for answer in answers] == [302] * 3
        assert [answer["Location"] for answer in answers] == [
            f"{way}?next={quote(address, safe='')}"
            for way in ("/accounts/login/", "/accounts/confirm/", "/accounts/second-factor/set-up/")
        ]
        assert customer.get(address).status_code == 403


@every_model
def test_pages_are_built_on_the_read_only_base(model) -> None:
    page = console_site._registry[model]
    assert isinstance(page, ReadOnlyAdmin)
    assert page.show_full_result_count is False
    assert page.check() == []


@pytest.mark.parametrize("name", ["index", "plugins"])
def test_pages_without_a_model(name, world, superuser_client, staff_client) -> None:
    address = reverse(f"console:{name}")
    assert superuser_client.get(address).status_code == 200
    assert staff_client().get(address).status_code == 200
    assert Client().get(address).status_code == 302


def test_the_console_has_its_own_content_security_policy(world, superuser_client) -> None:
    pages = [reverse("console:index"), list_address(MODELS[0]), address_of(one_of(MODELS[0]))]
    answers = [superuser_client.get(page) for page in pages] + [Client().get(reverse("console:login"))]
    assert [answer["Content-Security-Policy"] for answer in answers] == [console_policy()] * 4
    assert {answer["X-Frame-Options"] for answer in answers} == {"DENY"}
    policy = dict(part.split(" ", 1) for part in console_policy().split("; "))
    assert (policy["script-src"], policy["style-src"]) == ("'self' 'unsafe-eval'", "'self'")
    assert "style-src-attr" not in policy


def test_unfolds_colours_are_a_stylesheet(world, superuser_client) -> None:
    """given a page of the console / when looked at / then no style element, and the colours at an address of theirs."""
    page = superuser_client.get(reverse("console:index")).content.decode()
    assert "<style" not in page
    assert f'href="{reverse("console:theme")}"' in page
    answer = Client().get(reverse("console:theme"))
    assert answer["Content-Type"] == "text/css; charset=utf-8"
    assert "--color-primary-600: oklch(48% .108 165.6);" in answer.content.decode()


def test_password_and_second_factor_open_the_console(world) -> None:
    user = make_staff("majuu_payments.view_charge")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    device = enrol(user)
    client = Client(enforce_csrf_checks=True)
    way = client.get(reverse("console:login") + f"?next={reverse('console:plugins')}")["Location"]
    assert way == "/accounts/login/?next=%2Fconsole%2Fplugins%2F"
    token = client.get(way).cookies["csrftoken"].value
    form = {"login": user.email, "password": "correct horse battery", "csrfmiddlewaretoken": token}
    assert client.post(way, form)["Location"] == "/accounts/otp/"
    assert client.get(reverse("console:plugins")).status_code == 302
    code = {"code": totp_code(device), "csrfmiddlewaretoken": token}
    assert client.post("/accounts/otp/", code)["Location"] == "/console/plugins/"
    assert client.get(reverse("console:plugins")).status_code == 200


def test_the_way_to_the_console_ends_for_everybody(world, staff_client) -> None:
    verified, customer, without_device = staff_client(), Client(), Client()
    sign_in(customer, make_user())
    sign_in(without_device, make_staff(), verified=False)
    address = reverse("console:login")
    for target in ("", f"?next={address}", "?next=https://evil.example/"):
        assert verified.get(address + target, follow=True).redirect_chain == [("/console/", 302)]
        assert customer.get(address + target).status_code == 403
        stopped = without_device.get(address + target, follow=True)
        assert (stopped.status_code, stopped.request["PATH_INFO"]) == (200, "/accounts/reauthenticate/")


def test_signing_out_and_passwords_are_the_accounts_business(world, staff_client) -> None:
    client = staff_client()
    assert client.get(reverse("console:password_change"))["Location"] == "/accounts/password/change/"
    assert client.post(reverse("console:logout"))["Location"] == "/accounts/login/"
    assert client.get(reverse("console:index")).status_code == 302


def test_what_moves_money_asks_for_the_second_factor_again(world) -> None:
    client = Client()
    sign_in(client, make_staff(superuser=True), fresh=False)
    payout = world.batches[0].payouts.first()
    before = payout.status
    page = address_of(payout)
    answer = client.post(f"{page.removesuffix('change/')}approve/", headers={"Referer": f"http://testserver{page}"})
    assert answer["Location"] == f"/accounts/confirm/?next={quote(page, safe='')}"
    payout.refresh_from_db()
    assert payout.status == before
    assert client.get(reverse("console:refunds_by_hand")).status_code == 302
    assert client.get(page).status_code == 200
