"""The first page: what is where."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from majuu_core.configuration import public_url
from sandbox_project.places import demo_rate, paypal_url, shop_url, simulator_url, stripe_url

_POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"


@require_safe
def icon(request: HttpRequest) -> HttpResponse:
    """Where browsers look for an icon when a page names none."""
    return redirect(static("sandbox/majuu.svg"))


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """Addresses of this installation, each with a sentence about it."""
    context = {
        "public_url": public_url(),
        "shop_url": shop_url(),
        "simulator_url": simulator_url(),
        "stripe_url": stripe_url(),
        "paypal_url": paypal_url(),
        "demo_rate": demo_rate(),
    }
    response = render(request, "sandbox/landing.html", context)
    response.headers["Content-Security-Policy"] = _POLICY
    return response
