"""Settings of the measured application: PostgreSQL, and what a production site would set."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import environ

from majuu_core.accounts import ACCOUNT_APPS, ACCOUNT_MIDDLEWARE, account_settings
from majuu_core.apps import CORE_APPS
from majuu_core.network import NETWORK_MIDDLEWARE

env = environ.Env()

SECRET_KEY = "benchmarks-only-" + "0123456789abcdef" * 3
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
ROOT_URLCONF = "benchmarks.urls"
WSGI_APPLICATION = "benchmarks.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default="postgres://postgres@127.0.0.1:5432/majuu_bench_app")
    | {
        # A connection lives as long as its thread; a statement is prepared when it comes the second time.
        "CONN_MAX_AGE": None,
        "OPTIONS": {"server_side_binding": True, "prepare_threshold": 1},
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
# One key makes all requests: they are counted as everywhere, and none is one too many.
MAJUU_RATE_LIMITS = {"secret_key": (100_000, timedelta(seconds=1))}

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_countries",
    "djmoney",
    "django_q",
    "ninja",
    *ACCOUNT_APPS,
    *CORE_APPS,
    "majuu_mpesa",
]
MIDDLEWARE = [
    *NETWORK_MIDDLEWARE,
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    *ACCOUNT_MIDDLEWARE,
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STATIC_URL = "/static/"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": "ERROR"},
}

MAJUU_ENCRYPTION_KEYS = ["benchmarks-only-master-key-0123456789abcdef"]
MAJUU_PUBLIC_URL = "http://127.0.0.1:8000"
MAJUU_ALLOW_PRIVATE_WEBHOOK_ADDRESSES = True
MAJUU_PROVIDERS = {"mpesa": {"test": {"callback_addresses": "*"}}}
Q_CLUSTER = {"name": "majuu", "orm": "default", "timeout": 60, "retry": 300}

globals().update(account_settings(public_url=MAJUU_PUBLIC_URL))
