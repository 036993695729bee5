"""The bodies of results and of queue-timeout notices, in the shapes seen in the wild."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from majuu_sim.daraja.books import CHARGES, UTILITY, WORKING, Books, label_of
from majuu_sim.daraja.config import RESULT_SHAPES, Shortcode
from majuu_sim.daraja.customers import Customers
from majuu_sim.daraja.formats import eat_digits, eat_dotted, no_receipt
from majuu_sim.daraja.jobs_records import B2B, B2C, BALANCE, REVERSAL, STATUS, Job
from majuu_sim.daraja.jobs_work import Found
from majuu_sim.daraja.results import Result

ABSENT = object()  # a key that comes without a Value

Parameters = list[tuple[str, object]]

_ESSENTIAL = {
    B2C: "TransactionReceipt",
    B2B: "Amount",
    REVERSAL: "OriginalTransactionID",
    STATUS: "TransactionStatus",
    BALANCE: "AccountBalance",
}
_PATHS = {
    B2C: "b2cresults",
    B2B: "b2bresults",
    REVERSAL: "reversalresults",
    STATUS: "trxstatusresults",
    BALANCE: "abresults",
}
_SPACED = {
    "ConversationID": "Conversation ID",
    "OriginatorConversationID": "Originator Conversation ID",
    "FinalisedTime": "FinalizedTime",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a result says: not always what happened."""

    result: Result
    receipt: str
    amount: Decimal
    moment: datetime
    shape: str = "plain"


def choose_shape(configured: str, scripted: str | None, rng: random.Random) -> str:
    """The shape of one result; "mixed" picks one that still tells the whole story."""
    shape = scripted if scripted in RESULT_SHAPES else configured
    return rng.choice(["plain", "text", "numbers", "duplicate_keys", "spaced_keys"]) if shape == "mixed" else shape


