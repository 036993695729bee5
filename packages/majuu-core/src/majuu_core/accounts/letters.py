"""What people are written by e-mail about their account: one table, one text template, one HTML template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

IGNORE = "If it was not you, ignore this message: nothing happens."
NOTICE = "If it was not you, reset your password at once and tell us."


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message. Texts take values from allauth's context by name, ``link`` and ``code`` name the value to show big.

    ``ending`` says what to do if the person did not ask for it.
    """

    subject: str
    text: str
    link: str = ""
    link_text: str = ""
    code: str = ""
    ending: str = IGNORE

    @property
    def is_notice(self) -> bool:
        """True for what tells of a change: when and from where is then shown."""
        return self.ending == NOTICE


_VERIFY = Letter(
    subject="Confirm your e-mail address",
    text="Somebody, most likely you, gave this address for an account. Confirm that it is yours.",
    link="activate_url",
    link_text="Confirm the address",
)

LETTERS: Mapping[str, Letter] = MappingProxyType(
    {
        "account/email/email_confirmation": _VERIFY,
        "account/email/email_confirmation_signup": _VERIFY,
        "account/email/password_reset_key": Letter(
            subject="Reset your password",
            text="Somebody, most likely you, asked to reset the password of your account. Your second factor stays.",
            link="password_reset_url",
            link_text="Choose a new password",
        ),
        "account/email/login_code": Letter(
            subject="Your sign-in code",
            text="Enter this code in the window in which you asked for it. Give it to nobody.",
            code="code",
        ),
        "account/email/unknown_account": Letter(
            subject="No account with this address",
            text="Somebody, most likely you, tried to get into an account with this address. There is none.",
            link="signup_url",
            link_text="Create an account",
        ),
        "account/email/account_already_exists": Letter(
            subject="You have an account already",
            text="Somebody, most likely you, tried to create an account with this address. You have one already.",
            link="password_reset_url",
            link_text="Reset its password",
        ),
        "account/email/password_changed": Letter(
            subject="Your password was changed", text="The password of your account was changed.", ending=NOTICE
        ),
        "account/email/password_reset": Letter(
            subject="Your password was reset", text="The password of your account was reset.", ending=NOTICE
        ),
        "account/email/password_set": Letter(
            subject="A password was set", text="Your account has a password now.", ending=NOTICE
        ),
        "account/email/email_changed": Letter(
            subject="Your e-mail address was changed",
            text="The address of your account was changed from {from_email} to {to_email}.",
            ending=NOTICE,
        ),
        "account/email/email_deleted": Letter(
            subject="An e-mail address was removed",
            text="The address {deleted_email} was removed from your account.",
            ending=NOTICE,
        ),
        "socialaccount/email/account_connected": Letter(
            subject="A way to sign in was added",
            text="Your account can now be signed in to with {provider}.",
            ending=NOTICE,
        ),
        "socialaccount/email/account_disconnected": Letter(
            subject="A way to sign in was removed",
            text="Your account can no longer be signed in to with {provider}.",
            ending=NOTICE,
        ),
        "majuu_accounts/email/second_factor": Letter(
            subject="Your second factor was changed", text="{what}", ending=NOTICE
        ),
    }
)


def values_for(letter: Letter, context: Mapping[str, Any]) -> dict[str, Any]:
    """What the two templates show of a letter."""
    names = ("from_email", "to_email", "deleted_email", "provider", "what")
    values = {name: str(context.get(name, "")) for name in names}
    return {
        "letter": letter,
        "text": letter.text.format(**values),
        "link": str(context.get(letter.link, "")) if letter.link else "",
        "code": str(context.get(letter.code, "")) if letter.code else "",
        "when": context.get("timestamp"),
        "address": context.get("ip", ""),
        "site": context["current_site"].name if "current_site" in context else "",
    }
