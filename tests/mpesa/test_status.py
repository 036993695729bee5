"""Transaction status: what the answer says about the question, and what about the money."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from majuu_core.common.money import Money
from majuu_core.providers import FetchRequest, IncomingQuery, ProviderEvent, ResultStatus
from majuu_mpesa.conversation import own_conversation_id
from tests.mpesa.support import ScriptedDaraja, make_provider

pytest.importorskip("majuu_sim.daraja", reason="majuu-sim is not installed")
from majuu_sim.daraja import SANDBOX_SHORTCODE, Shortcode
from tests.mpesa.money_shop import (
    ADDRESSES,
    INCOMING,
    PAYEE,
    PAYOUT,
    REFUND,
    MoneyShop,
    follow_up,
    letter,
    opened,
    url_of,
)

READY: dict[str, Any] = {"initiator_name": "testapi", "security_credential": "A" * 344}


@pytest.fixture
def shop() -> Iterator[MoneyShop]:
    with opened() as made:
        yield made


def check(shop: MoneyShop, receipt: str) -> ProviderEvent:
    """The answer to a question about a receipt."""
    asked = shop.provider().verify_incoming(
        IncomingQuery(receipt=receipt, reference=INCOMING, webhook_url=url_of(INCOMING))
    )
    assert asked.status is ResultStatus.PENDING
    event = shop.event()
    assert (event.type, event.reference) == ("incoming.checked", INCOMING)
    assert event.provider_reference == asked.provider_reference
    return event


def told(reference: str, status: str, code: Any = 0, **parameters: Any) -> ProviderEvent:
    """The event of an answer with these parameters."""
    entries = [{"Key": key, "Value": value} for key, value in {"TransactionStatus": status, **parameters}.items()]
    body = {
        "Result": {
            "ResultType": 0,
            "ResultCode": code,
            "ConversationID": "AG_question",
            "ResultParameters": {"ResultParameter": entries},
        }
    }
    [event] = make_provider(**READY).parse_webhook(letter(f"{url_of(reference)}/status", json.dumps(body).encode()))
    return event


def test_a_lost_result_is_found_by_asking(shop: MoneyShop) -> None:
    shop.sim.script({"event_lost": True}, operation="b2c_payment")
    sent = shop.payout(700)
    shop.wait()

    asked = shop.ask(sent)

    assert (asked.status, asked.provider_reference) == (ResultStatus.PENDING, sent.provider_reference)
    event = shop.event()
    assert (event.type, event.reference, event.provider_reference) == (
        "payout.updated",
        PAYOUT,
        sent.provider_reference,
    )
    assert (event.result.status, event.result.amount) == (ResultStatus.SUCCEEDED, Money(700, "KES"))
    assert event.result.receipt == shop.sim.movements()[0].receipt
    assert event.result.payer == "254712345678 - JOHN DOE"


def test_a_process_that_died_before_the_answer_can_ask_all_the_same(shop: MoneyShop) -> None:
    shop.sim.script({"event_lost": True}, operation="b2c_payment")
    shop.payout()
    shop.wait()

    asked = shop.ask(None)

    own = own_conversation_id(shop.provider().credentials, PAYOUT)
    assert (asked.status, asked.provider_reference) == (ResultStatus.PENDING, own)
    event = shop.event()
    assert (event.provider_reference, event.result.status) == (own, ResultStatus.SUCCEEDED)


def test_by_v1_and_for_business_payments_it_is_asked_by_safaricoms_id() -> None:
    with opened(shortcodes=(Shortcode(number=SANDBOX_SHORTCODE, v3_payouts=False),)) as shop:
        sent = shop.payout()
        shop.wait()
        shop.events()

        shop.ask(sent)

        event = shop.event()
        assert (event.provider_reference, event.result.status) == (sent.provider_reference, ResultStatus.SUCCEEDED)


def test_a_reversal_is_asked_about(shop: MoneyShop) -> None:
    receipt = shop.sim.pay_paybill(PAYEE, SANDBOX_SHORTCODE, 100, "A").receipt
    shop.sim.script({"event_lost": True}, operation="reversal")
    sent = shop.provider().refund(follow_up(receipt=receipt))
    shop.wait()

    shop.ask(sent, reference=REFUND)

    event = shop.event()
    assert (event.type, event.provider_reference) == ("refund.updated", sent.provider_reference)
    assert event.result.status is ResultStatus.SUCCEEDED


def test_what_no_payout_knows_stays_unknown(shop: MoneyShop) -> None:
    asked = shop.ask(None)

    assert asked.status is ResultStatus.PENDING
    result = shop.event().result
    assert (result.status, result.failure) == (ResultStatus.UNKNOWN, None)


def test_an_internal_failure_is_resolved_by_its_status(shop: MoneyShop) -> None:
    shop.sim.script("internal_failure", operation="b2c_payment")
    sent = shop.payout()
    assert shop.event().result.status is ResultStatus.UNKNOWN

    shop.ask(sent)

    failure = shop.event().result.failure
    assert failure is not None
    assert failure.provider_code == "Failed"


@pytest.mark.parametrize("outcome", ["initiator_wrong", "initiator_locked", "not_permitted", "system_busy"])
def test_a_question_that_fails_says_nothing_about_the_money(shop: MoneyShop, outcome: str) -> None:
    """Given a payout that was paid, when the status query is refused as a payout could be, then nothing is settled."""
    sent = shop.payout()
    shop.wait()
    shop.events()
    shop.sim.script(outcome, operation="transaction_status")

    shop.ask(sent)

    result = shop.event().result
    assert (result.status, result.failure) == (ResultStatus.UNKNOWN, None)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Completed", ResultStatus.SUCCEEDED),
        ("COMPLETED", ResultStatus.SUCCEEDED),
        ("Failed", ResultStatus.FAILED),
        ("Cancelled", ResultStatus.FAILED),
        ("Declined", ResultStatus.FAILED),
        ("Expired", ResultStatus.FAILED),
        ("Pending", ResultStatus.PENDING),
        ("Initiated", ResultStatus.PENDING),
        ("Authorized", ResultStatus.PENDING),
        ("Reversed", ResultStatus.UNKNOWN),
        ("", ResultStatus.UNKNOWN),
    ],
)
def test_the_status_is_in_the_word_and_not_in_the_code(word: str, expected: ResultStatus) -> None:
    for reference in (PAYOUT, REFUND):
        assert told(reference, word).result.status is expected
        assert told(reference, word, code=2001).result.status is ResultStatus.UNKNOWN


@pytest.mark.parametrize("reference", [PAYOUT, REFUND, INCOMING])
def test_a_status_that_is_not_the_last_word_settles_nothing(reference: str) -> None:
    body = {
        "Result": {
            "ResultType": 1,
            "ResultCode": 0,
            "ConversationID": "AG_1",
            "ResultParameters": {"ResultParameter": {"Key": "TransactionStatus", "Value": "Completed"}},
        }
    }

    [event] = make_provider(**READY).parse_webhook(letter(f"{url_of(reference)}/status", json.dumps(body).encode()))

    assert event.result.status is ResultStatus.UNKNOWN


def test_the_answer_names_what_was_asked_about() -> None:
    own = own_conversation_id(make_provider(**READY).credentials, PAYOUT)

    assert told(PAYOUT, "Completed", OriginatorConversationID=own, ConversationID="AG_2").provider_reference == own
    assert (
        told(PAYOUT, "Completed", OriginatorConversationID="other", ConversationID="AG_2").provider_reference == "AG_2"
    )
    assert told(PAYOUT, "Completed").provider_reference == "AG_question"


def test_money_that_arrived_is_confirmed_with_its_facts(shop: MoneyShop) -> None:
    shop.sim.set_subscriber(PAYEE, names="Jane Doe")
    payment = shop.sim.pay_paybill(PAYEE, SANDBOX_SHORTCODE, 250, "ORDER1")

    event = check(shop, payment.receipt)

    assert (event.result.status, event.result.amount) == (ResultStatus.SUCCEEDED, Money(250, "KES"))
    money = event.incoming
    assert money is not None
    assert (money.receipt, money.amount, money.receiver) == (payment.receipt, Money(250, "KES"), SANDBOX_SHORTCODE)
    assert (money.payer_phone, money.payer_name, money.channel) == (PAYEE, "JANE DOE", "paybill")
    assert money.occurred_at == event.occurred_at


def test_a_receipt_that_nobody_has_is_no_money(shop: MoneyShop) -> None:
    event = check(shop, "UAF1ABCDEF")

    assert (event.result.status, event.incoming) == (ResultStatus.FAILED, None)
    assert event.result.failure is not None
    assert event.result.failure.provider_code == "R000002"


def test_the_receipt_of_a_payout_is_no_money_that_arrived(shop: MoneyShop) -> None:
    shop.payout(500)
    shop.wait()
    shop.events()

    event = check(shop, shop.sim.movements()[0].receipt)

    assert (event.result.status, event.incoming) == (ResultStatus.FAILED, None)
    assert event.result.failure is not None
    assert "left the shortcode" in event.result.failure.message


def test_money_for_another_number_is_not_confirmed() -> None:
    facts = {"ReceiptNo": "UAF1ABCDEF", "Amount": 5, "DebitPartyName": "254712345678 - X"}

    assert told(INCOMING, "Completed", **facts, CreditPartyName="600000 - Other").result.status is ResultStatus.UNKNOWN
    assert told(INCOMING, "Completed", **facts, CreditPartyName="174379 - Us").result.status is ResultStatus.SUCCEEDED
    assert told(INCOMING, "Completed", **facts).result.status is ResultStatus.SUCCEEDED
    assert told(INCOMING, "Completed", ReceiptNo="UAF1ABCDEF").result.status is ResultStatus.UNKNOWN


@pytest.mark.parametrize("word", ["Failed", "Cancelled", "Declined", "Expired"])
def test_a_payment_that_ended_is_no_money(word: str) -> None:
    assert told(INCOMING, word).result.status is ResultStatus.FAILED


def test_a_failed_question_about_incoming_money_decides_nothing() -> None:
    for code in (2001, 21, 26, 17, "Z1"):
        assert told(INCOMING, "", code=code).result.status is ResultStatus.UNKNOWN


def test_who_cannot_ask_does_not(shop: MoneyShop) -> None:
    daraja = ScriptedDaraja()
    without = make_provider(daraja)
    ready = make_provider(daraja, **READY)

    answers = [
        without.fetch_payout(FetchRequest(reference=PAYOUT, provider_reference="AG_1", webhook_url=url_of(PAYOUT))),
        without.fetch_refund(FetchRequest(reference=REFUND, provider_reference="AG_1", webhook_url=url_of(REFUND))),
        ready.fetch_payout(FetchRequest(reference=PAYOUT, provider_reference="AG_1")),
        ready.fetch_payout(FetchRequest(reference=PAYOUT, provider_reference="a b", webhook_url=url_of(PAYOUT))),
        without.verify_incoming(IncomingQuery(receipt="UAF1ABCDEF", reference=INCOMING, webhook_url=url_of(INCOMING))),
        ready.verify_incoming(IncomingQuery(receipt="UAF1ABCDEF", reference=INCOMING)),
        ready.verify_incoming(IncomingQuery(receipt="not one!", reference=INCOMING, webhook_url=url_of(INCOMING))),
    ]

    assert {found.status for found in answers} == {ResultStatus.UNKNOWN}
    assert (daraja.requests, daraja.token_requests) == ([], 0)


def test_without_an_initiator_the_pull_api_confirms_what_it_lists() -> None:
    account = {"initiator_name": None, "initiator_password": None, "nominated_number": "0722000000"}
    with opened(account=account) as shop:
        question = IncomingQuery(receipt="UAF1ABCDEF", reference=INCOMING)
        before = shop.provider().verify_incoming(question)  # pulling is not open yet
        shop.provider().register_incoming(ADDRESSES)
        payment = shop.sim.pay_paybill(PAYEE, SANDBOX_SHORTCODE, 250, "ORDER1")

        listed = shop.provider().verify_incoming(replace(question, receipt=payment.receipt))
        missing = shop.provider().verify_incoming(question)
        shop.clock.advance(4 * 3600)
        late = shop.provider().verify_incoming(replace(question, receipt=payment.receipt))

    assert (listed.status, listed.amount, listed.receipt) == (
        ResultStatus.SUCCEEDED,
        Money(250, "KES"),
        payment.receipt,
    )
    assert {before.status, missing.status, late.status} == {ResultStatus.UNKNOWN}
