"""A provider account's credentials: checked against the provider's own schema, sealed, opened. Never shown again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.views.decorators.debug import sensitive_variables
from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from majuu_core.audit.services import record_entry
from majuu_core.common.crypto import DecryptionError
from majuu_core.common.redaction import MASK
from majuu_core.configuration import encryption_keys
from majuu_core.database.sealed import SealedColumn
from majuu_core.merchants.errors import CredentialsUnreadable, InvalidInput
from majuu_core.merchants.models import ProviderAccount
from majuu_core.providers.base import PaymentProvider
from majuu_core.providers.installed import installed_providers
from majuu_core.providers.registry import UnknownProvider
from majuu_core.providers.types import Violation

_SHORTEST_SECRET = 4
_KEPT_OPEN = 256  # accounts whose credentials a process keeps open


def record_account_entry(account: ProviderAccount, action: str, changes: Mapping[str, Any]) -> None:
    """Audit something done to an account. ``changes`` must not hold credentials."""
    record_entry(
        action=action,
        object_id=account.public_id,
        merchant_id=account.store.merchant_id if account.store is not None else None,
        store_id=account.store_id,
        changes=changes,
    )


SEALED = SealedColumn(
    model="majuu_merchants.ProviderAccount",
    column="credentials",
    purpose="provider-credentials",
    bound_to=lambda account: str(account.public_id),
    after_reseal=lambda account: record_account_entry(account, "provider_account.credentials_rotated", {}),
)


def provider_class(code: str) -> type[PaymentProvider]:
    """The installed provider with this code. Raises InvalidInput."""
    try:
        return installed_providers().get(code)
    except UnknownProvider:
        known = ", ".join(sorted(provider.code for provider in installed_providers()))
        message = f"There is no such provider. Installed: {known}."
        raise InvalidInput(Violation(code="unknown_provider", message=message, field="provider")) from None


@sensitive_variables("credentials", "plain", "problem")
def checked_credentials(provider: type[PaymentProvider], credentials: Mapping[str, Any]) -> bytes:
    """The credentials as they will be stored: JSON that the provider's schema accepts. Raises InvalidInput.

    What is validated is what comes back from the database later, so it cannot fail only then.
    """
    try:
        plain = to_jsonable_python(_revealed(credentials))
    except PydanticSerializationError:
        message = "Send texts, numbers and truth values only."
        raise InvalidInput(Violation(code="invalid", message=message, field="credentials")) from None
    try:
        provider.credentials_schema.model_validate(plain)
    except ValidationError as problem:
        violations = _violations(problem, plain)
    else:
        return json.dumps(plain, separators=(",", ":")).encode()
    raise InvalidInput(*violations)  # outside the handler: the cause would carry what was entered


def open_credentials(account: ProviderAccount) -> BaseModel:
    """The credentials as the provider's own model; one instance for all who ask, so nobody changes it.

    Raises CredentialsUnreadable or UnknownProvider.
    """
    schema = installed_providers().get(account.provider).credentials_schema
    try:
        return _opened(schema, account.credentials, account.public_id, encryption_keys())
    except DecryptionError as problem:
        raise CredentialsUnreadable(f"The credentials of {account.public_id} do not open: {problem}.") from None
    except ValidationError as problem:
        fields = ", ".join(sorted({".".join(map(str, error["loc"])) for error in problem.errors(include_input=False)}))
    raise CredentialsUnreadable(
        f"The installed version of {account.provider!r} wants other credentials for {account.public_id} ({fields}). "
        "Enter them again."
    )


@lru_cache(maxsize=_KEPT_OPEN)
@sensitive_variables("plain")
def _opened(schema: type[BaseModel], sealed: str, bound_to: str, masters: tuple[str, ...]) -> BaseModel:
    """What a sealed text holds does not change; another text, place or list of master keys is another entry."""
    plain = SEALED.open_value(sealed, bound_to=bound_to)
    return schema.model_validate_json(plain)


@sensitive_variables()
def plain_credentials(credentials: Mapping[str, Any]) -> dict[str, Any]:
    """The same credentials with their secrets in plain, to be compared or entered again. Never log or keep it."""
    plain: dict[str, Any] = _revealed(credentials)
    return plain


@sensitive_variables()
def _revealed(value: Any) -> Any:
    if isinstance(value, (SecretStr, SecretBytes)):
        return value.get_secret_value()
    if isinstance(value, Mapping):
        return {str(key): _revealed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_revealed(item) for item in value]
    return value


@sensitive_variables("plain", "secrets", "problem")
def _violations(problem: ValidationError, plain: Any) -> list[Violation]:
    secrets = sorted(_texts_in(plain), key=len, reverse=True)
    found = []
    for error in problem.errors(include_url=False, include_input=False, include_context=False):
        message = error["msg"].removeprefix("Value error, ")
        for secret in secrets:
            message = message.replace(secret, MASK)
        field = ".".join(["credentials", *map(str, error["loc"])])
        found.append(Violation(code=error["type"], message=message, field=field))
    return found


@sensitive_variables()
def _texts_in(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value} if len(value) >= _SHORTEST_SECRET else set()
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return {text for item in items for text in _texts_in(item)}
