"""The simulated Stripe's own pages, at a telephone's width."""

from __future__ import annotations

from typing import Any

from majuu_sim.clock import VirtualClock
from majuu_sim.stripe import StripeConfig, StripeSimulator
from majuu_sim.transport import CollectingTransport
from tests.sim.stripe_client import Client


def test_a_person_pays_after_a_decline_and_the_banks_question(chromium: Any) -> None:
    mail = CollectingTransport()
    with StripeSimulator(seed=1, clock=VirtualClock(), config=StripeConfig(), transport=mail) as sim:
        api = Client(sim, mail)
        session = api.session(success_url=f"{sim.base_url}/control/clock", cancel_url=f"{sim.base_url}/control/state")
        page = chromium.new_page(viewport={"width": 360, "height": 740})
        page.goto(session["url"])
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        page.get_by_label("Test card").select_option("pm_card_chargeDeclined")
        page.get_by_role("button", name="Pay KES 50.00").click()
        assert page.get_by_role("alert").inner_text() == "Your card was declined."
        page.get_by_label("Test card").select_option("pm_card_threeDSecure2Required")
        page.get_by_role("button", name="Pay KES 50.00").click()
        page.get_by_role("button", name="Yes, it is me").click()
        page.wait_for_url("**/control/clock")
        page.close()
        assert [one["amount"] for one in sim.charges_of("S1")] == [5000]
