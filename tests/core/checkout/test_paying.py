"""A customer pays, without JavaScript: form, redirect, page, again and again."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.common.problems import Conflict
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.follow_ups import follow_up_charge
from majuu_core.payments.intents import cancel_payment_intent
from majuu_core.payments.models import Charge
from majuu_core.providers import FailureCode, NextAction, Result, ResultStatus
from majuu_core.testing.audit import address_in
from majuu_core.testing.factories import make_provider_account
from tests.core.checkout.html import Document, read
from tests.core.checkout.phone_provider import failed, paid

pytestmark = pytest.mark.django_db


def url(intent) -> str:
    return f"/pay/{intent.link_token}"


def open_page(client: Client, intent, query: str = "") -> Document:
    answer = client.get(url(intent) + query)
    assert answer.status_code == 200
    return read(answer)


def stage(document: Document) -> str:
    return document.all("main")[0]["data-stage"]


def is_live(document: Document) -> bool:
    """The script polls, and without scripts the page reloads itself."""
    has_script = "data-live" in document.all("main")[0]
    assert (
        bool(re.search(r'<noscript><meta http-equiv="refresh" content="\d+"></noscript>', document.source))
        is has_script
    )
    return has_script


def submit(client: Client, intent, document: Document, query: str = "", **values: str):
    return client.post(url(intent) + query, {**document.form(), **values})


def test_the_page_says_who_what_and_how_much(browser, make_intent, phone_account) -> None:
    page = open_page(browser, make_intent(description="Two dresses", reference="ORD-7"))
    assert stage(page) == "pay"
    for text in ("Mama Njeri Fashions", "KES 1,500", "Two dresses", "Order ORD-7", "Pay KES 1,500", "Test mode"):
        assert text in page.text
    field = page.all("input", type="tel")[0]
    assert (field["autocomplete"], field["inputmode"], field["placeholder"]) == ("tel", "tel", "07…")
    assert is_live(page) is False


def test_paying_by_phone_from_form_to_receipt(browser, make_intent, phone_account, phone_provider) -> None:
    intent = make_intent(return_url="https://shop.example/thanks")
    answer = submit(browser, intent, open_page(browser, intent), **{"phone_push.phone": "0712 345 678"})
    assert (answer.status_code, answer["Location"]) == (303, url(intent))
    waiting = open_page(browser, intent)
    assert stage(waiting) == "prompt"
    assert is_live(waiting)
    assert "Check your phone" in waiting.text
    assert "2547 ***** 678" in waiting.text
    assert "254712345678" not in waiting.source
    assert "1:00" in waiting.text
    charge = Charge.objects.get()
    phone_provider.truth = paid("TKL12AB34C")
    follow_up_charge(charge.pk)
    done = open_page(browser, intent)
    assert stage(done) == "paid"
    for text in ("Payment received", "TKL12AB34C", "KES 1,500", "5 Jan 2026, 09:00 UTC", "Mama Njeri Fashions"):
        assert text in done.text
    assert done.all("a", href="https://shop.example/thanks")
    assert is_live(done) is False


def test_the_provider_is_told_where_the_customer_is(browser, make_intent, phone_account, phone_provider) -> None:
    intent = make_intent()
    submit(browser, intent, open_page(browser, intent), **{"phone_push.phone": "0712345678", "phone_push.note": "hi"})
    request = phone_provider.sent[0]
    assert request.return_url == f"http://testserver{url(intent)}/return"
    assert request.cancel_url == f"http://testserver{url(intent)}/canceled"
    assert request.payment_method_data == {"phone": "254712345678", "note": "hi"}


def test_the_customer_is_the_one_who_acts(browser, make_intent, phone_account) -> None:
    intent = make_intent()
    submit(browser, intent, open_page(browser, intent), **{"phone_push.phone": "0712345678"})
    entry = AuditEntry.objects.get(action="charge.created")
    assert (entry.actor_type, entry.actor_id, address_in(entry)) == ("customer", "", "127.0.0.1")


@pytest.mark.parametrize(
    ("query", "title", "text", "step", "nothing"),
    [
        (
            "",
            "The payment did not go through",
            "You cancelled the request on your phone.",
            "Pay again when ready.",
            "You have not been charged",
        ),
        (
            "?lang=sw",
            "Malipo hayakufaulu",
            "Ulighairi ombi kwenye simu yako.",
            "Lipa tena ukiwa tayari.",
            "Hujatozwa pesa",
        ),
    ],
)
def test_a_failure_is_explained_and_can_be_tried_again(
    query, title, text, step, nothing, browser, make_intent, phone_account, phone_provider
) -> None:
    intent = make_intent()
    submit(browser, intent, open_page(browser, intent), **{"phone_push.phone": "0712345678"})
    phone_provider.truth = failed()
    follow_up_charge(Charge.objects.get().pk)
    page = open_page(browser, intent, query)
    assert stage(page) == "pay"
    for words in (title, text, step, nothing):
        assert words in page.text
    assert "[it failed]" not in page.source
    again = submit(browser, intent, page, query, **{"phone_push.phone": "0712345678"})
    assert (again.status_code, again["Location"]) == (303, url(intent) + query)
    assert Charge.objects.count() == 2


def test_a_failure_the_provider_cannot_explain(browser, make_intent, phone_account, phone_provider) -> None:
    phone_provider.on_sale = failed("9", FailureCode.INSUFFICIENT_FUNDS)
    intent = make_intent()
    submit(browser, intent, open_page(browser, intent), **{"phone_push.phone": "0712345678"})
    assert "There was not enough money in the account." in open_page(browser, intent).text
    assert "Hakukuwa na pesa za kutosha kwenye akaunti." in open_page(browser, intent, "?lang=sw").text


def test_a_provider_that_fails_to_explain_is_no_reason_to_fail(
    browser, make_intent, phone_account, phone_provider, monkeypatch
) -> None:
    phone_provider.on_sale = failed("1032", FailureCode.DECLINED)
    intent = make_intent()
    submit(browser, intent, open_page(browser, intent), **{"phone_push.phone": "0712345678"})

    def broken(self, provider_code, *, language):
        raise RuntimeError("broken")

    monkeypatch.setattr(phone_provider, "explain_failure", broken)
    assert "The payment was declined." in open_page(browser, intent).text


def test_a_wrong_phone_number_is_refused_beside_its_field(browser, make_intent, phone_account, phone_provider) -> None:
    intent = make_intent()
    page = open_page(browser, intent)
    answer = submit(browser, intent, page, **{"phone_push.phone": "12345", "phone_push.note": "for Asha"})
    assert answer.status_code == 422
    refused = read(answer)
    field = refused.all("input", type="tel")[0]
    assert (field["value"], field["aria-invalid"]) == ("12345", "true")
    assert refused.all("p", id=field["aria-describedby"])[0]["class"] == "error"
    assert "This is not a phone number. Enter it as 0712 345 678." in refused.text
    assert refused.all("input", name="phone_push.note")[0]["value"] == "for Asha"
    assert refused.form()["attempt"] == page.form()["attempt"]
    assert (Charge.objects.count(), phone_provider.sent) == (0, [])


@pytest.mark.parametrize(
    ("value", "english", "swahili"),
    [
        ("", "Fill this in.", "Weka nambari ya simu ya kulipia, kwa mfano 0712 345 678."),
        ("x" * 500, "This is too long.", "Hii ni ndefu mno."),
        ("07\x00", "This is not a phone number. Enter it as 0712 345 678.", "Nambari ya simu si sahihi."),
    ],
)
def test_bad_input_is_answered_in_both_languages(value, english, swahili, browser, make_intent, phone_account) -> None:
    intent = make_intent()
    for query, text in (("?lang=en", english), ("?lang=sw", swahili)):
        answer = submit(browser, intent, open_page(browser, intent), query, **{"phone_push.phone": value})
        assert answer.status_code == 422
        assert text in read(answer).text
    assert Charge.objects.count() == 0


def test_what_was_entered_is_never_taken_for_html(browser, make_intent, phone_account) -> None:
    intent = make_intent(description="<script>alert(1)</script>")
    answer = submit(browser, intent, open_page(browser, intent), **{"phone_push.phone": '"><script>alert(2)</script>'})
    assert [tag for tag in read(answer).all("script") if "src" not in tag] == []


def test_the_same_form_sent_twice_starts_one_payment(browser, make_intent, phone_account, phone_provider) -> None:
    intent = make_intent()
    page = open_page(browser, intent)
    for _ in range(2):
        answer = submit(browser, intent, page, **{"phone_push.phone": "0712345678"})
        assert (answer.status_code, answer["Location"]) == (303, url(intent))
    assert (Charge.objects.count(), len(phone_provider.sent)) == (1, 1)


def test_another_form_while_a_payment_goes_on_starts_no_second_prompt(
    browser, make_intent, phone_account, phone_provider
) -> None:
    intent = make_intent()
    first, second = open_page(browser, intent), open_page(browser, intent)
    assert first.form()["attempt"] != second.form()["attempt"]
    submit(browser, intent, first, **{"phone_push.phone": "0712345678"})
    answer = submit(browser, intent, second, **{"phone_push.phone": "0712345678"})
    assert (answer.status_code, answer["Location"]) == (303, url(intent))
    assert stage(open_page(browser, intent)) == "prompt"
    assert (Charge.objects.count(), len(phone_provider.sent)) == (1, 1)


def test_when_the_prompt_is_over_the_page_says_we_are_checking(
    browser, make_intent, phone_account, virtual_clock
) -> None:
    intent = make_intent()
    submit(browser, intent, open_page(browser, intent), **{"phone_push.phone": "0712345678"})
    virtual_clock.advance(61)
    page = open_page(browser, intent)
    assert stage(page) == "checking"
    assert "Please do not pay again meanwhile." in page.text
    assert page.all("form") == []


def test_an_unknown_outcome_is_never_a_second_prompt(browser, make_intent, phone_account, phone_provider) -> None:
    phone_provider.on_sale = Result(status=ResultStatus.UNKNOWN)
    intent = make_intent()
    page = open_page(browser, intent)
    submit(browser, intent, page, **{"phone_push.phone": "0712345678"})
    shown = open_page(browser, intent, "?lang=sw")
    assert stage(shown) == "checking"
    assert "Tafadhali usilipe tena kwa sasa." in shown.text
    assert is_live(shown)


def test_a_provider_that_wants_the_customer_gets_them_by_the_next_page(
    browser, make_intent, phone_account, phone_provider
) -> None:
    action = NextAction(type="redirect", data={"url": "https://bank.example/approve?a=1&b=2"})
    phone_provider.on_sale = Result(status=ResultStatus.REQUIRES_ACTION, next_action=action)
    intent = make_intent()
    answer = submit(browser, intent, open_page(browser, intent), **{"phone_push.phone": "0712345678"})
    assert (answer.status_code, answer["Location"]) == (303, f"{url(intent)}/continue")
    forward = read(browser.get(answer["Location"]))
    meta = [tag["content"] for tag in forward.all("meta", http_equiv="refresh")]
    assert meta == ["0; url=https://bank.example/approve?a=1&b=2"]
    back = open_page(browser, intent)
    assert stage(back) == "redirect"
    assert back.all("a", href="https://bank.example/approve?a=1&b=2")[0]["rel"] == "noreferrer"
    assert [tag["content"] for tag in back.all("meta", http_equiv="refresh")] == ["4"]  # for those without scripts


def test_the_way_to_the_provider_is_closed_when_there_is_none(browser, make_intent, phone_account) -> None:
    intent = make_intent()
    answer = browser.get(f"{url(intent)}/continue?lang=sw")
    assert (answer.status_code, answer["Location"]) == (303, f"{url(intent)}?lang=sw")


def test_instructions_are_shown_with_their_reference(browser, make_intent, phone_account, phone_provider) -> None:
    data = {"text": "Pay Bill 400200\nExact amount", "reference": "MJ-1"}
    action = NextAction(type="display_instructions", data=data)
    phone_provider.on_sale = Result(status=ResultStatus.REQUIRES_ACTION, next_action=action)
    intent = make_intent()
    submit(browser, intent, open_page(browser, intent), **{"phone_push.phone": "0712345678"})
    page = open_page(browser, intent)
    assert stage(page) == "instructions"
    assert "Pay Bill 400200 Exact amount" in page.text
    assert "MJ-1" in page.text


def test_a_part_that_is_paid_is_shown_with_what_remains(browser, make_intent, phone_account, phone_provider) -> None:
    intent = make_intent()
    choice = PaymentChoice(
        payment_method="phone_push", payment_method_data={"phone": "0712345678"}, amount=Money(1000, "KES")
    )
    phone_provider.on_sale = paid("PART1")
    confirm_payment_intent(intent=intent, choice=choice)
    page = open_page(browser, intent)
    assert stage(page) == "pay"
    for text in ("Still to pay", "KES 1,000 of KES 1,500 has arrived.", "KES 500 remains", "PART1", "Pay KES 500"):
        assert text in page.text
    phone_provider.on_sale = paid("PART2")
    submit(browser, intent, page, **{"phone_push.phone": "0712345678"})
    done = open_page(browser, intent)
    assert stage(done) == "paid"
    assert "PART1" in done.text
    assert "PART2" in done.text


def test_a_receipt_may_come_later(browser, make_intent, phone_account, phone_provider, virtual_clock) -> None:
    phone_provider.on_sale = paid(receipt=None)
    intent = make_intent()
    submit(browser, intent, open_page(browser, intent), **{"phone_push.phone": "0712345678"})
    page = open_page(browser, intent)
    assert "on its way" in page.text
    assert is_live(page)
    before = browser.get(f"{url(intent)}/state").json()
    Charge.objects.update(receipt="LATE1")
    after = browser.get(f"{url(intent)}/state").json()
    assert (before["live"], after["live"]) == (True, False)
    assert before["version"] != after["version"]
    assert "LATE1" in open_page(browser, intent).text


def test_money_that_is_held_is_not_asked_for_again(browser, make_intent, mock_account) -> None:
    intent = make_intent()
    page = open_page(browser, intent)
    type(intent).objects.update(status="requires_capture")
    assert stage(open_page(browser, intent)) == "authorized"
    answer = submit(browser, intent, page)
    assert (answer.status_code, answer["Location"]) == (303, url(intent))
    assert Charge.objects.count() == 0


def test_parked_money(browser, make_intent, phone_account, phone_provider) -> None:
    phone_provider.on_sale = Result(status=ResultStatus.SUCCEEDED, amount=Money(900, "KES"), receipt="SHORT")
    intent = make_intent()
    submit(browser, intent, open_page(browser, intent), **{"phone_push.phone": "0712345678"})
    page = open_page(browser, intent)
    assert stage(page) == "review"
    assert "Please do not pay again." in page.text
    assert page.all("form") == []


def test_canceled_and_expired_links(browser, make_intent, phone_account, virtual_clock) -> None:
    canceled, expired = make_intent(), make_intent()
    form = open_page(browser, expired)
    cancel_payment_intent(intent=canceled)
    assert stage(open_page(browser, canceled)) == "canceled"
    virtual_clock.advance(25 * 3600)
    assert stage(open_page(browser, expired)) == "expired"
    answer = submit(browser, expired, form, **{"phone_push.phone": "0712345678"})
    assert (answer.status_code, answer["Location"]) == (303, url(expired))
    assert Charge.objects.count() == 0


def test_a_canceled_intent_whose_prompt_is_up_warns_against_paying_again(
    browser, make_intent, phone_account, phone_provider
) -> None:
    intent = make_intent()
    submit(browser, intent, open_page(browser, intent), **{"phone_push.phone": "0712345678"})
    cancel_payment_intent(intent=intent)
    page = open_page(browser, intent)
    assert stage(page) == "canceled"
    assert is_live(page)
    assert "do not pay again: we are checking" in page.text
    phone_provider.truth = paid()
    follow_up_charge(Charge.objects.get().pk)
    assert stage(open_page(browser, intent)) == "paid"


def test_a_shop_without_any_account_cannot_be_paid(browser, make_intent) -> None:
    page = open_page(browser, make_intent())
    assert "This cannot be paid right now" in page.text
    assert page.all("form") == []


def test_a_choice_between_methods(browser, make_intent, phone_account, mock_account, phone_provider) -> None:
    intent = make_intent()
    page = open_page(browser, intent)
    radios = page.all("input", type="radio")
    assert [tag["value"] for tag in radios] == ["phone_push", "mock"]
    assert ["checked" in tag for tag in radios] == [True, False]
    assert [tag for tag in page.all("input", type="tel") if "required" in tag] == []  # it may be hidden
    submit(browser, intent, page, method="mock")
    assert (Charge.objects.get().payment_method, phone_provider.sent) == ("mock", [])


@pytest.mark.parametrize("method", ["", "card", "mock"])
def test_a_method_that_is_not_offered_is_refused(method, browser, make_intent, phone_account) -> None:
    intent = make_intent()
    answer = submit(browser, intent, open_page(browser, intent), method=method)
    assert answer.status_code == 422
    assert "Choose how you want to pay." in read(answer).text
    assert Charge.objects.count() == 0


def test_an_account_that_goes_away_meanwhile(browser, make_intent, phone_account, mock_account, monkeypatch) -> None:
    """The page offered it a moment ago; what the customer reads is not what the shop would read."""
    from majuu_core.checkout import views
    from majuu_core.common.problems import Invalid

    def refuse(**_):
        raise Invalid("no_provider_account", "This store has no active account. Add one in the console.")

    monkeypatch.setattr(views, "confirm_payment_intent", refuse)
    intent = make_intent()
    answer = submit(browser, intent, open_page(browser, intent), method="mock")
    assert answer.status_code == 422
    assert "This way to pay is not available right now." in read(answer).text
    assert "console" not in read(answer).text


def test_credentials_that_do_not_open_are_the_shops_trouble(browser, make_intent, mock_account) -> None:
    intent = make_intent()
    page = open_page(browser, intent)
    type(mock_account).objects.update(credentials="broken")
    answer = submit(browser, intent, page, method="mock")
    assert answer.status_code == 503
    assert "This way to pay is not available right now." in read(answer).text
    assert Charge.objects.count() == 0


def test_a_conflict_shows_the_page_as_it_is(browser, make_intent, mock_account, monkeypatch) -> None:
    from majuu_core.checkout import views

    def refuse(**_):
        raise Conflict("amount_changed", "Look again.")

    monkeypatch.setattr(views, "confirm_payment_intent", refuse)
    intent = make_intent()
    answer = submit(browser, intent, open_page(browser, intent))
    assert (answer.status_code, answer["Location"]) == (303, url(intent))


def test_the_mock_method_tells_its_amounts_in_test_mode(browser, make_intent, mock_account) -> None:
    assert "7701 fails for lack of money" in open_page(browser, make_intent()).text


def test_a_live_page_has_no_test_ribbon(browser, store, virtual_clock, phone_provider) -> None:
    from majuu_core.payments.intents import IntentDetails, create_payment_intent

    make_provider_account(store=store, provider="phone", credentials={}, livemode=True)
    intent = create_payment_intent(store=store, livemode=True, details=IntentDetails(amount=Money(5, "KES")))
    page = open_page(browser, intent)
    assert stage(page) == "pay"
    assert "Test mode" not in page.text
