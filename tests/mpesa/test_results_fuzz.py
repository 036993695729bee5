"""Whatever comes to a callback address is an event of the contract or a refusal with a reason, and never a guess."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from majuu_core.providers import ProviderEvent, ResultStatus, WebhookRejected, WebhookRequest
from majuu_mpesa.balances import read_accounts
from majuu_mpesa.pull import read_row, read_rows
from majuu_mpesa.result_codes import OUTGOING_FAILURES, REVERSAL_FAILURES, definite_failure
from tests.mpesa.support import SAFARICOM, credentials, make_provider

READY: dict[str, Any] = {"initiator_name": "testapi", "security_credential": "A" * 344}
REFERENCES = ("po_01jgx5v9k3m2n4p6r8t0", "re_01jgx5v9k3m2n4p6r8t1", "in_01jgx5v9k3m2n4p6r8t2", "ch_1", None)
TYPES = {"payout.updated", "refund.updated", "incoming.checked", "incoming.received", "balance.reported"}
PROVIDER = make_provider(**READY)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=30),
    st.sampled_from(
        ["0", "1", "2001", "Completed", "10.00", "20240706224852", "06.07.2024 22:48:52", "AG_1", "\ud800"]
    ),
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)
keys = st.sampled_from(
    [
        *("TransactionAmount", "TransactionReceipt", "Amount", "ReceiptNo", "TransactionStatus", "DebitPartyName"),
        *("CreditPartyName", "DebitPartyCharges", "AccountBalance", "FinalisedTime", "Conversation ID", "Originator"),
    ]
)
entries = st.one_of(anything, st.fixed_dictionaries({"Key": keys | scalars}, optional={"Value": anything}))
inner = st.fixed_dictionaries(
    {},
    optional={
        "ResultType": scalars,
        "ResultCode": scalars,
        "ResultDesc": anything,
        "ConversationID": st.just("AG_20240706_2010364430d9bbdaf872") | anything,
        "OriginatorConversationID": st.just("53e3-4aa8-9fe0-1") | anything,
        "TransactionID": st.just("SG632NMUAB") | scalars,
        "ResultParameters": anything
        | st.fixed_dictionaries({"ResultParameter": entries | st.lists(entries, max_size=6)}),
        "ReferenceData": anything,
    },
)
notices = st.dictionaries(
    st.sampled_from(
        ["TransID", "TransAmount", "BusinessShortCode", "MSISDN", "TransTime", "OrgAccountBalance", "FirstName"]
    ),
    anything | st.sampled_from(["RKL51ZDR4F", "5.00", "174379", "2547 ***** 126", "20231121121325", ""]),
)
bodies = st.one_of(anything, st.fixed_dictionaries({"Result": inner | anything}), notices)
addresses = st.tuples(
    st.sampled_from(REFERENCES), st.sampled_from(["", "status", "timeout", "balance", "notice", "check"])
)


def read(body: bytes, reference: str | None, topic: str) -> ProviderEvent | None:
    """The event, or None for a refusal; anything else is raised."""
    request = WebhookRequest(
        method="POST", headers={}, query={}, body=body, remote_addr=SAFARICOM, reference=reference, topic=topic
    )
    try:
        [event] = PROVIDER.parse_webhook(request)
    except WebhookRejected:
        return None
    return event


@settings(max_examples=400, deadline=None)
@given(body=bodies, address=addresses)
def test_nothing_that_arrives_breaks_the_reader(body: Any, address: tuple[str | None, str]) -> None:
    event = read(json.dumps(body).encode(), *address)

    if event is None:
        return
    assert event.type in TYPES
    assert event.provider_reference
    assert event.provider_reference.isascii()
    assert event.occurred_at.tzinfo is not None
    json.dumps(event.result.raw)
    assert "\x00" not in repr(event)
    if event.result.amount is not None:
        assert event.result.amount.amount > 0


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=200), address=addresses)
def test_nor_do_bytes_that_are_no_json(content: bytes, address: tuple[str | None, str]) -> None:
    read(content, *address)


@settings(max_examples=300, deadline=None)
@given(result=inner, address=addresses)
def test_only_a_code_that_is_a_definite_no_fails_and_only_nought_succeeds(
    result: dict[str, Any], address: tuple[str | None, str]
) -> None:
    topic = address[1]
    event = read(json.dumps({"Result": result}).encode(), *address)

    if event is None or event.type == "balance.reported":
        return
    text = str(result.get("ResultCode")).strip()
    if event.result.status is ResultStatus.SUCCEEDED:
        assert text in ("0", "-0", "0.0", "-0.0")
    if event.result.status is ResultStatus.FAILED:
        assert topic != "timeout"
        known = {*OUTGOING_FAILURES, *REVERSAL_FAILURES, "0", "0.0", "-0.0"}
        assert text.removesuffix(".0") in known
    if topic == "timeout":
        assert event.result.status is ResultStatus.PENDING


@given(st.text(max_size=32).filter(lambda code: code not in OUTGOING_FAILURES))
def test_a_code_that_is_not_in_the_table_is_no_failure(code: str) -> None:
    assert definite_failure(code) is None
    assert (definite_failure(code, reversal=True) is None) is (code not in REVERSAL_FAILURES)


@given(st.text(max_size=300) | st.text(alphabet="Working Account|KES|0123456789.-&", max_size=300))
def test_no_text_breaks_the_reader_of_balances(text: str) -> None:
    for account in read_accounts(text):
        assert account.name
        assert account.current.currency.code == "KES"


@given(
    st.dictionaries(
        st.sampled_from(["transactionId", "trxDate", "msisdn", "sender", "transactiontype", "billreference", "amount"]),
        anything | st.sampled_from(["yzlyrEsRG1", "2020-08-05T10:13:00Z", "168.00"]),
    )
)
def test_no_row_breaks_the_reader_of_pulled_payments(row: dict[str, Any]) -> None:
    found = read_row(row, credentials())

    if found is not None:
        assert found.amount.amount > 0
        assert found.occurred_at.tzinfo is not None


@given(anything)
def test_no_answer_breaks_the_reader_of_pages(response: Any) -> None:
    rows = read_rows({"ResponseCode": "1000", "Response": response})

    assert all(isinstance(row, dict) for row in rows)


@pytest.mark.parametrize("code", sorted(OUTGOING_FAILURES))
def test_every_definite_no_tells_the_merchant_what_to_do(code: str) -> None:
    failure = definite_failure(code, description="Safaricom's words")

    assert failure is not None
    assert failure.message.endswith("(M-Pesa: Safaricom's words)")
    assert len(failure.message) < 300
