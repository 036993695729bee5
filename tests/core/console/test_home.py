"""The first page, the menu, the plugins page, and what plugins bring to them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import RequestFactory, override_settings
from django.urls import reverse
from moneyed import Money

from majuu_core.common import clock
from majuu_core.console import unfold_settings
from majuu_core.console.base import ReadOnlyAdmin
from majuu_core.console.home import Received, received_today
from majuu_core.console.menu import navigation
from majuu_core.console.site import ConsoleSite
from majuu_core.merchants.models import Membership
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.plugins import hookimpl
from majuu_core.plugins.contributions import ConsoleAdmin, MenuItem, Panel
from majuu_core.webhooks.models import WebhookEndpoint
from tests.core.console.test_details import text_of
from tests.core.console.world import make_staff

pytestmark = pytest.mark.django_db
HOME = "/console/"


def pay(store, amount: str, currency: str = "KES") -> None:
    details = IntentDetails(amount=Money(amount, currency))
    intent = create_payment_intent(store=store, livemode=False, details=details)
    confirm_payment_intent(intent=intent, choice=PaymentChoice(payment_method="mock"))


def test_the_home_page_counts_what_needs_a_person(world, superuser_client) -> None:
    store = world.stores[0]
    pay(store, "7751")  # the provider reports another amount: parked
    pay(store, "7736")  # never known
    WebhookEndpoint.objects.update(failing_since=clock.now())
    text = text_of(superuser_client.get(HOME))
    for line in ("1 Parked payments", "1 Parked webhooks", "1 Charges with unknown outcome", "1 Failing endpoints"):
        assert line in text


def test_what_waits_for_somebody_comes_before_what_does_not(world, superuser_client) -> None:
    """given unclaimed money, a difference, an alert, and no parked payment / then only the former are cards."""
    page = superuser_client.get(HOME).content.decode()
    cards, _, calm = page[page.index('id="attention"') : page.index('id="today"')].partition('class="mj-calm"')
    titles = ("Open alerts", "Unclaimed payments", "Payouts to approve", "Differences nobody has", "Parked webhooks")
    assert [title for title in titles if title not in cards] == []
    assert "Parked payments" not in cards
    assert "0 Parked payments" in calm
    assert not any(title in calm for title in titles)


def test_a_home_page_without_work_says_so(superuser_client) -> None:
    assert "Nothing waits for you." in text_of(superuser_client.get(HOME))


def test_a_disabled_endpoint_is_not_failing_any_more(world, superuser_client) -> None:
    WebhookEndpoint.objects.update(failing_since=clock.now(), status="disabled")
    assert "0 Failing endpoints" in text_of(superuser_client.get(HOME))


def test_what_came_in_today_is_never_added_up_over_currencies(world, virtual_clock) -> None:
    store = world.stores[0]
    pay(store, "10.10", "USD")
    pay(store, "20.20", "USD")
    pay(store, "7702")  # declined: nothing came in
    assert received_today() == [
        Received(livemode=False, currency="KES", amount="KES\u00a01,500.00", count=1),
        Received(livemode=False, currency="USD", amount="USD\u00a030.30", count=2),
    ]
    virtual_clock.advance(timedelta(days=1))
    assert received_today() == []


@override_settings(TIME_ZONE="Africa/Nairobi")
def test_the_day_begins_at_midnight_where_the_project_is(world, virtual_clock) -> None:
    # The world was made at 12:00 in Nairobi; the day there ends at 21:00 UTC.
    virtual_clock.advance(timedelta(hours=11, minutes=59))
    assert [item.count for item in received_today()] == [1]
    virtual_clock.advance(timedelta(minutes=1))
    assert received_today() == []


def test_the_home_page_shows_only_what_the_user_may_see(world, staff_client) -> None:
    text = text_of(staff_client("majuu_webhooks.view_inboundwebhook").get(HOME))
    assert "1 Parked webhooks" in text
    for hidden in ("Parked payments", "Received today", "Latest payments", world.intents[0].public_id):
        assert hidden not in text


def test_the_home_page_needs_few_queries(world, superuser_client, django_assert_num_queries) -> None:
    superuser_client.get(HOME)
    with django_assert_num_queries(23):  # session, user, device, thirteen counters, today, latest; alerts, balances
        superuser_client.get(HOME)


def request_of(user):
    request = RequestFactory().get(HOME)
    request.user = user
    return request


def test_the_menu_of_a_superuser_has_every_page(world) -> None:
    menu = navigation(request_of(make_staff(superuser=True)))
    assert [group["title"] for group in menu] == [
        None,
        "Needs a person",
        "Payments",
        "Wallets",
        "Reconciliation",
        "Merchants",
        "Ledger",
        "Events and webhooks",
        "System",
    ]
    assert sum(len(group["items"]) for group in menu) == 32 + 5  # and home, plugins, pages without a model


def test_every_menu_item_opens(world, superuser_client) -> None:
    for group in navigation(request_of(make_staff(superuser=True))):
        for item in group["items"]:
            assert superuser_client.get(item["link"]).status_code == 200, item["title"]


def test_the_menu_of_limited_staff_has_only_their_pages(world) -> None:
    menu = navigation(request_of(make_staff("majuu_payments.view_charge")))
    titles = [item["title"] for group in menu for item in group["items"]]
    assert titles == ["Home", "Charges", "Plugins"]


class Parcels:
    """A plugin that uses everything the console offers."""

    @hookimpl
    def register_console_menu_items(self) -> list[MenuItem]:
        return [
            MenuItem(title="Parcels", url_name="console:index", icon="package", group="Shipping", order=2),
            MenuItem(title="Secret parcels", url_name="console:index", group="Shipping", permission="parcels.view_all"),
            MenuItem(title="Gone", url_name="no:such:page", group="Shipping"),
            MenuItem(title="First", url_name="console:plugins", group="Payments", order=1),
        ]

    @hookimpl
    def register_console_panels(self, request) -> list[Panel]:
        if not request.user.is_superuser:
            return []
        return [
            Panel(title="Second", template="majuu_console/table.html", context={"headers": ["X"], "rows": [["<i>"]]}),
            Panel(title="First", template="majuu_console/table.html", context={"headers": [], "rows": []}, order=1),
        ]

    @hookimpl
    def register_console_admins(self) -> list[ConsoleAdmin]:
        return [ConsoleAdmin(Membership, MembershipAdmin)]


class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("merchant", "user", "role")


def test_plugins_add_menu_items(world, temporary_plugin) -> None:
    temporary_plugin(Parcels())
    menu = navigation(request_of(make_staff("majuu_payments.view_charge")))
    groups = {group["title"]: [item["title"] for item in group["items"]] for group in menu}
    assert groups["Shipping"] == ["Parcels"]
    assert groups["Payments"] == ["Charges", "First"]


def test_plugins_add_panels(world, superuser_client, staff_client, temporary_plugin) -> None:
    temporary_plugin(Parcels())
    source = superuser_client.get(HOME).content.decode()
    assert source.index("<h2>First</h2>") < source.index("<h2>Second</h2>")
    assert "&lt;i&gt;" in source
    assert "<h2>First</h2>" not in staff_client().get(HOME).content.decode()


def test_plugins_add_pages(world, temporary_plugin) -> None:
    temporary_plugin(Parcels())
    site = ConsoleSite(name="console")
    names = {pattern.name for pattern in site.get_urls() if hasattr(pattern, "name")}
    assert site.is_registered(Membership)
    assert "plugins" in names
    site.register_pages()  # once more changes nothing
    assert site.is_registered(Membership)


def test_the_plugins_page_lists_what_is_loaded(world, superuser_client) -> None:
    text = text_of(superuser_client.get(reverse("console:plugins")))
    assert "majuu_core" in text
    assert "select_provider_account" in text


def test_the_settings_name_only_what_exists(world, superuser_client) -> None:
    settings = unfold_settings()
    assert settings["SITE_TITLE"] == "Majuu"
    assert unfold_settings() is not settings
    source = superuser_client.get(HOME).content.decode()
    assert 'href="/static/majuu_console/console.css"' in source
    assert 'href="/static/majuu_console/icon.svg"' in source
    assert "//cdn" not in source


def test_the_menu_asks_no_questions_per_entry(world, django_assert_num_queries) -> None:
    user = get_user_model().objects.get(pk=make_staff(superuser=True).pk)
    with django_assert_num_queries(0):
        navigation(request_of(user))
