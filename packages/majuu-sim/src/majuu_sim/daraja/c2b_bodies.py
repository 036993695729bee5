"""The bodies of C2B validations and confirmations, in the shapes seen in the wild. Pure functions."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from majuu_sim.daraja.config import C2B_SHAPES
from majuu_sim.daraja.customers import split_names
from majuu_sim.daraja.formats import eat_digits

MERCHANT_PAYMENT = "Customer Merchant Payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a body tells of a payment."""

    receipt: str
    moment: datetime
    amount: int
    receiver: str
    account_reference: str
    msisdn: str
    names: str
    is_till: bool
    third_party_id: str = ""
    balance: Decimal | None = None  # of the receiver afterwards; None: not yet known


def hashed(msisdn: str) -> str:
    """As v1 sends a number: the hex SHA-256 of its twelve digits."""
    return hashlib.sha256(msisdn.encode()).hexdigest()


def hash_with_hole(msisdn: str) -> str:
    """As production sends it for tills: the same, with asterisks in the place of eight digits."""
    digest = hashed(msisdn)
    return f"{digest[:34]} ***** {digest[42:]}"


def masked(msisdn: str) -> str:
    """As v2 sends it: ``2547 ***** 126``."""
    return f"{msisdn[:4]} ***** {msisdn[-3:]}"


def choose_shape(configured: str, scripted: str | None, *, version: str, is_till: bool, rng: random.Random) -> str:
    """The shape of one body; "auto" follows the registration, and tills are told as production does."""
    shape = scripted if scripted in C2B_SHAPES else configured
    if shape == "mixed":
        shape = rng.choice(["v1", "v2", "plain_number", "first_name_only", "till" if is_till else "auto"])
    if shape == "auto":
        return "till" if is_till else version
    return shape


def payment_body(told: Told, shape: str) -> dict[str, str]:
    """A validation (no balance yet) or a confirmation. Every value is text."""
    return {
        "TransactionType": _type(told, shape),
        "TransID": told.receipt,
        "TransTime": eat_digits(told.moment),
        "TransAmount": f"{told.amount}.00",
        "BusinessShortCode": told.receiver,
        "BillRefNumber": "" if told.is_till else told.account_reference,
        "InvoiceNumber": "",
        "OrgAccountBalance": "" if told.balance is None else f"{told.balance:.2f}",
        "ThirdPartyTransID": told.third_party_id,
        "MSISDN": _number(told.msisdn, shape),
        **_names(told.names, shape),
    }


def _type(told: Told, shape: str) -> str:
    if shape == "untyped":
        return ""
    if not told.is_till:
        return "Pay Bill"
    return "Buy Goods" if shape == "buy_goods" else MERCHANT_PAYMENT


def _number(msisdn: str, shape: str) -> str:
    if shape in ("plain_number", "untyped"):
        return msisdn
    if shape == "till":
        return hash_with_hole(msisdn)
    return masked(msisdn) if shape == "v2" else hashed(msisdn)


def _names(names: str, shape: str) -> dict[str, str]:
    first, middle, last = split_names(names)
    if shape in ("till", "first_name_only"):
        return {"FirstName": first.upper()}  # the other keys are absent, not empty
    return {"FirstName": first, "MiddleName": middle, "LastName": last}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a business said to a validation."""

    accepted: bool
    code: str
    third_party_id: str = ""


def read_verdict(answer: str) -> Verdict | None:
    """The verdict in a validation's answer; None when it is no answer Daraja could understand."""
    try:
        data: Any = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or "ResultCode" not in data:
        return None
    code = str(data["ResultCode"])
    third_party_id = data.get("ThirdPartyTransID")
    return Verdict(code == "0", code, third_party_id if isinstance(third_party_id, str) else "")
