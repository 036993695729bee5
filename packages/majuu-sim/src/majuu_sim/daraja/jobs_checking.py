"""Reads the bodies of B2C, B2B, reversal, status and balance requests, and says no in Daraja's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from majuu_sim.daraja import refusals
from majuu_sim.daraja.checking import AMOUNT, MSISDN, SHORTCODE, check_url, matching, text_in
from majuu_sim.daraja.config import DarajaConfig
from majuu_sim.daraja.jobs_records import B2B, B2C, BALANCE, REVERSAL, STATUS, JobRequest

PAYOUT_COMMANDS = ("BusinessPayment", "SalaryPayment", "PromotionPayment")
B2B_COMMANDS = (
    "BusinessPayBill",
    "BusinessBuyGoods",
    "BusinessPayToBulk",
    "BusinessToBusinessTransfer",
    "MerchantToMerchantTransfer",
    "BusinessTransferFromMMFToUtility",
    "DisburseFundsToBusiness",
)
_RECEIPT = re.compile("[A-Za-z0-9]{10}")
_SAFE_ID = re.compile("[A-Za-z0-9_-]+")
_WHOLE = re.compile("[0-9]{1,12}")  # zero is found out later, as a result
_LONGEST_TEXT = 100
_LONGEST_ACCOUNT = 13


def _choice(*choices: str) -> re.Pattern[str]:
    return re.compile("|".join(choices))


def _words(body: Mapping[str, Any], name: str, *, shortest: int, longest: int = _LONGEST_TEXT) -> str:
    """Free text; may be left out when ``shortest`` is 0."""
    value = body.get(name, "") if shortest == 0 else body.get(name)
    if value is None and shortest == 0:
        return ""
    if not isinstance(value, str) or not shortest <= len(value) <= longest:
        raise refusals.invalid_field(name)
    return value


def _own_shortcode(body: Mapping[str, Any], name: str, config: DarajaConfig) -> str:
    number = matching(body, name, SHORTCODE)
    if config.find(number) is None:
        raise refusals.invalid_field(name)
    return number


def _required_text(body: Mapping[str, Any], name: str) -> str:
    value = text_in(body, name)
    if not value:
        raise refusals.invalid_field(name)
    return value


def _common(body: Mapping[str, Any], config: DarajaConfig, *, initiator: str, remarks: int) -> dict[str, Any]:
    """The fields every one of these requests has. ``remarks``: the shortest that will do."""
    return {
        "initiator": _required_text(body, initiator),
        "credential": _required_text(body, "SecurityCredential"),
        "remarks": _words(body, "Remarks", shortest=remarks),
        "timeout_url": check_url(body, "QueueTimeOutURL", config),
        "result_url": check_url(body, "ResultURL", config),
    }


def check_payout(body: Mapping[str, Any], config: DarajaConfig, *, version: str) -> JobRequest:
    """B2C. Amounts outside the limits are taken and refused later, as a result."""
    originator = ""
    if version == "v3":
        originator = matching(body, "OriginatorConversationID", _SAFE_ID)
        if len(originator) > config.max_originator_id:
            raise refusals.invalid_field("OriginatorConversationID")
    return JobRequest(
        product=B2C,
        command=matching(body, "CommandID", _choice(*PAYOUT_COMMANDS)),
        shortcode=_own_shortcode(body, "PartyA", config),
        amount=int(matching(body, "Amount", _WHOLE)),
        party=matching(body, "PartyB", MSISDN),
        occasion=_words(body, "Occassion", shortest=0) or _words(body, "Occasion", shortest=0),
        originator_conversation_id=originator,
        **_common(body, config, initiator="InitiatorName", remarks=2),
    )


def check_b2b(body: Mapping[str, Any], config: DarajaConfig) -> JobRequest:
    """B2B to a paybill, a till or another organisation's utility account."""
    command = matching(body, "CommandID", _choice(*B2B_COMMANDS))
    matching(body, "SenderIdentifierType", _choice("4"))
    matching(body, "RecieverIdentifierType", _choice("2", "4") if command == "BusinessBuyGoods" else _choice("4"))
    if body.get("Requester"):
        matching(body, "Requester", MSISDN)
    shortest = 1 if command == "BusinessPayBill" else 0
    return JobRequest(
        product=B2B,
        command=command,
        shortcode=_own_shortcode(body, "PartyA", config),
        amount=int(matching(body, "Amount", AMOUNT)),
        party=matching(body, "PartyB", SHORTCODE),
        account_reference=_words(body, "AccountReference", shortest=shortest, longest=_LONGEST_ACCOUNT),
        occasion=_words(body, "Occassion", shortest=0),
        **_common(body, config, initiator="Initiator", remarks=1),
    )


def check_reversal(body: Mapping[str, Any], config: DarajaConfig) -> JobRequest:
    """The return of a payment a customer made."""
    matching(body, "RecieverIdentifierType", _choice("11"))
    return JobRequest(
        product=REVERSAL,
        command=matching(body, "CommandID", _choice("TransactionReversal")),
        shortcode=_own_shortcode(body, "ReceiverParty", config),
        amount=int(matching(body, "Amount", AMOUNT)),
        transaction_id=matching(body, "TransactionID", _RECEIPT),
        occasion=_words(body, "Occasion", shortest=0),
        **_common(body, config, initiator="Initiator", remarks=2),
    )


def check_status(body: Mapping[str, Any], config: DarajaConfig) -> JobRequest:
    """A question about one transaction, by its receipt or by a conversation's id."""
    matching(body, "IdentifierType", _choice("1", "2", "4"))
    receipt = matching(body, "TransactionID", _RECEIPT) if body.get("TransactionID") else ""
    conversation = _conversation(body)
    if not receipt and not conversation:
        raise refusals.invalid_field("TransactionID")
    return JobRequest(
        product=STATUS,
        command=matching(body, "CommandID", _choice("TransactionStatusQuery")),
        shortcode=_own_shortcode(body, "PartyA", config),
        transaction_id=receipt,
        conversation=conversation,
        occasion=_words(body, "Occasion", shortest=0),
        **_common(body, config, initiator="Initiator", remarks=1),
    )


def _conversation(body: Mapping[str, Any]) -> str:
    for name in ("OriginalConversationID", "OriginatorConversationID"):
        if body.get(name):
            return _words(body, name, shortest=1)
    return ""


def check_balance(body: Mapping[str, Any], config: DarajaConfig) -> JobRequest:
    """A question about a shortcode's accounts."""
    matching(body, "IdentifierType", _choice("2", "4"))
    return JobRequest(
        product=BALANCE,
        command=matching(body, "CommandID", _choice("AccountBalance")),
        shortcode=_own_shortcode(body, "PartyA", config),
        **_common(body, config, initiator="Initiator", remarks=1),
    )
