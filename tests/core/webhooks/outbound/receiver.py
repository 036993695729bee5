"""A shop's receiver on loopback that answers as a test tells it to, and remembers what it got."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What the receiver does with a request."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0  # seconds before the answer
    drop: bool = False  # close the connection without an answer
    trickle: bool = False  # send the head and then one byte of the body at a time


class Receiver:
    """``replies`` are used one after the other, then ``default``."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.default = Reply()
        self.replies: deque[Reply] = deque()
        self.by_path: dict[str, Reply] = {}
        self.released = threading.Event()  # ends every delay
        self.port = 0

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def next_reply(self, path: str) -> Reply:
        if path in self.by_path:
            return self.by_path[path]
        return self.replies.popleft() if self.replies else self.default


@contextmanager
def run_receiver() -> Iterator[Receiver]:
    """A receiver on a free port, for the duration of the block."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            receiver.received.append(
                Received(self.path, {key.lower(): value for key, value in self.headers.items()}, body)
            )
            self._answer(receiver.next_reply(self.path))

        def do_GET(self) -> None:
            receiver.received.append(Received(self.path, {}, b"GET"))
            self._answer(Reply())

        def _answer(self, reply: Reply) -> None:
            if reply.delay:
                receiver.released.wait(reply.delay)
            if reply.drop:
                self.close_connection = True
                return
            try:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                if reply.trickle:
                    for byte in reply.body:
                        self.wfile.write(bytes([byte]))
                        time.sleep(0.5)
                else:
                    self.wfile.write(reply.body)
            except OSError:
                self.close_connection = True  # the caller has hung up

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

    with Server(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.released.set()
            server.shutdown()
            thread.join()
