"""The device that verified this session, looked up from the session as it is now."""

from __future__ import annotations

from django.contrib.auth.middleware import get_user
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django_otp.middleware import OTPMiddleware


class CurrentDeviceMiddleware(OTPMiddleware):  # type: ignore[misc]
    """django-otp's middleware, for sessions that change within a request.

    The original keeps the user it saw first; allauth's token endpoints put another session in its place.
    """

    def _install_lazy_accessors(self, request: HttpRequest) -> None:
        super()._install_lazy_accessors(request)
        request.user = SimpleLazyObject(lambda: self._verify_user_sync(request, get_user(request)))  # type: ignore[assignment]
