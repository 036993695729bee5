"""Headers of the customer's pages: nothing from elsewhere, nothing kept, nothing told to others."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from majuu_core.network.policies import nonce_only_policy

View = Callable[..., HttpResponse]


def private_page(view: View) -> View:
    """Add the headers to everything the view answers.

    Browsers apply ``form-action`` to redirects that follow a form too, so customers are sent on to a provider by the
    page that answers the form, not by a redirect.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.headers["Content-Security-Policy"] = nonce_only_policy(request)
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        response.headers["Vary"] = "Accept-Language, Cookie"
        return response

    return wrapped
