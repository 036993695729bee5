from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.urls import NoReverseMatch, reverse


class ConsoleConfig(AppConfig):
    name = "majuu_core.console"
    label = "majuu_console"
    verbose_name = "Console"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Staff who sign in come here."""
        from majuu_core.accounts.home import register_home

        register_home(_console_for_staff)


def _console_for_staff(user: Any) -> str | None:
    try:
        return reverse("console:index") if user.is_staff else None
    except NoReverseMatch:  # this project has no console
        return None
