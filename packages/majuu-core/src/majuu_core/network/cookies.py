"""Cookies that no other host of the domain can set: names with ``__Host-``, which browsers guard."""

from __future__ import annotations

from django.http import HttpRequest

PREFIX = "__Host-"


def host_only(name: str, *, https: bool) -> str:
    """The name a cookie has: with the prefix over https, plain elsewhere, where browsers would refuse it."""
    return f"{PREFIX}{name}" if https else name


def cookie_name(request: HttpRequest, name: str) -> str:
    """``name`` as the browser of this request keeps it. Set such a cookie with path "/", or browsers refuse it."""
    return host_only(name, https=request.is_secure())
