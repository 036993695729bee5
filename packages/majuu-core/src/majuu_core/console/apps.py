from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "majuu_core.console"
    label = "majuu_console"
    verbose_name = "Console"
    default_auto_field = "django.db.models.BigAutoField"
