"""A payment page does not let one address, or one store's pages, ring phones without end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from majuu_core.common.clock import VirtualClock
from majuu_core.payments.models import Charge
from tests.core.checkout.test_paying import open_page, url

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def start(client, intent, phone: str, **more: str):
    return client.post(
        url(intent),
        {**open_page(client, intent).form(), "phone_push.phone": phone},
        REMOTE_ADDR=more.get("at", "41.1.1.1"),
    )


def test_one_address_starts_so_many_payments(
    browser, make_intent, phone_account, settings, virtual_clock: VirtualClock
) -> None:
    """given 2 a minute / when one address starts a third payment, to a third phone / then it is told to wait, in
    either language, no charge is made, and another address goes on."""
    settings.MAJUU_RATE_LIMITS = {"prompt_address": (2, MINUTE)}
    intents = [make_intent() for _ in range(4)]
    for number in range(2):
        assert start(browser, intents[number], f"071234567{number}").status_code == 303
    assert start(browser, intents[2], "0712345673", at="41.1.1.2").status_code == 303
    virtual_clock.advance(20)
    refused = start(browser, intents[3], "0712345674")
    assert (refused.status_code, refused["Retry-After"]) == (429, "40")
    assert "Too many payments were started from here." in refused.content.decode()
    assert "0712345674" in refused.content.decode()  # what was typed stays
    form = {**open_page(browser, intents[3]).form(), "phone_push.phone": "0712345674"}
    swahili = browser.post(url(intents[3]) + "?lang=sw", form, REMOTE_ADDR="41.1.1.1")
    assert "Malipo mengi mno yameanzishwa kutoka hapa." in swahili.content.decode()
    assert Charge.objects.filter(payment_intent=intents[3]).count() == 0
    virtual_clock.advance(40)
    assert start(browser, intents[3], "0712345674").status_code == 303


def test_one_stores_pages_start_so_many_payments(browser, make_intent, phone_account, settings) -> None:
    settings.MAJUU_RATE_LIMITS = {"prompt_store": (1, MINUTE)}
    first, second = make_intent(), make_intent()
    assert start(browser, first, "0712345671", at="41.1.1.1").status_code == 303
    assert start(browser, second, "0712345672", at="41.1.1.2").status_code == 429
    assert Charge.objects.count() == 1


def test_looking_is_not_trying(browser, make_intent, phone_account, settings) -> None:
    settings.MAJUU_RATE_LIMITS = {"prompt_address": (1, MINUTE), "prompt_store": (1, MINUTE)}
    intent = make_intent()
    for _ in range(5):
        open_page(browser, intent)
    for _ in range(3):  # an empty form tries nothing
        assert start(browser, intent, "").status_code == 422
    assert start(browser, intent, "0712345671").status_code == 303
