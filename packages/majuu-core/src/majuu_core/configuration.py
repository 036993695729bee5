"""The ``MAJUU_*`` settings, typed. Each is read when it is asked for, so that tests can override it.

A setting that cannot be used raises ImproperlyConfigured with its name and what it may hold.
docs/reference/settings.md lists them all.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from majuu_core.common import crypto

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_MODES = ("test", "live")
_NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


def encryption_keys() -> tuple[str, ...]:
    """``MAJUU_ENCRYPTION_KEYS``: the master keys, newest first. The first one encrypts, all of them decrypt.

    With DEBUG on and no keys set, one is derived from SECRET_KEY, so that a first try needs no set-up.
    """
    keys = getattr(settings, "MAJUU_ENCRYPTION_KEYS", None)
    if not keys:
        return (_debug_key(),)
    return _checked_keys(tuple(_texts("MAJUU_ENCRYPTION_KEYS", keys)))


def _debug_key() -> str:
    if not settings.DEBUG:
        raise ImproperlyConfigured(
            "MAJUU_ENCRYPTION_KEYS is empty. Make a key with `manage.py majuu_generate_key` and put it first in the "
            "list; without it, provider credentials cannot be kept and API keys cannot be checked."
        )
    return "debug-only-" + hashlib.sha256(b"majuu" + settings.SECRET_KEY.encode()).hexdigest()


@lru_cache(maxsize=16)
def _checked_keys(keys: tuple[str, ...]) -> tuple[str, ...]:
    if any(len(key) < crypto.MIN_MASTER_LENGTH for key in keys):
        raise ImproperlyConfigured(
            f"Every key in MAJUU_ENCRYPTION_KEYS needs at least {crypto.MIN_MASTER_LENGTH} characters. "
            "Make one with `manage.py majuu_generate_key`."
        )
    if len(set(keys)) != len(keys):
        raise ImproperlyConfigured("MAJUU_ENCRYPTION_KEYS holds the same key twice.")
    return keys


def public_url() -> str:
    """``MAJUU_PUBLIC_URL``: the address customers and providers reach this site at, without a slash at the end."""
    url = getattr(settings, "MAJUU_PUBLIC_URL", None) or ("http://127.0.0.1:8000" if settings.DEBUG else "")
    if not _is_web_address(url if isinstance(url, str) else ""):
        raise ImproperlyConfigured("MAJUU_PUBLIC_URL must be this site's address, such as https://pay.example.com")
    return str(url).rstrip("/")


@lru_cache(maxsize=16)
def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.query
    except ValueError:
        return False


def trusted_proxies() -> tuple[Network, ...]:
    """``MAJUU_TRUSTED_PROXIES``: the networks whose ``X-Forwarded-For`` is believed. None by default."""
    return _networks(tuple(_texts("MAJUU_TRUSTED_PROXIES", getattr(settings, "MAJUU_TRUSTED_PROXIES", ()))))


@lru_cache(maxsize=16)
def _networks(entries: tuple[str, ...]) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(entry) for entry in entries)
    except ValueError as problem:
        raise ImproperlyConfigured(
            f"MAJUU_TRUSTED_PROXIES must be a list of addresses and networks such as 10.0.0.0/8: {problem}"
        ) from None


def provider_options(code: str, *, livemode: bool) -> Mapping[str, str]:
    """``MAJUU_PROVIDERS[code]``: the operator's options for one provider and mode.

    ``{"mpesa": {"base_url": "…", "test": {…}, "live": {…}}}``: what stands under the mode wins over what stands beside
    it. Values are texts or whole numbers.
    """
    providers = getattr(settings, "MAJUU_PROVIDERS", None) or {}
    options = providers.get(code) if isinstance(providers, Mapping) else providers
    if not options:
        return _NO_OPTIONS
    name = f"MAJUU_PROVIDERS[{code!r}]"
    if not isinstance(options, Mapping):
        raise ImproperlyConfigured(f"{name} must be a dictionary of options.")
    mode = _MODES[livemode]
    common = {key: value for key, value in options.items() if key not in _MODES}
    return _option_texts(name, common) | _option_texts(f"{name}[{mode!r}]", options.get(mode) or {})


def _option_texts(name: str, options: object) -> dict[str, str]:
    if not isinstance(options, Mapping):
        raise ImproperlyConfigured(f"{name} must be a dictionary of options.")
    for key, value in options.items():
        if not isinstance(key, str) or isinstance(value, bool) or not isinstance(value, (str, int)):
            raise ImproperlyConfigured(f"{name}: the option {key!r} must be a text or a whole number.")
    return {key: str(value) for key, value in options.items()}


def allow_private_webhook_addresses() -> bool:
    """``MAJUU_ALLOW_PRIVATE_WEBHOOK_ADDRESSES``: send webhooks to private addresses too. For sandboxes only."""
    return _boolean("MAJUU_ALLOW_PRIVATE_WEBHOOK_ADDRESSES", default=False)


def intent_lifetime() -> timedelta:
    """``MAJUU_INTENT_LIFETIME``: how long a payment intent waits to be paid. 24 hours by default."""
    lifetime = getattr(settings, "MAJUU_INTENT_LIFETIME", timedelta(hours=24))
    if not isinstance(lifetime, timedelta) or lifetime <= timedelta(0):
        raise ImproperlyConfigured("MAJUU_INTENT_LIFETIME must be a timedelta longer than zero.")
    return lifetime


def verify_incoming() -> str:
    """``MAJUU_VERIFY_INCOMING``: whether providers are asked if money really arrived that an unsigned message tells of.

    ``"when_possible"`` (default): where the provider can be asked, such money is nobody's before it answers. ``"off"``:
    every message is believed.
    """
    value = getattr(settings, "MAJUU_VERIFY_INCOMING", "when_possible")
    if value not in ("when_possible", "off"):
        raise ImproperlyConfigured('MAJUU_VERIFY_INCOMING must be "when_possible" or "off".')
    return str(value)


def key_cache_seconds() -> int:
    """``MAJUU_KEY_CACHE_SECONDS``: how long a process believes what it knows about an API key. 5 by default.

    A key revoked by another process is refused after at most this many seconds. 0 asks the database every time.
    """
    seconds = getattr(settings, "MAJUU_KEY_CACHE_SECONDS", 5)
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= 300:
        raise ImproperlyConfigured("MAJUU_KEY_CACHE_SECONDS must be a whole number from 0 to 300.")
    return seconds


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``count`` within ``window``."""

    count: int
    window: timedelta


