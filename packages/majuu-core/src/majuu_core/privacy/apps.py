from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "majuu_core.privacy"
    label = "majuu_privacy"
    verbose_name = "Privacy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let key rotation know of the names on holds."""
        from majuu_core.database.sealed import register_sealed_column
        from majuu_core.privacy.holds import SEALED

        register_sealed_column(SEALED)
