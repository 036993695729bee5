"""Content-Security-Policy: one strict policy for every page, and what some pages need beside it.

A page's own inline script or style carries ``nonce="{{ request.csp_nonce }}"``; nothing else inline runs.
"""

from __future__ import annotations

import base64
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

from majuu_core.common import randomness
from majuu_core.network.configuration import csp_sources

SELF = "'self'"


def nonce_of(request: HttpRequest) -> str:
    """The request's nonce: 128 random bits, made when it is first asked for."""
    found = getattr(request, "csp_nonce", None)
    if found is None:
        found = base64.urlsafe_b64encode(randomness.secret_bytes(16)).decode().rstrip("=")
        request.csp_nonce = found  # type: ignore[attr-defined]
    return str(found)


def page_policy(request: HttpRequest) -> str:
    """The policy of a page that has none of its own: our files, and inline what carries the nonce."""
    nonce = f"'nonce-{nonce_of(request)}'"
    return joined({"script-src": (SELF, nonce), "style-src": (SELF, nonce)})


def nonce_only_policy(request: HttpRequest) -> str:
    """For pages where money is asked for: no script runs but those that carry the nonce, not even our own files."""
    nonce = f"'nonce-{nonce_of(request)}'"
    return joined({"script-src": (nonce,), "style-src": (SELF, nonce)}, static=("style-src", "img-src"))


def joined(
    changes: dict[str, tuple[str, ...]], static: tuple[str, ...] = ("script-src", "style-src", "img-src")
) -> str:
    """A policy as it stands in the header: nothing is allowed but this site, and what is named.

    ``static`` lists where files from another host count too, when STATIC_URL names one.
    """
    directives: dict[str, tuple[str, ...]] = {
        "default-src": ("'none'",),
        "script-src": (SELF,),
        "style-src": (SELF,),
        "img-src": (SELF, "data:"),
        "font-src": (SELF,),
        "connect-src": (SELF,),
        "form-action": (SELF,),
        "base-uri": ("'none'",),
        "frame-ancestors": ("'none'",),
        **changes,
    }
    for name, sources in csp_sources().items():
        directives[name] = (*directives.get(name, ()), *sources)
    for name in (*static, "font-src"):
        directives[name] = (*directives[name], *_static_host())
    return "; ".join(f"{name} {' '.join(dict.fromkeys(sources))}" for name, sources in directives.items())


def _static_host() -> tuple[str, ...]:
    parts = urlsplit(settings.STATIC_URL or "")
    return (f"{parts.scheme or 'https'}://{parts.netloc}",) if parts.netloc else ()
