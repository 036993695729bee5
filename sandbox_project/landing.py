"""The first page: what is where."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

_POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """Addresses of this installation, each with a sentence about it."""
    context = {
        "public_url": settings.MAJUU_PUBLIC_URL.rstrip("/"),
        "shop_url": settings.SANDBOX_SHOP_URL,
        "simulator_url": settings.SANDBOX_SIMULATOR_URL,
    }
    response = render(request, "sandbox/landing.html", context)
    response.headers["Content-Security-Policy"] = _POLICY
    return response
