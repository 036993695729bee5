"""A caller of the API: the key goes with every request, answers come back parsed."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client


class Shop:
    """A shop's server: sends JSON with its key."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._client = Client(raise_request_exception=False)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One request; ``body`` is JSON, or bytes as they are. The answer has ``.data`` for parsed JSON."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key:
            given.setdefault("Authorization", f"Bearer {self.key}")
        response: Any = self._client.generic(
            method, f"/api/v1{path}", content, content_type="application/json", headers=given
        )
        response.data = json.loads(response.content) if response.content else None
        return response

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("POST", path, body, **headers)
