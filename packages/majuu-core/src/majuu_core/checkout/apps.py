from django.apps import AppConfig


class CheckoutConfig(AppConfig):
    name = "majuu_core.checkout"
    label = "majuu_checkout"
    verbose_name = "Checkout"
    default_auto_field = "django.db.models.BigAutoField"
