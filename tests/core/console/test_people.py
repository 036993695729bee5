"""The page "People": who may do what, nothing in addresses, a second factor before data leaves or goes."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from majuu_core.audit.models import AuditEntry
from majuu_core.merchants.models import Store
from majuu_core.payments.customers import CustomerDetails, create_customer
from majuu_core.payments.models import Customer
from majuu_core.privacy.models import RetentionHold
from majuu_core.testing.factories import make_store
from majuu_core.testing.people import sign_in
from tests.core.console.test_details import text_of
from tests.core.console.world import make_staff

pytestmark = pytest.mark.django_db
JANE = "jane@example.com"
PERMISSIONS = {name: f"majuu_privacy.{name}_person" for name in ("find", "export", "erase", "hold")}


@pytest.fixture
def store() -> Store:
    made = make_store()
    create_customer(store=made, livemode=False, details=CustomerDetails(email=JANE, name="Jane Doe"))
    return made


def client_of(*permissions: str, fresh: bool = True) -> Client:
    client = Client()
    sign_in(client, make_staff(*(PERMISSIONS[name] for name in permissions)), fresh=fresh)
    return client


def send(client: Client, do: str, **fields: str) -> Any:
    return client.post(reverse("console:people"), {"do": do, "person": JANE, **fields})


def test_looking_somebody_up(store: Store) -> None:
    """given a customer / when looked up by their address / then they are shown, and nobody's name is in an address."""
    client = client_of("find")
    assert client.get(reverse("console:people")).status_code == 200
    text = text_of(send(client, "find"))
    assert Customer.objects.get().public_id in text
    assert "Erase this person" not in text
    assert "Nothing is known" in text_of(client.post(reverse("console:people"), {"person": "joe@example.com"}))
    assert "Give an e-mail address" in text_of(client.post(reverse("console:people"), {"person": "joe"}))


@pytest.mark.parametrize("do", ["find", "json", "zip", "erase", "hold", "release", "nonsense"])
def test_nobody_does_more_than_they_may(do: str, store: Store) -> None:
    """given staff without the permission / when they try / then refused, and nothing has changed."""
    allowed = () if do == "find" else ("find",)
    answer = send(client_of(*allowed), do, word="ERASE", reason="court")
    assert answer.status_code == 403
    assert Customer.objects.get().name == "Jane Doe"
    assert RetentionHold.objects.count() == 0
    assert not AuditEntry.objects.filter(action__startswith="person.").exists()


def test_files_are_exports_of_that_person(store: Store) -> None:
    """given somebody who may export / when asked for either file / then it is one, and the audit trail has it."""
    client = client_of("find", "export")
    answer = send(client, "json")
    assert answer["Content-Disposition"] == 'attachment; filename="person.json"'
    assert json.loads(answer.content)["records"][0]["data"]["name"] == "Jane Doe"
    with zipfile.ZipFile(io.BytesIO(send(client, "zip").content)) as archive:
        assert "customer.json" in archive.namelist()
    entries = AuditEntry.objects.filter(action="person.exported")
    assert [entry.actor_type for entry in entries] == ["user", "user"]


@pytest.mark.parametrize("do", ["json", "zip", "erase"])
def test_a_second_factor_comes_first(do: str, store: Store) -> None:
    """given staff whose second factor was shown long ago / when data is to leave or go / then asked for it again."""
    answer = send(client_of("find", "export", "erase", fresh=False), do, word="ERASE")
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("majuu_confirm"))
    assert Customer.objects.get().name == "Jane Doe"
    assert not AuditEntry.objects.filter(action__startswith="person.").exists()


def test_erasing_wants_the_word(store: Store) -> None:
    """given somebody who may erase / when the word is missing, then there / then nothing is gone, then the name is."""
    client = client_of("find", "erase")
    assert "Nothing was erased." in text_of(send(client, "erase", word="erase"))
    assert Customer.objects.get().name == "Jane Doe"
    assert "Erased: 1 in payments.customers." in text_of(send(client, "erase", word="ERASE"))
    assert Customer.objects.get().name == ""


def test_holds_are_placed_shown_and_released(store: Store) -> None:
    """given somebody who may hold / when they do / then erasing is refused with the reason, until it is released."""
    client = client_of("find", "erase", "hold")
    assert "stands from now on" in text_of(send(client, "hold", reason="Milimani court 12/2026"))
    text = text_of(send(client, "erase", word="ERASE"))
    assert "Nothing was erased: hold_" in text
    assert Customer.objects.get().name == "Jane Doe"
    assert "Erase this person" not in text_of(send(client, "find"))
    hold = RetentionHold.objects.get()
    assert f"{hold.public_id} is over." in text_of(send(client, "release", hold=hold.public_id))
    assert "Erased: 1" in text_of(send(client, "erase", word="ERASE"))


def test_the_menu_shows_it_to_who_may(store: Store) -> None:
    """given staff with and without the permission / when the menu is drawn / then it has the page for one of them."""
    address = f'href="{reverse("console:people")}"'
    assert address in client_of("find").get(reverse("console:index")).content.decode()
    assert address not in client_of("export").get(reverse("console:index")).content.decode()
