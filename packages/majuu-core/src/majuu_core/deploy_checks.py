"""What ``manage.py check --deploy`` says about a site that is to serve real payments: docs/reference/checks.md.

Checks that ask the database stay silent where it cannot be asked: they run before the first migration, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from majuu_core.audit.configuration import anchor_settings
from majuu_core.common import clock
from majuu_core.common.crypto import Cipher
from majuu_core.configuration import alert_emails, encryption_keys, public_url, trusted_proxies
from majuu_core.database.sealed import sealed_columns
from majuu_core.network import NETWORK_MIDDLEWARE
from majuu_core.network.configuration import require_https
from majuu_core.network.cookies import PREFIX

WORKER_SILENCE = timedelta(minutes=5)
A_YEAR = 365 * 24 * 60 * 60
_FEWEST_CHARACTERS = 10  # different ones: a random key of 43 characters has about thirty
_NO_SITE = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0", "testserver"})  # noqa: S104 - to tell them apart
_MEMORY_CACHES = ("LocMemCache", "DummyCache")
_MAIL_TO_NOBODY = ("console.EmailBackend", "dummy.EmailBackend", "locmem.EmailBackend", "filebased.EmailBackend")
_OTHER_BROKERS = ("redis", "sqs", "mongo", "iron_mq", "disque_nodes")
_EVERYBODY = 0  # the prefix length of a network that holds all addresses
Found = Iterator[CheckMessage]


def check_debug(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> Found:
    """majuu.E050: errors are shown to whoever makes one, with settings and data."""
    if settings.DEBUG:
        yield _error("E050", "DEBUG is on.", "Turn it off: pages about errors show code, settings and customers' data.")


def check_public_url(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> Found:
    """majuu.E051: providers and customers cannot reach this address safely, or at all."""
    parts = urlsplit(public_url())
    if parts.scheme != "https" or parts.hostname in _NO_SITE:
        hint = "Set it to the address customers use, with https: providers send nothing to any other."
        yield _error("E051", f"MAJUU_PUBLIC_URL is {public_url()}.", hint)


def check_secret_keys(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> Found:
    """majuu.E052: a master key that can be guessed, or that something else knows."""
    hint = "Make one with `manage.py majuu_generate_key`, put it first in the list, then run majuu_rotate_keys."
    for number, key in enumerate(encryption_keys(), start=1):
        if key.startswith("debug-only-") or key == settings.SECRET_KEY:
            text = f"Key {number} of MAJUU_ENCRYPTION_KEYS is SECRET_KEY, or made from it."
        elif len(set(key)) < _FEWEST_CHARACTERS:
            text = f"Key {number} of MAJUU_ENCRYPTION_KEYS has too few different characters to be random."
        else:
            continue
        yield _error("E052", text, hint)


def check_stored_secrets(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> Found:
    """majuu.E053: webhook signing keys, credentials or keys of persons that no configured master key opens."""
    for column in sealed_columns():
        rows = column.outdated()
        for master in encryption_keys():
            rows = rows.exclude(**{f"{column.column}__startswith": Cipher([master], column.purpose).mark})
        if rows.exists():
            text = f"{column.model}.{column.column} holds values that no key of MAJUU_ENCRYPTION_KEYS opens."
            yield _error("E053", text, "Put the key that made them back at the end of the list, or enter them again.")


def check_worker(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> Found:
    """majuu.W054: nobody works in the background, so that no webhook leaves and nothing is sealed or settled."""
    from django_q.models import Schedule

    from majuu_core.worker.schedules import PREFIX

    sweep = Schedule.objects.filter(name=f"{PREFIX}sweep").order_by("-next_run").first()
    if sweep is None or sweep.next_run is None or sweep.next_run < clock.now() - WORKER_SILENCE:
        hint = "Run `manage.py majuu_worker` as a service that is started again when it ends."
        yield _warning("W054", "No worker has been at work in the last five minutes.", hint)


def check_broker(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> Found:
    """majuu.E055: scheduled work that a crash would lose, or that runs inside requests."""
    cluster = getattr(settings, "Q_CLUSTER", {})
    if not cluster.get("orm") or any(
        cluster.get(name) for name in ("redis", "sqs", "mongo", "iron_mq", "disque_nodes")
    ):
        hint = 'Set Q_CLUSTER["orm"] = "default": tasks then stand in the database and survive whatever is killed.'
        yield _error("E055", "django-q2 does not use the database as its broker.", hint)
    if cluster.get("sync"):
        yield _error("E055", 'Q_CLUSTER["sync"] is on.', "It is for tests: take it out.")


def check_cache(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> Found:
    """majuu.W056: processes that do not share a cache void each other's access tokens."""
    backend = str(settings.CACHES.get("default", {}).get("BACKEND", ""))
    if backend.endswith(_MEMORY_CACHES):
        hint = "Use Redis, Memcached or the database: M-Pesa knows one access token per app."
        yield _warning("W056", "Each process has a cache of its own.", hint)


