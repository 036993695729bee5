"""What is kept of an exchange with a provider."""

from __future__ import annotations

import httpx

from majuu_core.providers.http import Exchange, ProviderHttp


def test_a_body_that_nobody_should_keep_is_described_instead() -> None:
    """Given a file, then it is sent as it is, and the exchange holds only what is said of it, redacted as ever."""
    seen: list[Exchange] = []
    sent: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        return httpx.Response(200, json={"id": "file_1"})

    http = ProviderHttp(client=httpx.Client(transport=httpx.MockTransport(answer)), observe=seen.append)
    described = "a receipt, 7 bytes; Bearer abcdefgh12345"

    http.send("POST", "https://provider.test/files", operation="upload", content=b"%PDF Jo", shown=described)
    http.send("POST", "https://provider.test/pay", operation="pay", content=b"amount=5")

    assert sent == [b"%PDF Jo", b"amount=5"]
    assert [exchange.request_body for exchange in seen] == ["a receipt, 7 bytes; Bearer [redacted]", "amount=5"]
