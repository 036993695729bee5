"""How a simulator delivers its events: over real HTTP, or kept for the test to deliver by hand."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import aiohttp

BODY_KEPT = 2000  # characters of the receiver's answer kept in the log


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver said."""

    status: int
    body: str
    kept: bool = False  # nobody has been asked yet: the event was handed over to be delivered by hand


class DeliveryFailed(Exception):
    """No answer: refused, reset or too slow."""


class Transport(Protocol):
    """Carries one event to its receiver."""

    async def start(self) -> None:
        """Called once on the simulator's loop before the first post."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """Deliver ``body`` (JSON) to ``url`` with ``headers``, a signature say; DeliveryFailed when no answer came."""

    async def close(self) -> None:
        """Let go of connections."""


class HttpTransport:
    """POSTs over real HTTP, one connection an event, no redirects followed, no proxies."""

    def __init__(self, *, timeout: float = 10.0, headers: Mapping[str, str] | None = None) -> None:
        """``timeout`` in real seconds for the whole exchange; ``headers`` are added to each POST."""
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._headers = {"Content-Type": "application/json", **(headers or {})}
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the client session."""
        connector = aiohttp.TCPConnector(force_close=True, limit=0)
        self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout, headers=self._headers)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """Deliver ``body`` to ``url``; DeliveryFailed when no answer came."""
        if self._session is None:
            raise DeliveryFailed("the transport is not open")
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                raw = await response.content.read(BODY_KEPT)
                return Answer(response.status, raw.decode("utf-8", "replace"))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise DeliveryFailed(f"{type(error).__name__}: {error}") from error

    async def close(self) -> None:
        """Close the client session."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class CollectingTransport:
    """Keeps events instead of sending them: a test delivers them itself, on its own thread and when it likes."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._kept: list[tuple[str, bytes, dict[str, str]]] = []

    async def start(self) -> None:
        """Nothing to open."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """Keep the event; the log shows it as answered with 200."""
        with self._lock:
            self._kept.append((url, body, dict(headers or {})))
        return Answer(200, "", kept=True)

    async def close(self) -> None:
        """Nothing to close."""

    def take(self) -> list[tuple[str, bytes]]:
        """Everything kept since the last call, oldest first, as (url, body)."""
        return [(url, body) for url, body, _ in self.take_signed()]

    def take_signed(self) -> list[tuple[str, bytes, dict[str, str]]]:
        """Everything kept since the last call, oldest first, as (url, body, headers)."""
        with self._lock:
            kept, self._kept = self._kept, []
        return kept
