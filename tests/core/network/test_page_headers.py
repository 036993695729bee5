"""Every page answers with the headers that keep foreign code, frames and guesses away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from majuu_core.network.configuration import check_network_settings
from majuu_core.network.middleware import PageHeadersMiddleware
from majuu_core.testing.factories import make_user
from tests.core.console.world import make_staff

NONCE = re.compile(r"'nonce-([\w-]{22})'")
UNSAFE = re.compile(r"'unsafe-[a-z-]+'|\*")


def addresses(patterns: Any = None, prefix: str = "") -> Iterator[str]:
    """Every address of the test project, with something that fits in each place."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        route = prefix + _filled(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield "/" + route


def _filled(route: str) -> str:
    """The address with samples for its parameters, from a path or a regular expression."""
    plain = route.removeprefix("^").removesuffix("$").removesuffix("\\Z").replace("\\", "")
    plain = re.sub(r"\(\?P<[^>]+>(?:[^()]|\([^()]*\))*\)", "1", plain)
    return re.sub(r"<(int:)?[^>]+>", "1", plain)


@pytest.fixture(params=["nobody", "customer", "staff"])
def visitor(request: pytest.FixtureRequest, db: None) -> Client:
    client = Client(raise_request_exception=False)
    if request.param != "nobody":
        client.force_login(
            make_user() if request.param == "customer" else make_staff(superuser=True),
            backend="django.contrib.auth.backends.ModelBackend",
        )
    return client


def test_every_page_of_the_project(visitor: Client) -> None:
    """given every address there is / when anybody asks for it / then an HTML answer has all the headers."""
    pages, wrong = 0, []
    for address in sorted(set(addresses())):
        answer = visitor.get(address)
        if not answer.headers.get("Content-Type", "").startswith("text/html"):
            assert answer.headers.get("X-Content-Type-Options") == "nosniff", address
            continue
        pages += 1
        policy = answer.headers.get("Content-Security-Policy", "")
        wrong += [(address, name) for name in missing(answer) if name]
        if not address.startswith("/console/"):
            wrong += [(address, word) for word in UNSAFE.findall(policy)]
    assert wrong == []
    assert pages > 60


def missing(answer: Any) -> list[str]:
    policy = answer.headers.get("Content-Security-Policy", "")
    script = next((part for part in policy.split("; ") if part.startswith("script-src")), "")
    return [
        name
        for name, is_there in (
            ("default-src 'none'", "default-src 'none'" in policy),
            ("script-src", bool(script) or "script-src" not in policy),
            ("inline script", "'unsafe-inline'" not in script),
            ("inline style", "style-src 'self' 'unsafe-inline'" not in policy),
            ("frame-ancestors", "frame-ancestors 'none'" in policy),
            ("X-Frame-Options", answer.headers.get("X-Frame-Options") == "DENY"),
            ("nosniff", answer.headers.get("X-Content-Type-Options") == "nosniff"),
            ("Referrer-Policy", answer.headers.get("Referrer-Policy") in ("same-origin", "no-referrer")),
        )
        if not is_there
    ]


def test_the_test_above_can_fail() -> None:
    """given an answer without headers, and one that lets inline script in / when looked at / then each is named."""
    assert len(missing(HttpResponse())) == 5
    bad = HttpResponse(headers={"Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'"})
    assert "inline script" in missing(bad)


def answered(view: Any, **options: Any) -> tuple[HttpRequest, HttpResponse]:
    request = RequestFactory().get("/", **options)
    response = PageHeadersMiddleware(view)(request)
    assert isinstance(response, HttpResponse)
    return request, response


def test_each_request_has_a_nonce_of_its_own_and_the_policy_names_it() -> None:
    """given a view that uses the nonce / when asked twice / then the header names what the page holds, never twice."""
    seen = []
    for _ in range(2):
        request, response = answered(lambda request: HttpResponse(f'<script nonce="{request.csp_nonce}">1</script>'))
        policy = response.headers["Content-Security-Policy"]
        assert NONCE.findall(policy) == [request.csp_nonce] * 2  # type: ignore[attr-defined]
        assert f'nonce="{NONCE.findall(policy)[0]}"' in response.content.decode()
        seen.append(policy)
    assert seen[0] != seen[1]


def test_what_a_page_brings_itself_stays() -> None:
    """given a page with headers of its own / when it passes / then they stay as they are."""
    own = {"Content-Security-Policy": "default-src 'none'", "Referrer-Policy": "no-referrer"}
    _, response = answered(lambda request: HttpResponse(headers=own))
    assert {name: response.headers[name] for name in own} == own


def test_what_is_no_page_gets_no_policy() -> None:
    """given a file / when it passes / then it is not to be sniffed, and has no policy."""
    _, response = answered(lambda request: HttpResponse(b"a,b", content_type="text/csv"))
    assert "Content-Security-Policy" not in response.headers
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_djangos_own_error_pages_are_left_alone_with_debug_alone(settings: Any) -> None:
    """given an error page / when DEBUG is on and off / then without and with a policy; a page that worked has one."""
    for debug, status, has_policy in [(True, 500, False), (False, 500, True), (True, 200, True)]:
        settings.DEBUG = debug
        _, response = answered(lambda request, status=status: HttpResponse(status=status))
        assert ("Content-Security-Policy" in response.headers) is has_policy


def test_sources_can_be_added_but_nothing_opened(settings: Any) -> None:
    """given more sources in the settings / when a page is answered / then they are there; opening words are refused."""
    settings.MAJUU_CSP_SOURCES = {
        "form-action": ["https://accounts.google.com"],
        "frame-src": ["https://js.stripe.com"],
    }
    settings.STATIC_URL = "https://static.example.com/s/"
    _, response = answered(lambda request: HttpResponse())
    policy = response.headers["Content-Security-Policy"]
    assert "form-action 'self' https://accounts.google.com;" in policy
    assert "frame-src https://js.stripe.com" in policy
    assert policy.count("https://static.example.com") == 4
    assert check_network_settings() == []
    bad: Any
    for bad in (
        {"script-src": ["'unsafe-inline'"]},
        {"script-src": ["*"]},
        {"default-src": ["a.example"]},
        [],
        {"img-src": "a.b"},
    ):
        settings.MAJUU_CSP_SOURCES = bad
        assert [problem.id for problem in check_network_settings()] == ["majuu.E010"], bad


@pytest.mark.django_db
def test_the_page_of_the_api(settings: Any) -> None:
    """given the API's documentation / when opened / then it runs under the strict policy, from this site's files."""
    answer = Client().get(reverse("majuu_api:openapi-view"))
    assert answer.status_code == 200
    assert UNSAFE.findall(answer.headers["Content-Security-Policy"]) == []
    assert "https://" not in answer.content.decode()
