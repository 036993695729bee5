"""Reads single values out of PayPal's JSON. Whatever stands there, nothing here raises."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlsplit

from majuu_core.common import ids
from majuu_core.common.redaction import redact

_LONGEST = 255
_ID_LENGTH = 26  # of what follows the prefix of a public id


def inside(value: Any, *keys: str) -> Any:
    """What stands under these keys, None where one is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def text(value: Any, *keys: str) -> str:
    """A short text under these keys; "" where there is none."""
    found = inside(value, *keys)
    return found[:_LONGEST] if isinstance(found, str) else ""


def rows(value: Any, *keys: str) -> list[Mapping[str, Any]]:
    """The objects in a list under these keys."""
    found = inside(value, *keys)
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def moment(value: Any, *keys: str) -> datetime | None:
    """A time with its zone, in UTC."""
    try:
        found = datetime.fromisoformat(text(value, *keys))
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):  # overflow: a time that has no place in UTC's calendar
        return None


def link(body: Any, *relations: str) -> str:
    """The address of the first link with one of these relations, in the order of the relations."""
    found = {text(row, "rel"): inside(row, "href") for row in rows(body, "links")}
    return next((found[rel] for rel in relations if isinstance(found.get(rel), str)), "")


def last_part(url: str) -> str:
    """The id at the end of an address such as ``…/v2/payments/captures/3C679366HH908993F``."""
    try:
        return urlsplit(url).path.rstrip("/").rpartition("/")[2][:_LONGEST]
    except ValueError:
        return ""


def path_part(reference: str) -> str:
    """A reference as one part of a path, whatever it holds."""
    return quote(reference, safe="") or "-"


def is_ours(prefix: str, reference: str) -> bool:
    """True for a public id of this kind."""
    try:
        ids.decode_id(prefix, reference)
    except ValueError:
        return False
    return True


def ours_in(reference: str, prefix: str) -> str:
    """The public id of this kind at the end of an invoice number, where it is written with a dash; "" without one."""
    head, tail = reference[: -_ID_LENGTH - 1], reference[-_ID_LENGTH:]
    found = f"{prefix}_{tail}"
    return found if head.endswith(prefix) and is_ours(prefix, found) else ""


def written_at(prefix: str, reference: str) -> datetime | None:
    """When a public id was made; None for what is not one."""
    try:
        milliseconds = ids.decode_id(prefix, reference).int >> 80
    except ValueError:
        return None
    return datetime.fromtimestamp(milliseconds // 1000, UTC)


def shown(body: Any) -> dict[str, Any]:
    """A body as it may be kept and shown: redacted, without numbers that JSON cannot hold."""
    found = _plain(redact(body))
    return found if isinstance(found, dict) else {}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Decimal) else value
