"""Statements, closes and differences in a browser, at the width of a phone and of a desk, light and dark."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.console.cells import address_of
from majuu_core.plugins.manager import temporary_plugin
from majuu_core.reports.models import Close, Mismatch
from tests.core.console.world import make_staff
from tests.core.reports.desk import NOON, Desk
from tests.core.reports.paper_provider import PaperPlugin
from tests.e2e.signing_in import sign_in_on


@pytest.fixture
def desk(transactional_db):
    clock = VirtualClock(datetime(2026, 1, 12, 8, tzinfo=UTC))
    with temporary_plugin(PaperPlugin()), use_clock(clock):
        desk = Desk.open(clock)
        desk.charge("UBO1A2B3C4", 1500)
        desk.charge("UBO1A2B3C5", 250)
        desk.incoming("UBO1A2B3C6", 20, source="pull")
        desk.bring(
            *(f"UBO1A2B3C4,{NOON},1500", f"UBO1A2B3C6,{NOON},20", f"UBO1A2B3C7,{NOON},700,,254712345678 - JANE DOE"),
            *(f"UBO1A2B3C8,{NOON},-70", f"UBO1A2B3C8,{NOON},-23,fee"),
        )
        desk.close()
        yield desk


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False), (1280, True), (360, False)])
def test_reconciliation(width: int, dark: bool, desk: Desk, visit) -> None:
    staged = desk.stage(f"UBO1A2B3C4,{NOON},1600", f"UBO1A2B3D9,{NOON},lots", f"UBO1A2B3E9,{NOON},5", name="again.csv")
    running = Close.objects.create(
        provider_account=desk.account,
        livemode=False,
        day=date(2026, 1, 7),
        time_zone="Africa/Nairobi",
        state="running",
        done=4200,
        expected=10_000,
    )
    user = make_staff(superuser=True)
    visitor = visit(width=width, dark=dark)
    sign_in_on(visitor, user, "/console/")
    visitor.page.wait_for_selector("#attention")
    look = f"{width}-{'dark' if dark else 'light'}"
    pages = {
        "statements": "/console/majuu_reports/settlement/",
        "upload": "/console/majuu_reports/settlement/upload/",
        "preview": address_of(staged),
        "close": address_of(Close.objects.get(day=date(2026, 1, 10))),
        "running": address_of(running),
        "differences": "/console/majuu_reports/mismatch/",
        "difference": address_of(Mismatch.objects.filter(kind="missing_here").earliest("pk")),
    }
    for name, path in pages.items():
        visitor.open(path)
        visitor.page.wait_for_load_state("load")
        assert visitor.fits(), name
        visitor.picture(f"reconciliation-{name}-{look}")
        assert visitor.complaints == []
