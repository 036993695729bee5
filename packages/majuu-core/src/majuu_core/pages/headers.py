"""Headers of pages for signed-in people: nothing from elsewhere, nothing kept, no frame around them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from majuu_core.network.policies import joined

View = Callable[..., HttpResponseBase]


def content_security_policy() -> str:
    """Our own style, scripts and pictures, also data: pictures (a QR code for an app); forms go to us."""
    return joined({})


def private_page(view: View) -> View:
    """Add the headers to everything the view answers; what the view has set itself stays.

    The referrer stays within the site: without one, forms would arrive with ``Origin: null`` and be refused.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response.headers.setdefault("Content-Security-Policy", content_security_policy())
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("X-Robots-Tag", "noindex, nofollow")
        return response

    return wrapped