def check_mail(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> Found:
    """majuu.W057: letters that reach nobody: invitations, password resets, alerts."""
    if settings.EMAIL_BACKEND.endswith(_MAIL_TO_NOBODY):
        yield _warning("W057", f"E-mail goes nowhere: EMAIL_BACKEND is {settings.EMAIL_BACKEND}.", "Set a mail server.")
    if not alert_emails():
        hint = (
            "Set MAJUU_ALERT_EMAILS, or ADMINS: silent callbacks, refused credentials and failed anchors need somebody."
        )
        yield _warning("W057", "Nobody is written to about alerts.", hint)


def check_anchors(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> Found:
    """majuu.W058 and W059: an audit trail that whoever owns the database could make anew."""
    chosen = anchor_settings()
    if not (chosen.file or chosen.emails or chosen.database):
        hint = "Set MAJUU_AUDIT_ANCHORS to a place that whoever administers the database cannot change."
        yield _warning("W058", "The audit trail's anchors are kept in its own database only.", hint)
    if not getattr(settings, "MAJUU_AUDIT_SIGNING_KEY", None):
        hint = "Set it, from `manage.py majuu_generate_key`: otherwise every process that decrypts can sign, too."
        yield _warning("W059", "MAJUU_AUDIT_SIGNING_KEY is not set.", hint)


def check_hosts(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> Found:
    """majuu.E066: any host name is served, or not the one that customers use."""
    hosts, own = list(settings.ALLOWED_HOSTS), urlsplit(public_url()).hostname or ""
    if "*" in hosts:
        yield _error("E066", 'ALLOWED_HOSTS holds "*".', "Name the hosts: links in e-mails are made from them.")
    elif not any(host == own or (host.startswith(".") and f".{own}".endswith(host)) for host in hosts):
        yield _error("E066", f"ALLOWED_HOSTS lacks {own}, the host of MAJUU_PUBLIC_URL.", "Add it.")


def check_https(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> Found:
    """majuu.E061, W062, W067 and E068: what may travel in the clear, and who else may set our cookies."""
    if not (settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE):
        yield _error("E061", "Cookies are sent over plain http.", "Use majuu_core.network.network_settings().")
    else:
        yield from _check_cookie_names()
    if not require_https():
        yield _error("E061", "The API answers over plain http.", "Take MAJUU_REQUIRE_HTTPS out, or set it to True.")
    if settings.SECURE_HSTS_SECONDS < A_YEAR:
        hint = "Raise SECURE_HSTS_SECONDS to 31536000 once everything works over https."
        yield _warning("W062", "Browsers are told to insist on https for less than a year.", hint)


def _check_cookie_names() -> Found:
    for kind in ("SESSION", "CSRF"):
        name, domain, path = (getattr(settings, f"{kind}_COOKIE_{what}") for what in ("NAME", "DOMAIN", "PATH"))
        if not name.startswith(PREFIX):
            hint = f"Use majuu_core.network.network_settings(), and set no {kind}_COOKIE_NAME after it."
            yield _warning("W067", f"Another host of the domain can set {name}: its name lacks {PREFIX}.", hint)
        elif domain or path != "/":
            hint = f"Take {kind}_COOKIE_DOMAIN and {kind}_COOKIE_PATH out, or give the cookie a name without {PREFIX}."
            yield _error("E068", f"Browsers refuse {name}: it has a domain, or a path other than /.", hint)


def check_proxies(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> Found:
    """majuu.E063 and W064: whom to believe about where requests come from."""
    if any(network.prefixlen == _EVERYBODY for network in trusted_proxies()):
        hint = "Name your own proxies. Lists of allowed addresses are worth nothing when everybody may name theirs."
        yield _error("E063", "MAJUU_TRUSTED_PROXIES believes everybody.", hint)
    if settings.SECURE_PROXY_SSL_HEADER and not trusted_proxies():
        hint = "Name the proxy that sets the header in MAJUU_TRUSTED_PROXIES."
        yield _warning("W064", "SECURE_PROXY_SSL_HEADER is believed from everybody.", hint)


def check_middleware(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> Found:
    """majuu.E065: addresses, https and headers are not looked after, or too late."""
    if tuple(settings.MIDDLEWARE[: len(NETWORK_MIDDLEWARE)]) != NETWORK_MIDDLEWARE:
        hint = "MIDDLEWARE = [*majuu_core.network.NETWORK_MIDDLEWARE, …]"
        yield _error("E065", "MIDDLEWARE does not begin with NETWORK_MIDDLEWARE.", hint)


CHECKS: tuple[Callable[..., Found], ...] = (
    check_debug,
    check_public_url,
    check_secret_keys,
    check_stored_secrets,
    check_worker,
    check_broker,
    check_cache,
    check_mail,
    check_anchors,
    check_hosts,
    check_https,
    check_proxies,
    check_middleware,
)


def check_deployment(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """All of them. A setting that cannot be read is majuu.E010's business."""
    return [message for check in CHECKS for message in _answers(check)]


def _answers(check: Callable[..., Found]) -> list[CheckMessage]:
    try:
        return list(check())
    except (ImproperlyConfigured, DatabaseError):
        return []


def register_deploy_checks() -> None:
    """Tell Django about them."""
    register(check_deployment, "majuu", deploy=True)


def _error(number: str, text: str, hint: str) -> Error:
    return Error(text, hint=hint, id=f"majuu.{number}")


def _warning(number: str, text: str, hint: str) -> Warning:
    return Warning(text, hint=hint, id=f"majuu.{number}")
