"""Connections that are kept between requests to a provider."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from majuu_core.providers import http
from majuu_core.providers.http import ProviderHttp

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class ForgetfulGateway:
    """Forgets a connection that was idle for ``patience`` seconds: what is sent on it later is lost, unanswered."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.connections = 0
        self.answered = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/pay"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            last, request = time.monotonic(), b""
            while received := connection.recv(65536):
                request += received
                if not request.endswith(b"\r\n\r\n{}"):
                    continue
                if time.monotonic() - last > self.patience:
                    return
                self.answered += 1  # before the answer, or the test may look first
                connection.sendall(ANSWER)
                last, request = time.monotonic(), b""

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def gateway() -> Iterator[ForgetfulGateway]:
    gateway = ForgetfulGateway(patience=2.1)
    yield gateway
    gateway.close()


@pytest.fixture
def provider_http(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProviderHttp]:
    """With a pool of its own, made as the shared one is."""
    monkeypatch.setattr(http, "_shared", None)
    client = http.shared_client()
    yield ProviderHttp(client=client, read_timeout=5)
    client.close()


def test_a_connection_the_gateway_has_forgotten_is_not_used_again(
    gateway: ForgetfulGateway, provider_http: ProviderHttp
) -> None:
    provider_http.send("POST", gateway.url, operation="sale", content=b"{}")
    time.sleep(2.3)
    answer = provider_http.send("POST", gateway.url, operation="sale", content=b"{}")
    assert (answer.status, gateway.answered, gateway.connections) == (200, 2, 2)


def test_requests_that_follow_each_other_share_a_connection(
    gateway: ForgetfulGateway, provider_http: ProviderHttp
) -> None:
    for _ in range(3):
        provider_http.send("POST", gateway.url, operation="query", content=b"{}")
    assert (gateway.answered, gateway.connections) == (3, 1)
