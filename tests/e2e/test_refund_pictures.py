"""The console's refund pages in a browser, narrow and wide, light and dark."""

from __future__ import annotations

import pytest

from majuu_core.console.cells import address_of
from majuu_core.payments.models import Refund
from tests.e2e.test_console_pictures import show, sign_in, world

__all__ = ["sign_in", "world"]  # fixtures


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False), (1280, True), (360, False)])
def test_refund_pages(width, dark, world, sign_in) -> None:
    look = f"{width}-{'dark' if dark else 'light'}"
    visitor = sign_in(width=width, dark=dark)
    charge, refund = world.charges[0], world.refunds[0]
    show(visitor, address_of(charge), f"console-charge-refundable-{look}")
    show(visitor, address_of(refund), f"console-refund-{look}")
    show(visitor, "/console/majuu_payments/refund/", f"console-refunds-{look}")
    show(visitor, f"{address_of(charge).removesuffix('change/')}refund/?amount=250", f"console-refund-plan-{look}")


def test_refunding_from_the_console(world, sign_in) -> None:
    charge = world.charges[0]
    visitor = sign_in(width=1280)
    visitor.open(address_of(charge))
    visitor.page.click("text=Refund …")
    visitor.page.wait_for_selector("#confirm")
    visitor.page.fill("input[name=amount][inputmode]", "250")
    visitor.page.click("text=Show the plan")
    visitor.page.wait_for_selector("text=Give back KES 250.00 by refund")
    visitor.page.fill("input[name=reason]", "Came back broken")
    visitor.page.click("text=Give the money back")
    visitor.page.wait_for_selector("text=The refund is now: Succeeded.")
    assert Refund.objects.filter(charge=charge, amount=250, source="console").count() == 1
    assert visitor.complaints == []
