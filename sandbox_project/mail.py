"""Mail settings from one address: ``smtp+tls://user:password@host:587``, or ``consolemail://`` to print mails."""

from __future__ import annotations

from typing import Any

import django
from environ import Env

_OPTIONS = {
    "EMAIL_HOST": "host",
    "EMAIL_PORT": "port",
    "EMAIL_HOST_USER": "username",
    "EMAIL_HOST_PASSWORD": "password",
    "EMAIL_USE_TLS": "use_tls",
    "EMAIL_USE_SSL": "use_ssl",
}
_TIMEOUT_SECONDS = 15


def mail_settings(url: str, *, version: tuple[int, ...] = django.VERSION[:2]) -> dict[str, Any]:
    """Settings to merge into the module: ``MAILERS`` from Django 6.1 on, the ``EMAIL_*`` family before."""
    config = {name: value for name, value in Env.email_url_config(url).items() if value not in (None, "")}
    backend = config["EMAIL_BACKEND"]
    uses_network = backend.endswith(".smtp.EmailBackend")
    if version < (6, 1):
        return config | ({"EMAIL_TIMEOUT": _TIMEOUT_SECONDS} if uses_network else {})
    options = {_OPTIONS[name]: value for name, value in config.items() if name in _OPTIONS}
    mailer: dict[str, Any] = {"BACKEND": backend}
    if uses_network:
        mailer["OPTIONS"] = options | {"timeout": _TIMEOUT_SECONDS}
    return {"MAILERS": {"default": mailer}}
