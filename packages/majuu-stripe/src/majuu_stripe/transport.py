"""The way of the SDK's requests: through ``context.http``, which has timeouts and records every exchange.

``stripe.HTTPClient`` is the SDK's own extension point. Imported only when a request is about to be sent, because it
brings in the whole SDK.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import stripe

from majuu_core.providers.http import ProviderHttp

_ID = re.compile(
    r"(?:pi|cs|ch|py|re|pyr|dp|du|pdp|cus|pm|card|src|seti|po|txn|acct|we|file|evt)_[A-Za-z0-9_]+|[^/]*[^a-z_/].*"
)
_LONGEST_NAME = 32


class ProviderTransport(stripe.HTTPClient):
    """Sends once. What is wrong with the connection is raised as NotSent or OutcomeUnknown and passes the SDK."""

    name = "majuu"

    def __init__(self, http: ProviderHttp) -> None:
        super().__init__()
        self._http = http

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """One exchange, as the SDK wants it answered."""
        is_file = isinstance(post_data, (bytes, bytearray))
        content = bytes(post_data) if is_file else (post_data or "").encode()
        answer = self._http.send(
            method.upper(),
            url,
            operation=operation_of(method, url),
            headers=headers,
            content=content or None,
            shown=f"a file of evidence, {len(content)} bytes with its frame" if is_file else None,
        )
        return answer.text, answer.status, {name.lower(): value for name, value in answer.headers.items()}

    def close(self) -> None:
        """Nothing to close: the connections belong to whoever made ``http``."""


def operation_of(method: str, url: str) -> str:
    """A short name for what is asked: ``post payment_intents/capture``, without ids."""
    parts = [part for part in urlsplit(url).path.split("/") if part and part != "v1" and not _ID.fullmatch(part)]
    return f"{method.lower()} {'/'.join(parts)}"[:_LONGEST_NAME]
