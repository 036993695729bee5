"""People: how they sign in, their second factor, their profile. ``account_settings()`` is for a project's settings.

Registration, e-mail verification, password reset and social log-in are django-allauth's; devices are django-otp's, set
up on django-two-factor-auth's pages. One sign-in stage (stages.py) stands at the end of every way in.
"""

from __future__ import annotations

from typing import Any

# What a project adds to INSTALLED_APPS, before CORE_APPS.
# Majuu's own comes first: its pages stand in for those of the others.
ACCOUNT_APPS: tuple[str, ...] = (
    "majuu_core.accounts",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.headless",
    "allauth.idp.oidc",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "two_factor",
    "two_factor.plugins.webauthn",
)
# What a project adds to MIDDLEWARE, right after AuthenticationMiddleware.
ACCOUNT_MIDDLEWARE: tuple[str, ...] = (
    "majuu_core.accounts.middleware.CurrentDeviceMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "majuu_core.accounts.timeouts.SessionTimeoutMiddleware",
)


def account_settings(*, public_url: str) -> dict[str, Any]:
    """Settings of allauth, django-otp and two-factor-auth, for ``globals().update(…)`` in a settings module.

    ``public_url`` is MAJUU_PUBLIC_URL. Safe inside a settings module: no model is imported.
    """
    from majuu_core.accounts.project_settings import settings_for

    return settings_for(public_url=public_url)
