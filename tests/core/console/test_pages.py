"""Every page of the console, for everybody: superuser, limited staff, no staff, nobody."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from majuu_core.console.base import ReadOnlyAdmin
from majuu_core.console.cells import address_of
from majuu_core.console.site import CONTENT_SECURITY_POLICY, console_site
from majuu_core.testing.factories import make_user
from tests.core.console.world import labels, make_staff, one_of

pytestmark = pytest.mark.django_db
console_site.register_pages()
MODELS = list(console_site._registry)
every_model = pytest.mark.parametrize("model", MODELS, ids=labels(MODELS))


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
        "majuu_merchants.Merchant",
        "majuu_merchants.ProviderAccount",
        "majuu_merchants.Store",
        "majuu_payments.Alert",
        "majuu_payments.BalanceSnapshot",
        "majuu_payments.Charge",
        "majuu_payments.Claim",
        "majuu_payments.IncomingPayment",
        "majuu_payments.PaymentIntent",
        "majuu_payments.Payout",
        "majuu_payments.PayoutBatch",
        "majuu_payments.ProviderCall",
        "majuu_payments.Refund",
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
    assert superuser_client.post(reverse(f"console:{names(model)}_add"), body).status_code == 403
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
def test_others_are_sent_to_the_log_in(model, world) -> None:
    row = one_of(model)
    customer = Client()
    customer.force_login(make_user())
    for client in (Client(), customer):
        for address in (list_address(model), address_of(row)):
            answer = client.get(address)
            assert answer.status_code == 302
            assert answer["Location"] == f"{reverse('console:login')}?next={address}"


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
    assert [answer["Content-Security-Policy"] for answer in answers] == [CONTENT_SECURITY_POLICY] * 4
    assert {answer["X-Frame-Options"] for answer in answers} == {"DENY"}


def test_logging_in_with_a_password_opens_the_console(world) -> None:
    user = make_staff("majuu_payments.view_charge")
    client = Client(enforce_csrf_checks=True)
    token = client.get(reverse("console:login")).cookies["csrftoken"].value
    form = {"username": user.get_username(), "password": "correct horse battery", "csrfmiddlewaretoken": token}
    answer = client.post(reverse("console:login") + f"?next={reverse('console:index')}", form)
    assert answer.status_code == 302
    assert client.get(reverse("console:index")).status_code == 200


def test_a_customer_with_a_password_does_not_get_in(world) -> None:
    user = make_user()
    form = {"username": user.get_username(), "password": "correct horse battery"}
    answer = Client().post(reverse("console:login"), form)
    assert answer.status_code == 200
    assert "sessionid" not in answer.cookies
