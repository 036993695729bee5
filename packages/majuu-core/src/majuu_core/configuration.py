"""The ``MAJUU_*`` settings, typed. Each is read when it is asked for, so that tests can override it.

A setting that cannot be used raises ImproperlyConfigured with its name and what it may hold.
docs/reference/settings.md lists them all.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from majuu_core.common import crypto
from majuu_core.common.money import CURRENCY_CODES

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
    """``MAJUU_KEY_CACHE_SECONDS``: how long a process believes what it knows about an API key. 0 by default.

    0 asks the database with every request. Otherwise a key that another process revoked goes on working for at most
    this many seconds.
    """
    seconds = getattr(settings, "MAJUU_KEY_CACHE_SECONDS", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= 300:
        raise ImproperlyConfigured("MAJUU_KEY_CACHE_SECONDS must be a whole number from 0 to 300.")
    return seconds


def oauth_token_seconds() -> int:
    """``MAJUU_OAUTH_TOKEN_SECONDS``: how long an access token of an OAuth client works. An hour by default."""
    seconds = getattr(settings, "MAJUU_OAUTH_TOKEN_SECONDS", 3600)
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 60 <= seconds <= 86_400:
        raise ImproperlyConfigured("MAJUU_OAUTH_TOKEN_SECONDS must be a whole number from 60 to 86400.")
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


EVERY_OTHER = "*"
_PAYOUT_APPROVAL: Mapping[str, Decimal | None] = MappingProxyType({"KES": Decimal(50_000), EVERY_OTHER: Decimal(0)})


def payout_approval_limit(currency: str) -> Decimal | None:
    """``MAJUU_PAYOUT_APPROVAL``: the amount above which a second person must approve a payout; None: none need it.

    ``{"KES": 50_000}`` by default. In a currency that is not named every payout needs approval, unless ``"*"`` says
    what holds for those. ``None`` for a currency, or for the whole setting: never.
    """
    given = getattr(settings, "MAJUU_PAYOUT_APPROVAL", {})
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f"MAJUU_PAYOUT_APPROVAL must be {_APPROVAL_FORM}.")
    limits = {**_PAYOUT_APPROVAL, **{code: _approval_limit(code, value) for code, value in given.items()}}
    return limits[currency] if currency in limits else limits[EVERY_OTHER]


_APPROVAL_FORM = 'a dictionary from currency (or "*") to a whole number, a Decimal or None'


def _approval_limit(code: object, value: object) -> Decimal | None:
    known = code == EVERY_OTHER or code in CURRENCY_CODES
    if known and value is None:
        return None
    if known and isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        limit = Decimal(value)
        if limit.is_finite() and limit >= 0:
            return limit
    raise ImproperlyConfigured(f"MAJUU_PAYOUT_APPROVAL[{code!r}]: it must be {_APPROVAL_FORM}.")


def balance_minutes() -> int:
    """``MAJUU_BALANCE_MINUTES``: how often providers are asked for balances, in minutes. 60 by default, 0 is never."""
    return whole_number("MAJUU_BALANCE_MINUTES", default=60, most=7 * 24 * 60, of="minutes")


def callback_silence_minutes() -> int:
    """``MAJUU_CALLBACK_SILENCE``: minutes without a callback, with payments waiting, that alarm. 15 by default.

    0 never alarms.
    """
    return whole_number("MAJUU_CALLBACK_SILENCE", default=15, most=24 * 60, of="minutes")


def dispute_warning_days() -> int:
    """``MAJUU_DISPUTE_WARNING_DAYS``: how many days before its deadline an unanswered dispute alarms. 3 by default.

    0 never alarms.
    """
    return whole_number("MAJUU_DISPUTE_WARNING_DAYS", default=3, most=60, of="days")


def alert_emails() -> tuple[str, ...]:
    """``MAJUU_ALERT_EMAILS``: who is written to when something needs a person. Without it, Django's ADMINS."""
    if given := getattr(settings, "MAJUU_ALERT_EMAILS", None):
        return tuple(_texts("MAJUU_ALERT_EMAILS", given))
    return tuple(entry if isinstance(entry, str) else str(entry[1]) for entry in settings.ADMINS)


# Payments: the seven years that are commonly named for Kenya's rules against money laundering. Ask your lawyer.
_RETENTION = MappingProxyType({"payments": timedelta(days=7 * 365 + 2), "messages": timedelta(days=548)})


def retention(kind: str) -> timedelta:
    """``MAJUU_RETENTION[kind]``: how long data is kept though the person wants it erased.

    ``"payments"``: who paid, from the day the money moved; seven years by default. ``"messages"``: what providers
    wrote, word for word; a year and a half.
    """
    given: Any = getattr(settings, "MAJUU_RETENTION", {})
    if not isinstance(given, Mapping) or not set(given) <= set(_RETENTION):
        raise ImproperlyConfigured('MAJUU_RETENTION must be a dictionary with "payments" and "messages".')
    for name, value in given.items():
        if not isinstance(value, timedelta) or value < timedelta(0):
            raise ImproperlyConfigured(f"MAJUU_RETENTION[{name!r}] must be a timedelta that is not negative.")
    period: timedelta = given.get(kind, _RETENTION[kind])
    return period


