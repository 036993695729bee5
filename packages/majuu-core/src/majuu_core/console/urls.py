"""Addresses of the console: include under ``console/``."""

from __future__ import annotations

from django.urls import path

from majuu_core.console.site import console_site

urlpatterns = [path("", console_site.urls)]
