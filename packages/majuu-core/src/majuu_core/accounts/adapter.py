"""How allauth signs people in here, what it writes down, and how often it lets people try."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django_otp import user_has_device

from majuu_core.accounts.home import home_of
from majuu_core.accounts.known_browsers import remember
from majuu_core.accounts.letters import LETTERS, values_for
from majuu_core.accounts.sign_in_limits import count_failure, may_try
from majuu_core.accounts.timeouts import start_session
from majuu_core.accounts.trail import note
from majuu_core.accounts.user_sessions import begin, end_own
from majuu_core.network.client import address_of

# What people are told by e-mail, and what is written down of it.
_NOTICES: Mapping[str, str] = MappingProxyType(
    {
        "account/email/password_changed": "user.password_changed",
        "account/email/password_set": "user.password_changed",
        "account/email/password_reset": "user.password_reset",
        "account/email/email_changed": "user.email_changed",
        "account/email/email_deleted": "user.email_changed",
        "socialaccount/email/account_connected": "user.social_account_changed",
        "socialaccount/email/account_disconnected": "user.social_account_changed",
    }
)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Adds the second factor to every way in, refuses a session that went past it, and keeps the audit trail."""

    def get_login_stages(self) -> list[str]:
        return [*super().get_login_stages(), "majuu_core.accounts.stages.SecondFactorStage"]

    def login(self, request: HttpRequest, user: Any) -> None:
        """Fails closed: a user with a device gets no session without having shown it."""
        device = getattr(user, "otp_device", None)
        if user_has_device(user) and device is None:
            raise PermissionDenied("The second factor was not shown.")
        super().login(request, user)
        start_session(request)
        begin(request, user)
        note(request, user, "user.signed_in", second_factor=device is not None)

    def logout(self, request: HttpRequest) -> None:
        note(request, request.user, "user.signed_out")
        end_own(request.session)
        super().logout(request)

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = super().post_login(request, user, **kwargs)
        addresses = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "pk")
        remember(request, response, [user.get_username(), *addresses.values_list("email", flat=True)[:3]])
        return response

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return home_of(request.user)

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuses too many wrong passwords, before any is looked at."""
        if not may_try(request, _login_of(credentials)):
            raise self.validation_error("too_many_login_attempts")

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        login = _login_of(credentials)
        count_failure(request, login)
        note(request, _user_called(login), "user.sign_in_failed")

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        saved = super().save_user(request, user, form, commit)
        if saved.pk is not None:
            note(request, saved, "user.registered")
        return saved

    def send_account_already_exists_mail(self, email: str) -> None:
        """For somebody who registers again: a password is hashed as for a new account, so that it takes as long."""
        make_password(email)
        super().send_account_already_exists_mail(email)

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        done = bool(super().confirm_email(request, email_address))
        if done:
            note(request, email_address.user, "user.email_verified")
        return done

    def send_notification_mail(
        self, template_prefix: str, user: Any, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Tells people what changed in their account; it is written down even if they have no address."""
        if action := _NOTICES.get(template_prefix):
            note(self.request, user, action)
        super().send_notification_mail(template_prefix, user, context, email)

    def render_mail(
        self,
        template_prefix: str,
        email: str | list[str],
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMessage:
        """Our own letters; what is not among them, from allauth's templates."""
        letter = LETTERS.get(template_prefix)
        if letter is None:
            found: EmailMessage = super().render_mail(template_prefix, email, context, headers)
            return found
        values = values_for(letter, context)
        text, html = (render_to_string(f"majuu_accounts/email/letter.{kind}", values) for kind in ("txt", "html"))
        to = [email] if isinstance(email, str) else email
        subject = self.format_email_subject(letter.subject)
        message = EmailMultiAlternatives(subject, text, self.get_from_email(), to, headers=headers)
        message.attach_alternative(html, "text/html")
        return message


def _login_of(credentials: Mapping[str, Any]) -> str:
    return str(credentials.get("email") or credentials.get("username") or "")


def _user_called(login: str) -> Any:
    """The user with this address or name, for the audit trail; None for a stranger."""
    if not login:
        return None
    users = get_user_model()._default_manager
    found = EmailAddress.objects.filter(email__iexact=login).select_related("user").first()
    if found is not None:
        return found.user
    names = {f"{get_user_model().USERNAME_FIELD}__iexact": login}
    return users.filter(**names).first() or users.filter(email__iexact=login).first()
