from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "majuu_core.ledger"
    label = "majuu_ledger"
    verbose_name = "Ledger"
    default_auto_field = "django.db.models.BigAutoField"
