"""``manage.py sandbox_setup``: tables, cache table and demo data, all in one process."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from majuu_core.plugins.manager import registries


class Command(BaseCommand):
    help = "Make the tables and load the demo data of all plugins. Safe to run again. Needs DEBUG=on."

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, then run each loader in its order."""
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        for data in registries().demo_data.values():
            try:
                data.load()
            except ImproperlyConfigured as problem:
                raise CommandError(str(problem)) from None
            self.stdout.write(f"demo data: {data.name}")
