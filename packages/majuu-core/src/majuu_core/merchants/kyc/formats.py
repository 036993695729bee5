"""What the fields of a case may hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from majuu_core.common import clock
from majuu_core.merchants.errors import InvalidInput
from majuu_core.merchants.kyc_models import KycCase
from majuu_core.providers.types import Violation

if TYPE_CHECKING:
    from majuu_core.merchants.kyc.cases import PersonDetails

# KRA: a letter for whom it is of (A: a person, P: anything else), nine digits, a check letter of its own making.
_KRA_PIN = re.compile(r"[AP]\d{9}[A-Z]")
_FOREIGN_TAX_NUMBER = re.compile(r"[A-Z0-9][A-Z0-9 ./-]{2,31}")
_ID_NUMBER = re.compile(r"[A-Z0-9][A-Z0-9/-]{3,31}")
_ACCOUNT = {
    KycCase.Settlement.BANK: (re.compile(r"[A-Z0-9]{5,34}"), "5 to 34 letters and digits"),
    KycCase.Settlement.TILL: (re.compile(r"\d{5,7}"), "5 to 7 digits"),
    KycCase.Settlement.PAYBILL: (re.compile(r"\d{5,7}"), "5 to 7 digits"),
}
_UPPER = ("tax_pin", "vat_number", "registration_number")


def plain_number(text: str) -> str:
    """A number as it is compared: without spaces, in capitals."""
    return re.sub(r"\s+", "", text).upper()


def checked_business(values: Mapping[str, Any], *, country: str, settlement_kind: str) -> dict[str, Any]:
    """The values as they are stored. Raises InvalidInput with every field that is wrong; an empty one is not wrong."""
    plain = {name: " ".join(value.split()) if isinstance(value, str) else value for name, value in values.items()}
    if isinstance(values.get("description"), str):
        plain["description"] = values["description"].strip()
    plain |= {name: plain_number(plain[name]) for name in _UPPER if isinstance(plain.get(name), str)}
    if isinstance(plain.get("settlement_account"), str):
        plain["settlement_account"] = plain_number(plain["settlement_account"])
    found = [problem for problem in (_tax_pin(plain, country), _account(plain, settlement_kind)) if problem is not None]
    if found:
        raise InvalidInput(*found)
    return plain


def check_person(details: PersonDetails) -> None:
    """Raises InvalidInput with every field that is wrong."""
    found = list(_person_problems(details))
    if found:
        raise InvalidInput(*found)


def _person_problems(details: PersonDetails) -> list[Violation]:
    found = []
    if not details.name.strip():
        found.append(Violation(code="required", message="Enter the whole name.", field="name"))
    if not (details.is_director or details.is_owner or details.is_signatory):
        message = "Say whether this is a director, an owner or a signatory."
        found.append(Violation(code="required", message=message, field="is_director"))
    today = clock.now().date()
    if not date(1900, 1, 1) <= details.born_on < today:
        found.append(Violation(code="invalid_birth_date", message="Check the birth date.", field="born_on"))
    if not _ID_NUMBER.fullmatch(plain_number(details.id_number)):
        message = "The number has 4 to 32 letters and digits."
        found.append(Violation(code="invalid_id_number", message=message, field="id_number"))
    if details.share_percent is not None and not details.is_owner:
        message = "Only an owner has a share."
        found.append(Violation(code="kyc_shares", message=message, field="share_percent"))
    return found


def _tax_pin(values: Mapping[str, Any], country: str) -> Violation | None:
    pin = values.get("tax_pin")
    if not pin:
        return None
    if country == "KE" and not _KRA_PIN.fullmatch(pin):
        message = "A KRA PIN is A or P, nine digits and a letter, such as P051234567Z."
        return Violation(code="invalid_tax_pin", message=message, field="tax_pin")
    if country != "KE" and not _FOREIGN_TAX_NUMBER.fullmatch(pin):
        message = "A tax number has 3 to 32 letters and digits."
        return Violation(code="invalid_tax_pin", message=message, field="tax_pin")
    return None


def _account(values: Mapping[str, Any], kind: str) -> Violation | None:
    number = values.get("settlement_account")
    if not number:
        return None
    if kind not in _ACCOUNT:
        message = "Say whether this is a bank account, a till or a paybill."
        return Violation(code="required", message=message, field="settlement_kind")
    pattern, form = _ACCOUNT[KycCase.Settlement(kind)]
    if pattern.fullmatch(number):
        return None
    return Violation(code="invalid_account", message=f"The number has {form}.", field="settlement_account")
