"""Settings of the sandbox project, all from the environment. docs/how-to/deploy-settings.md explains each.

With ``DEBUG=on`` nothing else is needed. Without it, the keys, the host names and the public address have to be given.
"""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from majuu_core.accounts import ACCOUNT_APPS, ACCOUNT_MIDDLEWARE, account_settings
from majuu_core.apps import CORE_APPS
from majuu_core.console import unfold_settings
from majuu_core.network import NETWORK_MIDDLEWARE, network_settings
from majuu_core.plugins.manager import plugin_apps
from sandbox_project.databases import cache_settings, database_settings
from sandbox_project.log_settings import logging_settings
from sandbox_project.mail import mail_settings
from sandbox_project.providers import demo_rate, provider_settings

env = environ.Env()
HERE = Path(__file__).resolve().parent
VAR = Path(env.str("SANDBOX_VAR", default=str(HERE.parent / "var"))).resolve()


def _own_secret_key() -> str:
    """A random key of this folder's own: made once, readable by its owner only. For DEBUG."""
    path = VAR / "secret-key"
    VAR.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        key = secrets.token_urlsafe(48)
        file.write(key)
    return key


def _required(name: str, example: str) -> str:
    if value := env.str(name, default=""):
        return str(value)
    raise ImproperlyConfigured(f"Set {name} ({example}). To try things out on your own machine, set DEBUG=on instead.")


DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    SECRET_KEY = _own_secret_key() if DEBUG else _required("SECRET_KEY", "50 random characters or more")
MAJUU_PUBLIC_URL = env.str("MAJUU_PUBLIC_URL", default="http://127.0.0.1:8000" if DEBUG else "")
if not MAJUU_PUBLIC_URL:
    _required("MAJUU_PUBLIC_URL", "this site's address, such as https://pay.example.com")
_public = urlsplit(MAJUU_PUBLIC_URL)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"] if DEBUG else [_public.hostname])