_PROMPT_LIMITS = MappingProxyType({"phone": Limit(5, timedelta(minutes=10)), "intent": Limit(10, timedelta(hours=1))})


def prompt_limits() -> Mapping[str, Limit | None]:
    """``MAJUU_PROMPT_LIMITS``: how often phones are asked to pay. ``"phone"``: one phone; ``"intent"``: one intent.

    ``{"phone": (5, timedelta(minutes=10)), "intent": (10, timedelta(hours=1))}`` by default; None is no limit.
    """
    given = getattr(settings, "MAJUU_PROMPT_LIMITS", {})
    if not isinstance(given, Mapping) or not set(given) <= set(_PROMPT_LIMITS):
        raise ImproperlyConfigured('MAJUU_PROMPT_LIMITS must be a dictionary with "phone" and "intent".')
    return {**_PROMPT_LIMITS, **{name: _limit(name, value) for name, value in given.items()}}


def _limit(name: str, value: object) -> Limit | None:
    match value:
        case None:
            return None
        case (int(count), timedelta() as window) if count > 0 and window > timedelta(0) and count is not True:
            return Limit(count, window)
    raise ImproperlyConfigured(
        f"MAJUU_PROMPT_LIMITS[{name!r}] must be a number and a timedelta, such as (5, timedelta(minutes=10)), or None."
    )


def _boolean(name: str, *, default: bool) -> bool:
    value = getattr(settings, name, default)
    if not isinstance(value, bool):
        raise ImproperlyConfigured(f"{name} must be True or False.")
    return value


def _texts(name: str, value: Any) -> Sequence[str]:
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return value
    raise ImproperlyConfigured(f"{name} must be a list of texts.")


def check_settings(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """majuu.E010: a ``MAJUU_*`` setting that cannot be used. Found at ``manage.py check``, not at the first payment."""
    found: list[CheckMessage] = []
    for read in _READERS:
        try:
            read()
        except ImproperlyConfigured as problem:
            found.append(Error(str(problem), hint="See docs/reference/settings.md.", id="majuu.E010"))
    return found


def _all_provider_options() -> None:
    providers = getattr(settings, "MAJUU_PROVIDERS", None) or {}
    if not isinstance(providers, Mapping):
        raise ImproperlyConfigured("MAJUU_PROVIDERS must be a dictionary from provider code to options.")
    for code in providers:
        for livemode in (False, True):
            provider_options(code, livemode=livemode)


_READERS = (
    encryption_keys,
    public_url,
    trusted_proxies,
    _all_provider_options,
    allow_private_webhook_addresses,
    intent_lifetime,
    key_cache_seconds,
    verify_incoming,
    prompt_limits,
)
