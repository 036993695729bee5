"""A real browser for a few tests: Chromium, driven by Playwright, against Django's live server.

Screenshots go to ``tests/e2e/screenshots`` (not kept in git): look at them after changing a page.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
SCREENSHOTS = Path(__file__).parent / "screenshots"
SIZES = {360: 740, 1280: 800}
_ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs the browser and a server that commits."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    """One browser for the tests of this folder, and no longer than they run.

    Playwright keeps an event loop running in this thread. Django is told not to mind; the tests of other folders, which
    run loops of their own, would.
    """
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt install chromium, or set CHROMIUM)")
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


class Visitor:
    """A person with a browser. What the browser complains about, and whom it calls, is noted."""

    def __init__(self, context: Any, base_url: str) -> None:
        self.page = context.new_page()
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self._base_url = base_url
        self.page.set_default_timeout(15_000)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._on_request)

    def open(self, path: str) -> Any:
        """Returns at the page's load event: what the page itself names has come, or been refused."""
        return self.page.goto(self._base_url + path)

    def picture(self, name: str, *, whole: bool = True) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=whole)

    def fits(self) -> bool:
        """True when nothing makes the page scroll sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _on_request(self, request: Any) -> None:
        # The browser's own PDF viewer is an extension of it: nothing leaves the machine.
        is_own = request.url.startswith(("data:", "chrome-extension:", "chrome:"))
        if urlsplit(request.url).netloc != urlsplit(self._base_url).netloc and not is_own:
            self.foreign.append(request.url)


@pytest.fixture
def visit(chromium: Any, live_server: Any, settings: Any) -> Iterator[Callable[..., Visitor]]:
    """Call it for a visitor: ``visit(width=360, dark=True, scripts=False)``. Nobody may call foreign hosts."""
    settings.MAJUU_PUBLIC_URL = live_server.url
    visitors: list[Visitor] = []
    contexts: list[Any] = []

    def make(*, width: int = 360, dark: bool = False, scripts: bool = True, language: str = "en-KE") -> Visitor:
        context = chromium.new_context(
            viewport={"width": width, "height": SIZES.get(width, 800)},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            locale=language,
            reduced_motion="reduce",
        )
        contexts.append(context)
        visitors.append(Visitor(context, live_server.url))
        return visitors[-1]

    yield make
    for context in contexts:
        context.close()
    assert [url for visitor in visitors for url in visitor.foreign] == []
