"""The sandbox project as an app: its templates, static files, commands and hooks."""

from __future__ import annotations

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    name = "sandbox_project"
    label = "sandbox"
    verbose_name = "Sandbox"
