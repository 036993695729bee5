from django.apps import AppConfig


class WalletsConfig(AppConfig):
    name = "majuu_core.wallets"
    label = "majuu_wallets"
    verbose_name = "Wallets"
    default_auto_field = "django.db.models.BigAutoField"
