from django.apps import AppConfig


class MerchantsConfig(AppConfig):
    name = "majuu_core.merchants"
    label = "majuu_merchants"
    verbose_name = "Merchants"
    default_auto_field = "django.db.models.BigAutoField"
