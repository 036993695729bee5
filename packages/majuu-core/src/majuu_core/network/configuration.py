"""The settings of this room, typed. docs/reference/settings.md lists them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured

from majuu_core.configuration import public_url, unusable

_DIRECTIVES = frozenset({"script-src", "style-src", "img-src", "font-src", "connect-src", "form-action", "frame-src"})
# A host, with or without scheme, port and wildcard; or a scheme. Nothing that opens the policy as a whole.
_SOURCE = re.compile(r"(https?://)?(\*\.)?[a-z0-9.-]+\.[a-z0-9-]+(:[0-9]+)?(/[\w./-]*)?|data:|blob:|[a-z][a-z0-9.-]*:")


def require_https() -> bool:
    """``MAJUU_REQUIRE_HTTPS``: refuse API calls and callbacks over plain http.

    By default where MAJUU_PUBLIC_URL begins with https and DEBUG is off.
    """
    given = getattr(settings, "MAJUU_REQUIRE_HTTPS", None)
    if given is None:
        return not settings.DEBUG and public_url().startswith("https://")
    if not isinstance(given, bool):
        raise ImproperlyConfigured("MAJUU_REQUIRE_HTTPS must be True, False or None.")
    return given


def csp_sources() -> Mapping[str, tuple[str, ...]]:
    """``MAJUU_CSP_SOURCES``: what pages may use beside this site, by directive.

    ``{"form-action": ["https://accounts.google.com"]}`` lets a form lead to Google's log-in page. The words that would
    open a policy ('unsafe-inline', 'unsafe-eval', *) are refused.
    """
    given: Any = getattr(settings, "MAJUU_CSP_SOURCES", {})
    if not isinstance(given, Mapping) or not set(given) <= _DIRECTIVES:
        raise ImproperlyConfigured(
            f"MAJUU_CSP_SOURCES must be a dictionary; it may hold {', '.join(sorted(_DIRECTIVES))}."
        )
    return {name: _sources(name, value) for name, value in given.items()}


def _sources(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) and _SOURCE.fullmatch(item) for item in value):
        return tuple(value)
    raise ImproperlyConfigured(
        f"MAJUU_CSP_SOURCES[{name!r}] must be a list of hosts such as https://accounts.google.com; words in quotes and "
        '"*" are not taken.'
    )


def check_network_settings(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """majuu.E010: a setting of this room that cannot be used."""
    found = unusable((require_https, csp_sources))
    return [message for message in found if "MAJUU_PUBLIC_URL" not in message.msg]  # that is told of elsewhere
