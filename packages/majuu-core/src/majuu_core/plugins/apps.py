from __future__ import annotations

from django.apps import AppConfig


class PluginsConfig(AppConfig):
    """Brings the command ``majuu_plugins``. It has no models; loading happens in the core app's ``ready()``."""

    name = "majuu_core.plugins"
    label = "majuu_plugins"
    verbose_name = "Majuu plugins"
