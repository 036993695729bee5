"""The console's pages for money that people see, in a browser, narrow and wide, light and dark."""

from __future__ import annotations

import pytest

from majuu_core.audit.services import acting_as
from majuu_core.console.cells import address_of
from majuu_core.payments.sightings import Seen, report_money
from tests.core.manual.office import Office, csv_of, people, shillings
from tests.core.manual.test_refunds import ask_back
from tests.e2e.test_console_pictures import show, sign_in

__all__ = ["sign_in"]  # a fixture


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False)])
def test_pages_for_money_that_people_see(width, dark, transactional_db, virtual_clock, sign_in) -> None:
    look = f"{width}-{'dark' if dark else 'light'}"
    office = Office()
    charge = office.wait_for()
    ask_back(office, "90000", "60000")
    ask_back(office, "2500", "500")
    with acting_as(people(1)[0]):
        seen = Seen(amount=shillings("1500"), on=charge.created_at.date(), bank_reference="FT26005XYZ")
        sighting = report_money(charge=charge, seen=seen)
    other = office.wait_for("700")
    staged = office.stage(csv_of(("2026-01-04", "FT7", "RENT K7Q-M3X-NP5", "700", ""), ("soon", "FT8", "x", "5", "")))
    visitor = sign_in(width=width, dark=dark)
    pages = {
        "charge": address_of(other),
        "money-seen": f"{address_of(other).removesuffix('change/')}seen/",
        "sighting": address_of(sighting),
        "sightings": "/console/majuu_payments/sighting/",
        "refunds-by-hand": "/console/refunds-by-hand/?mode=test",
        "mapping": f"{address_of(office.account).removesuffix('change/')}mapping/",
        "staged": address_of(staged),
    }
    for name, path in pages.items():
        show(visitor, path, f"console-manual-{name}-{look}")
