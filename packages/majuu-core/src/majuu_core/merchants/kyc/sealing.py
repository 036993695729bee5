"""The encrypted columns of a case: bound to their row, re-encrypted with all others when keys rotate."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

from django.views.decorators.debug import sensitive_variables

from majuu_core.database.sealed import SealedColumn
from majuu_core.merchants.kyc_models import KycCase, KycDocument, KycPerson

SHOWN_END = 3

SETTLEMENT = SealedColumn(
    model="majuu_merchants.KycCase",
    column="settlement_account",
    purpose="kyc-settlement",
    bound_to=lambda case: str(case.public_id),
)
IDENTITY = SealedColumn(
    model="majuu_merchants.KycPerson",
    column="identity",
    purpose="kyc-identity",
    bound_to=lambda person: str(person.public_id),
)
FILE_KEY = SealedColumn(
    model="majuu_merchants.KycDocument",
    column="file_key",
    purpose="kyc-file-key",
    bound_to=lambda document: str(document.public_id),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """When somebody was born and the number of their identity document."""

    born_on: date
    id_number: str

    def __repr__(self) -> str:
        return "Identity(…)"


@sensitive_variables("identity")
def seal_identity(person: KycPerson, identity: Identity) -> str:
    """What the row stores."""
    plain = {"born_on": identity.born_on.isoformat(), "id_number": identity.id_number}
    return IDENTITY.seal(person, json.dumps(plain).encode())


@sensitive_variables("plain")
def open_identity(person: KycPerson) -> Identity:
    """What the row holds. Raises DecryptionError."""
    plain = json.loads(IDENTITY.open(person))
    return Identity(born_on=date.fromisoformat(plain["born_on"]), id_number=plain["id_number"])


@sensitive_variables("account")
def seal_account(case: KycCase, account: str) -> str:
    """What the row stores; "" stays as it is."""
    return SETTLEMENT.seal(case, account.encode()) if account else ""


def open_account(case: KycCase) -> str:
    """The number of the account, till or paybill; "" when none was given. Raises DecryptionError."""
    return SETTLEMENT.open(case).decode() if case.settlement_account else ""


@sensitive_variables("number")
def masked(number: str) -> str:
    """A number to be recognised by, such as ``•••••678``; short ones are hidden whole."""
    shown = number[-SHOWN_END:] if len(number) >= 2 * SHOWN_END else ""
    return "•" * (len(number) - len(shown)) + shown


@sensitive_variables("key")
def seal_file_key(document: KycDocument, key: str) -> str:
    """What the row stores: the key of its file."""
    return FILE_KEY.seal(document, key.encode())


def open_file_key(document: KycDocument) -> str:
    """The key of the document's file. Raises DecryptionError."""
    return FILE_KEY.open(document).decode()
