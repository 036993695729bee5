"""Who is meant: from an e-mail address, a telephone number, a customer's or a user's id to all that one is known by."""

from __future__ import annotations

import re
from collections.abc import Iterable

from majuu_core.accounts.personal_data import emails_and_phones_of, find_users
from majuu_core.common.problems import Invalid
from majuu_core.payments.models import Customer
from majuu_core.payments.personal_data import find_customers
from majuu_core.plugins.personal_data import Identity

_USER = re.compile(r"user:[0-9]+")
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{6,20}")
_KENYA = "254"
_ROUNDS = 5  # an account leads to an address, that to a customer, and then nothing new comes


def identify(text: str) -> Identity:
    """All that this person is known by: their accounts and customers, and the addresses and numbers of those.

    ``text`` is an e-mail address, a telephone number, ``cus_…`` or ``user:7``. Payments do not lead further: a shop may
    have written several people's numbers on one. Raises Invalid when it is none of these.
    """
    found = _first(text.strip())
    for _ in range(_ROUNDS):
        wider = _widened(found)
        if wider == found:
            break
        found = wider
    return found


def _first(text: str) -> Identity:
    if "@" in text:
        return Identity(emails=frozenset({text.lower()}))
    if _USER.fullmatch(text):
        return Identity(user_ids=frozenset({text.removeprefix("user:")}))
    if text.startswith(f"{Customer.id_prefix}_"):
        return Identity(customer_ids=frozenset({text}))
    if _PHONE.fullmatch(text):
        return Identity(phones=spellings(text))
    raise Invalid("person_unknown", "Give an e-mail address, a telephone number, cus_… or user:…", field="person")


def spellings(number: str) -> frozenset[str]:
    """The usual ways to write one telephone number. A number that begins with 0 is taken for a Kenyan one."""
    digits = "".join(character for character in number if character.isdecimal())
    if not digits:
        return frozenset()
    if digits.startswith("0") and not digits.startswith("00"):
        digits = _KENYA + digits[1:]
    digits = digits.removeprefix("00")
    found = {digits, f"+{digits}"}
    if digits.startswith(_KENYA):
        found |= {f"0{digits.removeprefix(_KENYA)}", digits.removeprefix(_KENYA)}
    return frozenset(found)


def _widened(known: Identity) -> Identity:
    users, customers = list(find_users(known)), list(find_customers(known))
    pairs = [emails_and_phones_of(user) for user in users]
    emails: Iterable[str] = [address for found, _ in pairs for address in found] + [row.email for row in customers]
    phones = [spelling for _, numbers in pairs for number in numbers for spelling in spellings(number)]
    return Identity(
        emails=known.emails | {address.lower() for address in emails if address},
        phones=known.phones | frozenset(phones),
        user_ids=known.user_ids | {str(user.pk) for user in users},
        customer_ids=known.customer_ids | {row.public_id for row in customers},
    )


def names_of(identity: Identity) -> frozenset[str]:
    """Everything the person is known by, as plain texts: what a hold is compared with."""
    users = {f"user:{number}" for number in identity.user_ids}
    return identity.emails | identity.phones | identity.customer_ids | users
