"""A short way for machines: requests under /api/ and /in/ pass none of the middleware made for browsers.

Sessions, messages, locale and CSRF mean nothing to a request with an API key or to a provider's callback, cost half of
its time, and (APPEND_SLASH) could turn a provider's POST into a lost redirect. Put this first in MIDDLEWARE.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus

from django.core.exceptions import DisallowedHost, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import resolve

from majuu_core.api.responses import problem_response, request_id

logger = logging.getLogger("majuu.api")
PREFIXES = ("/api/", "/in/")
_BROWSER_PAGES = ("/api/v1/docs",)


class ApiShortcutMiddleware:
    """Answers machine requests by itself; passes everything else on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if not path.startswith(PREFIXES) or path.startswith(_BROWSER_PAGES):
            return self._get_response(request)
        response = self._answer(request)
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
