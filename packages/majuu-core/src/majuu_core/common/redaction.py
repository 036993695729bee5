"""Keeps secrets and card numbers out of everything we store or log about an exchange with a provider."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

MASK = "[redacted]"
_SECRET_NAMES = re.compile(
    r"authorization|cookie|password|passkey|passphrase|secret|credential|token|signature|api[-_]?key|consumer[-_]?key"
    r"|private|client[-_]?id|cvc|cvv|card[-_]?number|(^|[-_])pan($|[-_])|(^|[-_])pin($|[-_])",
    re.IGNORECASE,
)
_CALLBACK_PATH = re.compile(r"(/in/[a-z]?[0-9a-z]{10,40})/[0-9a-z]{10,64}")
_DIGITS = re.compile(r"(?<![0-9A-Za-z_])(?:[0-9][ -]?){12,18}[0-9](?![0-9A-Za-z_])")
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_OUR_KEYS = re.compile(r"\b(?:sk|pk|whsec)_[A-Za-z0-9_+/=-]{8,}")
_MAX_TEXT = 20_000


def is_card_number(text: str) -> bool:
    """True for 13 to 19 digits (spaces and dashes allowed) whose Luhn check digit is right."""
    digits = [int(character) for character in text if character.isdigit()]
    if not 13 <= len(digits) <= 19:
        return False
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def contains_card_number(text: str) -> bool:
    """True when a card number stands anywhere in the text."""
    return any(is_card_number(match.group()) for match in _DIGITS.finditer(text))


def redact_text(text: str) -> str:
    """Mask card numbers, bearer tokens, our own keys and callback secrets inside free text."""
    text = _CALLBACK_PATH.sub(rf"\1/{MASK}", text[:_MAX_TEXT])
    text = _BEARER.sub(rf"\1 {MASK}", text)
    text = _OUR_KEYS.sub(MASK, text)
    return _DIGITS.sub(lambda match: MASK if is_card_number(match.group()) else match.group(), text)


def redact(value: Any, *, keep: frozenset[str] = frozenset()) -> Any:
    """A copy of a JSON-like value without secrets: by key name at any depth, by form inside texts.

    ``keep`` names keys (lower-case) that look secret but are not.
    """
    if isinstance(value, Mapping):
        return {
            str(key): MASK
            if item is not None and str(key).lower() not in keep and _SECRET_NAMES.search(str(key))
            else redact(item, keep=keep)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [redact(item, keep=keep) for item in value]
    if isinstance(value, str):
        return redact_text(value)
    return value


def redact_url(url: str) -> str:
    """The address without credentials, secret query values and callback secrets."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    netloc = f"{host}:{parts.port}" if parts.port else host
    query = urlencode(
        [(key, MASK if _SECRET_NAMES.search(key) else item) for key, item in parse_qsl(parts.query)], safe="[]"
    )
    return redact_text(urlunsplit((parts.scheme, netloc, parts.path, query, "")))
