"""The Django app. It has no models: core stores what the provider reports."""

from __future__ import annotations

from django.apps import AppConfig


class StripeConfig(AppConfig):
    name = "majuu_stripe"
    label = "majuu_stripe"
    verbose_name = "Stripe"
