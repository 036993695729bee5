from django.apps import AppConfig


class IdempotencyConfig(AppConfig):
    name = "majuu_core.idempotency"
    label = "majuu_idempotency"
    verbose_name = "Idempotency keys"
    default_auto_field = "django.db.models.BigAutoField"
