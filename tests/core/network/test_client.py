"""Who asks, through proxies: one setting for us, for callbacks, for the console and for every library."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.adapter import get_adapter
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from ninja.throttling import AnonRateThrottle

from majuu_core.audit.models import AuditEntry
from majuu_core.merchants.models import Store
from majuu_core.network import network_settings
from majuu_core.network.client import address_of
from majuu_core.network.middleware import ClientMiddleware
from majuu_core.testing.factories import make_api_key

PROXY, CALLER, FORGED = "10.0.0.7", "203.0.113.9", "6.6.6.6"


def seen(**meta: Any) -> HttpRequest:
    """The request as views get it."""
    request = RequestFactory().get("/", **meta)
    ClientMiddleware(lambda request: HttpResponse())(request)
    return request


@pytest.fixture
def behind_proxy(settings: Any) -> None:
    settings.MAJUU_TRUSTED_PROXIES = ["10.0.0.0/8"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")


@pytest.mark.usefixtures("behind_proxy")
@pytest.mark.parametrize("forwarded", [CALLER, f"{FORGED}, {CALLER}", f"{FORGED}, {CALLER}, 10.0.0.8"])
def test_everybody_sees_the_caller(forwarded: str) -> None:
    """given a trusted proxy / when it names the caller behind forged ones / then that address, everywhere."""
    request = seen(REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=forwarded)
    assert request.META["REMOTE_ADDR"] == CALLER
    assert address_of(request) == CALLER
    assert get_adapter(request).get_client_ip(request) == CALLER
    assert AnonRateThrottle("1/s").get_ident(request) == CALLER


def test_ninjas_throttles_count_by_the_same_address() -> None:
    """given the settings of the network / when ninja's is looked at / then it reads REMOTE_ADDR and no header."""
    assert network_settings(public_url="https://pay.example.com")["NINJA_NUM_PROXIES"] == 0


@pytest.mark.usefixtures("behind_proxy")
def test_a_stranger_is_not_believed() -> None:
    """given a caller who is no proxy of ours / when they send headers of one / then neither counts."""
    request = seen(REMOTE_ADDR=CALLER, HTTP_X_FORWARDED_FOR=FORGED, HTTP_X_FORWARDED_PROTO="https")
    assert (address_of(request), request.META["REMOTE_ADDR"], request.is_secure()) == (CALLER, CALLER, False)
    request = seen(REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=CALLER, HTTP_X_FORWARDED_PROTO="https")
    assert request.is_secure()


def test_without_proxies_the_header_is_nothing() -> None:
    """given no trusted proxy / when the header comes / then the peer is who asks."""
    request = seen(REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=FORGED)
    assert (address_of(request), request.META["REMOTE_ADDR"]) == (PROXY, PROXY)


@pytest.mark.usefixtures("behind_proxy")
@pytest.mark.parametrize("peer", ["", "unix:", "::ffff:10.0.0.7"])
def test_peers_of_every_form(peer: str) -> None:
    """given a socket without address, or IPv4 written as IPv6 / when asked / then the proxy alone is believed."""
    request = seen(REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=CALLER)
    assert request.META["REMOTE_ADDR"] == (CALLER if "10.0.0.7" in peer else peer)


@pytest.mark.django_db
@pytest.mark.usefixtures("behind_proxy")
def test_the_api_audits_the_caller(store: Store) -> None:
    """given the API behind a proxy / when a customer is made / then the entry holds the caller's address."""
    key = make_api_key(store=store).key
    headers = {"Authorization": f"Bearer {key}", "X-Forwarded-For": f"{FORGED}, {CALLER}"}
    answer = Client(REMOTE_ADDR=PROXY).post(
        "/api/v1/customers", {"name": "Jane"}, content_type="application/json", headers=headers
    )
    assert answer.status_code == 201
    assert AuditEntry.objects.get(action="customer.created").remote_addr == CALLER


@pytest.mark.django_db
class TestPlainHttp:
    """The API is spoken over https or not at all."""

    @pytest.fixture(autouse=True)
    def _production(self, settings: Any) -> None:
        settings.MAJUU_PUBLIC_URL = "https://testserver"
        for name, value in network_settings(public_url=settings.MAJUU_PUBLIC_URL).items():
            setattr(settings, name, value)

    @pytest.mark.parametrize("path", ["/api/v1/ping", "/api/v1/nothing", "/in/p01/secret"])
    def test_machines_are_refused_and_never_sent_on(self, path: str, store: Store) -> None:
        """given production / when a machine comes over http / then 403 with a code, no redirect, nothing done."""
        key = make_api_key(store=store).key
        answer = Client().get(path, headers={"Authorization": f"Bearer {key}"})
        assert (answer.status_code, answer.json()["code"]) == (403, "https_required")
        assert "Location" not in answer.headers
        assert "ufunguo" in answer.json()["messages"]["sw"].lower()

    def test_over_https_it_answers_and_browsers_are_told(self, store: Store) -> None:
        """given production / when the API is called over https / then it answers, with HSTS for a year."""
        key = make_api_key(store=store).key
        answer = Client().get("/api/v1/ping", headers={"Authorization": f"Bearer {key}"}, secure=True)
        assert answer.status_code == 200
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"

    def test_pages_are_sent_on(self) -> None:
        """given production / when a person comes over http / then sent to the same page over https."""
        answer = Client().get("/console/?a=1")
        assert (answer.status_code, answer.headers["Location"]) == (301, "https://testserver/console/?a=1")
        answer = Client().get("/console/", secure=True)
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"

    def test_it_can_be_switched_off(self, store: Store, settings: Any) -> None:
        """given the setting off / when the API is called over http / then it answers."""
        settings.MAJUU_REQUIRE_HTTPS = False
        key = make_api_key(store=store).key
        assert Client().get("/api/v1/ping", headers={"Authorization": f"Bearer {key}"}).status_code == 200

    def test_not_while_trying_things_out(self, store: Store, settings: Any) -> None:
        """given DEBUG / when the API is called over http / then it answers."""
        settings.DEBUG = True
        key = make_api_key(store=store).key
        assert Client().get("/api/v1/ping", headers={"Authorization": f"Bearer {key}"}).status_code == 200


@pytest.mark.parametrize(
    ("public_url", "debug", "expected"),
    [
        ("https://pay.example.com", False, (True, True, 31_536_000)),
        ("https://pay.example.com", True, (True, False, 0)),
        ("http://127.0.0.1:8000", False, (False, False, 0)),
    ],
)
def test_settings_of_cookies_and_https(public_url: str, debug: bool, expected: tuple[object, ...]) -> None:
    """given an address / when the settings are made / then https is demanded where the address has it."""
    found = network_settings(public_url=public_url, debug=debug)
    assert (found["SESSION_COOKIE_SECURE"], found["SECURE_SSL_REDIRECT"], found["SECURE_HSTS_SECONDS"]) == expected
    prefix = "__Host-" if public_url.startswith("https") else ""
    names = [found[f"{kind}_COOKIE_NAME"] for kind in ("SESSION", "CSRF", "LANGUAGE")]
    plain = [(found[f"{kind}_COOKIE_DOMAIN"], found[f"{kind}_COOKIE_PATH"]) for kind in ("SESSION", "CSRF", "LANGUAGE")]
    assert plain == [(None, "/")] * 3  # or browsers refuse the prefix
    assert names == [f"{prefix}majuu_session", f"{prefix}majuu_csrf", f"{prefix}majuu_language"]
    assert network_settings(public_url=public_url, hsts_seconds=60)["SECURE_HSTS_SECONDS"] == (
        60 if public_url.startswith("https") else 0
    )
