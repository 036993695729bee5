"""Where a payout goes: a phone, a paybill with an account, a till, or a shortcode whose float is topped up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from majuu_core.providers import Violation
from majuu_mpesa.phone import PhoneError, normalise_phone
from majuu_mpesa.text import plain_text

_NUMBER = re.compile(r"[0-9]{5,7}")
_ACCOUNT = re.compile(r"[A-Za-z0-9 ./_-]{1,13}")


@dataclass(frozen=True, slots=True)
class B2BKind:
    """One kind of payment to a business: the field that names it, and Daraja's words for it."""

    field: str
    command: str
    receiver_type: str


_B2B = (
    B2BKind("paybill", "BusinessPayBill", "4"),
    B2BKind("till", "BusinessBuyGoods", "2"),  # the documentation knows only 4; production takes 2
    B2BKind("top_up", "BusinessPayToBulk", "4"),
)
_KINDS = ("phone", *(kind.field for kind in _B2B))


def kind_of(destination: Mapping[str, str]) -> B2BKind | None:
    """The kind of business payment; None for a phone."""
    return next((kind for kind in _B2B if kind.field in destination), None)


def normalise_destination(given: Mapping[str, str]) -> tuple[dict[str, str], list[Violation]]:
    """The destination in canonical form, and every objection to it."""
    entered = {name: value.strip() for name, value in given.items() if value and value.strip()}
    named = [name for name in _KINDS if name in entered]
    unknown = sorted(set(entered) - {*_KINDS, "account"})
    if unknown:
        text = f"M-Pesa knows no {plain_text(unknown[0], limit=40)}. Use {', '.join(_KINDS)}."
        return entered, [_violation("destination_unknown", text, unknown[0])]
    if len(named) != 1:
        text = f"Name exactly one of {', '.join(_KINDS)}."
        return entered, [Violation(code="destination_missing", message=text, field="destination")]
    if named[0] == "phone":
        return _phone(entered)
    return _business(entered, named[0])


def _phone(entered: dict[str, str]) -> tuple[dict[str, str], list[Violation]]:
    if "account" in entered:
        return entered, [_violation("account_unexpected", "Only a paybill has an account number.", "account")]
    try:
        return {"phone": normalise_phone(entered["phone"])}, []
    except PhoneError as problem:
        return entered, [_violation(problem.code, str(problem), "phone")]


def _business(entered: dict[str, str], name: str) -> tuple[dict[str, str], list[Violation]]:
    violations = []
    if not _NUMBER.fullmatch(entered[name]):
        violations.append(_violation("shortcode_invalid", "Enter the 5 to 7 digits of the number.", name))
    account = entered.get("account", "")
    if name != "paybill" and account:
        violations.append(_violation("account_unexpected", "Only a paybill has an account number.", "account"))
    if name == "paybill" and not _ACCOUNT.fullmatch(account):
        text = "Enter the account number at the paybill: 1 to 13 letters, digits, spaces or . / _ -"
        violations.append(_violation("account_invalid", text, "account"))
    return entered, violations


def _violation(code: str, message: str, field: str) -> Violation:
    return Violation(code=code, message=message, field=f"destination.{field}")
