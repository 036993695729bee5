"""The Django app. It has no models: core stores what the provider reports."""

from __future__ import annotations

from django.apps import AppConfig


class MpesaConfig(AppConfig):
    name = "majuu_mpesa"
    label = "majuu_mpesa"
    verbose_name = "M-Pesa"
