from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "majuu_core.api"
    label = "majuu_api"
    verbose_name = "API"
    default_auto_field = "django.db.models.BigAutoField"
