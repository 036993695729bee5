"""The last stage of every sign-in: whoever has a second factor shows it."""

from __future__ import annotations

from allauth.account.stages import LoginStage
from allauth.core.internal.httpkit import headed_redirect_response
from django.http import HttpResponse
from django.utils.crypto import constant_time_compare
from django_otp import user_has_device

_BEGUN_WITH = "begun_with"


class SecondFactorStage(LoginStage):  # type: ignore[misc]
    """Holds a sign-in until a confirmed device of the user has answered. Without a device it lets pass."""

    key = "otp_challenge"
    urlname = "otp_challenge"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        user = self.login.user
        if user is None or not user_has_device(user):
            return None, True
        self.state[_BEGUN_WITH] = user.get_session_auth_hash()
        return headed_redirect_response(self.urlname), True

    def may_go_on(self) -> bool:
        """Whether this sign-in still counts: not for somebody switched off, nor once there is another password."""
        user = self.login.user
        if user is None or not user.is_active:
            return False
        return bool(constant_time_compare(self.state.get(_BEGUN_WITH, ""), user.get_session_auth_hash()))
