from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "majuu_core.audit"
    label = "majuu_audit"
    verbose_name = "Audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let key rotation know of the subjects' keys."""
        from majuu_core.audit.personal import SEALED
        from majuu_core.database.sealed import register_sealed_column

        register_sealed_column(SEALED)
