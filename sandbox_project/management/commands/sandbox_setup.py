"""``manage.py sandbox_setup``: tables, cache table and demo data, all in one process."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from majuu_core.plugins.manager import registries


class Command(BaseCommand):
    help = "Make the tables and load the demo data of all plugins. Safe to run again. Needs DEBUG=on."

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, then run each loader in its order."""
        if not settings.DEBUG:
            raise CommandError(
                "This is for trying things out, with DEBUG=on. On a real site run migrate and createcachetable."
            )
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        for data in registries().demo_data.values():
            data.load()
            self.stdout.write(f"demo data: {data.name}")
