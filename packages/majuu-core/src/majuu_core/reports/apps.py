from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "majuu_core.reports"
    label = "majuu_reports"
    verbose_name = "Reconciliation"
    default_auto_field = "django.db.models.BigAutoField"
