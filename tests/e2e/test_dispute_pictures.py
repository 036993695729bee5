"""The console's dispute pages in a browser, narrow and wide, light and dark."""

from __future__ import annotations

import pytest

from majuu_core.console.cells import address_of
from majuu_core.payments.dispute_evidence import add_file, save_texts
from majuu_core.payments.models import Dispute
from majuu_core.testing.mock_disputes import OPENS_AFTER
from tests.core.payments.dispute_support import disputed_at_mock
from tests.core.payments.support import Till
from tests.e2e.test_console_pictures import show, sign_in, world

__all__ = ["sign_in", "world"]  # fixtures


@pytest.fixture
def dispute(world, virtual_clock) -> Dispute:
    """One that needs an answer, with a draft and a file."""
    found = disputed_at_mock(Till(name="Mama Njeri Fashions"), virtual_clock)
    save_texts(
        dispute=found, texts={"explanation": "Two dresses, size M.\nDelivered on 3 May to J. Wanjiru, who signed."}
    )
    add_file(dispute=found, field="receipt", name="delivery-note-3-may-signed.pdf", content=b"%PDF-1.7 signed")
    return found


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False), (1280, True), (360, False)])
def test_dispute_pages(width, dark, dispute, sign_in) -> None:
    look = f"{width}-{'dark' if dark else 'light'}"
    visitor = sign_in(width=width, dark=dark)
    show(visitor, address_of(dispute), f"console-dispute-{look}")
    show(visitor, "/console/majuu_payments/dispute/?answer=1", f"console-disputes-{look}")
    show(visitor, "/console/", f"console-home-disputes-{look}")


def test_answering_in_the_console(dispute, sign_in, virtual_clock) -> None:
    virtual_clock.advance(OPENS_AFTER)
    visitor = sign_in(width=1280)
    visitor.open(address_of(dispute))
    visitor.page.fill("input[name=text-tracking_number]", "KE-7714")
    visitor.page.click("text=Save drafts")
    visitor.page.wait_for_selector("text=The drafts are saved.")
    visitor.page.check("form[action$='/submit/'] input[name=confirm]")
    visitor.page.click("text=Submit the evidence")
    visitor.page.wait_for_selector("text=The dispute is now: Under review.")
    visitor.picture("console-dispute-answered-1280-light")
    assert Dispute.objects.get(pk=dispute.pk).status == "under_review"
    assert visitor.complaints == []
