"""The Django app. It has no models: core stores what the provider reports."""

from __future__ import annotations

from django.apps import AppConfig


class PaypalConfig(AppConfig):
    name = "majuu_paypal"
    label = "majuu_paypal"
    verbose_name = "PayPal"
