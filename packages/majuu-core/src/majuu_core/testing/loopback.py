"""No network in a check: connections go to this machine or nowhere, in any project, without another plugin."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class OutsideNetwork(OSError):
    """A check tried to reach another machine. Point the provider at a simulator, or give it recorded answers."""


@contextmanager
def loopback_only() -> Iterator[None]:
    """While this is open no socket of the process connects to anything but the loopback interface."""
    kept = socket.socket.connect, socket.socket.connect_ex
    socket.socket.connect, socket.socket.connect_ex = _guarded(kept[0]), _guarded(kept[1])  # type: ignore[method-assign]
    try:
        yield
    finally:
        socket.socket.connect, socket.socket.connect_ex = kept  # type: ignore[method-assign]


def _guarded(connect: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, address: Any) -> Any:
        if not _is_here(address):
            raise OutsideNetwork(f"the checks of a provider reach this machine only, not {address!r}")
        return connect(self, address)

    return guarded


def _is_here(address: Any) -> bool:
    if isinstance(address, str | bytes):  # a Unix socket
        return True
    try:
        return ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return bool(address[0] == "localhost")
