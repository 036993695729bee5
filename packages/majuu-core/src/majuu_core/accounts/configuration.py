"""The ``MAJUU_*`` settings of accounts, typed. Each is read when it is asked for, so that tests can override it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from majuu_core.configuration import unusable, whole_number

SmsSender = Callable[[str, str], object]
TO_THE_LOG = "majuu_core.accounts.sms.write_to_log"


def step_up_lifetime() -> timedelta:
    """``MAJUU_STEP_UP_MINUTES``: how long a second factor just shown opens what needs a fresh one. 10 by default."""
    return timedelta(minutes=whole_number("MAJUU_STEP_UP_MINUTES", default=10, least=1, most=60))


def session_idle_lifetime() -> timedelta:
    """``MAJUU_SESSION_IDLE_MINUTES``: how long a session lives of which nothing is heard. 30 by default."""
    return timedelta(minutes=whole_number("MAJUU_SESSION_IDLE_MINUTES", default=30, least=1, most=24 * 60))


def session_lifetime() -> timedelta:
    """``MAJUU_SESSION_HOURS``: how long a session lives whatever is done in it. 12 by default."""
    return timedelta(hours=whole_number("MAJUU_SESSION_HOURS", default=12, least=1, most=24 * 14))


def second_factor_is_compulsory() -> bool:
    """``MAJUU_SECOND_FACTOR``: whether those who should have a second factor must. True unless it is ``"optional"``.

    Whoever has one shows it in any case. ``"optional"`` is for trying things out: without DEBUG it is an error.
    """
    value = getattr(settings, "MAJUU_SECOND_FACTOR", "required")
    if value not in ("required", "optional"):
        raise ImproperlyConfigured('MAJUU_SECOND_FACTOR must be "required" or "optional".')
    if value == "optional" and not settings.DEBUG:
        raise ImproperlyConfigured(
            'MAJUU_SECOND_FACTOR may be "optional" with DEBUG alone: on a real site staff and those who move money '
            "must have a second factor."
        )
    return bool(value == "required")


def breached_passwords() -> Path | None:
    """``MAJUU_BREACHED_PASSWORDS``: a file of SHA-1 hashes of passwords that became known; None: there is none."""
    given = getattr(settings, "MAJUU_BREACHED_PASSWORDS", None)
    if not given:
        return None
    if not isinstance(given, (str, Path)) or not Path(given).is_file():
        raise ImproperlyConfigured("MAJUU_BREACHED_PASSWORDS must be the path of a file of hashes, sorted.")
    return Path(given)


def sms_sender() -> SmsSender | None:
    """``MAJUU_SMS_SENDER``: the dotted path of a function ``(phone, text)`` that sends a text message; None: none."""
    path = getattr(settings, "MAJUU_SMS_SENDER", None)
    if not path:
        return None
    try:
        found: Any = import_string(path)
    except (ImportError, AttributeError, TypeError):
        found = None
    if not callable(found):
        raise ImproperlyConfigured("MAJUU_SMS_SENDER must be the dotted path of a function (phone, text).")
    if path == TO_THE_LOG and not settings.DEBUG:
        raise ImproperlyConfigured(f"{TO_THE_LOG} sends nothing and shows codes: it is for DEBUG alone.")
    sender: SmsSender = found
    return sender


def check_account_settings(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """majuu.E010: a setting of accounts that cannot be used."""
    return unusable(_READERS, page="docs/how-to/sign-in-and-second-factor.md")


_READERS = (
    step_up_lifetime,
    session_idle_lifetime,
    session_lifetime,
    second_factor_is_compulsory,
    breached_passwords,
    sms_sender,
)