@dataclass(frozen=True, slots=True)
class LowBalance:
    """Alarm below ``amount``: of the account with this name, or with ``name`` "" of all that can be spent."""

    name: str
    amount: Decimal


def low_balances(*, account_id: str, provider: str, currency: str) -> tuple[LowBalance, ...]:
    """``MAJUU_LOW_BALANCE``: the limits for one provider account and currency; its own stand in for the provider's.

    ``{"mpesa/KES": {"Utility Account": 20000}, "pa_…/KES": "5000"}``: keys are a provider's code or a provider
    account's public id, and a currency. Amounts are texts or whole numbers.
    """
    limits = _low_balances()
    return limits.get(f"{account_id}/{currency}") or limits.get(f"{provider}/{currency}") or ()


def limited_accounts() -> set[str]:
    """The provider codes and provider accounts that ``MAJUU_LOW_BALANCE`` names."""
    return {key.partition("/")[0] for key in _low_balances()}


def _low_balances() -> dict[str, tuple[LowBalance, ...]]:
    given = getattr(settings, "MAJUU_LOW_BALANCE", None) or {}
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured("MAJUU_LOW_BALANCE must be a dictionary.")
    return {str(key): _low_balance(key, value) for key, value in given.items()}


def _low_balance(key: object, value: object) -> tuple[LowBalance, ...]:
    name = f"MAJUU_LOW_BALANCE[{key!r}]"
    if not isinstance(key, str) or not re.fullmatch(r"[^/]+/[A-Z]{3}", key):
        raise ImproperlyConfigured(f'{name}: the key must be like "mpesa/KES" or "pa_…/KES".')
    amounts = value if isinstance(value, Mapping) else {"": value}
    return tuple(LowBalance(str(account), _limit_amount(name, amount)) for account, amount in amounts.items())


def _limit_amount(name: str, value: object) -> Decimal:
    try:
        amount = Decimal(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise ImproperlyConfigured(f'{name} must be an amount such as "20000", or a dictionary of account and amount.')
    return amount


def whole_number(name: str, *, default: int, least: int = 0, most: int, of: str = "") -> int:
    """The setting ``name`` as a whole number; ``of`` says of what. Raises ImproperlyConfigured."""
    number = getattr(settings, name, default)
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
        kind = f"a whole number of {of}" if of else "a whole number"
        raise ImproperlyConfigured(f"{name} must be {kind} from {least} to {most}.")
    return number


@dataclass(frozen=True, slots=True)
class TrustAccount:
    """An account at a bank that holds customers' money in trust. ``code`` names it in the books."""

    code: str
    name: str
    bank: str


_TRUST_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


def custodial() -> bool:
    """``MAJUU_CUSTODIAL``: whether this site holds money for others (wallets, pooled intake). False by default."""
    return _boolean("MAJUU_CUSTODIAL", default=False)


def trust_accounts() -> tuple[TrustAccount, ...]:
    """``MAJUU_TRUST_ACCOUNTS``: where customers' money is kept in trust; by code, each with its name and bank."""
    given = getattr(settings, "MAJUU_TRUST_ACCOUNTS", {})
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f"MAJUU_TRUST_ACCOUNTS must be {_TRUST_FORM}.")
    return tuple(_trust_account(code, value) for code, value in given.items())


_TRUST_FORM = 'a dictionary such as {"kcb": {"name": "Majuu Trust", "bank": "KCB Bank"}}'


def _trust_account(code: object, value: object) -> TrustAccount:
    match value:
        case {"name": str(name), "bank": str(bank), **others} if name.strip() and bank.strip() and not others:
            if isinstance(code, str) and _TRUST_CODE.fullmatch(code):
                return TrustAccount(code, name.strip(), bank.strip())
    raise ImproperlyConfigured(
        f"MAJUU_TRUST_ACCOUNTS[{code!r}]: it must be {_TRUST_FORM}; a code has up to 32 of a-z, 0-9, _ and -."
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
    return unusable(_READERS)


def unusable(
    readers: Iterable[Callable[[], object]], *, page: str = "docs/reference/settings.md"
) -> list[CheckMessage]:
    """majuu.E010 for every reader that cannot use its setting; ``page`` explains them. For the checks of all rooms."""
    found: list[CheckMessage] = []
    for read in readers:
        try:
            read()
        except ImproperlyConfigured as problem:
            found.append(Error(str(problem), hint=f"See {page}.", id="majuu.E010"))
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
    oauth_token_seconds,
    verify_incoming,
    prompt_limits,
    lambda: payout_approval_limit("KES"),
    balance_minutes,
    callback_silence_minutes,
    dispute_warning_days,
    alert_emails,
    lambda: retention("payments"),
    _low_balances,
    custodial,
    trust_accounts,
)
