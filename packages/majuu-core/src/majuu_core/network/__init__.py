"""Between the network and the views: who really asks, https or nothing, and the headers of every page.

``NETWORK_MIDDLEWARE`` is what a project puts first into MIDDLEWARE, before everything else.
"""

from __future__ import annotations

from typing import Any

from majuu_core.network.cookies import host_only

NETWORK_MIDDLEWARE: tuple[str, ...] = (
    "majuu_core.network.middleware.ClientMiddleware",
    "majuu_core.api.middleware.ApiShortcutMiddleware",
    "majuu_core.network.middleware.PageHeadersMiddleware",
)
_COOKIES = ("SESSION", "CSRF", "LANGUAGE")


def network_settings(*, public_url: str, debug: bool = False, hsts_seconds: int | None = None) -> dict[str, Any]:
    """Django's settings about cookies, https and headers, for ``globals().update(…)`` in a settings module.

    ``public_url`` is MAJUU_PUBLIC_URL; with https in it cookies are for https alone, plain http is sent on to https
    (pages) or refused (API), and browsers remember that for ``hsts_seconds``, a year by default. Not with ``debug``.
    Cookies have names that no other host of the domain can use, and messages to people stay in the session.
    """
    https = public_url.startswith("https://")
    strict = https and not debug
    return {
        **{f"{kind}_COOKIE_NAME": host_only(f"majuu_{kind.lower()}", https=https) for kind in _COOKIES},
        # Browsers refuse a name with __Host- that comes with a domain, or with a path other than this.
        **{f"{kind}_COOKIE_DOMAIN": None for kind in _COOKIES},
        **{f"{kind}_COOKIE_PATH": "/" for kind in _COOKIES},
        **{f"{kind}_COOKIE_SECURE": https for kind in _COOKIES},
        **{f"{kind}_COOKIE_HTTPONLY": True for kind in _COOKIES},
        "MESSAGE_STORAGE": "django.contrib.messages.storage.session.SessionStorage",
        "SECURE_SSL_REDIRECT": strict,
        "SECURE_HSTS_SECONDS": (365 * 24 * 60 * 60 if hsts_seconds is None else hsts_seconds) if strict else 0,
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "SECURE_REFERRER_POLICY": "same-origin",
        "X_FRAME_OPTIONS": "DENY",
        # Ninja's throttles then count by REMOTE_ADDR, which ClientMiddleware has set right.
        "NINJA_NUM_PROXIES": 0,
    }
