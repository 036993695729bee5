"""How a bank writes its CSV files: tried on a real file first, then saved with the account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, cast

from pydantic import ValidationError

from majuu_core.common.problems import Conflict, Invalid
from majuu_core.manual.bank_mapping import BankMapping
from majuu_core.manual.credentials import ManualCredentials
from majuu_core.manual.provider import ManualProvider
from majuu_core.manual.statements import read_mapped
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import open_credentials, update_credentials
from majuu_core.providers import StatementLine, StatementProblem, StatementUnreadable

SHOWN_ROWS = 10
_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class MappingPreview:
    """The first rows as the mapping understands them, and the first it does not."""

    lines: tuple[StatementLine, ...]
    problems: tuple[StatementProblem, ...]


def has_mapping(account: ProviderAccount) -> bool:
    """Whether accounts of this kind have a mapping at all."""
    return account.provider == ManualProvider.code


def saved_mapping(account: ProviderAccount) -> BankMapping | None:
    """The account's mapping; None before there is one. Raises Conflict for an account without bank statements."""
    return _credentials(account).statement


def read_mapping(entered: Mapping[str, Any]) -> BankMapping:
    """A mapping from what was entered. Raises Invalid with the field and what to do."""
    try:
        return BankMapping.model_validate({name: value for name, value in entered.items() if value not in ("", None)})
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        field = str(first["loc"][0]) if first["loc"] else ""
        raise Invalid("mapping_invalid", first["msg"].removeprefix("Value error, "), field=field) from None


def preview_mapping(account: ProviderAccount, mapping: BankMapping, file: BinaryIO) -> MappingPreview:
    """Read the beginning of a file. Nothing is kept. Raises Invalid when none of it can be read."""
    credentials = _credentials(account)
    try:
        found = list(
            islice(
                read_mapped(file, mapping, account_id=account.public_id, time_zone=credentials.time_zone), _LOOKED_AT
            )
        )
    except StatementUnreadable as problem:
        raise Invalid("statement_unreadable", str(problem), field="file") from None
    lines = [item for item in found if isinstance(item, StatementLine)]
    problems = [item for item in found if isinstance(item, StatementProblem) and item.is_error]
    if not lines and not problems:
        raise Invalid("statement_unreadable", "The file has no row below its headings.", field="file")
    return MappingPreview(tuple(lines[:SHOWN_ROWS]), tuple(problems[:SHOWN_ROWS]))


def save_mapping(*, account: ProviderAccount, mapping: BankMapping) -> ProviderAccount:
    """Keep the mapping with the account. Raises Conflict for an account without bank statements."""
    known = _credentials(account).model_dump(mode="json")
    return update_credentials(account=account, credentials={**known, "statement": mapping.model_dump(mode="json")})


def _credentials(account: ProviderAccount) -> ManualCredentials:
    if not has_mapping(account):
        raise Conflict("mapping_unsupported", "Only accounts for bank transfers and cash have bank statements.")
    return cast("ManualCredentials", open_credentials(account))
