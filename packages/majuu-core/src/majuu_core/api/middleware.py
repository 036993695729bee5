"""A short way for machines: requests under /api/, /in/ and /oauth/ pass none of the middleware made for browsers.

Sessions, messages, locale and CSRF mean nothing to a request with an API key or to a provider's callback, cost half of
its time, and (APPEND_SLASH) could turn a provider's POST into a lost redirect. NETWORK_MIDDLEWARE puts this
second in MIDDLEWARE.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import resolve

from majuu_core.api.cross_origin import let_pages_read, preflight
from majuu_core.api.limits import add_rate_headers
from majuu_core.api.responses import problem_response, request_id
from majuu_core.network.configuration import require_https

logger = logging.getLogger("majuu.api")
PREFIXES = ("/api/", "/in/", "/oauth/")
_BROWSER_PAGES = ("/api/v1/docs",)


class ApiShortcutMiddleware:
    """Answers machine requests by itself; passes everything else on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if not path.startswith(PREFIXES) or path.startswith(_BROWSER_PAGES):
            return self._get_response(request)
        allowed = request.is_secure() or not require_https()
        response = (preflight(request) or self._answer(request)) if allowed else _refuse_plain_http(request)
        add_rate_headers(request, response)
        let_pages_read(request, response)
        if request.is_secure() and settings.SECURE_HSTS_SECONDS:
            response.headers["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}"
        response.headers.setdefault("Request-Id", request_id(request))
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        if isinstance(response, HttpResponse):
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        try:
            request.get_host()
            match = resolve(request.path_info)
            request.resolver_match = match
            return _in_our_form(request, match.func(request, *match.args, **match.kwargs))
        except Http404:
            return problem_response(request, 404, "not_found", "There is nothing at this address.")
        except DisallowedHost:
            return problem_response(request, 400, "host_unknown", "This host name is not served here.")
        except RequestDataTooBig:
            return problem_response(request, 413, "body_too_large", "The request body is too large.")
        except SuspiciousOperation:
            return problem_response(request, 400, "parameter_invalid", "The request is malformed.")
        except Exception:
            logger.exception("request %s failed", request_id(request))
            return _internal_error(request)


def _refuse_plain_http(request: HttpRequest) -> HttpResponse:
    """No redirect: a client that follows one would send its key in the clear each time, and never notice."""
    logger.warning("request %s came over plain http and was refused", request_id(request))
    text = "Use https. A key sent over plain http may have been read on its way: rotate it. "
    operator = "Is this https already? Then the proxy in front of Majuu has to say so: see MAJUU_TRUSTED_PROXIES."
    return problem_response(request, 403, "https_required", text + operator)


def _in_our_form(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """A bare "method not allowed" becomes a problem like every other refusal."""
    if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
        return response
    allowed = response.headers.get("Allow", "")
    problem = problem_response(request, 405, "method_not_allowed", f"Use one of: {allowed}.")
    problem["Allow"] = allowed
    return problem


def _internal_error(request: HttpRequest) -> HttpResponse:
    text = "Something went wrong on our side. Send the request again with the same Idempotency-Key."
    return problem_response(request, 500, "internal_error", text)
