"""What Daraja refuses in an address, whatever the spelling."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

FORBIDDEN_WORDS = ("m-pesa", "mpesa", "safaricom", "exe", "cmd", "sql", "query")  # "exe" covers "exec" as well
TUNNELS = ("ngrok", "mockbin", "requestbin")


def forbidden_words(url: str) -> list[str]:
    """The words in the address for which Daraja refuses it; also inside others ("executive")."""
    lowered = url.lower()
    return [word for word in (*FORBIDDEN_WORDS, *TUNNELS) if word in lowered]


def is_public(url: str) -> bool:
    """True when the address looks like one that Safaricom can reach. Names are not resolved."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".localhost", ".local", ".internal", ".test"))
