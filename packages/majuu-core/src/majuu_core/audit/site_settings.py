"""Changed settings in the audit trail. A worker compares, when it starts, with what the last entry said.

An entry holds the names of what changed and a keyed hash of each value, never a value: settings hold secrets, and a
plain hash of a short one could be guessed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from majuu_core.audit.models import AuditEntry
from majuu_core.audit.services import record_entry
from majuu_core.common.crypto import key_id, keyed_hash
from majuu_core.configuration import encryption_keys

ACTION = "settings.changed"
OBJECT_ID = "settings"
_PURPOSE = "audit-settings"
_DIGITS = 16
_PREFIXES = ("MAJUU_", "ACCOUNT_", "HEADLESS_", "IDP_OIDC_", "SECURE_", "SESSION_", "CSRF_", "OTP_", "TWO_FACTOR_")
_NAMES = frozenset(
    {"ALLOWED_HOSTS", "AUTHENTICATION_BACKENDS", "AUTH_PASSWORD_VALIDATORS", "DEBUG", "EMAIL_BACKEND", "INSTALLED_APPS"}
    | {"MIDDLEWARE", "Q_CLUSTER", "SECRET_KEY", "X_FRAME_OPTIONS"}
)


def note_settings() -> AuditEntry | None:
    """Write an entry when settings differ from those of the last one. None when nothing changed.

    Two workers that start together may both write: the entries are equal.
    """
    last = AuditEntry.objects.filter(object_id=OBJECT_ID, action=ACTION).order_by("-pk").first()
    before: Mapping[str, str] = last.changes.get("digests", {}) if last is not None else {}
    master = _master(str(last.changes.get("key", "")) if last is not None else "")
    if master and _digests(master) == before:
        return None
    names = _changed(before, _digests(master)) if master else ["(all: the key they were compared with is gone)"]
    newest = encryption_keys()[0]
    changes = {"changed": names, "digests": _digests(newest), "key": key_id(newest)}
    return record_entry(action=ACTION, object_id=OBJECT_ID, changes=changes)


def _master(name: str) -> str:
    """The master key that the last digests were made with; the newest when there are none; "" when it is gone."""
    if not name:
        return encryption_keys()[0]
    return next((master for master in encryption_keys() if key_id(master) == name), "")


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def _digests(master: str) -> dict[str, str]:
    names = [name for name in dir(settings) if name in _NAMES or name.startswith(_PREFIXES)]
    return {name: keyed_hash(master, _PURPOSE, _text(name)).hex()[:_DIGITS] for name in sorted(names)}


def _text(name: str) -> bytes:
    return f"{name}={json.dumps(_plain(getattr(settings, name)), sort_keys=True)}".encode()


def _plain(value: Any) -> Any:
    """The value as JSON can hold it, the same in every process."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(str(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else f"{type(value).__name__} {value}"
