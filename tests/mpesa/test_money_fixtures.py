"""Every recorded body of C2B, B2C, B2B, reversal, status, balance, QR and Pull means exactly what it says.

A file that is not listed here or in test_fixtures.py fails the last test.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from majuu_core.common.money import Money
from majuu_core.providers import (
    OutcomeUnknown,
    ProviderEvent,
    QrRequest,
    RequestRejected,
    ResultStatus,
    Violation,
    WebhookRejected,
    WebhookRequest,
)
from majuu_mpesa.acknowledgements import acknowledged
from majuu_mpesa.pull import read_row, read_rows
from tests.mpesa.support import SAFARICOM, ScriptedDaraja, answer, credentials, make_provider
from tests.mpesa.test_fixtures import ACCEPTED, DECLINED, PAID, QUERIES, REFUSED, all_recorded, content, recorded
from tests.mpesa.test_fixtures import OTHERS as EXPRESS_OTHERS

pytest.importorskip("majuu_sim.daraja", reason="majuu-sim is not installed")
from tests.mpesa.money_shop import ADDRESSES, payout

S, F, P, U = ResultStatus.SUCCEEDED, ResultStatus.FAILED, ResultStatus.PENDING, ResultStatus.UNKNOWN
PAYOUT, REFUND, INCOMING = "po_01jgx5v9k3m2n4p6r8t0", "re_01jgx5v9k3m2n4p6r8t1", "in_01jgx5v9k3m2n4p6r8t2"
READY: dict[str, Any] = {"initiator_name": "testapi", "security_credential": "A" * 344}
SANDBOX_HASH = hashlib.sha256(b"254708374149").hexdigest()


def at(year: int, month: int, day: int, hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def read(name: str, reference: str | None, *, topic: str = "", **account: Any) -> ProviderEvent:
    """The event of a recorded body at an address."""
    request = WebhookRequest(
        method="POST",
        headers={},
        query={},
        body=content(name),
        remote_addr=SAFARICOM,
        reference=reference,
        topic=topic,
    )
    [event] = make_provider(**READY, **account).parse_webhook(request)
    return event


# receipt, amount, shortcode, account reference, payer's number, payer's name, channel, moment
CONFIRMED: dict[str, tuple[str, str, str, str, dict[str, str], str, str, datetime]] = {
    "c2b_confirmation_firstname_only": (
        *("TCP04M1HHO", "10", "4141247", "58000244879", {"payer_phone_hash": SANDBOX_HASH}, "JOHN", "paybill"),
        at(2025, 3, 25, 20, 54, 9),
    ),
    "c2b_confirmation_till_2026": (
        *("UHQQ349A09", "50", "7100466", "", {"payer_phone": "254708374149"}, "John Doe", "till"),
        at(2026, 8, 25, 21, 2, 38),
    ),
    "c2b_confirmation_till_production_shape": (
        *("SGM3J225DR", "11720", "166373", ""),
        *({"payer_phone_masked": "bbff37cea44ac0b2d964ee0dfb8d2df851 ***** 36129a929fc3fbd6dd4af4"}, "JOHN", "till"),
        at(2024, 7, 22, 17, 58, 1),
    ),
    "c2b_confirmation_v1_sha256_2025": (
        *("TK60708BHZ", "1", "600995", "UM001"),
        {"payer_phone_hash": "94c392c311d522da950619227b3361752a42042db7e1e699b26e628305c68a88"},
        *("John Doe", "paybill"),
        at(2025, 11, 6, 20, 2, 12),
    ),
    "c2b_confirmation_v1_sha256_msisdn": (
        *("RCO41MKB14", "1", "174379", "254708374149", {"payer_phone_hash": SANDBOX_HASH}, "John", "paybill"),
        at(2023, 3, 24, 7, 38, 53),
    ),
    "c2b_confirmation_v2_masked": (
        *("RKL51ZDR4F", "5", "600966", "Sample Transaction", {"payer_phone_masked": "2547 ***** 126"}, "John"),
        "paybill",
        at(2023, 11, 21, 9, 13, 25),
    ),
}
# reference, topic → type, status, receipt, amount, failure's code, conversation
RESULTS: dict[str, tuple[str, str, str, ResultStatus, str | None, str | None, str, str]] = {
    "b2c_result_success": (
        *(PAYOUT, "", "payout.updated", S, "SG632NMUAB", "10", "", "AG_20240706_2010364430d9bbdaf872"),
    ),
    "b2c_result_success_2017": (
        *(PAYOUT, "", "payout.updated", S, "LGH3197RIB", "8000", "", "AG_20170717_00006be9c8b5cc46abb6"),
    ),
    "b2c_result_fail_2001": (
        *(PAYOUT, "", "payout.updated", F, None, None, "2001", "AG_20240707_201062f6f6f5804f7a33"),
    ),
    "b2c_result_fail_2001_escaped": (
        *(PAYOUT, "", "payout.updated", F, None, None, "2001", "AG_20210326_000075631f57f0591b3e"),
    ),
    "b2c_result_fail_21_role": (
        *(PAYOUT, "", "payout.updated", F, None, None, "21", "AG_20240707_201062f6f6f5804f7a34"),
    ),
    "b2c_result_fail_2_below_min": (
        *(PAYOUT, "", "payout.updated", F, None, None, "2", "AG_20240707_201062f6f6f5804f7a34"),
    ),
    "b2c_result_fail_8006_locked": (
        *(PAYOUT, "", "payout.updated", F, None, None, "8006", "AG_20240707_201062f6f6f5804f7a34"),
    ),
    "b2c_result_fail_TP40153": (
        *(PAYOUT, "", "payout.updated", F, None, None, "TP40153", "AG_20240707_201062f6f6f5804f7a34"),
    ),
    "b2b_result_success_2017": (
        *(PAYOUT, "", "payout.updated", S, "LGR519G2QV", "10", "", "AG_20170727_00006baee344f4ce0796"),
    ),
    "b2b_result_fail_2001": (
        *(PAYOUT, "", "payout.updated", F, None, None, "2001", "AG_20200120_0000657265d5fa9ae5c0"),
    ),
    "reversal_result_success": (
        *(REFUND, "", "refund.updated", S, "SKE52PAWR9", "1", "", "AG_20211114_201018edbbf9f1582eaa"),
    ),
    "reversal_result_fail_R000001": (
        *(REFUND, "", "refund.updated", U, None, None, "", "AG_20211114_2010573069aefb6b625b"),
    ),
    "status_result_2017_spaced_keys": (
        *(PAYOUT, "status", "payout.updated", S, "LGR919G2AV", "10", "", "AG_20170727_00004492b1b6d0078fbe"),
    ),
    "status_result_official": (
        *(PAYOUT, "status", "payout.updated", S, "MBN31H462N", "300", "", "AG_20180223_000041b09c22e613d6c9"),
    ),
    "status_result_fail_25": (
        *(PAYOUT, "status", "payout.updated", U, None, None, "", "AG_20180223_0000493344ae97d86f76"),
    ),
    "queue_timeout_guess": (
        *(PAYOUT, "timeout", "payout.updated", P, None, None, "", "AG_20240707_201062f6f6f5804f7a34"),
    ),
    "malformed_result_params_null": (PAYOUT, "", "payout.updated", S, "RKT81KZ9QF", None, "", "c-1"),
}
BALANCES: dict[str, dict[str, str]] = {
    "balance_result_2017": {
        "Working Account": "46713",
        "Float Account": "0",
        "Utility Account": "49217",
        "Charges Paid Account": "-220",
        "Organization Settlement Account": "0",
    },
    "balance_result_official": {
        "Working Account": "700000",
        "Float Account": "0",
        "Utility Account": "228037",
        "Charges Paid Account": "-1540",
        "Organization Settlement Account": "0",
    },
}
# APIs that are not offered: refused wherever they come, and no answer of theirs is an acceptance.
NOT_OFFERED = {
    *("b2b_express_ack", "b2b_express_cb_cancelled", "b2b_express_cb_success"),
    *("bill_cancel_conflict", "bill_invoice_ok", "bill_optin_ok", "ratiba_ack", "ratiba_cb_success"),
}
# Tested one by one below.
OTHERS = {
    *("async_ack", "b2c_err_not_authorized_v3", "balance_result_fail_2001_single_param", "c2b_validation_2017"),
    *("c2b_register_ack_v1", "c2b_register_ack_v2", "c2b_register_err_aggregator", "c2b_register_err_already"),
    *("c2b_simulate_ack_v1", "c2b_simulate_ack_v2", "c2b_validation_reply_reject", "qr_ok_v3doc"),
    *("pull_query_none", "pull_query_ok", "pull_register_already_spaced", "pull_register_ok_v3doc"),
    "tax_result_fail_2001_list",
}


@pytest.mark.parametrize("name", CONFIRMED)
def test_recorded_confirmations(name: str) -> None:
    receipt, amount, shortcode, account_reference, payer, names, channel, moment = CONFIRMED[name]

    event = read(name, None, topic="notice", shortcode=shortcode)

    money = event.incoming
    assert money is not None
    assert (event.type, event.result.status, event.provider_reference) == ("incoming.received", S, receipt)
    assert (money.receipt, money.amount, money.receiver) == (receipt, Money(Decimal(amount), "KES"), shortcode)
    assert (money.account_reference, money.payer_name, money.channel) == (account_reference, names, channel)
    told = {key: getattr(money, key) for key in ("payer_phone", "payer_phone_hash", "payer_phone_masked")}
    assert {key: value for key, value in told.items() if value} == payer
    assert money.occurred_at == event.occurred_at == event.result.occurred_at == moment


@pytest.mark.parametrize("name", CONFIRMED)
def test_recorded_confirmations_for_somebody_else_are_not_ours(name: str) -> None:
    money = read(name, None, topic="notice", shortcode="111111").incoming

    assert money is not None
    assert (money.receiver, money.at_this_account) == (CONFIRMED[name][2], False)


def test_the_recorded_validation_is_a_question_and_no_money() -> None:
    provider = make_provider(shortcode="600134")
    request = WebhookRequest(
        method="POST", headers={}, query={}, body=content("c2b_validation_2017"), remote_addr=SAFARICOM, topic="check"
    )

    money = provider.read_incoming_check(request)

    assert (money.receipt, money.amount, money.account_reference) == ("LGR219G3EY", Money(10, "KES"), "xyz")
    assert (money.payer_phone, money.payer_name) == ("254708374149", "John Doe")
    assert money.occurred_at == at(2017, 7, 27, 7, 42, 47)
    for topic in ("check", ""):
        with pytest.raises(WebhookRejected, match="question before"):
            read("c2b_validation_2017", None, topic=topic, shortcode="600134")


def test_the_recorded_refusal_of_a_validation_is_ours() -> None:
    objection = Violation(code="C2B00011", message="Whatever.")

    assert json.loads(make_provider().incoming_check_response(objection).body) == json.loads(
        content("c2b_validation_reply_reject")
    )


@pytest.mark.parametrize("name", RESULTS)
def test_recorded_results(name: str) -> None:
    reference, topic, kind, status, receipt, amount, code, conversation = RESULTS[name]

    event = read(name, reference, topic=topic)

    result = event.result
    assert (event.type, event.reference, event.provider_reference) == (kind, reference, conversation)
    assert (result.status, result.receipt, result.provider_reference) == (status, receipt, conversation)
    assert result.amount == (Money(Decimal(amount), "KES") if amount else None)
    assert (result.failure.provider_code if result.failure else "") == code
    if result.failure:
        assert json.loads(content(name))["Result"]["ResultDesc"] in result.failure.message


@pytest.mark.parametrize(
    ("name", "payer", "fee", "moment"),
    [
        ("b2c_result_success", "254708374149 - JOHN DOE", None, at(2024, 7, 6, 19, 48, 52)),
        ("b2c_result_success_2017", "254708374149 - John Doe", None, at(2017, 7, 17, 7, 54, 57)),
        ("b2b_result_success_2017", "603094 - Safaricom3117", "77", at(2017, 7, 27, 7, 25, 24)),
        ("reversal_result_success", "254708374149 - JOHN DOE", None, at(2021, 11, 14, 10, 27, 11)),
        ("status_result_2017_spaced_keys", "254708374149 - John Doe", "33", at(2017, 7, 27, 7, 14, 15)),
        ("status_result_official", "254708374149 - John Doe", "22.40", at(2018, 2, 23, 2, 41, 12)),
    ],
)
def test_recorded_facts(name: str, payer: str, fee: str | None, moment: datetime) -> None:
    reference, topic, *_ = RESULTS[name]

    event = read(name, reference, topic=topic)

    assert event.result.payer == payer
    assert event.result.fee == (Money(Decimal(fee), "KES") if fee else None)
    assert event.occurred_at == event.result.occurred_at == moment


@pytest.mark.parametrize("name", [name for name, expected in RESULTS.items() if expected[3] is F])
def test_a_recorded_failure_is_none_when_it_answers_a_question(name: str) -> None:
    """The same body says nothing about the money when it is a status query that was refused."""
    for reference in (PAYOUT, REFUND, INCOMING):
        event = read(name, reference, topic="status")
        assert (event.result.status, event.result.failure) == (U, None)


def test_a_recorded_status_is_no_incoming_money_when_the_money_left() -> None:
    official = read("status_result_official", INCOMING, topic="status", shortcode="600310")
    older = read("status_result_2017_spaced_keys", INCOMING, topic="status", shortcode="600134")

    for event in (official, older):
        assert (event.type, event.result.status, event.incoming) == ("incoming.checked", F, None)


@pytest.mark.parametrize("name", [name for name, expected in RESULTS.items() if expected[1] != "timeout"])
def test_no_recorded_result_settles_anything_at_the_address_for_timeouts(name: str) -> None:
    event = read(name, RESULTS[name][0], topic="timeout")

    assert event.result.status is P


@pytest.mark.parametrize("name", BALANCES)
def test_recorded_balances(name: str) -> None:
    event = read(name, None, topic="balance")

    wanted = {account: Money(Decimal(amount), "KES") for account, amount in BALANCES[name].items()}
    assert (event.type, event.result.status) == ("balance.reported", S)
    assert {account.name: account.current for account in event.balances} == wanted
    assert {account.name: account.available for account in event.balances} == wanted
    assert event.provider_reference == json.loads(content(name))["Result"]["ConversationID"]
    assert read(name, None).balances == event.balances


def test_the_recorded_balance_that_was_refused() -> None:
    event = read("balance_result_fail_2001_single_param", None, topic="balance")

    assert (event.result.status, event.balances) == (F, ())
    assert event.result.failure is not None
    assert event.result.failure.provider_code == "2001"
    assert event.occurred_at == at(2020, 6, 25, 20, 24, 27)
    with pytest.raises(WebhookRejected, match="own address"):
        read("balance_result_fail_2001_single_param", None)


def test_the_recorded_acknowledgement() -> None:
    taken = acknowledged(recorded("async_ack"))

    assert taken.conversation_id == "AG_20230420_2010759fd5662ef6d054"
    assert taken.originator_id == "5118-111210482-1"


def test_the_recorded_refusal_of_v3_leads_to_v1() -> None:
    refused = json.loads(content("b2c_err_not_authorized_v3"))
    daraja = ScriptedDaraja(answer(403, refused), answer(200, json.loads(content("async_ack"))))

    result = make_provider(daraja, **READY).payout(payout())

    assert [request.url.path.split("/")[3] for request in daraja.requests] == ["v3", "v1"]
    assert (result.status, result.provider_reference) == (P, "AG_20230420_2010759fd5662ef6d054")
    first, second = daraja.body(0), daraja.body(1)
    assert first.pop("OriginatorConversationID")
    assert first == second


@pytest.mark.parametrize(
    ("name", "status", "text"),
    [
        ("c2b_register_ack_v1", 200, ""),
        ("c2b_register_ack_v2", 200, ""),
        ("c2b_register_err_already", 500, "Delete them in the organisation's portal"),
        ("c2b_register_err_aggregator", 500, "old broker platform"),
        ("err_c2b_register_soap_fault", 500, "M-Pesa Express only"),
    ],
)
def test_recorded_answers_to_a_registration(name: str, status: int, text: str) -> None:
    provider = make_provider(ScriptedDaraja(answer(status, json.loads(content(name)))))

    if not text:
        provider.register_incoming(ADDRESSES)
        return
    with pytest.raises(RequestRejected, match=text):
        provider.register_incoming(ADDRESSES)


def test_recorded_acknowledgements_of_simulated_payments_are_no_registration_of_money() -> None:
    for name in ("c2b_simulate_ack_v1", "c2b_simulate_ack_v2"):
        for reference in (None, PAYOUT):
            with pytest.raises(WebhookRejected):
                read(name, reference)


def test_recorded_pulled_payments() -> None:
    rows = read_rows(json.loads(content("pull_query_ok")))

    found = [read_row(row, credentials(shortcode="600000")) for row in rows]

    first, second = (money for money in found if money is not None)
    assert [(one.receipt, one.amount) for one in (first, second)] == [
        ("yzlyrEsRG1", Money(168, "KES")),
        ("ZobjR29vdz", Money(647, "KES")),
    ]
    assert (first.account_reference, first.payer_name, first.channel) == ("37207636392", "UAT2", "paybill")
    assert (first.payer_phone, first.payer_phone_masked, first.receiver) == ("", "", "600000")
    assert first.occurred_at == at(2020, 8, 5, 10, 13)
    assert read_rows(json.loads(content("pull_query_none"))) == []


@pytest.mark.parametrize("name", ["pull_register_already_spaced", "pull_register_ok_v3doc"])
def test_recorded_registrations_for_pulling_are_good(name: str) -> None:
    replies = (answer(200, json.loads(content("c2b_register_ack_v2"))), answer(200, json.loads(content(name))))
    daraja = ScriptedDaraja(*replies)

    make_provider(daraja, nominated_number="0722000000").register_incoming(ADDRESSES)

    assert daraja.body(1)["NominatedNumber"] == "254722000000"


def test_the_recorded_qr_code() -> None:
    daraja = ScriptedDaraja(answer(200, json.loads(content("qr_ok_v3doc"))))

    code = make_provider(daraja).make_qr_code(QrRequest(reference="A1", amount=Money(1, "KES")))

    assert code.png.startswith(b"\x89PNG")
    assert code.provider_reference == "16738-27456357-1"


@pytest.mark.parametrize("name", sorted(NOT_OFFERED))
@pytest.mark.parametrize("reference", [None, "ch_1", PAYOUT, REFUND, INCOMING])
def test_recorded_bodies_of_what_is_not_offered_are_refused(name: str, reference: str | None) -> None:
    with pytest.raises(WebhookRejected, match=r"not offered here|no message of M-Pesa"):
        read(name, reference)
    with pytest.raises(OutcomeUnknown):
        acknowledged(recorded(name))


def test_a_recorded_tax_result_means_nothing_at_the_accounts_address() -> None:
    for reference in (None, "ch_1"):
        with pytest.raises(WebhookRejected):
            read("tax_result_fail_2001_list", reference)


def test_every_recorded_body_is_tested() -> None:
    here = {*CONFIRMED, *RESULTS, *BALANCES, *NOT_OFFERED, *OTHERS}
    express = {*PAID, *DECLINED, *ACCEPTED, *REFUSED, *QUERIES, *EXPRESS_OTHERS}

    assert here.isdisjoint(express)
    assert {path.stem for path in all_recorded()} == here | express


@pytest.mark.parametrize("reference", [None, "ch_1", PAYOUT, REFUND, INCOMING])
@pytest.mark.parametrize("topic", ["", "status", "timeout", "balance", "notice", "check"])
def test_no_recorded_body_breaks_any_address(reference: str | None, topic: str) -> None:
    for path in all_recorded():
        try:
            event = read(path.stem, reference, topic=topic)
        except WebhookRejected:
            continue
        assert event.provider_reference
