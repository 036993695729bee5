"""The customer's browser: Majuu's payment page, the providers' own pages, and the way back."""

from __future__ import annotations

import html
import re

import httpx

from sandbox_project.play.scene import NotSeen, Scene

_FORWARD = re.compile(r'http-equiv="refresh" content="0; url=([^"]+)"')


def leave_for(scene: Scene, method: str) -> str:
    """Press the button of a way to pay; the address on the provider's side that the payment page sends on to."""
    page = scene.intent["payment_url"]
    forward = opened(press(page, method=method))
    found = _FORWARD.search(forward)
    if found is None:
        raise NotSeen(f"the payment page leads nowhere: {forward[:300]}")
    return html.unescape(found[1])


def opened(url: str, *, shows: str = "") -> str:
    """The page at an address. Raises NotSeen when it does not open, or does not show a text."""
    answer = _client().get(url, follow_redirects=True)
    text = answer.text.replace("\u00a0", " ")
    if answer.status_code != httpx.codes.OK or shows not in text:
        raise NotSeen(f"{url} answered {answer.status_code} without {shows!r}: {text[:300]}")
    return text


def press(url: str, **form: str) -> str:
    """Send a form; the address the browser is sent to. Raises NotSeen when it stays where it is."""
    answer = _client().post(url, data=form)
    if answer.status_code != httpx.codes.SEE_OTHER:
        raise NotSeen(f"{url} answered {answer.status_code}: {answer.text[:300]}")
    return str(httpx.URL(url).join(answer.headers["Location"]))


def _client() -> httpx.Client:
    return httpx.Client(timeout=20, trust_env=False)
