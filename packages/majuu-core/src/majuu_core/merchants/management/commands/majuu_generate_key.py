"""``manage.py majuu_generate_key``: a new master key for MAJUU_ENCRYPTION_KEYS."""

from __future__ import annotations

import base64
from typing import Any

from django.core.management.base import BaseCommand

from majuu_core.common import randomness

KEY_BYTES = 32


class Command(BaseCommand):
    help = "Print a new master key for MAJUU_ENCRYPTION_KEYS: 256 random bits. Nothing is stored."
    requires_system_checks: list[str] = []  # it must run while the settings still lack a key

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(base64.urlsafe_b64encode(randomness.secret_bytes(KEY_BYTES)).decode().rstrip("="))
