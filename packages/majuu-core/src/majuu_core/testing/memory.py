"""What a provider is given, for tests: a cache in memory and an HTTP client that records."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache

import httpx
from pydantic import BaseModel

from majuu_core.common import clock
from majuu_core.providers.base import ProviderContext, SharedCache
from majuu_core.providers.http import Exchange, ProviderHttp


class MemoryCache:
    """A SharedCache for one process. Entries expire by the injected clock; a held lock is not waited for."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[str, datetime]] = {}
        self._guard = threading.Lock()

    def get(self, key: str) -> str | None:
        with self._guard:
            value, until = self._entries.get(key, ("", datetime.min.replace(tzinfo=clock.now().tzinfo)))
            return value if clock.now() < until else None

    def set(self, key: str, value: str, *, seconds: int) -> None:
        with self._guard:
            self._entries[key] = (value, clock.now() + timedelta(seconds=seconds))

    def delete(self, key: str) -> None:
        with self._guard:
            self._entries.pop(key, None)

    @contextmanager
    def lock(self, key: str, *, seconds: int) -> Iterator[bool]:
        """Yields False when another holds the lock, as a real cache does after waiting."""
        with self._guard:
            until = self._entries.get(f"lock:{key}", ("", clock.now()))[1]
            free = until <= clock.now()
            if free:
                self._entries[f"lock:{key}"] = ("held", clock.now() + timedelta(seconds=seconds))
        try:
            yield free
        finally:
            if free:
                self.delete(f"lock:{key}")


class RecordingHttp(ProviderHttp):
    """ProviderHttp that keeps every exchange, redacted as core would store it, in ``exchanges``."""

    def __init__(self, client: httpx.Client) -> None:
        self.exchanges: list[Exchange] = []
        super().__init__(observe=self.exchanges.append, client=client)


def provider_context(
    credentials: BaseModel,
    *,
    livemode: bool = False,
    handler: Callable[[httpx.Request], httpx.Response] | None = None,
    client: httpx.Client | None = None,
    cache: SharedCache | None = None,
    options: Mapping[str, str] | None = None,
    account_id: str = "pa_test",
) -> ProviderContext:
    """A context for one provider account.

    ``handler`` answers requests in memory; ``client`` sends them for real, to a simulator say. With neither, every
    request fails as if there were no network. ``context.http`` is a RecordingHttp.
    """
    answering = httpx.Client(transport=httpx.MockTransport(handler)) if handler else None
    http = RecordingHttp(client or answering or _unplugged())
    return ProviderContext(
        account_id=account_id,
        livemode=livemode,
        credentials=credentials,
        http=http,
        cache=cache if cache is not None else MemoryCache(),
        options=options or {},
    )


@cache
def _unplugged() -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(_no_network))


def _no_network(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no network in this test")
