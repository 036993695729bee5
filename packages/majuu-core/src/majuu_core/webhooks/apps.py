from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "majuu_core.webhooks"
    label = "majuu_webhooks"
    verbose_name = "Webhooks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let key rotation know of the encrypted signing secrets."""
        from majuu_core.common import ids
        from majuu_core.database.sealed import SealedColumn, register_sealed_column

        register_sealed_column(
            SealedColumn(
                model="majuu_webhooks.WebhookSecret",
                column="sealed",
                purpose="webhook-secret",
                bound_to=lambda secret: ids.encode_id("we", secret.endpoint_id),
            )
        )
