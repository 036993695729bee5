"""The console's KYC pages in a browser, narrow and wide, light and dark."""

from __future__ import annotations

import io

import pytest
from django.test import Client
from PIL import Image

from majuu_core.console.cells import address_of
from majuu_core.merchants.kyc.review import take
from majuu_core.merchants.models import KycCase, KycDocument, KycHit
from majuu_core.testing.kyc import acting, make_case, make_reviewer
from majuu_core.testing.people import sign_in as sign_in_client
from tests.e2e.test_console_pictures import show


@pytest.fixture
def reviewer(visit, live_server):
    """A visitor who may review, with the session of somebody who has just shown the second factor."""
    user, client = make_reviewer(), Client()
    sign_in_client(client, user)

    def go(**options):
        visitor = visit(**options)
        cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
        visitor.page.context.add_cookies([cookie])
        return visitor

    return go


@pytest.fixture
def case() -> KycCase:
    """One in review, with a resemblance to be judged."""
    found = make_case(submitted=True)
    with acting(make_reviewer()):
        take(case=found)
    KycHit.objects.create(
        case=found,
        person=found.people.get(),
        list_code="UN",
        entry_id="KEi.001",
        entry_name="Kamau Wanjiroo",
        entry_details="born 1988-05-17 · KE",
        matched_name="Wanjiru Kamau",
        score=97,
        explanation="kamau = kamau, wanjiru ~ wanjiroo (96); born on the same day (+5)",
        fingerprint="f" * 64,
    )
    return found


def wait_for_paper(visitor) -> None:
    """Until the browser's PDF viewer shows the white page: the network is idle long before."""
    frame = visitor.page.locator("iframe.mj-document")
    frame.scroll_into_view_if_needed()
    for _ in range(60):
        picture = Image.open(io.BytesIO(frame.screenshot())).convert("L")
        white = picture.histogram()[255] / (picture.width * picture.height)
        if white > 0.02:
            return
        visitor.page.wait_for_timeout(250)
    pytest.fail("the PDF is not shown")


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False), (1280, True), (360, False)])
def test_kyc_pages(width, dark, case, reviewer) -> None:
    look = f"{width}-{'dark' if dark else 'light'}"
    visitor = reviewer(width=width, dark=dark)
    visitor.open(address_of(case))
    wait_for_paper(visitor)
    visitor.picture(f"console-kyc-{look}")
    assert visitor.fits()
    assert visitor.complaints == []
    picture = KycDocument.objects.get(case=case, kind="identity")
    show(visitor, f"{address_of(case)}?document={picture.public_id}", f"console-kyc-picture-{look}")
    show(visitor, "/console/majuu_merchants/kyccase/?queue=all", f"console-kycs-{look}")
