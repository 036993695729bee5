from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "majuu_core.events"
    label = "majuu_events"
    verbose_name = "Events"
    default_auto_field = "django.db.models.BigAutoField"
