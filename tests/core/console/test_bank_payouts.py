"""Payouts to the bank in the console: what they hold, and whether it adds up."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from majuu_core.console.cells import address_of
from majuu_core.reports.due import collect_statement
from majuu_core.reports.models import BankPayout
from majuu_core.testing.factories import make_provider_account
from tests.core.reports.desk import DAY, Desk, kes
from tests.core.reports.listed_provider import ListedPlugin, ListedProvider, listed
from tests.core.reports.paper_provider import PaperPlugin

VIEW = "majuu_reports.view_bankpayout"
LIST = "console:majuu_reports_bankpayout_changelist"


@pytest.fixture
def desk(db: None, virtual_clock: Any, temporary_plugin: Any, monkeypatch: pytest.MonkeyPatch) -> Desk:
    temporary_plugin(PaperPlugin())
    temporary_plugin(ListedPlugin())
    monkeypatch.setattr(ListedProvider, "lines", [])
    desk = Desk.open(virtual_clock)
    desk.account = make_provider_account(store=desk.store, provider="listed", credentials={})
    return desk


def pay_out(desk: Desk, name: str, amount: int) -> BankPayout:
    """A payout of that much, which holds a payment of 100 for which the provider keeps 3."""
    paid: dict[str, Any] = {"payout_reference": name, "provider_reference": name}
    ListedProvider.lines[:] = [
        listed(f"c-{name}", "charge", kes(100), "3", receipt=f"RC-{name}", payout_reference=name),
        listed(f"p-{name}", "payout", kes(-amount), **paid),
    ]
    collect_statement(account=desk.account, day=DAY)
    desk.close()
    return BankPayout.objects.get(line_id=f"p-{name}")


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_payout_shows_its_lines_its_booking_and_whether_it_adds_up(desk: Desk, staff_client: Any) -> None:
    good, bad = pay_out(desk, "po-good", 97), pay_out(desk, "po-bad", 90)
    client = staff_client(VIEW)
    pages = [text(client.get(address_of(row))) for row in (good, bad)]
    for name, page in zip(("po-good", "po-bad"), pages, strict=True):
        assert all(shown in page for shown in (name, f"RC-{name}", "97.00", "lt_", "to the bank")), name
    assert ["do not add up to the payout" in page for page in pages] == [False, True]


def test_the_list_is_found_by_the_providers_payout_and_asks_as_often_for_many(desk: Desk, staff_client: Any) -> None:
    client = staff_client(VIEW)
    pay_out(desk, "po-1", 97)

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert client.get(reverse(LIST)).status_code == 200
        return len(found)

    queries()  # sessions and permissions
    one = queries()
    for number in range(2, 8):
        pay_out(desk, f"po-{number}", 97)
    assert queries() == one
    page = text(client.get(reverse(LIST), {"q": "po-3"}))
    assert ("po-3" in page, "po-4" in page) == (True, False)
    assert "RC-po-3" not in text(client.get(reverse(LIST)))  # payments are no payouts


def test_who_may_not_see_payouts_sees_none(desk: Desk, staff_client: Any) -> None:
    row = pay_out(desk, "po-1", 97)
    client = staff_client("majuu_reports.view_close")
    assert client.get(reverse(LIST)).status_code == 403
    assert client.get(address_of(row)).status_code == 403
    assert "Bank payouts" not in text(client.get(reverse("console:index")))
