"""Headers of the account's pages: those of all pages for signed-in people, and a way out to other sites."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver

from majuu_core.pages.headers import content_security_policy, private_page

View = Callable[..., HttpResponseBase]


def private(patterns: Iterable[URLPattern | URLResolver], *, leads_out: bool = False) -> list[URLPattern | URLResolver]:
    """The same addresses; everything that is answered there has the headers.

    ``leads_out``: forms may end at another site. Signing in with one begins with such a form, and browsers hold
    ``form-action`` against redirects too.
    """
    found = list(patterns)
    for pattern in found:
        if isinstance(pattern, URLResolver):
            private(pattern.url_patterns, leads_out=leads_out)
        else:
            pattern.callback = private_page(_leading_out(pattern.callback) if leads_out else pattern.callback)
    return found


def _leading_out(view: View) -> View:
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        policy = content_security_policy().replace("form-action 'self'", "form-action 'self' https:")
        response.headers["Content-Security-Policy"] = policy
        return response

    return wrapped
