"""The dashboard as a Django app: pages only, no models."""

from __future__ import annotations

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "majuu_core.dashboard"
    label = "majuu_dashboard"
    verbose_name = "Dashboard"

    def ready(self) -> None:
        """Members come here after signing in."""
        from majuu_core.accounts.home import register_home
        from majuu_core.dashboard.start import home_of_member

        register_home(home_of_member)
