"""Settings of the test suite: SQLite unless DATABASE_URL names another database."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import environ

from majuu_core.accounts import ACCOUNT_APPS, ACCOUNT_MIDDLEWARE, account_settings
from majuu_core.apps import CORE_APPS
from majuu_core.console import unfold_settings
from majuu_core.network import NETWORK_MIDDLEWARE

env = environ.Env()

SECRET_KEY = "tests-only-" + "0123456789abcdef" * 3
DEBUG = False
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("sw", "Kiswahili")]
ROOT_URLCONF = "tests.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False

DATABASES: dict[str, dict[str, Any]] = {"default": env.db_url("DATABASE_URL", default="sqlite:///:memory:")}
if DATABASES["default"]["ENGINE"].endswith("mysql"):
    import pymysql

    pymysql.version_info = (2, 2, 7, "final", 0)
    pymysql.install_as_MySQLdb()
    DATABASES["default"]["OPTIONS"] = {"charset": "utf8mb4", "init_command": "SET sql_mode='STRICT_TRANS_TABLES'"}
if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    DATABASES["default"]["OPTIONS"] = {"server_side_binding": True}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 20}

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
if env.str("REDIS_URL", default=""):
    # Tests clear the cache, so each test process has a Redis database of its own, counted down from the last one.
    _process = int(env.str("PYTEST_XDIST_WORKER", default="gw0").removeprefix("gw"))
    CACHES["default"] = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": f"{env.str('REDIS_URL').rstrip('/')}/{15 - _process}",
    }

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
    "allauth.socialaccount.providers.dummy",
    *CORE_APPS,
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
UNFOLD = unfold_settings()
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

NINJA_NUM_PROXIES = 0

MAJUU_ENCRYPTION_KEYS = ["tests-only-master-key-0123456789abcdef"]
MAJUU_KYC_ROOT = Path(tempfile.gettempdir()) / "majuu-tests-kyc"
MAJUU_PUBLIC_URL = "http://testserver"
MAJUU_ALLOW_PRIVATE_WEBHOOK_ADDRESSES = False
Q_CLUSTER = {"name": "majuu", "orm": "default", "sync": True, "timeout": 60, "retry": 300}

globals().update(account_settings(public_url=MAJUU_PUBLIC_URL))
