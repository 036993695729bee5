"""Addresses of the test project: everything core offers."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include("majuu_core.api.urls")),
    path("", include("majuu_core.api.oauth_urls")),
    path("", include("majuu_core.webhooks.urls")),
    path("", include("majuu_core.checkout.urls")),
    path("accounts/", include("majuu_core.accounts.urls")),
    path("console/", include("majuu_core.console.urls")),
    path("dashboard/", include("majuu_core.dashboard.urls")),
]
