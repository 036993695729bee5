from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "majuu_core.payments"
    label = "majuu_payments"
    verbose_name = "Payments"
    default_auto_field = "django.db.models.BigAutoField"
