"""Where the simulated PayPal can be reached: the API as its callers reach it, and the pages as a browser does."""

from __future__ import annotations

from aiohttp import web

from majuu_sim.paypal.config import PaypalConfig

UNKNOWN = "https://api.sandbox.paypal.com"


class Origin:
    """Remembers how it was called."""

    def __init__(self, config: PaypalConfig) -> None:
        """Settings come before what was seen."""
        self._config = config
        self._seen = ""

    def note(self, request: web.Request) -> None:
        """Remember the address a request came to."""
        self._seen = f"{request.scheme}://{request.host}"

    @property
    def api(self) -> str:
        """The base of API links; before the first request, the real sandbox's."""
        return self._seen or UNKNOWN

    @property
    def pages(self) -> str:
        """The base of approval links."""
        return self._config.public_url.rstrip("/") or self.api

    @property
    def certificates(self) -> str:
        """The base of certificate links."""
        return self._config.certificate_url.rstrip("/") or self.api
