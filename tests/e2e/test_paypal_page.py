"""The simulated PayPal's approval page, at a telephone's width."""

from __future__ import annotations

from typing import Any

from majuu_sim.clock import VirtualClock
from majuu_sim.paypal import PaypalSimulator
from majuu_sim.transport import CollectingTransport
from tests.e2e.conftest import SCREENSHOTS
from tests.sim.paypal.client import Shop, order_body


def test_a_person_approves_and_another_goes_back(chromium: Any) -> None:
    mail = CollectingTransport()
    with PaypalSimulator(seed=1, clock=VirtualClock(), transport=mail) as sim:
        shop = Shop(sim, mail)
        body = order_body("12.50")
        context = body["payment_source"]["paypal"]["experience_context"]
        context |= {"return_url": f"{sim.base_url}/control/clock", "cancel_url": f"{sim.base_url}/control/faults"}
        first, second = (shop.create(body).json()["id"] for _ in range(2))
        page = chromium.new_page(viewport={"width": 360, "height": 740})
        page.goto(f"{sim.base_url}/checkoutnow?token={first}")
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / "paypal-approval-360.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        page.get_by_label("A bank account (eCheck: clears days later)").check()
        page.get_by_role("button", name="Pay now").click()
        page.wait_for_url(f"**/control/clock?token={first}&PayerID=*")
        page.goto(f"{sim.base_url}/checkoutnow?token={second}")
        page.get_by_role("button", name="Cancel and go back to the shop").click()
        page.wait_for_url(f"**/control/faults?token={second}")
        page.close()
        assert [(one.status, one.instrument) for one in sim.orders()] == [
            ("APPROVED", "pending"),
            ("PAYER_ACTION_REQUIRED", "pay"),
        ]
