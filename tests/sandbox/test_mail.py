"""EMAIL_URL becomes the settings of the Django that runs."""

from __future__ import annotations

from sandbox_project.mail import mail_settings

SMTP = "smtp+tls://majuu:a%40b@mail.example:587"
BACKEND = "django.core.mail.backends.smtp.EmailBackend"


def test_older_djangos_have_one_setting_for_each_thing() -> None:
    found = mail_settings(SMTP, version=(5, 2))

    assert found == {
        "EMAIL_BACKEND": BACKEND,
        "EMAIL_HOST": "mail.example",
        "EMAIL_PORT": 587,
        "EMAIL_HOST_USER": "majuu",
        "EMAIL_HOST_PASSWORD": "a@b",
        "EMAIL_USE_TLS": True,
        "EMAIL_TIMEOUT": 15,
    }


def test_newer_ones_have_mailers() -> None:
    found = mail_settings(SMTP, version=(6, 1))

    options = {"host": "mail.example", "port": 587, "username": "majuu", "password": "a@b", "use_tls": True}
    assert found == {"MAILERS": {"default": {"BACKEND": BACKEND, "OPTIONS": options | {"timeout": 15}}}}


def test_mails_can_be_printed() -> None:
    backend = "django.core.mail.backends.console.EmailBackend"

    assert mail_settings("consolemail://", version=(5, 2)) == {"EMAIL_BACKEND": backend}
    assert mail_settings("consolemail://", version=(6, 1)) == {"MAILERS": {"default": {"BACKEND": backend}}}
