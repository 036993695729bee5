from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "majuu_core.api"
    label = "majuu_api"
    verbose_name = "API"
