"""Accounts as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "majuu_core.accounts"
    label = "majuu_accounts"
    verbose_name = "Majuu accounts"
    default_auto_field = "django.db.models.BigAutoField"
