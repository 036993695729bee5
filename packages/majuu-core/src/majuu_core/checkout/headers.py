"""Headers of the customer's pages: nothing from elsewhere, nothing kept, nothing told to others."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

View = Callable[..., HttpResponse]


def content_security_policy() -> str:
    """Our own style, script and pictures; forms go to us; no frame around the page.

    Browsers apply ``form-action`` to redirects that follow a form too, so customers are sent on to a provider by the
    page that answers the form, not by a redirect.
    """
    own = " ".join(["'self'", *_static_host()])
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src {own}",
            f"script-src {own}",
            f"img-src {own}",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


def private_page(view: View) -> View:
    """Add the headers to everything the view answers."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.headers["Content-Security-Policy"] = content_security_policy()
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        response.headers["Vary"] = "Accept-Language, Cookie"
        return response

    return wrapped


def _static_host() -> list[str]:
    parts = urlsplit(settings.STATIC_URL or "")
    return [f"{parts.scheme or 'https'}://{parts.netloc}"] if parts.netloc else []