# --- What is there ---------------------------------------------------------------------------------------------------
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
    *plugin_apps(),
    "sandbox_project",
]
MIDDLEWARE = [
    # First: who asks; then what machines send, which passes nothing made for browsers and is never redirected.
    *NETWORK_MIDDLEWARE,
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    *ACCOUNT_MIDDLEWARE,
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "sandbox_project.urls"
WSGI_APPLICATION = "sandbox_project.wsgi.application"
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
UNFOLD = unfold_settings()  # the console's title, colours and menu
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Where things are kept -------------------------------------------------------------------------------------------
_database_url = env.str("DATABASE_URL", default="sqlite:///majuu.sqlite3")
if _database_url.startswith("sqlite:"):
    VAR.mkdir(mode=0o700, parents=True, exist_ok=True)
DATABASES = {
    "default": database_settings(
        _database_url, folder=VAR, behind_pooler=env.bool("DATABASE_BEHIND_POOLER", default=False)
    )
}
CACHES = {"default": cache_settings(env.str("REDIS_URL", default=""))}

# --- Work in the background: `manage.py majuu_worker` ----------------------------------------------------------------
# django-q2 counts from the moment a task is taken, not from its start: `retry` has to be longer than a task can wait
# behind others and run, or it runs twice. That is timeout * (queue_limit / workers + 1).
_workers = env.int("Q_WORKERS", default=1)
Q_CLUSTER = {
    "name": "majuu",
    "orm": "default",
    "workers": _workers,
    "queue_limit": _workers,
    "timeout": 60,
    "retry": 180,
    "ack_failures": True,  # our tables say what is to be tried again; a failed task is not
    "max_attempts": 3,  # a task that takes its process down with it is given up
    "catch_up": False,  # after a night without worker one sweep is enough
    "poll": 1.0,
    "save_limit": 250,
    "recycle": 500,
}

# --- Majuu -----------------------------------------------------------------------------------------------------------
# Empty with DEBUG on: a key is then derived from SECRET_KEY. Otherwise `manage.py check` and the first payment refuse.
MAJUU_ENCRYPTION_KEYS = env.list("MAJUU_ENCRYPTION_KEYS", default=[])
MAJUU_TRUSTED_PROXIES = env.list("MAJUU_TRUSTED_PROXIES", default=[])
MAJUU_ALLOW_PRIVATE_WEBHOOK_ADDRESSES = env.bool("MAJUU_ALLOW_PRIVATE_WEBHOOK_ADDRESSES", default=False)
MAJUU_INTENT_LIFETIME = timedelta(minutes=env.int("MAJUU_INTENT_LIFETIME_MINUTES", default=24 * 60))
MAJUU_KEY_CACHE_SECONDS = env.int("MAJUU_KEY_CACHE_SECONDS", default=0)
MAJUU_BALANCE_MINUTES = env.int("MAJUU_BALANCE_MINUTES", default=60)
MAJUU_CALLBACK_SILENCE = env.int("MAJUU_CALLBACK_SILENCE", default=15)
MAJUU_ALERT_EMAILS = env.list("MAJUU_ALERT_EMAILS", default=[])
MAJUU_AUDIT_SIGNING_KEY = env.list("MAJUU_AUDIT_SIGNING_KEY", default=[])
MAJUU_AUDIT_ANCHORS = {
    "file": env.str("MAJUU_AUDIT_ANCHOR_FILE", default=""),
    "emails": env.list("MAJUU_AUDIT_ANCHOR_EMAILS", default=[]),
}
MAJUU_TRACE_HOOKS = env.bool("MAJUU_TRACE_HOOKS", default=False)
MAJUU_PROVIDERS = provider_settings(env)

# --- People: registration, sign-in, second factor --------------------------------------------------------------------
globals().update(account_settings(public_url=MAJUU_PUBLIC_URL))
# For a first look nobody needs an authenticator app; on a real site "optional" is an error.
MAJUU_SECOND_FACTOR = env.str("MAJUU_SECOND_FACTOR", default="optional" if DEBUG else "required")
MAJUU_BREACHED_PASSWORDS = env.str("MAJUU_BREACHED_PASSWORDS", default="") or None
MAJUU_SMS_SENDER = env.str("MAJUU_SMS_SENDER", default="majuu_core.accounts.sms.write_to_log" if DEBUG else "") or None

# --- Languages and time ----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("sw", "Kiswahili")]
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="Africa/Nairobi")  # of what people see; everything is kept in UTC

# --- Static files ----------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(VAR / "static")))
if DEBUG:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns of a folder that is not there
WHITENOISE_USE_FINDERS = DEBUG  # no collectstatic needed while trying things out
WHITENOISE_AUTOREFRESH = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Exports ---------------------------------------------------------------------------------------------------------
# Majuu's own exports disarm formulas by themselves. This is for apps of this project that use django-import-export,
# where it is off unless somebody says so.
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True

# --- Security --------------------------------------------------------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
SESSION_COOKIE_AGE = 12 * 60 * 60
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
globals().update(
    network_settings(public_url=MAJUU_PUBLIC_URL, debug=DEBUG, hsts_seconds=env.int("HSTS_SECONDS", default=None))
)
# Whether the domains below this one are served by https alone, and for ever, is not ours to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
# Only where a proxy sets this header on every request may it be believed.
if env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Logs and mail ---------------------------------------------------------------------------------------------------
LOGGING = logging_settings(env.str("LOG_LEVEL", default="INFO"))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"majuu@{_public.hostname}")
globals().update(mail_settings(env.str("EMAIL_URL", default="consolemail://" if DEBUG else "smtp://127.0.0.1:25")))

# --- Of the sandbox --------------------------------------------------------------------------------------------------
SANDBOX_SHOP_URL = env.str("SANDBOX_SHOP_URL", default="")
SANDBOX_SIMULATOR_URL = env.str("SANDBOX_SIMULATOR_URL", default="")
SANDBOX_STRIPE_URL = env.str("SANDBOX_STRIPE_URL", default="")
SANDBOX_PAYPAL_URL = env.str("SANDBOX_PAYPAL_URL", default="")
SANDBOX_DEMO_RATE = demo_rate(env.str("SANDBOX_DEMO_RATE", default=""), debug=DEBUG)
