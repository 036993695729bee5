"""Addresses of the sandbox project."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from sandbox_project.landing import icon, landing

urlpatterns: list[URLPattern | URLResolver] = [
    path("", landing, name="landing"),
    path("favicon.ico", icon),
    path("api/v1/", include("majuu_core.api.urls")),
    path("console/", include("majuu_core.console.urls")),
    path("", include("majuu_core.webhooks.urls")),
    path("", include("majuu_core.checkout.urls")),
]
