"""First of all middleware: who asks. And for every page: the headers that keep foreign code and frames away."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from majuu_core.network.client import settle_client
from majuu_core.network.policies import nonce_of, page_policy

Next = Callable[[HttpRequest], HttpResponseBase]
_ERRORS = 400


class ClientMiddleware:
    """Lets REMOTE_ADDR be the caller's, whatever proxies stand between. Put it before everything else."""

    def __init__(self, get_response: Next) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        settle_client(request)
        return self._get_response(request)


class PageHeadersMiddleware:
    """Gives each request ``csp_nonce``, and each answer the headers it does not bring itself."""

    def __init__(self, get_response: Next) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        nonce_of(request)
        response = self._get_response(request)
        headers = response.headers
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("X-Frame-Options", "DENY")
        if headers.get("Content-Type", "").startswith("text/html") and not _is_for_developers(response):
            headers.setdefault("Content-Security-Policy", page_policy(request))
        return response


def _is_for_developers(response: HttpResponseBase) -> bool:
    """Django's own pages about errors, which exist with DEBUG alone, have their style inline."""
    return settings.DEBUG and response.status_code >= _ERRORS
