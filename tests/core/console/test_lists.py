"""Lists stay fast: no counting, as many queries for 20 rows as for one, search along indexes only."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from majuu_core.console.cells import address_of
from majuu_core.console.site import console_site
from majuu_core.ledger.models import LedgerAccount, LedgerTransaction
from majuu_core.payments.models import Charge
from tests.core.console.world import World, labels

pytestmark = pytest.mark.django_db
console_site.register_pages()
MODELS = list(console_site._registry)


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


def list_address(model) -> str:
    return reverse(f"console:{model._meta.app_label}_{model._meta.model_name}_changelist")


def queries_of(client, address: str) -> list[str]:
    client.get(address)  # warm: sessions, content types, templates
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(address).status_code == 200
    return [query["sql"] for query in seen.captured_queries]


def test_a_list_needs_as_many_queries_for_many_rows_as_for_one(world, superuser_client) -> None:
    """given one row of every list / when there are twenty / then no list asks more often, and none counts"""
    one = {model: queries_of(superuser_client, list_address(model)) for model in MODELS}
    world.add(19)
    assert [model for model in MODELS if model._default_manager.count() < 20] == []
    many = {model: queries_of(superuser_client, list_address(model)) for model in MODELS}
    differing = {model: (one[model], many[model]) for model in MODELS if len(one[model]) != len(many[model])}
    assert differing == {}
    # six, the device of the session, and the keys of persons in the audit trail
    assert {model: len(seen) for model, seen in many.items() if len(seen) > 8} == {}
    assert [sql for seen in many.values() for sql in seen if re.search(r"\bCOUNT\(", sql)] == []


@pytest.mark.parametrize("kind", ["intent", "charge", "inbound", "event", "account", "endpoint", "transaction"])
def test_a_detail_page_does_not_look_at_other_rows(kind, world, superuser_client) -> None:
    rows = {
        "intent": world.intents[0],
        "charge": world.charges[0],
        "inbound": world.inbound[0],
        "event": world.deliveries[0].event,
        "account": LedgerAccount.objects.earliest("created_at"),
        "endpoint": world.endpoints[0],
        "transaction": LedgerTransaction.objects.earliest("created_at"),
    }
    before = len(queries_of(superuser_client, address_of(rows[kind])))
    world.add(5)
    assert len(queries_of(superuser_client, address_of(rows[kind]))) == before


def test_pages_follow_each_other_without_a_count(world, superuser_client, virtual_clock) -> None:
    page = console_site._registry[Charge]
    for _ in range(3):
        virtual_clock.advance(1)
        world.add()
    page.list_per_page = 2
    try:
        first = superuser_client.get(list_address(Charge)).content.decode()
        second = superuser_client.get(list_address(Charge) + "?p=2").content.decode()
    finally:
        del page.list_per_page
    newest, oldest = world.charges[-1].public_id, world.charges[0].public_id
    assert (newest in first, oldest in first) == (True, False)
    assert (newest in second, oldest in second) == (False, True)


SEARCHES = {
    "intent by id": ("paymentintent", lambda world: world.intents[0].public_id, "intents"),
    "intent by charge": ("paymentintent", lambda world: world.charges[0].public_id, "intents"),
    "intent by store": ("paymentintent", lambda world: world.stores[0].public_id, "intents"),
    "intent by reference": ("paymentintent", lambda world: "ORD-1", "intents"),
    "intent by receipt": ("paymentintent", lambda world: world.charges[0].receipt.lower(), "intents"),
    "charge by id": ("charge", lambda world: world.charges[0].public_id.upper(), "charges"),
    "charge by intent": ("charge", lambda world: world.intents[0].public_id, "charges"),
    "charge by receipt": ("charge", lambda world: f" {world.charges[0].receipt} ", "charges"),
    "charge by provider reference": ("charge", lambda world: world.charges[0].provider_reference, "charges"),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_searching_finds_just_what_was_meant(name, world, superuser_client) -> None:
    world.add(2)
    model, term, found = SEARCHES[name]
    answer = superuser_client.get(reverse(f"console:majuu_payments_{model}_changelist"), {"q": term(world)})
    rows = getattr(world, found)
    assert [row.pk for row in answer.context["cl"].result_list] == [rows[0].pk]


@pytest.mark.parametrize("model", MODELS, ids=labels(MODELS))
def test_searching_for_nonsense_finds_nothing(model, world, superuser_client) -> None:
    for term in ("nothing like it", "pi_", "%", "' OR 1=1 --", "x" * 5000, "ch_" + "z" * 26):
        answer = superuser_client.get(list_address(model), {"q": term})
        assert (answer.status_code, answer.context["cl"].result_list) == (200, []), term
    assert superuser_client.get(list_address(model), {"q": "\x00"}).status_code == 200


@pytest.mark.parametrize("name", SEARCHES)
def test_searching_reads_no_whole_table_of_payments(name, world, superuser_client) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("reads SQLite's query plans")
    model, term, _ = SEARCHES[name]
    address = reverse(f"console:majuu_payments_{model}_changelist")
    with CaptureQueriesContext(connection) as seen:
        superuser_client.get(address, {"q": term(world)})
    plans = []
    for query in seen.captured_queries:
        if "majuu_payments_" in query["sql"] and query["sql"].startswith("SELECT"):
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN QUERY PLAN " + query["sql"].replace("%", "%%"))
                plans += [row[3] for row in cursor.fetchall()]
    assert plans
    whole = re.compile(r"^SCAN majuu_payments_(?:paymentintent|charge)$")
    assert [plan for plan in plans if whole.match(plan)] == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?mode=test", 2),
        ("?mode=live", 0),
        ("?status__exact=succeeded", 1),
        ("?status__exact=canceled", 0),
        ("?parked=1", 1),
    ],
)
def test_filters(query, expected, world, superuser_client) -> None:
    world.add(1, amount="7751")  # reports one shilling less: parked
    answer = superuser_client.get(reverse("console:majuu_payments_paymentintent_changelist") + query)
    assert len(answer.context["cl"].result_list) == expected


def test_parked_webhooks_say_why(world, superuser_client) -> None:
    address = reverse("console:majuu_webhooks_inboundwebhook_changelist")
    parked = superuser_client.get(address + "?state__exact=parked").content.decode()
    assert "No charge of this account has the reference ws_CO_1." in parked
    assert superuser_client.get(address + "?state__exact=applied").context["cl"].result_list == []


def test_test_and_live_rows_are_marked(world, superuser_client) -> None:
    listed = superuser_client.get(reverse("console:majuu_payments_charge_changelist")).content.decode()
    assert '<span class="mj-badge mj-test">test</span>' in listed
    assert "KES\u00a01,500.00" in listed
