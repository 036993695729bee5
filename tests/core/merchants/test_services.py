"""Merchants, stores and members."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from majuu_core.audit.models import AuditEntry
from majuu_core.audit.services import Actor, acting_as
from majuu_core.common.problems import Problem
from majuu_core.merchants.errors import ActionRefused, InvalidInput
from majuu_core.merchants.models import Membership, Merchant, Store
from majuu_core.merchants.services import (
    add_member,
    approve_merchant,
    create_merchant,
    create_store,
    remove_member,
    suspend_merchant,
    update_store,
)
from majuu_core.testing.audit import address_in
from majuu_core.testing.factories import make_merchant, make_store, make_user
from tests.core.merchants.support import actions_on, everything, last_entry

pytestmark = pytest.mark.django_db


def test_create_merchant_waits_for_review_and_is_audited() -> None:
    with acting_as(Actor(type="user", id="7", remote_addr="192.0.2.1", request_id="req_1")):
        merchant = create_merchant(name="  Duka la Mama  ", country="UG")
    merchant.refresh_from_db()
    assert (merchant.name, merchant.country.code, merchant.status) == ("Duka la Mama", "UG", "pending")
    assert merchant.is_system is False
    assert merchant.public_id.startswith("mer_")
    entry = last_entry()
    assert (entry.action, entry.object_id, entry.merchant_id) == ("merchant.created", merchant.public_id, merchant.pk)
    assert (entry.actor_type, entry.actor_id, address_in(entry), entry.request_id) == (
        "user",
        "7",
        "192.0.2.1",
        "req_1",
    )
    assert entry.changes == {"name": [None, "Duka la Mama"], "country": [None, "UG"]}


def test_create_merchant_with_owner() -> None:
    owner = make_user()
    merchant = create_merchant(name="Duka", owner=owner)
    assert list(Membership.objects.values_list("merchant", "user", "role")) == [(merchant.pk, owner.pk, "owner")]
    assert actions_on(merchant.public_id) == ["merchant.created", "membership.created"]


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"name": ""}, {"name"}),
        ({"name": "   "}, {"name"}),
        ({"name": "x" * 201}, {"name"}),
        ({"name": "Duka", "country": "XX"}, {"country"}),
        ({"name": "", "country": "Kenya"}, {"name", "country"}),
    ],
)
def test_create_merchant_names_every_wrong_field(values: dict[str, Any], fields: set[str]) -> None:
    before = everything()
    with pytest.raises(InvalidInput) as caught:
        create_merchant(**values)
    assert {violation.field for violation in caught.value.violations} == fields
    assert caught.value.field in fields
    assert isinstance(caught.value, Problem)
    assert everything() == before


def test_approve_and_suspend_are_audited_once_each() -> None:
    merchant = create_merchant(name="Duka")
    assert approve_merchant(merchant=merchant).status == "approved"
    assert last_entry().changes == {"status": ["pending", "approved"]}
    approve_merchant(merchant=merchant)
    suspend_merchant(merchant=merchant, reason="complaints")
    assert last_entry().changes == {"status": ["approved", "suspended"], "reason": "complaints"}
    suspend_merchant(merchant=merchant, reason="again")
    assert actions_on(merchant.public_id) == ["merchant.created", "merchant.approved", "merchant.suspended"]
    assert Merchant.objects.get(pk=merchant.pk).status == "suspended"


def test_create_store_makes_a_code_from_the_name() -> None:
    merchant = make_merchant()
    first = create_store(merchant=merchant, name="Café Ñandú & Söhne")
    second = create_store(merchant=merchant, name="Café Ñandú & Söhne")
    nameless = create_store(merchant=merchant, name="商店")
    assert first.code == "cafe-nandu-sohne"
    assert second.code.startswith("cafe-nandu-sohne-")
    assert nameless.code == "store"
    entry = AuditEntry.objects.get(object_id=first.public_id)
    assert (entry.action, entry.store_id, entry.merchant_id) == ("store.created", first.pk, merchant.pk)
    assert entry.changes["code"] == [None, "cafe-nandu-sohne"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Duka", "code": "has space"}, "code"),
        ({"name": "Duka", "code": "taken"}, "code"),
        ({"name": "Duka", "default_currency": "KSH"}, "default_currency"),
        ({"name": "Duka", "late_success": "keep"}, "late_success"),
    ],
)
def test_create_store_refuses(values: dict[str, str], field: str) -> None:
    merchant = make_merchant()
    create_store(merchant=merchant, name="First", code="taken")
    before = everything()
    with pytest.raises(InvalidInput) as caught:
        create_store(merchant=merchant, **values)
    assert [violation.field for violation in caught.value.violations] == [field]
    assert everything() == before


def test_update_store_writes_and_audits_only_what_changed() -> None:
    store = make_store(name="Duka")
    updated = update_store(store=store, name="Duka Kuu", default_currency="KES", late_success="park")
    assert (updated.name, updated.late_success) == ("Duka Kuu", "park")
    assert Store.objects.get(pk=store.pk).name == "Duka Kuu"
    assert last_entry().changes == {"name": ["Duka", "Duka Kuu"], "late_success": ["succeed", "park"]}
    update_store(store=store, name="Duka Kuu")
    assert actions_on(store.public_id) == ["store.created", "store.updated"]


def test_update_store_refuses_wrong_values_and_foreign_fields() -> None:
    store = make_store()
    before = everything()
    with pytest.raises(InvalidInput) as caught:
        update_store(store=store, name="", default_currency="XXX")
    assert {violation.field for violation in caught.value.violations} == {"name", "default_currency"}
    with pytest.raises(TypeError, match="code, merchant cannot be changed"):
        update_store(store=store, merchant=make_merchant, code="other")
    assert everything() == before


def test_a_member_has_one_role() -> None:
    merchant, user = make_merchant(), make_user()
    add_member(merchant=merchant, user=user, role="viewer")
    assert last_entry().changes == {"role": [None, "viewer"], "user": str(user.pk)}
    before = everything()
    with pytest.raises(InvalidInput):
        add_member(merchant=merchant, user=user, role="owner")
    with pytest.raises(InvalidInput) as caught:
        add_member(merchant=merchant, user=make_user(), role="king")
    assert caught.value.field == "role"
    assert everything() == before


def test_nobody_joins_the_platform_s_own_business() -> None:
    merchant = create_merchant(name="Intake", is_system=True)
    user = make_user()
    before = everything()
    with pytest.raises(ActionRefused) as caught:
        add_member(merchant=merchant, user=user, role="viewer")
    assert caught.value.code == "merchant_is_system"
    assert everything() == before


def test_remove_member() -> None:
    owner, helper = make_user(), make_user()
    merchant = make_merchant(owner=owner)
    add_member(merchant=merchant, user=helper, role="developer")
    remove_member(merchant=merchant, user=helper)
    assert last_entry().action == "membership.removed"
    assert last_entry().changes == {"role": ["developer", None], "user": str(helper.pk)}
    before = everything()
    remove_member(merchant=merchant, user=helper)
    assert everything() == before
    assert list(Membership.objects.values_list("user", flat=True)) == [owner.pk]


def test_the_last_owner_stays() -> None:
    owner, other = make_user(), make_user()
    merchant = make_merchant(owner=owner)
    add_member(merchant=merchant, user=make_user(), role="finance")
    before = everything()
    with pytest.raises(ActionRefused) as caught:
        remove_member(merchant=merchant, user=owner)
    assert caught.value.code == "last_owner"
    assert everything() == before
    add_member(merchant=merchant, user=other, role="owner")
    remove_member(merchant=merchant, user=owner)
    assert set(merchant.memberships.filter(role="owner").values_list("user", flat=True)) == {other.pk}


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs row locks between connections")
def test_two_owners_cannot_remove_each_other() -> None:
    owners = [make_user(), make_user()]
    merchant = make_merchant(owner=owners[0])
    add_member(merchant=merchant, user=owners[1], role="owner")
    barrier, refused = threading.Barrier(2), []

    def remove(user: object) -> None:
        try:
            barrier.wait()
            remove_member(merchant=merchant, user=user)
        except ActionRefused as problem:
            refused.append(problem.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=remove, args=(user,)) for user in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["last_owner"]
    assert Membership.objects.filter(merchant=merchant, role="owner").count() == 1
