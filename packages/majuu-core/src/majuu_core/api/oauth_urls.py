"""Addresses of OAuth: include at the root. Only ``/oauth/token`` is there: nobody is sent anywhere to agree."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from majuu_core.api.oauth import token

urlpatterns: list[URLPattern | URLResolver] = [path("oauth/token", token, name="majuu_oauth_token")]
