"""The MAJUU_* settings: typed, read when asked for, refused with a text that helps."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from majuu_core import configuration

KEY = "a-master-key-of-more-than-32-characters"
OLDER = "an-older-key-of-more-than-32-characters"
SETTINGS_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def test_encryption_keys_come_newest_first(settings: Any) -> None:
    settings.MAJUU_ENCRYPTION_KEYS = [KEY, OLDER]
    assert configuration.encryption_keys() == (KEY, OLDER)
    settings.MAJUU_ENCRYPTION_KEYS = (OLDER,)
    assert configuration.encryption_keys() == (OLDER,)


def test_how_long_tokens_of_clients_work(settings: Any) -> None:
    assert configuration.oauth_token_seconds() == 3600
    settings.MAJUU_OAUTH_TOKEN_SECONDS = 60
    assert configuration.oauth_token_seconds() == 60
    for wrong in (59, 86_401, True, "3600", None):
        settings.MAJUU_OAUTH_TOKEN_SECONDS = wrong
        with pytest.raises(ImproperlyConfigured, match="from 60 to 86400"):
            configuration.oauth_token_seconds()


@pytest.mark.parametrize("missing", [None, [], ()])
def test_without_keys_only_debug_helps_itself(settings: Any, missing: Any) -> None:
    settings.MAJUU_ENCRYPTION_KEYS = missing
    with pytest.raises(ImproperlyConfigured, match="majuu_generate_key"):
        configuration.encryption_keys()
    settings.DEBUG = True
    (derived,) = configuration.encryption_keys()
    assert derived == configuration.encryption_keys()[0]
    assert len(derived) >= 32
    assert settings.SECRET_KEY not in derived
    settings.SECRET_KEY = "another"
    assert configuration.encryption_keys() != (derived,)


def test_a_deleted_setting_is_an_empty_one(settings: Any) -> None:
    del settings.MAJUU_ENCRYPTION_KEYS
    with pytest.raises(ImproperlyConfigured, match="MAJUU_ENCRYPTION_KEYS is empty"):
        configuration.encryption_keys()


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        (KEY, "must be a list of texts"),
        ([KEY, 12], "must be a list of texts"),
        ([KEY, "short"], "at least 32 characters"),
        ([KEY, KEY], "the same key twice"),
    ],
)
def test_wrong_keys_are_refused_without_showing_them(settings: Any, keys: Any, reason: str) -> None:
    settings.MAJUU_ENCRYPTION_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match=reason) as caught:
        configuration.encryption_keys()
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://pay.example.com", "https://pay.example.com"),
        ("https://pay.example.com/", "https://pay.example.com"),
        ("http://127.0.0.1:8000/pay//", "http://127.0.0.1:8000/pay"),
    ],
)
def test_public_url(settings: Any, url: str, expected: str) -> None:
    settings.MAJUU_PUBLIC_URL = url
    assert configuration.public_url() == expected


@pytest.mark.parametrize(
    "url", ["", None, "pay.example.com", "ftp://x", "https://", "https://x/?a=1", 12, "https://[x"]
)
def test_wrong_public_urls(settings: Any, url: Any) -> None:
    settings.MAJUU_PUBLIC_URL = url
    with pytest.raises(ImproperlyConfigured, match="MAJUU_PUBLIC_URL must be"):
        configuration.public_url()


def test_public_url_of_a_first_try(settings: Any) -> None:
    settings.MAJUU_PUBLIC_URL = ""
    settings.DEBUG = True
    assert configuration.public_url() == "http://127.0.0.1:8000"


def test_trusted_proxies(settings: Any) -> None:
    assert configuration.trusted_proxies() == ()
    settings.MAJUU_TRUSTED_PROXIES = ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]
    assert configuration.trusted_proxies() == (
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("192.0.2.7/32"),
        ipaddress.ip_network("2001:db8::/32"),
    )


@pytest.mark.parametrize("value", ["10.0.0.0/8", ["10.0.0.1/8"], ["proxy"], [""], ["*"], [10], None])
def test_wrong_trusted_proxies(settings: Any, value: Any) -> None:
    settings.MAJUU_TRUSTED_PROXIES = value
    with pytest.raises(ImproperlyConfigured, match="MAJUU_TRUSTED_PROXIES must be a list"):
        configuration.trusted_proxies()


def test_provider_options_of_a_mode_win_over_common_ones(settings: Any) -> None:
    settings.MAJUU_PROVIDERS = {
        "mpesa": {"base_url": "https://both", "retries": 3, "test": {"base_url": "http://sim"}, "live": {}},
        "plain": {"a": "b"},
    }
    assert configuration.provider_options("mpesa", livemode=False) == {"base_url": "http://sim", "retries": "3"}
    assert configuration.provider_options("mpesa", livemode=True) == {"base_url": "https://both", "retries": "3"}
    assert configuration.provider_options("plain", livemode=True) == {"a": "b"}
    assert configuration.provider_options("other", livemode=True) == {}
    settings.MAJUU_PROVIDERS = None
    assert configuration.provider_options("mpesa", livemode=True) == {}


@pytest.mark.parametrize(
    "value",
    [
        ["mpesa"],
        {"mpesa": "https://x"},
        {"mpesa": {"live": "https://x"}},
        {"mpesa": {"base_url": None}},
        {"mpesa": {"enabled": True}},
        {"mpesa": {"rate": 1.5}},
        {"mpesa": {"live": {"addresses": ["a"]}}},
        {"mpesa": {1: "x"}},
    ],
)
def test_wrong_provider_options(settings: Any, value: Any) -> None:
    settings.MAJUU_PROVIDERS = value
    with pytest.raises(ImproperlyConfigured, match="MAJUU_PROVIDERS"):
        configuration.provider_options("mpesa", livemode=True)


def test_the_small_ones(settings: Any) -> None:
    assert configuration.intent_lifetime() == timedelta(hours=24)
    assert configuration.key_cache_seconds() == 0
    assert configuration.allow_private_webhook_addresses() is False
    settings.MAJUU_INTENT_LIFETIME = timedelta(minutes=30)
    settings.MAJUU_KEY_CACHE_SECONDS = 7
    settings.MAJUU_ALLOW_PRIVATE_WEBHOOK_ADDRESSES = True
    assert configuration.intent_lifetime() == timedelta(minutes=30)
    assert configuration.key_cache_seconds() == 7
    assert configuration.allow_private_webhook_addresses() is True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAJUU_INTENT_LIFETIME", 24),
        ("MAJUU_INTENT_LIFETIME", timedelta(0)),
        ("MAJUU_KEY_CACHE_SECONDS", -1),
        ("MAJUU_KEY_CACHE_SECONDS", 301),
        ("MAJUU_KEY_CACHE_SECONDS", "5"),
        ("MAJUU_KEY_CACHE_SECONDS", True),
        ("MAJUU_ALLOW_PRIVATE_WEBHOOK_ADDRESSES", "no"),
        ("MAJUU_ENCRYPTION_KEYS", ["short"]),
        ("MAJUU_PROMPT_LIMITS", 5),
        ("MAJUU_PROMPT_LIMITS", {"email": (5, timedelta(minutes=10))}),
        ("MAJUU_PROMPT_LIMITS", {"phone": 5}),
        ("MAJUU_PROMPT_LIMITS", {"phone": (0, timedelta(minutes=10))}),
        ("MAJUU_PROMPT_LIMITS", {"intent": (True, timedelta(minutes=10))}),
        ("MAJUU_PROMPT_LIMITS", {"intent": (5, 600)}),
        ("MAJUU_PUBLIC_URL", "nowhere"),
        ("MAJUU_TRUSTED_PROXIES", "all"),
        ("MAJUU_PROVIDERS", ["mpesa"]),
        ("MAJUU_PROVIDERS", {"mpesa": {"test": 1}}),
    ],
)
def test_the_system_check_names_the_wrong_setting(settings: Any, name: str, value: Any) -> None:
    assert configuration.check_settings() == []
    setattr(settings, name, value)
    (found,) = configuration.check_settings()
    assert found.id == "majuu.E010"
    assert name in found.msg


def test_every_setting_is_documented() -> None:
    page = SETTINGS_PAGE.read_text()
    source = Path(configuration.__file__).read_text()
    names = {word.strip('`"[:,.(') for word in source.replace("[", " ").split() if "MAJUU_" in word}
    names = {name for name in names if name.startswith("MAJUU_") and name.isupper() and name != "MAJUU_*"}
    assert len(names) >= 7
    assert {name for name in names if f"`{name}`" not in page} == set()
