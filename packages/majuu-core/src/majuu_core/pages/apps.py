"""Pages as a Django app: templates and static files, no models."""

from __future__ import annotations

from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "majuu_core.pages"
    label = "majuu_pages"
    verbose_name = "Majuu pages"
