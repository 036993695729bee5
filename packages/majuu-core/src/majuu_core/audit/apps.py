from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "majuu_core.audit"
    label = "majuu_audit"
    verbose_name = "Audit"
    default_auto_field = "django.db.models.BigAutoField"
