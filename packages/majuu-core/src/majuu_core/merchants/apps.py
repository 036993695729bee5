from django.apps import AppConfig


class MerchantsConfig(AppConfig):
    name = "majuu_core.merchants"
    label = "majuu_merchants"
    verbose_name = "Merchants"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let key rotation know of the encrypted credentials."""
        from majuu_core.database.sealed import register_sealed_column
        from majuu_core.merchants.credentials import SEALED

        register_sealed_column(SEALED)
