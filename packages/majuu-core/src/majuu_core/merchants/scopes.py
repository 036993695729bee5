"""Scopes: what a key may do, such as ``payments:write``; ``payments:*`` is all of a part, ``*`` everything."""

from __future__ import annotations

import re
from collections.abc import Collection

from majuu_core.merchants.errors import InvalidInput
from majuu_core.merchants.models import ApiKey
from majuu_core.providers.types import Violation

MAX_SCOPES = 50
_SCOPE = re.compile(r"\*|[a-z][a-z_]{0,40}:(?:\*|[a-z][a-z_]{0,20})")


def covers(scopes: Collection[str], scope: str) -> bool:
    """True when whoever has ``scopes`` may do what ``scope`` says."""
    return scope in scopes or "*" in scopes or f"{scope.partition(':')[0]}:*" in scopes


def in_both(some: Collection[str], others: Collection[str]) -> frozenset[str]:
    """What both allow."""
    return frozenset(
        [scope for scope in some if covers(others, scope)] + [scope for scope in others if covers(some, scope)]
    )


def checked_scopes(kind: str, scopes: Collection[str] | None) -> list[str]:
    """The scopes as they are stored; without any, what a key of this kind has. Raises InvalidInput."""
    if scopes is None:
        return [] if kind == ApiKey.Kind.PUBLISHABLE else ["*"]
    found = [] if isinstance(scopes, str) else sorted(set(scopes), key=str)
    wrong = [scope for scope in found if not _SCOPE.fullmatch(str(scope))]
    if wrong or isinstance(scopes, str) or len(found) > MAX_SCOPES:
        message = 'Give at most 50 scopes such as "payment_intents:write", or "*" for everything.'
        raise InvalidInput(Violation(code="invalid_scope", message=message, field="scopes"))
    if kind == ApiKey.Kind.PUBLISHABLE and "*" in found:
        message = "A publishable key is seen by everybody: name what it may do."
        raise InvalidInput(Violation(code="scope_too_wide", message=message, field="scopes"))
    return found
