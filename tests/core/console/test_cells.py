"""The small pieces that pages are made of, and what a phone leaves out."""

from __future__ import annotations

import pytest

from majuu_core.console.base import Fact, FactGroup
from majuu_core.console.cells import address_of, destination_text
from majuu_core.console.people import names_of, person
from majuu_core.console.templatetags.majuu_console import beside
from tests.core.console.test_details import text_of
from tests.core.console.world import World, make_staff


@pytest.mark.parametrize(
    ("destination", "shown"),
    [
        ({}, "–"),
        ({"phone": "254712345678"}, "phone 254712345678"),
        ({"paybill": "600000", "account_number": "A-1"}, "paybill 600000, account number A-1"),
    ],
)
def test_a_destination_reads_as_words(destination: dict[str, str], shown: str) -> None:
    assert destination_text(destination) == shown


def test_people_are_called_by_their_names(db: None) -> None:
    user = make_staff()
    labels = [f"user:{user.pk}", "user:900001", "key:key_1", "system", ""]
    assert names_of(labels) == {
        f"user:{user.pk}": user.get_username(),
        "user:900001": "User 900001",
        "key:key_1": "API key key_1",
        "system": "system",
    }


def test_a_fact_about_a_person_names_them(db: None) -> None:
    """given a row that remembers who asked, or nobody / when it is shown / then by name, or as a dash."""

    class Row:
        created_by = "key:key_1"

    asked = person("created_by", "Asked by")
    assert (asked(Row()), asked.short_description) == ("API key key_1", "Asked by")  # type: ignore[attr-defined]
    Row.created_by = ""
    assert asked(Row()) == "–"


def test_cells_stand_beside_their_headings() -> None:
    assert beside(("ID", "Amount"), ("po_1", "KES 5.00")) == [("ID", "po_1"), ("Amount", "KES 5.00")]


def test_what_has_no_value_is_known_as_empty() -> None:
    nothing, something = Fact(label="Receipt", value="–"), Fact(label="Receipt", value="UKP1")
    assert (nothing.is_empty, something.is_empty) == (True, False)
    assert FactGroup(title="", facts=(nothing, nothing)).is_empty
    assert not FactGroup(title="", facts=(nothing, something)).is_empty


def test_pages_of_money_are_headed_by_the_amount(world: World, superuser_client) -> None:
    """given a payout, a refund, a charge and unclaimed money / then each page says first how much it is about."""
    payout, incoming = world.batches[0].payouts.earliest("pk"), world.claims[0].incoming
    assert incoming is not None
    for row, heading in (
        (payout, "Payout of KES 40,000.00 to 254712345678"),
        (world.refunds[0], "Refund of KES 100.00"),
        (world.charges[0], "Charge of KES 1,500.00"),
        (incoming, "KES 1,500.00, receipt CLAIMED1"),
    ):
        page = superuser_client.get(address_of(row))
        assert page.context["majuu_heading"].replace("\u00a0", " ") == heading
        assert heading in text_of(page)
