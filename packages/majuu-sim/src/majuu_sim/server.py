"""Runs an aiohttp application in a background thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import socket
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from aiohttp import web

T = TypeVar("T")

SHUTDOWN_SECONDS = 0.2


def open_socket(host: str, port: int) -> socket.socket:
    """A listening socket without Nagle's delay; port 0 takes a free one. OSError when the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=512)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def address_of(listener: socket.socket) -> str:
    """The base URL of a listening socket, without a slash at the end."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def start_site(app: web.Application, listener: socket.socket) -> web.AppRunner:
    """Serve ``app`` on ``listener``; the caller cleans the runner up."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    return runner


class ServerThread:
    """One application, one thread, one loop."""

    def __init__(self, make_app: Callable[[], web.Application], *, host: str, port: int, name: str) -> None:
        """Prepare to serve what ``make_app`` builds; the socket is opened now, so a taken port fails here."""
        self._make_app = make_app
        self._listener = open_socket(host, port)
        self.base_url = address_of(self._listener)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._runner: web.AppRunner | None = None

    def start(self) -> None:
        """Start serving; returns when requests are answered."""
        self._thread.start()
        self._runner = self.call(start_site(self._make_app(), self._listener))

    def call(self, coroutine: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run ``coroutine`` on the loop and wait for its result (``timeout`` in real seconds)."""
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError("this method blocks; it cannot be called from the simulator's own thread")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(timeout)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise

    def stop(self) -> None:
        """Stop serving and end the thread; harmless when called twice."""
        if self._loop.is_closed():
            return
        if self._runner is not None:
            self.call(self._runner.cleanup())
            self._runner = None
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._listener.close()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
