"""What a customer sees who pays by hand, and how they change their mind."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from majuu_core.checkout.wording import amount_text
from majuu_core.common.clock import VirtualClock
from majuu_core.manual.references import grouped
from majuu_core.payments.models import Charge
from tests.core.manual.office import Office, csv_of, state_of


@pytest.fixture
def browser() -> Client:
    return Client(enforce_csrf_checks=True)


def page(browser: Client, charge: Charge, language: str = "en") -> str:
    answer = browser.get(f"/pay/{charge.payment_intent.link_token}?lang={language}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_line_of_a_transfer_can_be_copied(office: Office, browser: Client) -> None:
    charge = office.wait_for()
    text = page(browser, charge)
    shown = grouped(str(charge.provider_reference))
    for value in ("Equity Bank", "Kimathi Street", "Duka Ltd", "0123456789012", "EQBLKENA", shown):
        assert f'<span class="value">{value}</span>' in text
    for copied in ("Duka Ltd", "0123456789012", "EQBLKENA", shown):
        assert f'data-copy="{copied}"' in text
    assert "Pay by bank transfer" in text
    assert amount_text(charge.amount) in text
    assert "<script>" not in text
    assert "onclick" not in text


def test_it_is_told_in_swahili_too(office: Office, browser: Client) -> None:
    text = page(browser, office.wait_for(), "sw")
    assert "Lipa kwa benki" in text
    assert "Nambari ya akaunti" in text
    assert "Lipa kwa njia nyingine" in text


def test_cash_shows_the_place(office: Office, browser: Client) -> None:
    text = page(browser, office.wait_for(method="cash"))
    assert "Moi Avenue 12" in text
    assert "0123456789012" not in text


def test_the_customer_switches_to_another_method_on_the_page(office: Office, browser: Client) -> None:
    charge = office.wait_for()
    shown = page(browser, charge)
    assert 'value="mock"' in shown
    assert 'value="cash"' in shown
    assert 'value="bank_transfer"' not in shown
    path = f"/pay/{charge.payment_intent.link_token}"
    assert browser.post(path, {"method": "mock"}).status_code == 303
    assert (state_of(charge), state_of(charge.payment_intent)) == ("canceled", "succeeded")


def test_choosing_what_is_waiting_already_changes_nothing(office: Office, browser: Client) -> None:
    charge = office.wait_for()
    path = f"/pay/{charge.payment_intent.link_token}"
    assert browser.post(path, {"method": "bank_transfer"}).status_code == 422
    assert state_of(charge) == "requires_action"
    assert Charge.objects.count() == 1


def test_after_the_time_is_over_no_other_method_is_offered(
    office: Office, browser: Client, virtual_clock: VirtualClock
) -> None:
    charge = office.wait_for()
    virtual_clock.advance(charge.payment_intent.expires_at - virtual_clock.now() + timedelta(seconds=1))
    assert "Pay in another way" not in page(browser, charge)


def test_the_page_shows_the_receipt_once_the_money_is_seen(office: Office, browser: Client) -> None:
    charge = office.wait_for()
    office.upload(csv_of(("2026-01-12", "FT1", str(charge.provider_reference), "1500", "")))
    charge.refresh_from_db()
    assert str(charge.receipt) in page(browser, charge)
