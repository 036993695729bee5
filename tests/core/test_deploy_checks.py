"""What the deployment check says: nothing about a good site, and each finding when its cause is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django_q.models import Schedule

from majuu_core.common import clock
from majuu_core.deploy_checks import CHECKS, check_deployment
from majuu_core.network import NETWORK_MIDDLEWARE, network_settings
from majuu_core.testing.factories import make_provider_account
from majuu_core.worker.schedules import PREFIX, sync_schedules

pytestmark = pytest.mark.django_db
Change = Callable[[Any], None]
KEY = "a-key-for-tests-alone-0123456789-abcdefghijk"


@pytest.fixture
def site(settings: Any) -> Any:
    """Settings of a good site, with a worker at work."""
    settings.MAJUU_PUBLIC_URL = "https://pay.example.com"
    for name, value in network_settings(public_url=settings.MAJUU_PUBLIC_URL).items():
        setattr(settings, name, value)
    settings.ALLOWED_HOSTS = ["pay.example.com"]
    settings.MAJUU_ENCRYPTION_KEYS = [KEY]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.MAJUU_ALERT_EMAILS = ["ops@example.com"]
    settings.MAJUU_AUDIT_ANCHORS = {"emails": ["auditor@example.com"]}
    settings.MAJUU_AUDIT_SIGNING_KEY = KEY[::-1]
    settings.MAJUU_TRUSTED_PROXIES = ["10.0.0.1"]
    settings.Q_CLUSTER = {"name": "majuu", "orm": "default"}
    sync_schedules()
    return settings


def found() -> list[str]:
    return sorted(str(message.id) for message in check_deployment())


def test_a_good_site_has_nothing_to_say(site: Any) -> None:
    """given a site as it should be / when checked / then nothing."""
    assert found() == []


def _stop_worker(settings: Any) -> None:
    Schedule.objects.filter(name=f"{PREFIX}sweep").update(next_run=clock.now() - timedelta(minutes=6))


def _lose_key(settings: Any) -> None:
    make_provider_account(platform=True, provider="mock")
    settings.MAJUU_ENCRYPTION_KEYS = ["quite-another-key-0123456789-abcdefghijklm"]


def setting(name: str, value: Any) -> Change:
    return lambda settings: setattr(settings, name, value)


CAUSES: list[tuple[str, Change]] = [
    ("E050", setting("DEBUG", True)),
    ("E051", setting("MAJUU_PUBLIC_URL", "http://pay.example.com")),
    ("E051", setting("MAJUU_PUBLIC_URL", "https://localhost")),
    ("E052", setting("MAJUU_ENCRYPTION_KEYS", [KEY, "k" * 43])),
    ("E052", lambda settings: setattr(settings, "SECRET_KEY", KEY)),
    ("E053", _lose_key),
    ("W054", _stop_worker),
    ("W054", lambda settings: Schedule.objects.all().delete() and None),
    ("E055", setting("Q_CLUSTER", {"redis": {"host": "127.0.0.1"}})),
    ("E055", setting("Q_CLUSTER", {})),
    ("E055", setting("Q_CLUSTER", {"orm": "default", "sync": True})),
    ("W056", setting("CACHES", {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}})),
    ("W057", setting("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")),
    ("W057", setting("MAJUU_ALERT_EMAILS", [])),
    ("W058", setting("MAJUU_AUDIT_ANCHORS", {})),
    ("W059", setting("MAJUU_AUDIT_SIGNING_KEY", None)),
    ("E066", setting("ALLOWED_HOSTS", ["*"])),
    ("E066", setting("ALLOWED_HOSTS", ["shop.example.com", ".example.org"])),
    ("E061", setting("SESSION_COOKIE_SECURE", False)),
    ("E061", setting("MAJUU_REQUIRE_HTTPS", False)),
    ("W067", setting("SESSION_COOKIE_NAME", "sessionid")),
    ("W067", setting("CSRF_COOKIE_NAME", "csrftoken")),
    ("E068", setting("SESSION_COOKIE_DOMAIN", ".example.com")),
    ("E068", setting("CSRF_COOKIE_PATH", "/console/")),
    ("W062", setting("SECURE_HSTS_SECONDS", 3600)),
    ("E063", setting("MAJUU_TRUSTED_PROXIES", ["0.0.0.0/0"])),
    ("W064", lambda settings: _believe_everybody(settings)),
    ("E065", setting("MIDDLEWARE", ["django.middleware.security.SecurityMiddleware", *NETWORK_MIDDLEWARE])),
]


def _believe_everybody(settings: Any) -> None:
    settings.MAJUU_TRUSTED_PROXIES = []
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")


@pytest.mark.parametrize(("number", "cause"), CAUSES)
def test_each_cause_is_found(number: str, cause: Change, site: Any) -> None:
    """given a good site / when one thing is wrong / then its check says so, with a hint."""
    cause(site)
    messages = [message for message in check_deployment() if message.id == f"majuu.{number}"]
    assert len(messages) == 1
    assert messages[0].hint
    if number not in ("E050", "E051"):  # with DEBUG or without https the API answers over http as well
        assert set(found()) == {f"majuu.{number}"}


def test_every_check_has_a_cause_above_and_a_line_in_the_docs() -> None:
    """given the ids in the checks' own words / when compared with the causes and the page / then all are there."""
    ids = {number for check in CHECKS for number in re.findall(r"[EW]\d{3}", check.__doc__ or "")}
    assert ids == {number for number, _ in CAUSES}
    page = (Path(__file__).parents[2] / "docs/reference/checks.md").read_text(encoding="utf-8")
    assert {number for number in ids if f"`majuu.{number}`" not in page} == set()


def test_subdomains_count_where_the_hosts_say_so(site: Any) -> None:
    """given a wildcard of the own domain / when checked / then nothing."""
    site.ALLOWED_HOSTS = [".example.com"]
    assert found() == []


def test_a_setting_that_cannot_be_read_is_not_told_twice(site: Any) -> None:
    """given a broken setting / when checked / then these checks leave it to the one that names it."""
    site.MAJUU_TRUSTED_PROXIES = ["nonsense"]
    assert found() == []


def test_django_runs_them_on_deployment_alone(site: Any) -> None:
    """given a finding / when Django checks with and without --deploy / then with it alone."""
    site.MAJUU_AUDIT_ANCHORS = {}
    assert "majuu.W058" in {message.id for message in run_checks(tags=["majuu"], include_deployment_checks=True)}
    assert "majuu.W058" not in {message.id for message in run_checks(tags=["majuu"])}
