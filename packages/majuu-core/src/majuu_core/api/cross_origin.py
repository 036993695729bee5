"""Other sites' pages may read what publishable keys open, and nothing else of the API."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

PREFIX = "/api/v1/checkout/"
_READABLE = "Request-Id, Retry-After, RateLimit, RateLimit-Policy"


def preflight(request: HttpRequest) -> HttpResponse | None:
    """The answer to a browser that asks whether a page may send its request; None for any other request.

    No cookie counts here and none is allowed, so every origin may ask.
    """
    if request.method != "OPTIONS" or not request.path_info.startswith(PREFIX):
        return None
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Methods"] = "GET"
    response["Access-Control-Allow-Headers"] = "Authorization, X-API-KEY"
    response["Access-Control-Max-Age"] = "86400"
    return response


def let_pages_read(request: HttpRequest, response: HttpResponseBase) -> None:
    """Mark an answer that a page of any origin may read."""
    if request.path_info.startswith(PREFIX):
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = _READABLE
