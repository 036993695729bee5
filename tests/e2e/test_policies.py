"""No page has anything that its Content-Security-Policy refuses: looked at in a browser, which would complain."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client

from majuu_core.console.cells import address_of
from majuu_core.console.site import console_site
from majuu_core.testing.people import sign_in
from tests.core.console.world import World, make_staff, one_of

console_site.register_pages()


@pytest.fixture
def world(transactional_db: None) -> World:
    return World().add(2)


def enter(visitor: Any, user: Any) -> None:
    """Give the browser the session of somebody who has just signed in."""
    client = Client()
    sign_in(client, user)
    visitor.open("/api/v1/docs")
    host = urlsplit(visitor.page.url)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    address = f"{host.scheme}://{host.netloc}"
    visitor.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])


def test_pages_for_everybody(visit: Any, world: World) -> None:
    """given the API's page, the customer's page and the sign-in pages / when opened / then the browser is content."""
    visitor = visit(width=1280)
    link = f"/pay/{world.intents[0].link_token}"
    for path in ("/api/v1/docs", link, "/pay/wrong", "/accounts/login/", "/accounts/password/reset/"):
        visitor.open(path)
        visitor.page.wait_for_load_state("networkidle")
        complaints = [text for text in visitor.complaints if "404 (Not Found)" not in text]
        assert (path, complaints) == (path, [])


def test_the_apis_page_works(visit: Any, world: World) -> None:
    """given the API's page / when an operation is opened / then it shows itself, and nothing was refused."""
    visitor = visit(width=1280)
    visitor.open("/api/v1/docs")
    visitor.page.wait_for_selector(".opblock")
    visitor.page.click(".opblock >> nth=0")
    visitor.page.wait_for_selector(".opblock.is-open")
    visitor.picture("api-docs")
    assert visitor.complaints == []


@pytest.mark.parametrize("dark", [False, True])
def test_pages_of_the_console(visit: Any, world: World, dark: bool) -> None:
    """given every list and detail page / when opened / then nothing was refused, and the colours are there."""
    visitor = visit(width=1280, dark=dark)
    enter(visitor, make_staff(superuser=True))
    pages = ["/console/", "/console/plugins/"]
    for model in console_site._registry:
        options = model._meta
        pages += [f"/console/{options.app_label}/{options.model_name}/"]
        pages += [address_of(one_of(model))] if not dark else []
    for path in pages:
        visitor.open(path)
        assert (path, visitor.complaints) == (path, [])
    colour = visitor.page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--color-primary-600')")
    assert colour.strip() == "oklch(48% .108 165.6)"
    visitor.picture(f"console-policy-{'dark' if dark else 'light'}")
    assert visitor.complaints == []