def as_number(amount: Decimal) -> int | float:
    """As results carry amounts. A float only because the body has a JSON number; nothing is computed with it."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


class Scribe:
    """Writes what results say, from the books as they stand."""

    def __init__(self, *, books: Books, customers: Customers) -> None:
        """Read balances from ``books`` and names from ``customers``."""
        self._books = books
        self._customers = customers

    def result_body(self, job: Job, claim: Claim, owner: Shortcode, found: Found | None) -> dict[str, Any]:
        """A whole result."""
        inner: dict[str, Any] = {
            "ResultType": _code("0", job, claim.shape),
            "ResultCode": _code(claim.result.code, job, claim.shape),
            "ResultDesc": claim.result.text,
            "OriginatorConversationID": job.originator_conversation_id,
            "ConversationID": job.conversation_id,
            "TransactionID": claim.receipt or no_receipt(claim.moment),
        }
        if claim.result.paid:
            parameters = _reshape(self._parameters(job, claim, owner, found), job, claim.shape)
        else:
            parameters = _failure_parameters(job, claim)
        _add_parameters(inner, parameters, claim)
        if claim.result.paid:
            inner["ReferenceData"] = {"ReferenceItem": _reference(job)}
        elif job.request.product not in (REVERSAL, STATUS):
            inner["ReferenceData"] = {"ReferenceItem": _item(*_timeout_reference(job))}
        return {"Result": inner}

    def _parameters(self, job: Job, claim: Claim, owner: Shortcode, found: Found | None) -> Parameters:
        match job.request.product:
            case "b2c_payment":
                return self._of_payout(job, claim, owner)
            case "b2b_payment":
                return self._of_b2b(job, claim, owner)
            case "reversal":
                return self._of_reversal(job, claim, owner)
            case "transaction_status":
                return _of_status(found, claim.shape) if found is not None else []
            case _:
                return self._of_balance(claim, owner)

    def _of_payout(self, job: Job, claim: Claim, owner: Shortcode) -> Parameters:
        accounts = self._books.accounts_of(owner.number)
        party = job.request.party
        return [
            ("TransactionAmount", as_number(claim.amount)),
            ("TransactionReceipt", claim.receipt),
            ("ReceiverPartyPublicName", self._customers.public_name(party)),
            ("TransactionCompletedDateTime", eat_dotted(claim.moment)),
            ("B2CUtilityAccountAvailableFunds", as_number(accounts[UTILITY].available)),
            ("B2CWorkingAccountAvailableFunds", as_number(accounts[WORKING].available)),
            ("B2CRecipientIsRegisteredCustomer", "Y" if self._customers.is_registered(party) else "N"),
            ("B2CChargesPaidAccountAvailableFunds", as_number(accounts[CHARGES].available)),
        ]

    def _of_b2b(self, job: Job, claim: Claim, owner: Shortcode) -> Parameters:
        working = self._books.account(owner.number, WORKING)
        receiver = job.movement.receiver if job.movement is not None else job.request.party
        balance = _amount_text(working.available)
        charge = [posting for posting in (job.movement.postings if job.movement else ()) if posting.is_charge]
        charges = f"Business Pay Bill Charge|KES|{-charge[0].amount:.2f}" if charge else ABSENT
        return [
            ("InitiatorAccountCurrentBalance", balance),
            ("DebitAccountCurrentBalance", balance),
            ("Amount", as_number(claim.amount)),
            ("DebitPartyAffectedAccountBalance", working.to_text(label_of(WORKING, owner))),
            ("TransCompletedTime", int(eat_digits(claim.moment))),
            ("DebitPartyCharges", charges),
            ("ReceiverPartyPublicName", receiver),
            ("Currency", "KES"),
        ]

    def _of_reversal(self, job: Job, claim: Claim, owner: Shortcode) -> Parameters:
        account = self._books.account(owner.number, UTILITY)
        original = self._books.find(job.request.transaction_id)
        return [
            ("DebitAccountBalance", account.to_text(label_of(UTILITY, owner))),
            ("Amount", as_number(claim.amount)),
            ("TransCompletedTime", int(eat_digits(claim.moment))),
            ("OriginalTransactionID", job.request.transaction_id),
            ("Charge", 0),
            ("CreditPartyPublicName", original.payer if original is not None else ABSENT),
            ("DebitPartyPublicName", owner.public_name),
        ]

    def _of_balance(self, claim: Claim, owner: Shortcode) -> Parameters:
        missing = UTILITY if claim.shape == "account_missing" else None
        moment = eat_digits(claim.moment)
        return [
            ("AccountBalance", self._books.balance_text(owner, without=missing)),
            ("BOCompletedTime", int(moment) if claim.shape == "numbers" else moment),
        ]


def notice_body(job: Job, moment: datetime, shape: str) -> dict[str, Any]:
    """What goes to the QueueTimeOutURL. Nobody has published one: ids are all a receiver may count on."""
    ids = {
        "OriginatorConversationID": job.originator_conversation_id,
        "ConversationID": job.conversation_id,
    }
    if shape == "thin_notice":
        return {"Result": ids}
    inner = {"ResultType": 1, "ResultCode": 1, "ResultDesc": "The service request timed out.", **ids}
    return {"Result": {**inner, "TransactionID": no_receipt(moment)}}


def _code(code: str, job: Job, shape: str) -> int | str:
    """Balances come with text, the others with numbers; a shape turns that round."""
    as_text = shape == "text" or (job.request.product == BALANCE and shape != "numbers")
    return code if as_text or not code.isdecimal() else int(code)


def _amount_text(amount: Decimal) -> str:
    """An amount with its cents, as B2B results write it."""
    return f"{{Amount={{CurrencyCode=KES, MinimumAmount={int(amount * 100)}, BasicAmount={amount:.2f}}}}}"


def _of_status(found: Found, shape: str) -> Parameters:
    finished = eat_digits(found.finished_at) if found.finished_at is not None else ""
    credit = "DebitPartyName" if shape == "duplicate_keys" else "CreditPartyName"
    known: list[tuple[str, str]] = [
        ("DebitPartyName", found.payer),
        (credit, found.receiver),
        ("OriginatorConversationID", found.originator_conversation_id),
        ("InitiatedTime", eat_digits(found.started_at)),
        ("DebitAccountType", found.debit_account),
        ("DebitPartyCharges", found.charges),
        ("TransactionReason", ""),
        ("ReasonType", found.reason),
        ("TransactionStatus", found.status),
        ("FinalisedTime", finished),
        ("Amount", f"{as_number(found.amount)}"),
        ("ConversationID", found.conversation_id),
        ("ReceiptNo", found.receipt),
    ]
    return [(key, value or ABSENT) for key, value in known]


def _failure_parameters(job: Job, claim: Claim) -> Parameters:
    """Failures of B2B and balance requests carry one parameter."""
    if job.request.product in (B2B, BALANCE):
        return [("BOCompletedTime", int(eat_digits(claim.moment)))]
    return []


def _reshape(parameters: Parameters, job: Job, shape: str) -> Parameters:
    match shape:
        case "text":
            return [(key, value if value is ABSENT else str(value)) for key, value in parameters]
        case "spaced_keys":
            return [(_SPACED.get(key, key), _numeric(value)) for key, value in parameters]
        case "duplicate_keys" if job.request.product != STATUS:
            return [*parameters, *parameters[:1]]
        case "single_parameter":
            return [pair for pair in parameters if pair[0] == _ESSENTIAL[job.request.product]]
        case _:
            return parameters


def _numeric(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value


def _add_parameters(inner: dict[str, Any], parameters: Parameters, claim: Claim) -> None:
    if claim.shape == "null_parameters":
        inner["ResultParameters"] = {"ResultParameter": None}
    elif parameters and claim.shape != "no_parameters":
        items = [_item(key, value) for key, value in parameters]
        single = len(items) == 1 and claim.shape != "list"
        inner["ResultParameters"] = {"ResultParameter": items[0] if single else items}


def _item(key: str, value: object) -> dict[str, object]:
    return {"Key": key} if value is ABSENT else {"Key": key, "Value": value}


def _timeout_reference(job: Job) -> tuple[str, str]:
    return "QueueTimeoutURL", f"https://internal.majuu-sim.invalid/{_PATHS[job.request.product]}/v1/submit"


def _reference(job: Job) -> dict[str, object] | Sequence[dict[str, object]]:
    """A single item, or a list of them."""
    occasion = _item("Occasion", job.request.occasion or ABSENT)
    if job.request.product == STATUS:
        return occasion
    timeout = _item(*_timeout_reference(job))
    if job.request.product != B2B:
        return timeout
    return [_item("BillReferenceNumber", job.request.account_reference or ABSENT), timeout, occasion]
