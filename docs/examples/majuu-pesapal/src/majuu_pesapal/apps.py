"""The Django app. It has no models: core stores what the provider reports."""

from django.apps import AppConfig


class PesapalConfig(AppConfig):
    name = "majuu_pesapal"
    label = "majuu_pesapal"
    verbose_name = "Pesapal"
