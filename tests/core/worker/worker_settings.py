"""Settings of the worker processes that tests start: a real database, connections that stay, django-q2 for real."""

from __future__ import annotations

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

DATABASES["default"]["CONN_MAX_AGE"] = None
MAJUU_ALLOW_PRIVATE_WEBHOOK_ADDRESSES = True
Q_CLUSTER = {
    "name": "majuu-test",
    "orm": "default",
    "workers": 1,
    "queue_limit": 1,
    "timeout": 60,
    "retry": 180,
    "ack_failures": True,
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
