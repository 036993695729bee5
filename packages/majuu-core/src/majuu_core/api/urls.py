"""Addresses of the API: include under ``api/v1/``."""

from __future__ import annotations

from django.urls import path

from majuu_core.api.api import build_api

api = build_api()
urlpatterns = [path("", api.urls)]
