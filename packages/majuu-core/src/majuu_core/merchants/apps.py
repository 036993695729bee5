from django.apps import AppConfig


class MerchantsConfig(AppConfig):
    name = "majuu_core.merchants"
    label = "majuu_merchants"
    verbose_name = "Merchants"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let key rotation know of what is encrypted, and accounts of who must have a second factor."""
        from majuu_core.accounts.policy import register_second_factor_rule
        from majuu_core.database.sealed import register_sealed_column
        from majuu_core.merchants.credentials import SEALED
        from majuu_core.merchants.kyc.sealing import FILE_KEY, IDENTITY, SETTLEMENT
        from majuu_core.merchants.second_factor import handles_money

        for column in (SEALED, SETTLEMENT, IDENTITY, FILE_KEY):
            register_sealed_column(column)
        register_second_factor_rule(handles_money)
