"""The values behind ``account_settings()``."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

AUTHENTICATION_BACKENDS = [
    "majuu_core.accounts.backends.SignInBackend",
]
# allauth's own limits, kept in the cache. Wrong passwords are counted by accounts.sign_in_limits: allauth's limit by
# account could be used to keep people out of theirs.
RATE_LIMITS: dict[str, str | None] = {
    "login": None,
    "login_failed": None,
    "signup": "20/h/ip",
    "reset_password": "20/h/ip,5/h/key",
    "request_login_code": "20/h/ip,5/h/key",
}
FORMS: dict[str, str] = {
    name: f"majuu_core.accounts.forms.{form}"
    for name, form in (
        ("login", "SignInForm"),
        ("signup", "RegistrationForm"),
        ("add_email", "AddressForm"),
        ("reset_password", "ForgottenPasswordForm"),
        ("change_password", "NewPasswordForm"),
    )
}
_DJANGO = "django.contrib.auth.password_validation"
PASSWORD_VALIDATORS: tuple[dict[str, Any], ...] = (
    {"NAME": f"{_DJANGO}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_DJANGO}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_DJANGO}.CommonPasswordValidator"},
    {"NAME": "majuu_core.accounts.passwords.KnownPasswordValidator"},
)


def settings_for(*, public_url: str) -> dict[str, Any]:
    """Every setting, by name."""
    parts = urlsplit(public_url)
    found: dict[str, Any] = {
        "AUTHENTICATION_BACKENDS": list(AUTHENTICATION_BACKENDS),
        "LOGIN_URL": "account_login",
        "LOGIN_REDIRECT_URL": "majuu_account",
        "ACCOUNT_ADAPTER": "majuu_core.accounts.adapter.AccountAdapter",
        "ACCOUNT_DEFAULT_HTTP_PROTOCOL": parts.scheme or "https",
        "ACCOUNT_LOGIN_METHODS": {"email", "username"},
        "ACCOUNT_SIGNUP_FIELDS": ["email*", "password1*"],
        "ACCOUNT_EMAIL_VERIFICATION": "mandatory",
        "ACCOUNT_UNIQUE_EMAIL": True,
        "ACCOUNT_PREVENT_ENUMERATION": True,
        "ACCOUNT_EMAIL_SUBJECT_PREFIX": "",
        "ACCOUNT_LOGIN_BY_CODE_ENABLED": True,
        "ACCOUNT_REAUTHENTICATION_REQUIRED": True,
        "ACCOUNT_FORMS": dict(FORMS),
        "ACCOUNT_SESSION_REMEMBER": False,
        "ACCOUNT_EMAIL_NOTIFICATIONS": True,
        "ACCOUNT_LOGOUT_REDIRECT_URL": "account_login",
        "ACCOUNT_RATE_LIMITS": dict(RATE_LIMITS),
        "AUTH_PASSWORD_VALIDATORS": [dict(validator) for validator in PASSWORD_VALIDATORS],
        "SESSION_COOKIE_HTTPONLY": True,
        "HEADLESS_CLIENTS": ("app",),
        "HEADLESS_TOKEN_STRATEGY": "majuu_core.accounts.tokens.TokenStrategy",
        "OTP_TOTP_ISSUER": parts.hostname or "Majuu",
        "TWO_FACTOR_WEBAUTHN_RP_NAME": "Majuu",
        "TWO_FACTOR_REMEMBER_COOKIE_AGE": None,
    }
    return found
