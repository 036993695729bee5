"""Who acts in the console, for the audit trail."""

from __future__ import annotations

from contextlib import AbstractContextManager

from django.http import HttpRequest

from majuu_core.audit.services import Actor, acting_as
from majuu_core.common.client_address import client_address
from majuu_core.configuration import trusted_proxies


def acting_user(request: HttpRequest) -> AbstractContextManager[Actor]:
    """Everything inside the block is done by the signed-in user."""
    address = client_address(
        request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", ""), trusted_proxies()
    )
    return acting_as(Actor(type="user", id=str(request.user.pk), remote_addr=address))
