"""The settings of the audit trail, typed. Read when asked for; docs/reference/settings.md lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured

from majuu_core import configuration
from majuu_core.common.crypto import MIN_MASTER_LENGTH, derive_key

_PURPOSE = "audit-anchors"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorSettings:
    """How often an anchor is made, and where it is taken beside the database."""

    every: timedelta = timedelta(hours=1)
    file: str = ""
    emails: tuple[str, ...] = ()
    database: str = ""


def anchor_settings() -> AnchorSettings:
    """``MAJUU_AUDIT_ANCHORS``: ``{"every": timedelta(hours=1), "file": …, "emails": […], "database": …}``."""
    given = getattr(settings, "MAJUU_AUDIT_ANCHORS", {})
    if not isinstance(given, Mapping) or not set(given) <= {"every", "file", "emails", "database"}:
        raise ImproperlyConfigured(
            'MAJUU_AUDIT_ANCHORS must be a dictionary with "every", "file", "emails", "database", or some of them.'
        )
    every: Any = given.get("every", timedelta(hours=1))
    file: Any = given.get("file", "")
    if not isinstance(every, timedelta) or every < timedelta(minutes=1):
        raise ImproperlyConfigured('MAJUU_AUDIT_ANCHORS["every"] must be a timedelta of at least one minute.')
    if not isinstance(file, (str, Path)):
        raise ImproperlyConfigured('MAJUU_AUDIT_ANCHORS["file"] must be a path.')
    return AnchorSettings(
        every=every,
        file=str(file),
        emails=_addresses(given.get("emails", ())),
        database=_alias(given.get("database", "")),
    )


def _alias(value: object) -> str:
    if value == "" or (isinstance(value, str) and value in settings.DATABASES and value != "default"):
        return str(value)
    raise ImproperlyConfigured(
        'MAJUU_AUDIT_ANCHORS["database"] must be an alias of DATABASES other than "default"; run '
        "`manage.py migrate majuu_audit --database=ALIAS` once."
    )


def _addresses(value: object) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) and "@" in item for item in value):
        return tuple(value)
    raise ImproperlyConfigured('MAJUU_AUDIT_ANCHORS["emails"] must be a list of e-mail addresses.')


def signing_keys() -> tuple[Ed25519PrivateKey, ...]:
    """``MAJUU_AUDIT_SIGNING_KEY``: the secrets that sign anchors, newest first. The first signs, all of them verify.

    Each is any text of at least 32 characters, such as `manage.py majuu_generate_key` makes. Without the setting the
    keys are derived from MAJUU_ENCRYPTION_KEYS.
    """
    given = getattr(settings, "MAJUU_AUDIT_SIGNING_KEY", None)
    secrets: Any = [given] if isinstance(given, str) and given else given or configuration.encryption_keys()
    if not isinstance(secrets, (list, tuple)) or not all(
        isinstance(secret, str) and len(secret) >= MIN_MASTER_LENGTH for secret in secrets
    ):
        raise ImproperlyConfigured(
            f"MAJUU_AUDIT_SIGNING_KEY must be a text of at least {MIN_MASTER_LENGTH} characters, or a list of such "
            "texts, newest first. Make one with `manage.py majuu_generate_key`."
        )
    return tuple(Ed25519PrivateKey.from_private_bytes(derive_key(secret, _PURPOSE)) for secret in secrets)


def check_audit_settings(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """majuu.E010: a setting of the audit trail that cannot be used."""
    return configuration.unusable((anchor_settings, signing_keys))
