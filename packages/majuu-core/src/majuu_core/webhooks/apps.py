from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "majuu_core.webhooks"
    label = "majuu_webhooks"
    verbose_name = "Webhooks"
    default_auto_field = "django.db.models.BigAutoField"
