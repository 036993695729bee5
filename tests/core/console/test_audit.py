"""The audit pages: an entry's place in its chain, what waits for its seal, and the last anchor."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from majuu_core.audit.anchors import make_anchor
from majuu_core.audit.models import AuditAnchorDelivery, AuditSeal
from majuu_core.audit.personal import destroy_keys
from majuu_core.audit.services import Actor, acting_as, record_entry
from majuu_core.common.clock import VirtualClock
from majuu_core.console.cells import address_of
from tests.core.audit.trail import MERCHANTS, seal_all, write
from tests.core.console.test_details import text_of

pytestmark = pytest.mark.django_db
LIST = "console:majuu_audit_auditentry_changelist"


def test_an_entry_shows_its_place(superuser_client: Client, virtual_clock: VirtualClock) -> None:
    """given a sealed entry and one that waits / when looked at / then place, chain and hash, or that it waits."""
    for number in (1, 2):
        write(MERCHANTS[1], number)
    seal_all()
    waiting = write(None, 3)
    seal = AuditSeal.objects.select_related("entry").get(sequence=2)
    text = text_of(superuser_client.get(address_of(seal.entry)))
    assert f"Chain {MERCHANTS[1]} Place in the chain 2 Sealed" in text
    assert seal.hash in text
    text = text_of(superuser_client.get(address_of(waiting)))
    assert "Chain platform Place in the chain Not sealed yet Sealed – SHA-256 –" in text


def test_the_list_shows_the_tail_and_the_last_anchor(superuser_client: Client, virtual_clock: VirtualClock) -> None:
    """given entries with and without seals / when listed / then how many wait, the last anchor and where it went."""
    address = reverse(LIST)
    assert "Every entry is sealed · No anchor yet" in text_of(superuser_client.get(address))
    write(None, 1)
    assert "1 not sealed yet · No anchor yet" in text_of(superuser_client.get(address))
    seal_all()
    anchor = make_anchor()
    write(None, 2)
    text = text_of(superuser_client.get(address))
    assert "1 not sealed yet · Last anchor: 1, " in text
    assert "over 1 entries; kept in this database only" in text
    assert anchor is not None
    AuditAnchorDelivery.objects.create(anchor=anchor, destination="file", delivered_at=virtual_clock.now())
    assert "over 1 entries; taken to: file" in text_of(superuser_client.get(address))


def test_the_list_asks_no_question_per_seal(superuser_client: Client, virtual_clock: VirtualClock) -> None:
    """given one sealed entry, then twenty / when listed / then the same number of queries."""
    address, counts = reverse(LIST), []
    for more in (1, 19):
        for number in range(more):
            write(None, number)
        seal_all()
        superuser_client.get(address)
        with CaptureQueriesContext(connection) as seen:
            assert superuser_client.get(address).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_who_may_not_see_entries_sees_no_state(staff_client: Any) -> None:
    """given staff without the permission / when the list is asked for / then refused."""
    assert staff_client("majuu_payments.view_charge").get(reverse(LIST)).status_code == 403


def test_only_who_may_sees_addresses_and_names(staff_client: Any, superuser_client: Client) -> None:
    """given an entry of a user / when two people look, one with the permission / then one of them sees the address."""
    with acting_as(Actor(type="user", id="7", remote_addr="198.51.100.7")):
        changes = {"email": [None, "jane@example.com"]}
        entry = record_entry(action="customer.created", object_id="cus_1", changes=changes)
    limited = staff_client("majuu_audit.view_auditentry")
    allowed = staff_client("majuu_audit.view_auditentry", "majuu_audit.view_personal_data")
    for address in (reverse(LIST), address_of(entry)):
        assert "198.51.100.7" not in text_of(limited.get(address))
        assert "[hidden]" in text_of(limited.get(address))
        assert "198.51.100.7" in text_of(allowed.get(address))
    assert "jane@example.com" not in text_of(limited.get(address_of(entry)))
    assert "jane@example.com" in text_of(allowed.get(address_of(entry)))
    destroy_keys(["cus_1"])
    assert "[erased]" in text_of(allowed.get(address_of(entry)))
