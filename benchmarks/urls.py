"""Addresses of the measured application, and the constant answer it is compared with."""

from __future__ import annotations

import orjson
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path


def constant(request: HttpRequest) -> HttpResponse:
    """As little as a Django view can do and still answer JSON."""
    return HttpResponse(orjson.dumps({"object": "constant", "amount": "1500.00"}), content_type="application/json")


urlpatterns: list[URLPattern | URLResolver] = [
    path("constant", constant),
    path("api/v1/", include("majuu_core.api.urls")),
    path("", include("majuu_core.webhooks.urls")),
]
