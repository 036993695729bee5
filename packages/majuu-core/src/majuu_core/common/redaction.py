"""Keeps secrets and card numbers out of everything we store or log about an exchange with a provider."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

MASK = "[redacted]"
_SECRET_NAMES = re.compile(
    r"authorization|cookie|password|passkey|passphrase|secret|credential|token|signature|api[-_]?key|consumer[-_]?key"
    r"|private|client[-_]?id|cvc|cvv|card[-_]?number|(^|[-_])pan($|[-_])|(^|[-_])pin($|[-_])",
    re.IGNORECASE,
)
_CALLBACK_PATH = re.compile(r"(/in/[a-z]?[0-9a-z]{10,40})/[0-9a-z]{10,64}")
# Digits, perhaps in groups, at the start of a word or after a few letters ("Visa4111…"); not inside ids and hashes.
_DIGITS = re.compile(r"(?<![0-9A-Za-z_])[A-Za-z]{0,12}([0-9]+(?:[ -][0-9]+)*)")
_GROUP = re.compile(r"[0-9]+")
# What looks like a card number one time in ten and is none: a date with its time, and request numbers of a gateway.
_NO_CARD = re.compile(
    r"20[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]"
    r"|[0-9]{4,6}-[0-9]{7,9}-[0-9]{1,2}"
)
# The first three groups of a UUID are thirteen digits often enough, one time in ten with a right check digit.
_UUID = re.compile(
    r"(?<![0-9A-Za-z])(?=[0-9-]*[A-Fa-f])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Za-z])"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_OUR_KEYS = re.compile(r"\b(?:sk|pk|rk|ck|tk|whsec)_[A-Za-z0-9_+/=-]{8,}")
# What a customer's browser proves itself with, as it stands in addresses: pi_3Nv_secret_…, src_client_secret_….
_CLIENT_SECRET = re.compile(r"\b((?:[a-z]+_[A-Za-z0-9]+|[a-z]+_client)_secret_)[A-Za-z0-9]+")
# Some gateways repeat the token they refused inside their error text.
_ECHOED_TOKEN = re.compile(r"(access token\s*[-:=]\s*)[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_MAX_TEXT = 20_000
_OVERLAP = 100  # so that a number is not cut in half before it is recognised


def is_card_number(text: str) -> bool:
    """True for 13 to 19 digits (spaces and dashes allowed) whose Luhn check digit is right."""
    if _NO_CARD.fullmatch(text):
        return False
    digits = [int(character) for character in text if character in "0123456789"]
    if not 13 <= len(digits) <= 19:
        return False
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def contains_card_number(text: str) -> bool:
    """True when a card number stands anywhere in the text."""
    return next(_card_numbers(text), None) is not None


def _card_numbers(text: str) -> Iterator[tuple[int, int]]:
    """Where card numbers start and end. Digits around one ("4111 1111 1111 1111 12/28") do not hide it."""
    text = _UUID.sub(lambda uuid: "x" * len(uuid[0]), text)
    for match in _DIGITS.finditer(text):
        if _NO_CARD.fullmatch(match[1]):
            continue
        groups = [group.span() for group in _GROUP.finditer(text, *match.span(1))]
        sums = _LuhnSums(text, groups)
        done = 0
        for first, (start, _) in enumerate(groups):
            if start < done:
                continue
            # At most 19 groups hold the at most 19 digits of a card number. The longest that is one counts.
            for last in range(min(first + 18, len(groups) - 1), first - 1, -1):
                end = groups[last][1]
                if sums.may_be_card(first, last) and is_card_number(text[start:end]):
                    done = end
                    yield start, done
                    break


class _LuhnSums:
    """Running sums over groups of digits, so that looking at one more window costs the same however long it is."""

    def __init__(self, text: str, groups: list[tuple[int, int]]) -> None:
        self._counts = [0]  # digits before each group
        self._sums = ([0], [0])  # before each group: with the digits at even places doubled, and those at odd places
        even = odd = count = 0
        for start, end in groups:
            for character in text[start:end]:
                digit = int(character)
                doubled = digit * 2 - 9 if digit > 4 else digit * 2
                even, odd = (even + doubled, odd + digit) if count % 2 == 0 else (even + digit, odd + doubled)
                count += 1
            self._counts.append(count)
            self._sums[0].append(even)
            self._sums[1].append(odd)

    def may_be_card(self, first: int, last: int) -> bool:
        """Whether the groups from first to last have 13 to 19 digits with a right check digit."""
        before, after = self._counts[first], self._counts[last + 1]
        if not 13 <= after - before <= 19:
            return False
        # Counted from the right, every second digit is doubled: those at places of the same parity as the end.
        sums = self._sums[after % 2]
        return (sums[last + 1] - sums[first]) % 10 == 0


def redact_text(text: str) -> str:
    """Mask card numbers, bearer tokens, our own keys and callback secrets inside free text. Long texts are cut."""
    text = _CALLBACK_PATH.sub(rf"\1/{MASK}", text[: _MAX_TEXT + _OVERLAP])
    text = _BEARER.sub(rf"\1 {MASK}", text)
    text = _OUR_KEYS.sub(MASK, text)
    text = _CLIENT_SECRET.sub(rf"\1{MASK}", text)
    text = _ECHOED_TOKEN.sub(rf"\1{MASK}", text)
    for start, end in reversed(list(_card_numbers(text))):
        text = text[:start] + MASK + text[end:]
    return text[:_MAX_TEXT]


def is_secret_name(name: str) -> bool:
    """True when a field of this name holds a secret, in any spelling: api_key, apiKey, API-Key."""
    return any(_SECRET_NAMES.search(spelling) for spelling in (name, _CAMEL.sub("_", name)))


def redact(value: Any, *, keep: frozenset[str] = frozenset()) -> Any:
    """A copy of a JSON-like value without secrets: by key name at any depth, by form inside texts.

    ``keep`` names keys (lower-case) that look secret but are not.
    """
    if isinstance(value, Mapping):
        return {
            str(key): MASK
            if item is not None and str(key).lower() not in keep and is_secret_name(str(key))
            else redact(item, keep=keep)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [redact(item, keep=keep) for item in value]
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, int) and is_card_number(str(value)):
        return MASK
    return value


def redact_url(url: str) -> str:
    """The address without user and password, secret query values, callback secrets and fragment."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return MASK
    host = parts.hostname or ""
    netloc = (f"[{host}]" if ":" in host else host) + port
    query = urlencode(
        [
            (key, MASK if is_secret_name(key) else redact_text(item))
            for key, item in parse_qsl(parts.query, keep_blank_values=True)
        ],
        safe="[]",
    )
    return redact_text(urlunsplit((parts.scheme, netloc, parts.path, query, "")))
